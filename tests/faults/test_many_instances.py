"""Instances on one PostgreSQL: killed, stopped and restarted under load, they keep every promise.

Each trial ends by asking again for all that wasn't answered, by `tuppence check`, and by the
checker of histories: what was answered, heard and written can have been so, and all of it is there.
"""

import asyncio
import signal
from pathlib import Path

import httpx

from tests.faults.trial import Shape, trying
from tests.faults.troubles import stop_in_the_middle
from tests.harness.patience import poll
from tests.harness.postgres import Postgres


async def test_an_instance_that_is_killed_or_stands_still_costs_nothing_but_retries(
    careful_postgres: Postgres, tmp_path: Path
) -> None:
    async with trying(careful_postgres, tmp_path, Shape(), 1) as trial:
        killed, stopped, _ = trial.instances
        await trial.goes_on(30)
        killed.kill()
        await trial.goes_on(30)
        await killed.revive()

        # It has locks, of a wallet or the log: the database takes them from it after a while.
        await trial.goes_on(30)
        await stop_in_the_middle(trial, stopped)
        await trial.goes_on(30)
        stopped.signal(signal.SIGCONT)
        await trial.goes_on(30)

        await trial.ends_well()


async def test_a_database_that_is_killed_is_waited_for(
    careful_postgres: Postgres, tmp_path: Path
) -> None:
    shape = Shape(instances=2)
    async with trying(careful_postgres, tmp_path, shape, 2) as trial:
        await trial.goes_on(30)

        careful_postgres.kill()

        await trial.told_to_come_back(20)
        ready = await asyncio.gather(*(each.readiness() for each in trial.instances))
        assert ready == [httpx.codes.SERVICE_UNAVAILABLE] * shape.instances

        await careful_postgres.start_again()

        for instance in trial.instances:
            assert await poll(instance.is_ready)
        await trial.goes_on(60)
        await trial.ends_well()


async def test_two_hundred_subscribers_miss_nothing_while_every_instance_is_restarted(
    careful_postgres: Postgres, tmp_path: Path
) -> None:
    shape = Shape(people=20, followers=200, rate=30)
    async with trying(careful_postgres, tmp_path, shape, 3) as trial:
        for instance in trial.instances:
            await trial.goes_on(20)
            assert await asyncio.to_thread(instance.terminate) == 0
            await instance.revive()
        await trial.goes_on(30)

        await trial.ends_well()
        assert trial.followers.connections > 2 * shape.followers
