"""Answers: uvicorn's, whose heads are made of lines that were found fit before.

Of the ten lines or so of a head, nearly all are the same in every answer: uvicorn searches each for
what may not be in a header, each time.
"""

from collections.abc import Awaitable, Generator
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

LINES_KNOWN: Final = 256
LENGTH: Final = b"content-length"
UNUSUAL: Final = frozenset({b"connection", b"transfer-encoding"})


class Answering:
    """The application, as one request of a connection calls it."""

    __slots__ = ("_app", "_cycle")

    def __init__(self, app: Any, cycle: RequestResponseCycle) -> None:
        self._app = app
        self._cycle = cycle

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        del send  # it is the cycle's
        return self._app(scope, receive, self._send)

    def _send(self, message: Any) -> Awaitable[None]:
        """Send a part of the answer: the head by a short way, where it is as most are."""
        if message["type"] == "http.response.start" and self._is_usual():
            headers = [*self._cycle.default_headers, *message["headers"]]
            said = dict(headers)
            if LENGTH in said and UNUSUAL.isdisjoint(said):
                self._begin(message["status"], headers, int(said[LENGTH]))
                return DONE
        return self._cycle.send(message)

    def _is_usual(self) -> bool:
        """Whether the connection goes on, and takes what is written."""
        cycle = self._cycle
        return (
            cycle.keep_alive
            and not (cycle.response_started or cycle.disconnected)
            and not (cycle.flow.write_paused or cycle.access_log)
        )

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]], length: int) -> None:
        """Send a head, and note what uvicorn would."""
        cycle = self._cycle
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        cycle.chunked_encoding = False
        cycle.expected_content_length = length
        cycle.transport.write(b"".join([STATUS_LINE[status], *map(_line, headers), b"\r\n"]))


class _Done:
    """There is nothing to wait for."""

    def __await__(self) -> Generator[None]:
        yield from ()


DONE: Final = _Done()


@lru_cache(LINES_KNOWN)
def _line(header: tuple[bytes, bytes]) -> bytes:
    """A header as it is sent. Raises RuntimeError where it can't be."""
    name, value = header
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("a header has a character that may not be in one")
    return b"%s: %s\r\n" % (name.lower(), value)
