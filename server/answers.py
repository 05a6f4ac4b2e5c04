"""Answers: uvicorn's, written at once, whose heads are made of lines that were found fit before.

Of the ten lines or so of a head, nearly all are the same in every answer: uvicorn searches each for
what may not be in a header, each time. And it waits for a body that is there, and for a connection
that takes what is written.
"""

import asyncio
from collections.abc import Awaitable, Generator
from functools import lru_cache, partial
from typing import Any, Final, cast

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from graph.answers import EXTENSION, Answer
from graph.head import KEPT, Header, Headers
from graph.requests import BODY
from server.known import Fresh

EXTENSIONS: Final[dict[str, object]] = {EXTENSION: {}}
LINES_KNOWN: Final = 256
LENGTH: Final = b"content-length"
UNUSUAL: Final = frozenset({b"connection", b"transfer-encoding"})


class Answering:
    """The application, as one request of a connection calls it.

    A head that is as most are is held until the body is there, and they are written together. All
    else goes uvicorn's own way.
    """

    __slots__ = ("_app", "_cycle", "_head", "_task", "_tasks", "fresh")

    _task: "asyncio.Task[None]"
    _tasks: "set[asyncio.Task[None]]"

    def __init__(self, app: Any, cycle: RequestResponseCycle) -> None:
        self._app = app
        self._cycle = cycle
        self._head = b""
        self.fresh: Fresh | None = None
        """The request's head, if it may be known once it is answered."""

    def begin(self, loop: asyncio.AbstractEventLoop, tasks: "set[asyncio.Task[None]]") -> None:
        """Have the application answer, in a task among these."""
        self._tasks = tasks
        self._task = loop.create_task(self._run())
        tasks.add(self._task)

    async def _run(self) -> None:
        """Have it answered. What goes wrong is uvicorn's to see to, as if it had called us."""
        cycle = self._cycle
        try:
            await self._begin_app()
            if not (cycle.response_complete or cycle.disconnected):
                await cycle.run_asgi(_nothing_more)
        except BaseException as error:  # noqa: BLE001 - as uvicorn does
            await cycle.run_asgi(partial(_raise, error))
        finally:
            cycle.on_response = _nothing
            self._tasks.discard(self._task)

    def _begin_app(self) -> Awaitable[None]:
        scope: Any = self._cycle.scope
        scope["extensions"] = EXTENSIONS
        cycle = self._cycle
        if not (cycle.more_body or cycle.waiting_for_100_continue or cycle.flow.read_paused):
            scope["state"][BODY] = bytes(cycle.body)
        return self._app(scope, self._receive, self._send)

    def _receive(self) -> Awaitable[Any]:
        """Give the body, if all of it is there and wasn't given yet."""
        cycle = self._cycle
        if (
            cycle.more_body
            or cycle.waiting_for_100_continue
            or cycle.disconnected
            or cycle.response_complete
            or not cycle.message_event.is_set()
        ):
            return cycle.receive()
        cycle.flow.resume_reading()
        cycle.message_event.clear()
        body, cycle.body = bytes(cycle.body), bytearray()
        return Here({"type": "http.request", "body": body, "more_body": False})

    def _send(self, message: Any) -> Awaitable[None]:
        """Send the answer, or a part of it."""
        if message["type"] == EXTENSION:
            return self._send_whole(message["answer"])
        if self._head:
            head, self._head = self._head, b""
            if self._is_whole(message):
                self._end(head + message["body"])
                return DONE
            self._begin(head)
        elif message["type"] == "http.response.start" and self._is_usual():
            headers = [*self._cycle.default_headers, *message["headers"]]
            said = dict(headers)
            if LENGTH in said and UNUSUAL.isdisjoint(said):
                self._hold(message["status"], headers, int(said[LENGTH]))
                return DONE
        return self._cycle.send(message)

    def _send_whole(self, whole: Answer) -> Awaitable[None]:
        """Write an answer at once, if all is usual."""
        cycle = self._cycle
        if not self._is_usual() or cycle.scope["method"] == "HEAD":
            return whole.send_in_parts(cast("Send", cycle.send))
        cycle.response_started = True
        if self.fresh:
            self.fresh.keep(cast("Any", cycle.scope)["state"][KEPT])
        self._end(
            b"%s%scontent-length: %d\r\n%s%s\r\n%s"
            % (
                STATUS_LINE[whole.status_code],
                b"".join(map(_line, cycle.default_headers)),
                len(whole.body),
                _lines(whole.headers),
                b"".join(map(_new_line, whole.unlike)),
                whole.body,
            )
        )
        return DONE

    def _is_usual(self) -> bool:
        """Whether the connection goes on, and takes what is written."""
        cycle = self._cycle
        return (
            cycle.keep_alive
            and not (cycle.response_started or cycle.disconnected)
            and not (cycle.flow.write_paused or cycle.access_log)
        )

    def _hold(self, status: int, headers: list[tuple[bytes, bytes]], length: int) -> None:
        """Keep a head for its body, and note what uvicorn would."""
        cycle = self._cycle
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        cycle.chunked_encoding = False
        cycle.expected_content_length = length
        self._head = b"".join([STATUS_LINE[status], *map(_line, headers), b"\r\n"])

    def _is_whole(self, message: Any) -> bool:
        """Whether this is all of the body that belongs to the head, and can be written."""
        cycle = self._cycle
        return (
            message["type"] == "http.response.body"
            and not message.get("more_body", False)
            and len(message.get("body", b"")) == cycle.expected_content_length
            and cycle.scope["method"] != "HEAD"
            and not (cycle.disconnected or cycle.flow.write_paused)
        )

    def _begin(self, head: bytes) -> None:
        """Write the head alone."""
        if not self._cycle.disconnected:
            self._cycle.transport.write(head)

    def _end(self, whole: bytes) -> None:
        """Write the answer, and note what uvicorn would."""
        cycle = self._cycle
        cycle.transport.write(whole)
        cycle.expected_content_length = 0
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


class Here:
    """What there is no need to wait for."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[None, None, Any]:
        yield from ()
        return self._value


class Done:
    """There is nothing to wait for, and nothing comes of it."""

    def __await__(self) -> Generator[None]:
        yield from ()


DONE: Final = Done()


async def _nothing_more(*_: object) -> None:
    """Do nothing: uvicorn looks at what was done."""


async def _raise(error: BaseException, *_: object) -> None:
    raise error


def _nothing() -> None:
    """Note no answer any more, nor keep the connection for it."""


def _new_line(header: Header) -> bytes:
    """A header as it is sent. Raises RuntimeError where it can't be."""
    name, value = header
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("a header has a character that may not be in one")
    return b"%s: %s\r\n" % (name.lower(), value)


_line = lru_cache(LINES_KNOWN)(_new_line)


@lru_cache(LINES_KNOWN)
def _lines(headers: Headers) -> bytes:
    """Those that are the same in many answers."""
    return b"".join(map(_new_line, headers))
