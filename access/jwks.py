"""JWKS: the identity provider's public keys, fetched and kept.

They are fetched once at a time, however many wait for it: when there are none, when a token names
one that isn't among them, and in the background once they have been kept for a while. While the
provider is down, those that were fetched last are good.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus
from math import ceil, inf
from typing import Any, Final

import httpx
import orjson
import structlog
from jwt import PyJWK, PyJWTError

from access.principal import ProviderDown
from access.signatures import VerifyingKey

FETCH_S_MAX: Final = 5.0
"""How long the provider may take to answer, all in all."""

BYTES_MAX: Final = 262_144
KEYS_MAX: Final = 100

FRESH_S: Final = 600.0
"""How long the keys are kept before they are fetched anew in the background."""

STALE_S_MAX: Final = 86_400.0
"""How long they are good at the longest, while the provider is down."""

REFETCH_S: Final = 30.0
"""How long at least from one fetch to the next, whatever keys are named meanwhile."""

RETRY_S: Final = 2.0
"""The same while there are no keys that are good, and so no member gets in."""

log = structlog.get_logger()


class Jwks:
    """The keys at an address. `ticks` are seconds that never run backwards."""

    def __init__(self, url: str, algorithms: Collection[str], ticks: Callable[[], float]) -> None:
        self._url = url
        self._algorithms = algorithms
        self._ticks = ticks
        self._client = _client()
        self._keys: Sequence[VerifyingKey] = ()
        self._fetched_at = -inf
        self._tried_at = -inf
        self._failed = False
        self._fetching: asyncio.Task[None] | None = None
        self.version = 0

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        """The key of this name, if it is made for this algorithm.

        Raises ProviderDown where it can't be said: there are no keys that are good, or this one is
        unknown and the last fetch failed.
        """
        if self._age >= STALE_S_MAX:
            await self._wait_for_fetch()
        elif self._age >= FRESH_S and self._wait_s <= 0:
            self._fetch()
        named = self._named(kid)
        if not named and (self._fetching or self._wait_s <= 0):
            await self._wait_for_fetch()
            named = self._named(kid)
        if not named and self._failed:
            raise ProviderDown(self._retry_after_s)
        return next((key for key in named if algorithm in key.algorithms), None)

    async def close(self) -> None:
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        await self._client.aclose()

    def _named(self, kid: str | None) -> list[VerifyingKey]:
        """The keys that a token means; one that names none means the only one there is."""
        if kid is None:
            return list(self._keys) if len(self._keys) == 1 else []
        return [key for key in self._keys if key.kid == kid]

    @property
    def _age(self) -> float:
        return self._ticks() - self._fetched_at

    @property
    def _wait_s(self) -> float:
        """How long until the keys may be fetched again."""
        apart = REFETCH_S if self._age < STALE_S_MAX else RETRY_S
        return self._tried_at + apart - self._ticks()

    @property
    def _retry_after_s(self) -> int:
        return max(1, ceil(self._wait_s))

    async def _wait_for_fetch(self) -> None:
        """Wait for the fetch under way, or for a new one where it is time for it."""
        if self._fetching or self._wait_s <= 0:
            # Shielded: others wait for the same.
            await asyncio.shield(self._fetching or self._fetch())
        if self._age >= STALE_S_MAX:
            raise ProviderDown(self._retry_after_s)

    def _fetch(self) -> "asyncio.Task[None]":
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._run_fetch(), name="jwks")
        return self._fetching

    async def _run_fetch(self) -> None:
        self._tried_at = self._ticks()
        try:
            async with asyncio.timeout(FETCH_S_MAX):
                keys = self._usable(await self._download())
        except Exception as error:  # noqa: BLE001 - whatever it was, those fetched last are good
            self._failed = True
            log.warning("the identity provider's keys can't be fetched", reason=_told(error))
        else:
            self._failed = False
            self._fetched_at = self._ticks()
            if keys != self._keys:
                self._keys = keys
                self.version += 1
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        # Uncompressed, so that its size is what it takes.
        plain = {"accept": "application/json", "accept-encoding": "identity"}
        async with self._client.stream("GET", self._url, headers=plain) as response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(f"it answers with HTTP {response.status_code}")
            body = b""
            async for part in response.aiter_raw():
                body += part
                if len(body) > BYTES_MAX:
                    raise ValueError(f"its answer has more than {BYTES_MAX} bytes")
        return body

    def _usable(self, body: bytes) -> Sequence[VerifyingKey]:
        published: Any = orjson.loads(body)
        listed: Any = published.get("keys") if isinstance(published, dict) else None
        several = listed[:KEYS_MAX] if isinstance(listed, list) else []
        keys = [key for each in several if (key := _parsed(each, self._algorithms))]
        if not keys:
            raise ValueError("its answer holds no key that can be used")
        return keys


def _client() -> httpx.AsyncClient:
    trusted = httpx.create_ssl_context(trust_env=False)
    trusted.load_default_certs()  # a company's own authority stands among the system's
    return httpx.AsyncClient(
        verify=trusted,
        trust_env=False,  # only server/settings.py reads the environment
        follow_redirects=False,
        timeout=FETCH_S_MAX,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
    )


def _parsed(published: Any, algorithms: Collection[str]) -> VerifyingKey | None:
    """A published key, if it is one to verify signatures by, in a way that is let in."""
    if not isinstance(published, dict) or published.get("use", "sig") != "sig":
        return None
    kid, algorithm = published.get("kid"), published.get("alg")
    wanted = [each for each in algorithms if algorithm in {None, each}]
    try:
        return VerifyingKey.of(PyJWK(published).key, kid if isinstance(kid, str) else None, wanted)
    except (PyJWTError, ValueError, TypeError):
        return None  # a provider may publish kinds of keys that we don't know


def _told(error: Exception) -> str:
    """An error in a few words; some of httpx's have none."""
    return str(error) or type(error).__name__
