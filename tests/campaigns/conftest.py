"""Campaigns on each database."""

from collections.abc import AsyncIterator

import pytest

from tests.campaigns.world import World, planning
from tests.harness.clock import VirtualClock


@pytest.fixture
async def world(database_url: str, clock: VirtualClock) -> AsyncIterator[World]:
    async with planning(database_url, clock) as world:
        yield world
