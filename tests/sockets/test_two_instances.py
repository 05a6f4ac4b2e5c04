"""Two instances: a subscriber of one hears what is credited at the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server import app
from tests.harness.clock import VirtualClock
from tests.harness.nats import Nats, nats_server
from tests.harness.patience import poll
from tests.harness.postgres import Postgres
from tests.harness.servers import Service, running

NEVER_S = 3_600.0


@asynccontextmanager
async def two_instances(url: str, clock: VirtualClock, *nats: Nats) -> AsyncIterator[list[Service]]:
    servers = tuple(each.url for each in nats)
    async with (
        running(url, clock, nats_url=servers) as one,
        running(url, clock, nats_url=servers) as other,
    ):
        other.client.prefix = "other-"  # keys are one space

        async def are_connected() -> bool:
            return all(each.inside.nats.connected for each in (one, other))

        assert not servers or await poll(are_connected)
        yield [one, other]


@pytest.fixture
def shared_url(postgres: Postgres) -> str:
    postgres.empty("reused")
    return postgres.url("reused")


async def test_by_nats_it_is_told_of_what_the_other_did(
    shared_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "POLL_S", NEVER_S)
    async with (
        nats_server() as nats,
        two_instances(shared_url, clock, nats) as (here, there),
        here.client.subscribe() as stream,
    ):
        await here.following(1)
        answers = [await there.client.credit("ann", points) for points in (5, 7)]

        heard = await stream.take(2)

    assert [(event.transaction_id, event.points) for event in heard] == [
        (answers[0].id, 5),
        (answers[1].id, 7),
    ]


async def test_without_nats_it_looks_for_itself(shared_url: str, clock: VirtualClock) -> None:
    async with (
        two_instances(shared_url, clock) as (here, there),
        here.client.subscribe() as stream,
    ):
        await here.following(1)
        answer = await there.client.credit("ann", 5)

        assert (await stream.next()).transaction_id == answer.id


async def test_it_goes_on_elsewhere_with_the_cursor_that_the_other_gave(
    shared_url: str, clock: VirtualClock
) -> None:
    async with two_instances(shared_url, clock) as (here, there):
        async with here.client.subscribe() as stream:
            await here.following(1)
            await here.client.credit("ann", 5)
            first = await stream.next()
        missed = await here.client.credit("ann", 6)
        async with there.client.subscribe(after=first.cursor) as stream:
            later = await there.client.credit("ann", 7)

            heard = await stream.take(2)

    assert [event.transaction_id for event in heard] == [missed.id, later.id]
