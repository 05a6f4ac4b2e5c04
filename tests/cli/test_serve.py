"""tuppence serve: the service, ready from its first answer on, ended by a signal."""

from pathlib import Path

import httpx

from tests.harness.client import Client
from tests.harness.keys import ADMIN
from tests.harness.processes import serving
from tests.harness.values import Balance


async def test_a_new_database_is_made_and_the_first_credit_works(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'tuppence.db'}"
    async with serving(url, tmp_path) as process:
        async with Client.of(process.url, ADMIN) as client:
            await client.credit("ann", 50)
            assert await client.balance("ann") == Balance(active=50)
        assert process.terminate() == 0

    assert (tmp_path / "new" / "tuppence.db").exists()


async def test_points_outlive_the_process(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as process:
        async with Client.of(process.url, ADMIN) as client:
            await client.credit("ann", 50)
        assert process.terminate() == 0
        await process.start()
        async with Client.of(process.url, ADMIN) as client:
            assert await client.balance("ann") == Balance(active=50)


async def test_it_says_whether_it_lives_and_is_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tuppence.db'}"
    async with serving(url, tmp_path) as process, httpx.AsyncClient(trust_env=False) as http:
        for path in ("/healthz", "/readyz"):
            answer = await http.get(process.origin + path)
            assert answer.status_code == 200


async def test_the_page_is_there_for_people(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tuppence.db'}"
    async with serving(url, tmp_path) as process, httpx.AsyncClient(trust_env=False) as http:
        page = await http.get(process.url, headers={"accept": "text/html"})

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


async def test_credits_reach_a_subscriber(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tuppence.db'}"
    async with serving(url, tmp_path) as process, Client.of(process.url, ADMIN) as client:
        cursor = await client.event_cursor()
        async with client.subscribe(after=cursor) as stream:
            credit = await client.credit("ann", 50)
            assert (await stream.next()).transaction_id == credit.id


async def test_the_sweeper_writes_what_is_due_by_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tuppence.db'}"
    async with serving(url, tmp_path) as process, Client.of(process.url, ADMIN) as client:
        await client.create_program("Soon", activation_delay="PT1S")
        cursor = await client.event_cursor()
        async with client.subscribe(after=cursor) as stream:
            credit = await client.credit("ann", 50, program="Soon")
            event = await stream.next()

        assert (event.transaction_id, event.ct_source) == (credit.id, "System")
        rows = await client.history("ann", program="Soon")
        assert [row.kind for row in rows] == ["CREDIT", "ACTIVATION"]
