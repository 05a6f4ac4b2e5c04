"""Fixtures of the log's and the feed's tests: a ledger whose commits ring a feed."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.events.diary import Diary, open_diary
from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres

shared_numbers = itertools.count(1)


@pytest.fixture
def shared_url(postgres: Postgres) -> Iterator[str]:
    """A migrated PostgreSQL database, for what only instances that share one can show."""
    name = f"shared_{next(shared_numbers)}"
    yield postgres.create(name, template="migrated")
    postgres.drop(name)


@pytest.fixture
async def diary(database_url: str, clock: VirtualClock) -> AsyncIterator[Diary]:
    async with open_diary(database_url, clock) as diary:
        yield diary
