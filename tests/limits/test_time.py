"""Time: what takes longer than it may is given up, says so, and leaves nothing behind.

A service that gives no time at all gives up whatever it has to wait for.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.harness import documents
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.patience import poll
from tests.harness.servers import Service, running
from tests.harness.stream import Stream
from tests.harness.values import Balance, Json

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited:RuntimeWarning"),
    pytest.mark.usefixtures("swept"),
]

CREDIT = {"wallet": {"owner": {"identity": "ann"}}, "points": 5, "idempotencyKey": "order-1"}
LATE = {"limit": "execution_seconds", "value": 0}


@pytest.fixture
async def hurried(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    """A service that has no time."""
    async with running(sqlite_url, clock, limit_execution_seconds=0) as service:
        yield service


async def test_a_query_is_refused_by_the_limit(hurried: Service) -> None:
    document = "{ a: eventCursor __typename }"

    status, answer = await hurried.client.ask(document, {})

    (error,) = answer["errors"]
    assert status == 200
    assert error["message"] == "execution_seconds: this took more than 0 s"
    assert error["path"] == ["a"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", **LATE}


async def test_what_a_query_need_not_wait_for_is_told(hurried: Service) -> None:
    status, answer = await hurried.client.ask('{ program(name: "Points") { name } __typename }', {})

    assert status == 200
    assert answer["data"] == {"program": None, "__typename": "Query"}


async def test_of_a_mutation_the_outcome_is_unknown(hurried: Service) -> None:
    status, answer = await credit(hurried.client)

    (error,) = answer["errors"]
    assert status == 200
    assert answer["data"] is None
    assert error["path"] == ["creditPoints"]
    assert error["extensions"] == {"code": "OUTCOME_UNKNOWN", "retryable": True, **LATE}
    assert "ask again with the same key" in error["message"]


async def test_a_mutation_that_was_given_up_is_done_yet(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, limit_execution_seconds=0) as hurried:
        _, answer = await credit(hurried.client)
        assert answer["errors"][0]["extensions"]["code"] == "OUTCOME_UNKNOWN"
    # Closing, it has written what was submitted.
    async with running(sqlite_url, clock) as service:
        answer = await service.client.mutate("creditPoints", CREDIT)
        assert answer.replayed
        assert await service.client.balance("ann") == Balance(active=5)


async def test_nothing_is_left_behind(hurried: Service) -> None:
    await credit(hurried.client)
    before = len(asyncio.all_tasks())
    document = (
        "{ wallets { edges { node { transactions { edges { node { wallet { id } } } } } } } }"
    )

    for _ in range(20):
        await hurried.client.refused(document)
        await credit(hurried.client)

    async def nothing_is_left() -> bool:
        return len(asyncio.all_tasks()) == before and hurried.inside.ledger.backlog == 0

    assert await poll(nothing_is_left)


async def test_over_a_socket_it_is_the_same(hurried: Service) -> None:
    async with Stream(hurried.client.ws_url, documents.CURSOR, {}) as stream:
        message = await stream.receive()

        assert message["type"] == "next"
        (error,) = message["payload"]["errors"]
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", **LATE}


async def test_a_subscription_has_its_time_for_each_event_anew(hurried: Service) -> None:
    document = "subscription { pointsCredited { identity wallet { id } } }"
    async with Stream(hurried.client.ws_url, document, {}) as stream:
        for key in ("order-1", "order-2"):
            await credit(hurried.client, idempotencyKey=key)
            message = await stream.receive()
            assert message["type"] == "next"
            (error,) = message["payload"]["errors"]
            assert error["extensions"] == {"code": "LIMIT_EXCEEDED", **LATE}


async def test_a_subscription_may_last(sqlite_url: str, clock: VirtualClock) -> None:
    """It may wait for longer than an operation may take; an event that needs no time is told."""
    async with running(sqlite_url, clock, limit_execution_seconds=0) as hurried:
        document = "subscription { pointsCredited { identity } }"
        async with Stream(hurried.client.ws_url, document, {}) as stream:
            for key in ("order-1", "order-2"):
                await credit(hurried.client, idempotencyKey=key)
                assert await stream.next_data() == {"pointsCredited": {"identity": "ann"}}


async def credit(client: Client, **changes: object) -> tuple[int, Json]:
    return await client.ask(documents.mutation("creditPoints"), {"input": CREDIT | changes})
