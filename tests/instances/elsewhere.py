"""A session of somebody else's on the same PostgreSQL, which takes locks and keeps them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.harness.patience import poll

WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND application_name = 'tuppence'"
)


@asynccontextmanager
async def foreign(database_url: str) -> AsyncIterator[Any]:
    """A session, until the block ends."""
    session: Any = await asyncpg.connect(database_url)
    try:
        yield session
    finally:
        session.terminate()


async def waiting(session: Any) -> list[int]:
    """Return the service's sessions that wait for a lock."""
    return [row["pid"] for row in await session.fetch(WAITING)]


async def someone_waits(session: Any) -> None:
    """Wait until a session of the service waits for a lock."""

    async def is_so() -> bool:
        return bool(await waiting(session))

    assert await poll(is_so), "nobody waits for a lock"
