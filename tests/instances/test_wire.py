"""The wire to the database fails: what is unknown is called that, what was not done is refused."""

import asyncio
from typing import Any

import httpx
import pytest

from models import links
from models.collisions import ATTEMPTS_MAX
from server.settings import Settings
from tests.harness.client import Client, RequestRefused
from tests.harness.clock import VirtualClock
from tests.harness.patience import patience, poll
from tests.harness.proxy import Wire
from tests.harness.servers import Service, running
from tests.harness.values import Answer, Balance
from tests.instances.elsewhere import foreign, someone_waits

TIMES = 20
CALLERS = 10
COMMIT = b"COMMIT;"
GOODBYE_S = 2  # SQLAlchemy's own, for asyncpg
SAME_KEY = "ask again with the same key"


def codes(refused: RequestRefused) -> list[str]:
    return [error["extensions"]["code"] for error in refused.errors]


async def refusal(deed: Any) -> RequestRefused:
    """Return what a deed is refused with, as a whole."""
    async with patience():
        try:
            answer = await deed
        except RequestRefused as refused:
            return refused
    raise AssertionError(f"it was answered: {answer}")


async def until_it_is_told(client: Client, key: str) -> Answer:
    """Ask again with the same key until there is an answer."""
    answers: list[Answer] = []

    async def is_told() -> bool:
        try:
            answers.append(await client.credit("ann", 5, key=key))
        except RequestRefused:
            return False
        return True

    assert await poll(is_told, 60)
    return answers[0]


async def readiness(service: Service) -> tuple[int, Any]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{service.url}/readyz")
    return answer.status_code, answer.json()


@pytest.fixture
async def beside(wired: Service, database_url: str, clock: VirtualClock) -> Any:
    """Another instance, whose own wire is sound; the program is there already."""
    await wired.client.create_program("main")
    async with running(database_url, clock) as service:
        service.client.prefix = "beside-"
        yield service


# ── at the commit ───────────────────────────────────────────────────────────────────────────────


async def test_a_commit_whose_answer_is_lost_is_unknown_and_the_same_key_tells(
    wire: Wire, wired: Service, beside: Service
) -> None:
    for number in range(TIMES):
        wire.cut_at(COMMIT, answered=True)
        refused = await refusal(wired.client.credit("ann", 5, key=f"k{number}"))
        assert codes(refused) == ["OUTCOME_UNKNOWN"]
        assert SAME_KEY in refused.errors[0]["message"]

    assert await beside.client.balance("ann") == Balance(active=5 * TIMES), "all had committed"
    for number in range(TIMES):
        answer = await wired.client.credit("ann", 5, key=f"k{number}")
        assert (answer.error, answer.replayed) == (None, True)
    assert await wired.client.balance("ann") == Balance(active=5 * TIMES)


async def test_a_commit_that_is_lost_itself_is_unknown_and_the_same_key_does_it(
    wire: Wire, wired: Service, beside: Service
) -> None:
    wire.cut_at(COMMIT, answered=False)
    refused = await refusal(wired.client.credit("ann", 5, key="k"))

    assert codes(refused) == ["OUTCOME_UNKNOWN"]
    assert await beside.client.find_wallet("ann") is None
    again = await wired.client.credit("ann", 5, key="k")
    assert (again.error, again.replayed) == (None, False)
    assert await beside.client.balance("ann") == Balance(active=5)


async def test_all_callers_of_a_batch_whose_commit_is_lost_hear_that_it_is_unknown(
    wire: Wire, wired: Service, beside: Service, database_url: str
) -> None:
    await wired.client.credit("ann", 5)
    async with foreign(database_url) as other:
        await other.execute("BEGIN")
        await other.execute("SELECT id FROM wallets FOR UPDATE")
        first = asyncio.create_task(refusal(wired.client.credit("ann", 5, key="first")))
        await someone_waits(other)
        rest = [
            asyncio.create_task(refusal(wired.client.credit(f"m{number}", 5, key=f"k{number}")))
            for number in range(CALLERS)
        ]

        async def all_wait() -> bool:
            return wired.inside.ledger.backlog == CALLERS

        assert await poll(all_wait)
        wire.cut_at(COMMIT, answered=True, times=2)  # the first's, and that of all the rest
        await other.execute("ROLLBACK")
        refused = await asyncio.gather(first, *rest)

    assert [codes(each) for each in refused] == [["OUTCOME_UNKNOWN"]] * (CALLERS + 1)
    assert wire.cuts_left == 0
    assert (await beside.client.summary("Points")).active == 5 * (CALLERS + 2)
    for number in range(CALLERS):
        answer = await wired.client.credit(f"m{number}", 5, key=f"k{number}")
        assert (answer.error, answer.replayed) == (None, True)


