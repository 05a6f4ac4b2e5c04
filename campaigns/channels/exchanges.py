"""Exchanges: one HTTP request of ours, and its answer, within bounds.

No client is around it: nothing follows redirects, keeps cookies or reads proxies from the
environment.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import httpcore
import httpx

from campaigns.channels.addresses import Guard
from campaigns.channels.lines import Lines

CONNECT_S_MAX: Final = 5.0
EXCHANGE_S_MAX: Final = 15.0
"""How long connecting, sending and reading may take, all in all."""

ANSWER_BYTES_MAX: Final = 16_384
RETRY_AFTER_MAX_US: Final = 86_400_000_000
"""How long a receiver may have us wait, in its own words."""

SECOND_US: Final = 1_000_000
DIGITS_MAX: Final = 9
USER_AGENT: Final = "Tuppence"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: of the body, so much as may be read."""

    status: int
    retry_after: str
    body: bytes


class NoAnswer(Exception):
    """No answer came. `is_sent`: the request may have arrived all the same."""

    def __init__(self, message: str, *, is_sent: bool, is_late: bool = False) -> None:
        super().__init__(message)
        self.is_sent = is_sent
        self.is_late = is_late


class Exchange:
    """Sends requests over lines that all of them share."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        self._lines = Lines(guard, tls)

    async def close(self) -> None:
        await self._lines.close()

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, bytes_max: int = ANSWER_BYTES_MAX
    ) -> Answer:
        """Post a body of JSON. Raises NoAnswer, and AddressRefused before anything is sent."""
        try:
            async with asyncio.timeout(EXCHANGE_S_MAX):
                answer = await self._lines.carry(_request(url, headers, body), bytes_max)
        except httpcore.ConnectTimeout:
            message = f"there was no connection within {CONNECT_S_MAX:g} s."
            raise NoAnswer(message, is_sent=False, is_late=True) from None
        except (TimeoutError, httpcore.TimeoutException):
            message = f"there was no whole answer within {EXCHANGE_S_MAX:g} s."
            raise NoAnswer(message, is_sent=True, is_late=True) from None
        except (httpcore.ConnectError, httpcore.LocalProtocolError, httpx.InvalidURL) as error:
            raise NoAnswer(f"it was not sent: {_said(error)}", is_sent=False) from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise NoAnswer(f"no answer came: {_said(error)}", is_sent=True) from None
        status, fields, read = answer
        waits = (said for name, said in fields if name.lower() == b"retry-after")
        return Answer(status, next(waits, b"").decode("ascii", "replace"), read)


def _request(url: str, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    # httpx reads the URL, names in other scripts too; what it makes of it is plain ASCII.
    address = httpx.URL(url)
    place = httpcore.URL(
        scheme=address.raw_scheme,
        host=address.raw_host,
        port=address.port,
        target=address.raw_path,
    )
    ours = {
        "host": address.netloc.decode("ascii"),
        "user-agent": USER_AGENT,
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    return httpcore.Request(
        "POST",
        place,
        headers=[*ours.items()],
        content=body,
        extensions={"timeout": {"connect": CONNECT_S_MAX}},
    )


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def retry_after_us(text: str, now: int) -> int | None:
    """How long a receiver asks us to wait, in seconds or by a date: within a bound."""
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
