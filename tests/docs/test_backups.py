"""docs/backups.md: a backup that was taken under load holds all that was acknowledged before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.docs.scripts import examples, run
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.patience import poll
from tests.harness.postgres import USER, Postgres
from tests.harness.servers import running

WORKERS = 8
BEFORE = 100
"""Credits that are acknowledged before the backup begins."""


@dataclass
class Till:
    """Whoever gives points, one credit after another, and keeps what was answered."""

    client: Client
    stopping: bool = False
    answered: dict[str, str] = field(default_factory=dict[str, str])

    async def give(self, keys: "count[int]") -> None:
        while not self.stopping:
            key = f"order-{next(keys)}"
            self.answered[key] = (await self.client.credit("ann", 1, key=key)).id

    async def has_given(self, credits_min: int) -> None:
        async def enough() -> bool:
            return len(self.answered) >= credits_min

        assert await poll(enough), f"{len(self.answered)} of {credits_min}"


@asynccontextmanager
async def giving(url: str, clock: VirtualClock) -> AsyncIterator[Till]:
    """Give points until the block ends."""
    async with running(url, clock) as service:
        till, keys = Till(service.client), count()
        workers = [asyncio.create_task(till.give(keys)) for _ in range(WORKERS)]
        try:
            yield till
        finally:
            till.stopping = True
            await asyncio.gather(*workers)


async def assert_it_holds(url: str, known: dict[str, str], clock: VirtualClock) -> None:
    """Serve what was restored: each of these is answered as a replay, and the books close."""
    async with running(url, clock) as service:
        keys = list(known)
        answers = await asyncio.gather(*(service.client.credit("ann", 1, key=key) for key in keys))
        assert [answer.id for answer in answers] == list(known.values())
        assert all(answer.replayed for answer in answers)
        assert (await service.client.credit("ann", 1, key="after")).replayed is False
        assert (await service.client.health()).violations == []


async def test_sqlite_is_backed_up_and_restored_as_it_says(
    tmp_path: Path, clock: VirtualClock
) -> None:
    back_up, restore = examples("backups.md", "SQLite")
    file = tmp_path / "data" / "tuppence.db"

    async with giving(f"sqlite:///{file}", clock) as till:
        await till.has_given(BEFORE)
        known = dict(till.answered)
        await asyncio.to_thread(run, back_up, tmp_path)
        await till.has_given(len(till.answered) + 1)
    await asyncio.to_thread(run, restore, tmp_path)

    assert len(till.answered) > len(known)
    assert file.stat().st_mode & 0o777 == 0o600
    await assert_it_holds(f"sqlite:///{file}", known, clock)


async def test_postgresql_is_backed_up_and_restored_as_it_says(
    postgres: Postgres, tmp_path: Path, clock: VirtualClock
) -> None:
    back_up, restore = examples("backups.md", "PostgreSQL")
    url = postgres.create("tuppence", template="migrated")
    where = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": USER}

    async with giving(url, clock) as till:
        await till.has_given(BEFORE)
        known = dict(till.answered)
        await asyncio.to_thread(run, back_up, tmp_path, postgres.programs, **where)
        await till.has_given(len(till.answered) + 1)
    await asyncio.to_thread(run, restore, tmp_path, postgres.programs, **where)

    await assert_it_holds(postgres.url("restored"), known, clock)
    postgres.drop("restored")
    postgres.drop("tuppence")
