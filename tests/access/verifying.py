"""Verifies tokens by a provider's published keys, without a service around it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from access.jwks import Jwks
from access.principal import ProviderDown, Unauthenticated
from access.tokens import Tokens
from tests.harness.clock import Ticks, VirtualClock
from tests.harness.provider import AUDIENCE, ISSUER, Provider

ALGORITHMS = ("RS256", "ES256", "EdDSA")
FRESH_S = 600
STALE_S_MAX = 86_400
REFETCH_S = 30
RETRY_S = 2


@asynccontextmanager
async def verifier(url: str, clock: VirtualClock, ticks: Ticks) -> AsyncIterator[Tokens]:
    tokens = Tokens(Jwks(url, ALGORITHMS, ticks), ISSUER, AUDIENCE, ALGORITHMS, clock)
    try:
        yield tokens
    finally:
        await tokens.close()


async def admitted(tokens: Tokens, token: str) -> str:
    """What comes of showing a token: the member's identity, or what it was refused with."""
    try:
        return str((await tokens.admit(token)).identity)
    except (Unauthenticated, ProviderDown) as refusal:
        return type(refusal).__name__


async def fetched(identities: Provider, times: int) -> None:
    """Wait until the keys were asked for so often, and the answer was dealt with."""
    await identities.asked(times)
    await asyncio.gather(*jwks_tasks())


def jwks_tasks() -> list[asyncio.Task[None]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "jwks"]
