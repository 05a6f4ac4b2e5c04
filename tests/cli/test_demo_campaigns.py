"""tuppence demo: its campaigns run, and with --fast-clock their messages come within seconds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.demo import fast_demo, terminal
from tests.harness.keys import ADMIN
from tests.harness.postgres import free_port
from tests.harness.processes import serving, tuppence
from tests.harness.servers import running
from tests.harness.tables import rows
from tests.harness.values import Balance

LATER = datetime(2100, 1, 1, tzinfo=UTC)

CREDITED = """
mutation ($identity: String!, $name: String!, $points: Points!, $key: String!) {
  upsertMember(input: {identity: $identity, name: $name}) { member { id } errors { __typename } }
  creditPoints(input: {wallet: {owner: {identity: $identity, program: "Beans"}}, points: $points,
                       idempotencyKey: $key}) { errors { __typename } }
}
"""
REASONS = """
SELECT DISTINCT identity, reason FROM deliveries JOIN members ON members.id = deliveries.member_id
WHERE reason IS NOT NULL ORDER BY identity
"""
# In one request, so that no day passes between the two.
SPENT = """
mutation ($identity: String!, $points: Points!, $key: String!) {
  creditPoints(input: {wallet: {owner: {identity: $identity, program: "Beans"}}, points: $points,
                       idempotencyKey: $key}) { errors { __typename } }
  debitPoints(input: {wallet: {owner: {identity: $identity, program: "Beans"}}, points: $points,
                      idempotencyKey: "spend"}) { errors { __typename } }
}
"""


async def ask(client: Client, document: str, **variables: Any) -> None:
    answer = await client.execute(document, **variables)
    assert {key: value["errors"] for key, value in answer.items()} == {key: [] for key in answer}


async def test_who_leaves_points_unused_is_reminded_and_who_spends_is_not(tmp_path: Path) -> None:
    real = tmp_path / "data" / "tuppence.db"
    tuppence("migrate", database_url=f"sqlite:///{real}")
    before = real.read_bytes()
    async with fast_demo(tmp_path, "--day-seconds", "2", "--members", "5") as (demo, client):
        await ask(client, SPENT, identity="yan", points=60, key="credit-yan")
        await ask(client, CREDITED, identity="zoe", name="Zoe", points=61, key="credit-zoe")
        await ask(client, CREDITED, identity="xia", name="Xia", points=205, key="credit-xia")

        assert await demo.shows("A tenth on top", "Xia"), demo.text
        assert await demo.shows("Earned and not used", "Zoe"), demo.text

        [card] = demo.cards("A tenth on top", "Xia")
        assert "with a reward of 20 points" in card
        assert await client.balance("xia", program="Beans") == Balance(active=225)
        [card] = demo.cards("Earned and not used", "Zoe")
        assert "Zoe, you earned 61 beans three days ago and haven't used them yet." in card
        assert "on CT Points Credited of 61 points" in card
        # Yan was credited before Zoe: a reminder of his would have been due before hers.
        assert not demo.cards("Earned and not used", "yan")
        assert "not checked" not in demo.text
        assert "Refused" not in demo.text

    assert real.read_bytes() == before


async def test_the_story_goes_on_by_itself_and_its_events_are_live(tmp_path: Path) -> None:
    async with fast_demo(tmp_path, "--day-seconds", "1") as (demo, client):
        async with client.subscribe() as stream:
            for _ in range(3):
                assert (await stream.next()).points > 0
        assert await demo.shows("Earned and not used", ".*?"), demo.text
        assert await demo.shows("Use them in time", ".*?"), demo.text

    url = f"sqlite:///{tmp_path}/data/fast-demo/tuppence.db"
    [attempts] = await rows(url, "SELECT DISTINCT attempts FROM deliveries WHERE status = 'SENT'")
    assert attempts == (1,)
    checked = tuppence("check", database_url=url)
    assert "all is sound" in checked.stdout, checked.stdout


# ── never on a real database ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("url", ["sqlite:///data/shop.db", "postgresql://shop:pw@127.0.0.1:1/shop"])
def test_it_runs_on_no_database_that_was_set(tmp_path: Path, url: str) -> None:
    done = tuppence("demo", "--fast-clock", database_url=url, cwd=tmp_path, TUPPENCE_PORT="0")

    assert done.returncode == 2
    assert done.stderr == (
        "The fast demo has a database of its own, data/fast-demo/, and runs on no other: its clock"
        " runs years ahead. Unset TUPPENCE_DATABASE_URL, or leave --fast-clock out.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path, kind: str) -> None:
    folder, precious = tmp_path / "data" / "fast-demo", tmp_path / "precious"
    precious.mkdir()
    (precious / "tuppence.db").write_text("precious")
    (precious / "THIS-IS-A-DEMO.txt").write_text("not this one")
    folder.parent.mkdir()
    if kind == "link":
        folder.symlink_to(precious)
    elif kind == "file":
        folder.write_text("precious")
    else:
        folder.mkdir()
        (folder / "tuppence.db").write_text("precious")

    done = tuppence("demo", "--fast-clock", "--receiver-port", "0", cwd=tmp_path, TUPPENCE_PORT="0")

    assert done.returncode == 2
    assert done.stderr.startswith("data/fast-demo/ is there, and isn't a demo's ")
    assert done.stderr.count("\n") == 1
    assert (precious / "tuppence.db").read_text() == "precious"
    if kind == "folder":
        assert (folder / "tuppence.db").read_text() == "precious"


# ── by the year's clock ──────────────────────────────────────────────────────────────────────────


async def test_the_demo_of_a_year_has_campaigns_that_run_for_its_guests(
    tmp_path: Path, sqlite_url: str
) -> None:
    done = tuppence("demo", "--members", "5", database_url=sqlite_url, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "`tuppence receive --port 8025` shows them." in done.stdout
    assert await rows(sqlite_url, "SELECT name, status, version FROM campaigns ORDER BY name") == [
        ("A tenth on top", "RUNNING", 1),
        ("Earned and not used", "RUNNING", 1),
        ("Use them in time", "RUNNING", 1),
    ]
    [(channel, settings)] = await rows(sqlite_url, "SELECT name, settings FROM channels")
    assert channel == "Demo receiver of Beans"
    assert settings == '{"url":"http://127.0.0.1:8025/"}'
    [(secrets,)] = await rows(sqlite_url, "SELECT secrets FROM channels")
    file = Path(sqlite_url.removeprefix("sqlite:///")).parent / "receiver.secrets"
    assert file.read_text().strip() in secrets
    assert file.stat().st_mode & 0o777 == 0o600


async def test_serve_and_receive_show_a_guests_message(tmp_path: Path) -> None:
    url, port = f"sqlite:///{tmp_path}/data/tuppence.db", str(free_port())
    told = tuppence(
        *("demo", "--members", "2", "--receiver-port", port), database_url=url, cwd=tmp_path
    )
    assert told.returncode == 0, told.stderr
    [(guest, name)] = await rows(url, "SELECT identity, name FROM members LIMIT 1")
    with terminal(tmp_path, "receive", "--port", port, database_url=url) as receiver:
        async with serving(url, tmp_path, "--dev") as service:
            async with Client.of(service.url, ADMIN) as client:
                await client.credit(guest, 205, program="Beans")
            assert await receiver.shows("A tenth on top", name), receiver.text
            assert service.terminate() == 0
        assert await receiver.interrupt() == 0

    assert f"Messages to http://127.0.0.1:{port}/ are shown here." in receiver.text
    assert "with a reward of 20 points" in receiver.text
    assert "not checked" not in receiver.text


async def test_they_write_to_nobody_but_guests(sqlite_url: str, tmp_path: Path) -> None:
    tuppence("demo", "--members", "2", database_url=sqlite_url, cwd=tmp_path)
    [(identity,)] = await rows(sqlite_url, "SELECT identity FROM members ORDER BY identity LIMIT 1")
    async with running(sqlite_url, VirtualClock(LATER)) as service:
        for who in ("ann", identity):
            await service.client.credit(who, 200)
        await service.plan()

    found = await rows(sqlite_url, REASONS)
    assert found == [("ann", "PROFILE_MISMATCH"), (identity, "REJECTED")]  # nobody listens there
