"""Fixtures of the door's specification: a provider, what verifies its tokens, and seconds."""

from collections.abc import AsyncIterator

import pytest

from access.tokens import Tokens
from tests.access.verifying import verifier
from tests.harness.clock import Ticks, VirtualClock
from tests.harness.provider import Provider, provider


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def identities(clock: VirtualClock) -> AsyncIterator[Provider]:
    async with provider(clock) as identities:
        yield identities


@pytest.fixture
async def tokens(identities: Provider, clock: VirtualClock, ticks: Ticks) -> AsyncIterator[Tokens]:
    """What verifies this provider's tokens."""
    async with verifier(identities.url, clock, ticks) as tokens:
        yield tokens
