"""Lines: connections to those who are written to, kept for the next letter to the same.

A pool of httpcore's own looks at every connection it has for each request: with 32 requests under
way that took most of the time. Here the line that was used last is taken up again.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from campaigns.channels.addresses import Guard, Unresolvable

LINES_MAX: Final = 256
"""How many requests are under way at a time; the others wait for their turn."""

IDLE_LINES_MAX: Final = 64
IDLE_S_MAX: Final = 30.0

Place = tuple[bytes, bytes, int]
Response = tuple[int, list[tuple[bytes, bytes]], bytes]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that a guard has checked; TLS is still verified against the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner: Any = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port, timeout, local_address, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} was not reached in time") from None
        except Unresolvable as error:
            raise httpcore.ConnectError(str(error)) from None

    async def _connect(
        self, host: str, port: int, seconds: float | None, *options: Any
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; none may use up the time of those behind."""
        addresses = await self._guard.addresses(host, port)
        share = seconds and seconds / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, share, *options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, share, *options)


class Lines:
    """Carries requests. Each line has one request at a time."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        self._network = GuardedNetwork(guard)
        self._tls = tls
        self._room = asyncio.Semaphore(LINES_MAX)
        self._idle: dict[Place, list[httpcore.AsyncHTTPConnection]] = {}
        self._kept: dict[httpcore.AsyncHTTPConnection, Place] = {}

    async def close(self) -> None:
        for line in list(self._kept):
            await line.aclose()
        self._idle.clear()
        self._kept.clear()

    async def carry(self, request: httpcore.Request, bytes_max: int) -> Response:
        """The status, the headers, and of the body up to `bytes_max`. Raises what httpcore does."""
        origin = request.url.origin
        place = (origin.scheme, origin.host, origin.port)
        async with self._room:
            line = self._take(place) or self._open(origin)
            try:
                return await _talk(line, request, bytes_max)
            finally:
                if line.is_idle() and not line.has_expired():
                    await self._keep(place, line)
                else:
                    await line.aclose()

    def _open(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls,
            keepalive_expiry=IDLE_S_MAX,
            network_backend=self._network,
        )

    def _take(self, place: Place) -> httpcore.AsyncHTTPConnection | None:
        """The line that was used last; those before it that were hung up on are found in time."""
        lines = self._idle.get(place, [])
        if not lines or lines[-1].has_expired():
            return None
        line = lines.pop()
        del self._kept[line]
        if not lines:
            del self._idle[place]
        return line

    async def _keep(self, place: Place, line: httpcore.AsyncHTTPConnection) -> None:
        """Keep a line for the next; let go of those that were kept too long, or are too many."""
        self._idle.setdefault(place, []).append(line)
        self._kept[line] = place
        while self._kept:
            oldest, where = next(iter(self._kept.items()))
            if len(self._kept) <= IDLE_LINES_MAX and not oldest.has_expired():
                return
            del self._kept[oldest]
            self._idle[where].remove(oldest)
            if not self._idle[where]:
                del self._idle[where]
            await oldest.aclose()


async def _talk(
    line: httpcore.AsyncHTTPConnection, request: httpcore.Request, bytes_max: int
) -> Response:
    response = await line.handle_async_request(request)
    read = bytearray()
    try:
        async for chunk in response.aiter_stream():
            read += chunk
            if len(read) > bytes_max:
                break
    finally:
        await response.aclose()
    return response.status, response.headers, bytes(read[:bytes_max])