# ── before it ───────────────────────────────────────────────────────────────────────────────────


async def test_a_connection_that_is_lost_before_the_commit_leaves_nothing(
    wire: Wire, wired: Service, beside: Service, database_url: str
) -> None:
    await wired.client.credit("ann", 5)
    async with foreign(database_url) as other:
        await other.execute("BEGIN")
        await other.execute("SELECT id FROM wallets FOR UPDATE")
        lost = asyncio.create_task(refusal(wired.client.credit("ann", 7, key="k")))
        await someone_waits(other)
        wire.drop()
        refused = await lost
        await other.execute("ROLLBACK")

    assert codes(refused) == ["UNAVAILABLE"]
    assert await beside.client.balance("ann") == Balance(active=5)
    again = await wired.client.credit("ann", 7, key="k")
    assert (again.error, again.replayed) == (None, False)


async def test_while_nobody_takes_connections_it_is_unavailable_and_not_ready(
    wire: Wire, wired: Service
) -> None:
    await wired.client.credit("ann", 5)
    assert await readiness(wired) == (200, {"ready": True})

    await wire.close()
    for deed in (wired.client.credit("ann", 7, key="k"), wired.client.balance("ann")):
        assert codes(await refusal(deed)) == ["UNAVAILABLE"]
    assert await readiness(wired) == (
        503,
        {"ready": False, "reasons": ["The database does not answer."]},
    )

    await wire.open()
    assert await readiness(wired) == (200, {"ready": True})
    assert (await wired.client.credit("ann", 7, key="k")).replayed is False
    assert await wired.client.balance("ann") == Balance(active=12)


async def test_a_slow_wire_is_just_slow(wire: Wire, wired: Service) -> None:
    wire.delay_s = 0.02

    assert (await wired.client.credit("ann", 5)).error is None

    assert await wired.client.balance("ann") == Balance(active=5)


# ── half open ───────────────────────────────────────────────────────────────────────────────────


async def test_a_wire_gone_silent_is_given_up_in_time_and_mends_by_itself(
    wire: Wire, database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that rested are asked first, so that no statement has to be waited for."""
    monkeypatch.setattr(links, "STATEMENT_TIMEOUT_MS", 60_000)
    monkeypatch.setattr(links, "RESTED_S", 0.0)
    monkeypatch.setattr(links, "PING_S", 0.5)
    monkeypatch.setattr(links, "CONNECT_S", 2.0)
    async with running(wire.url(database_url), clock) as wired:
        await wired.client.credit("ann", 5)

        wire.is_silent = True
        refused = await asyncio.gather(
            refusal(wired.client.credit("ann", 7, key="k")), refusal(wired.client.balance("ann"))
        )
        assert [codes(each) for each in refused] == [["UNAVAILABLE"]] * 2
        assert (await readiness(wired))[0] == 503

        wire.is_silent = False
        answer = await until_it_is_told(wired.client, "other")
        assert answer.replayed is False
        assert await wired.client.balance("ann") == Balance(active=10)
        assert await readiness(wired) == (200, {"ready": True})


async def test_a_commit_that_is_never_answered_is_unknown_before_the_callers_time_is_over(
    wire: Wire, database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "STATEMENT_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(links, "ANSWER_MS", 500)
    async with running(wire.url(database_url), clock) as wired:
        await wired.client.credit("ann", 5)
        wire.silence_at(COMMIT)

        refused = await refusal(wired.client.credit("ann", 5, key="k"))

        assert codes(refused) == ["OUTCOME_UNKNOWN"]
        assert "lost at the commit" in refused.errors[0]["message"]
        wire.is_silent = False
        answer = await until_it_is_told(wired.client, "k")
        assert answer.replayed is False
        assert await wired.client.balance("ann") == Balance(active=10)


def test_what_is_given_up_is_given_up_before_the_callers_time_is_over() -> None:
    callers_s = Settings().limit_execution_seconds

    assert callers_s > (links.STATEMENT_TIMEOUT_MS + links.ANSWER_MS) / 1000 + GOODBYE_S
    assert callers_s > links.PING_S + links.CONNECT_S
    assert links.LOCK_TIMEOUT_MS < links.IDLE_TIMEOUT_MS < links.STATEMENT_TIMEOUT_MS
    assert links.IDLE_TIMEOUT_MS < links.LOCK_TIMEOUT_MS * ATTEMPTS_MAX
