"""Three instances of the service on one PostgreSQL, and a database that answers by a wire."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres
from tests.harness.proxy import Wire, proxied
from tests.harness.servers import Service, running

PATIENT: Any = {"limit_execution_seconds": 600}
"""So that a slow machine, on which so many race, takes no caller's time away."""


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """A migrated PostgreSQL database: what several instances share."""
    postgres.empty("reused")
    return postgres.url("reused")


@pytest.fixture
async def three(database_url: str, clock: VirtualClock) -> AsyncIterator[list[Service]]:
    """Three instances, whose clients choose no key twice."""
    async with AsyncExitStack() as opened:
        services = [
            await opened.enter_async_context(running(database_url, clock, **PATIENT)) for _ in "123"
        ]
        for number, service in enumerate(services):
            service.client.prefix = f"{number}-"
        yield services


@pytest.fixture
async def alone(database_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    """One instance; what happens to the others is what happens elsewhere on its database."""
    async with running(database_url, clock, **PATIENT) as service:
        yield service


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    """The wire between `wired` and its database."""
    async with proxied(database_url) as wire:
        yield wire


@pytest.fixture
async def wired(database_url: str, wire: Wire, clock: VirtualClock) -> AsyncIterator[Service]:
    """An instance that reaches its database by the wire."""
    async with running(wire.url(database_url), clock) as service:
        yield service
