"""Exchanges: one HTTP request of ours, and its answer, within bounds.

The transport stands alone, without a client around it: nothing follows redirects, keeps cookies or
reads proxies from the environment.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpcore
import httpx

from campaigns.channels.addresses import Guard, Unresolvable

CONNECT_S_MAX: Final = 5.0
EXCHANGE_S_MAX: Final = 15.0
"""How long connecting, sending and reading may take, all in all."""

ANSWER_BYTES_MAX: Final = 16_384
CONNECTIONS_MAX: Final = 256
IDLE_CONNECTIONS_MAX: Final = 64
IDLE_S_MAX: Final = 30.0
RETRY_AFTER_MAX_US: Final = 86_400_000_000
"""How long a receiver may have us wait, in its own words."""

SECOND_US: Final = 1_000_000
DIGITS_MAX: Final = 9
USER_AGENT: Final = "Tuppence"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: of the body, so much as may be read."""

    status: int
    retry_after: str | None
    body: bytes


class NoAnswer(Exception):
    """No answer came. `is_sent`: the request may have arrived all the same."""

    def __init__(self, message: str, *, is_sent: bool, is_late: bool = False) -> None:
        super().__init__(message)
        self.is_sent = is_sent
        self.is_late = is_late


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that a guard has checked; TLS is still verified against the name."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

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
                addresses = await self._guard.addresses(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(
                f"the name {host} could not be looked up in time"
            ) from None
        share = None if timeout is None else timeout / len(addresses)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return await self._inner.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last == 0:
                    raise
        raise httpcore.ConnectError(f"there is no address to the name {host}")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's own, on a network of ours: it takes none by its constructor."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=IDLE_CONNECTIONS_MAX,
            keepalive_expiry=IDLE_S_MAX,
            network_backend=GuardedNetwork(guard),
        )


class Exchange:
    """Sends requests over connections that all of them share."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        self._transport = _Transport(guard, tls)

    async def close(self) -> None:
        await self._transport.aclose()

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, bytes_max: int = ANSWER_BYTES_MAX
    ) -> Answer:
        """Post a body of JSON. Raises NoAnswer, and AddressRefused before anything is sent."""
        try:
            async with asyncio.timeout(EXCHANGE_S_MAX):
                return await self._post(_request(url, headers, body), bytes_max)
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NoAnswer(_said(error, "connecting"), is_sent=False, is_late=True) from None
        except (TimeoutError, httpx.TimeoutException):
            message = f"there was no whole answer within {EXCHANGE_S_MAX:g} s."
            raise NoAnswer(message, is_sent=True, is_late=True) from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol, Unresolvable) as error:
            raise NoAnswer(_said(error, "connecting"), is_sent=False) from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise NoAnswer(_said(error, "the exchange"), is_sent=True) from None

    async def _post(self, request: httpx.Request, bytes_max: int) -> Answer:
        response = await self._transport.handle_async_request(request)
        read = bytearray()
        try:
            async for chunk in response.aiter_raw():
                read += chunk
                if len(read) > bytes_max:
                    break
        finally:
            await response.aclose()
        retry_after = response.headers.get("retry-after")
        return Answer(response.status_code, retry_after, bytes(read[:bytes_max]))


def _request(url: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
    ours = {
        "user-agent": USER_AGENT,
        "content-type": "application/json",
        "accept-encoding": "identity",
        **headers,
    }
    late = httpx.Timeout(EXCHANGE_S_MAX, connect=CONNECT_S_MAX).as_dict()
    return httpx.Request("POST", url, headers=ours, content=body, extensions={"timeout": late})


def _said(error: Exception, doing: str) -> str:
    return f"{doing} failed: {error or type(error).__name__}"


def retry_after_us(text: str | None, now: int) -> int | None:
    """How long a receiver asks us to wait, in seconds or by a date: within a bound."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal():
        # More digits than any wait has: the bound, without making a number of them.
        wait = int(text) * SECOND_US if len(text) <= DIGITS_MAX else RETRY_AFTER_MAX_US
    else:
        try:
            wait = int(parsedate_to_datetime(text).timestamp()) * SECOND_US - now
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(wait, 0), RETRY_AFTER_MAX_US)
