"""Troubles: what is done to instances, their database and their NATS, and undone after a while.

Each takes what it troubles for itself, so that several may be under way at once.
"""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from tests.faults.trial import Instance, Trial
from tests.harness.nats import Nats

SHORT_S: Final = (0.1, 1.0)
LONG_S: Final = (0.5, 4.0)
LOCKED_S: Final = 3

CATCHES_MAX: Final = 300
CAUGHT_S: Final = 0.03  # none that runs has a unit of work idle for so long
OPEN_UNITS: Final = """
  SELECT count(*) FROM pg_stat_activity
  WHERE datname = $1 AND state = 'idle in transaction' AND backend_xid IS NOT NULL
    AND state_change < clock_timestamp() - make_interval(secs => $2)"""

Trouble = Callable[[Trial, random.Random], Awaitable[None]]


async def some(chance: random.Random, between: tuple[float, float]) -> None:
    """Let a while pass: how long is chance's."""
    await asyncio.sleep(chance.uniform(*between))


# ── instances ────────────────────────────────────────────────────────────────────────────────────


def any_instance(trial: Trial, chance: random.Random) -> Instance:
    """One that nothing else is done to, if there is one."""
    free = [each for each in trial.instances if not trial.troubled(each).locked()]
    return chance.choice(free or trial.instances)


async def kill_an_instance(trial: Trial, chance: random.Random) -> None:
    victim = any_instance(trial, chance)
    async with trial.troubled(victim):
        victim.kill()
        await some(chance, SHORT_S)
        await victim.revive()


async def stop_an_instance(trial: Trial, chance: random.Random) -> None:
    """It stands still, perhaps in the middle of writing; to others it looks like a dead machine."""
    victim = any_instance(trial, chance)
    async with trial.troubled(victim):
        victim.signal(signal.SIGSTOP)
        await some(chance, LONG_S)
        victim.signal(signal.SIGCONT)


async def stop_in_the_middle(trial: Trial, victim: Instance) -> None:
    """Stop it in a unit of work in which it has written, or locked what it will write.

    Where chance isn't so kind, it is stopped as it is.
    """
    connection = await asyncpg.connect(trial.database_url)
    try:
        for _ in range(CATCHES_MAX):
            victim.signal(signal.SIGSTOP)
            await asyncio.sleep(CAUGHT_S)
            if await connection.fetchval(OPEN_UNITS, trial.database, CAUGHT_S):
                return
            victim.signal(signal.SIGCONT)
            await asyncio.sleep(0)
        victim.signal(signal.SIGSTOP)
    finally:
        await connection.close()


async def stop_an_instance_in_the_middle(trial: Trial, chance: random.Random) -> None:
    victim = any_instance(trial, chance)
    async with trial.troubled(trial.postgres), trial.troubled(victim):
        await stop_in_the_middle(trial, victim)
        await some(chance, LONG_S)
        victim.signal(signal.SIGCONT)


async def restart_an_instance(trial: Trial, chance: random.Random) -> None:
    victim = any_instance(trial, chance)
    async with trial.troubled(victim):
        code = await asyncio.to_thread(victim.terminate)
        assert code == 0, f"it ended by {code}"
        await victim.revive()


# ── PostgreSQL ───────────────────────────────────────────────────────────────────────────────────


async def kill_the_database(trial: Trial, chance: random.Random) -> None:
    async with trial.troubled(trial.postgres):
        trial.postgres.kill()
        await some(chance, SHORT_S)
        await trial.postgres.start_again()


async def restart_the_database(trial: Trial, chance: random.Random) -> None:
    async with trial.troubled(trial.postgres):
        await asyncio.to_thread(trial.postgres.shut_down)
        await some(chance, SHORT_S)
        await trial.postgres.start_again()


async def stop_the_database(trial: Trial, chance: random.Random) -> None:
    """It stands still: connections stay open, and nothing is answered."""
    async with trial.troubled(trial.postgres):
        trial.postgres.signal(signal.SIGSTOP)
        await some(chance, LONG_S)
        trial.postgres.signal(signal.SIGCONT)


async def cut_connections(trial: Trial, chance: random.Random) -> None:
    """The server ends every connection, a few times: some of them at their COMMIT."""
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{trial.database}' AND pid <> pg_backend_pid()"
    )
    async with trial.troubled(trial.postgres):
        for _ in range(chance.randint(1, 5)):
            await asyncio.to_thread(trial.postgres.run, statement)
            await some(chance, SHORT_S)


async def hold_the_log(trial: Trial, chance: random.Random) -> None:
    """Somebody has the log's lock, or a wallet's, and does nothing: as a frozen machine would."""
    row = chance.choice(
        [
            "log_head",
            "wallets WHERE id = (SELECT min(id) FROM wallets)",
        ]
    )
    statement = f"BEGIN; SELECT 1 FROM {row} FOR UPDATE; SELECT pg_sleep({LOCKED_S}); ROLLBACK"
    async with trial.troubled(trial.postgres):
        await asyncio.to_thread(trial.postgres.run, statement, trial.database)


# ── NATS ─────────────────────────────────────────────────────────────────────────────────────────


async def with_a_nats(
    trial: Trial, chance: random.Random, do: Callable[[Nats], Awaitable[None]]
) -> None:
    """Do it to one of the servers."""
    victim = chance.choice(trial.shape.nats)
    async with trial.troubled(trial.shape.nats):  # of a cluster, most stay
        await do(victim)


async def kill_nats(trial: Trial, chance: random.Random) -> None:
    async def kill(victim: Nats) -> None:
        victim.kill()
        await some(chance, LONG_S)
        await victim.start()

    await with_a_nats(trial, chance, kill)


async def wipe_nats(trial: Trial, chance: random.Random) -> None:
    """It comes back with nothing of what it had."""

    async def wipe(victim: Nats) -> None:
        victim.kill()
        victim.forget()
        await some(chance, SHORT_S)
        await victim.start()

    await with_a_nats(trial, chance, wipe)


async def stop_nats(trial: Trial, chance: random.Random) -> None:
    async def stop(victim: Nats) -> None:
        victim.signal(signal.SIGSTOP)
        await some(chance, LONG_S)
        victim.signal(signal.SIGCONT)

    await with_a_nats(trial, chance, stop)


TROUBLES: Final[tuple[Trouble, ...]] = (
    kill_an_instance,
    stop_an_instance,
    stop_an_instance_in_the_middle,
    restart_an_instance,
    kill_the_database,
    restart_the_database,
    stop_the_database,
    cut_connections,
    hold_the_log,
)
NATS_TROUBLES: Final[tuple[Trouble, ...]] = (kill_nats, wipe_nats, stop_nats)


class Deck:
    """The troubles that a trial can have, by chance; each comes before any comes again."""

    def __init__(self, trial: Trial, chance: random.Random) -> None:
        self.chance = chance
        self.kinds = (*TROUBLES, *NATS_TROUBLES) if trial.shape.nats else TROUBLES
        self.left: list[Trouble] = []

    def draw(self) -> Trouble:
        if not self.left:
            self.left = self.chance.sample(self.kinds, len(self.kinds))
        return self.left.pop()
