"""NATS killed, wiped, standing still, or without its leader: it costs time, and never an event."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.faults.trial import Shape, trying
from tests.harness.nats import Nats, nats_cluster, nats_server
from tests.harness.patience import poll
from tests.harness.postgres import Postgres

INSTANCES = 2
EVENTS = 20
STREAMS = "jsz?accounts=true&streams=true"


async def all_connect(*servers: Nats) -> None:
    """Wait until each instance is connected to one of the servers: it finds them by itself."""

    async def is_so() -> bool:
        told: list[Any] = [await each.ask("connz") for each in servers]
        return sum(each.get("num_connections", 0) for each in told) == INSTANCES

    assert await poll(is_so)


async def test_a_nats_that_is_killed_wiped_or_stopped_costs_no_event(
    careful_postgres: Postgres, tmp_path: Path
) -> None:
    async with nats_server() as nats:
        shape = Shape(instances=INSTANCES, nats=(nats,))
        async with trying(careful_postgres, tmp_path, shape, 4) as trial:
            await all_connect(nats)
            await trial.hears_on(EVENTS)

            nats.kill()
            await trial.hears_on(EVENTS)
            await nats.start()
            await all_connect(nats)
            await trial.hears_on(EVENTS)

            nats.kill()
            nats.forget()
            await nats.start()
            await all_connect(nats)
            await trial.hears_on(EVENTS)

            nats.signal(signal.SIGSTOP)
            await trial.hears_on(EVENTS)
            nats.signal(signal.SIGCONT)
            await trial.hears_on(EVENTS)

            await trial.ends_well()


async def leader_of(cluster: Sequence[Nats]) -> Nats:
    """The server that leads the stream, as all of them have it."""
    names: list[set[str]] = []

    async def is_known() -> bool:
        told = await asyncio.gather(*(each.ask(STREAMS) for each in cluster))
        names[:] = [leaders_in(each) for each in told]
        return any(names == [{each.name}] * len(cluster) for each in cluster)

    assert await poll(is_known), names
    [leader] = [each for each in cluster if {each.name} == names[0]]
    return leader


def leaders_in(told: Any) -> set[str]:
    """Who leads the streams that a server's monitor tells of."""
    accounts = told.get("account_details") or []
    streams = [stream for account in accounts for stream in account.get("stream_detail") or []]
    return {str(stream.get("cluster", {}).get("leader")) for stream in streams}


async def test_a_cluster_that_loses_its_leader_costs_no_event(
    careful_postgres: Postgres, tmp_path: Path
) -> None:
    async with nats_cluster() as cluster:
        shape = Shape(instances=INSTANCES, nats=tuple(cluster))
        async with trying(careful_postgres, tmp_path, shape, 5) as trial:
            await all_connect(*cluster)
            await trial.hears_on(EVENTS)

            leader = await leader_of(cluster)
            leader.kill()
            others = [each for each in cluster if each is not leader]
            await all_connect(*others)
            assert await leader_of(others) in others
            await trial.hears_on(EVENTS)
            await leader.start()

            await trial.ends_well()
