"""Heads: what stands before a request's body, within bounds.

The parser puts no bound on a head, and uvicorn answers what it can't read in its own words, with a
warning in the log. Here it is told as GraphQL clients read errors, and is no news.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

import httptools
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from graph.answers import refusal
from graph.faults import Refused
from graph.lines import new_request_id
from server.gate import GUARDS, REQUEST_ID
from server.known import Known, KnownHeads, is_fit
from server.wires import Room

URL_BYTES_MAX: Final = 16_384
HEAD_BYTES_MAX: Final = 65_536

QUEUED_MAX: Final = 16
"""Of one connection, requests that wait for the one under way. One read holds thousands of the
smallest, and each takes some 3 KB, until all before it are answered."""

NOT_HTTP: Final = Refused(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")
NO_UPGRADE: Final = Refused(
    HTTPStatus.BAD_REQUEST, "a connection can become a WebSocket, and nothing else"
)
URL_TOO_LONG: Final = Refused(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    f"the address must have at most {URL_BYTES_MAX} bytes: send the query by POST",
    "LIMIT_EXCEEDED",
    more={"limit": "url_bytes", "value": URL_BYTES_MAX},
)
HEAD_TOO_LARGE: Final = Refused(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"the headers must have at most {HEAD_BYTES_MAX} bytes",
    "LIMIT_EXCEEDED",
    more={"limit": "head_bytes", "value": HEAD_BYTES_MAX},
)


TOO_MANY: Final = Refused(
    HTTPStatus.TOO_MANY_REQUESTS,
    f"at most {QUEUED_MAX} requests of a connection may wait for an answer",
)


class _Dropped(list[Any]):
    """Takes what is put into it, and has nothing."""

    @override
    def append(self, _: object) -> None: ...


TRAILERS: Final = _Dropped()
"""They would be headers that no proxy has seen, and as many as anyone likes."""


class WholeCycle(RequestResponseCycle):
    """uvicorn's, of a request that is there as a whole."""

    disconnected = False
    keep_alive = True
    waiting_for_100_continue = False
    more_body = False
    response_started = False
    response_complete = False
    chunked_encoding = None
    expected_content_length = 0

    def __init__(self, protocol: "HeadedProtocol", body: bytes) -> None:  # pyright: ignore[reportMissingSuperCall]
        self.scope = protocol.scope
        self.transport = protocol.transport
        self.flow = protocol.flow
        self.logger = protocol.logger
        self.access_logger = protocol.access_logger
        self.access_log = protocol.access_log
        self.default_headers = protocol.server_state.default_headers
        self.on_response = protocol.on_response_complete
        self.message_event = cast("asyncio.Event", Room())
        self.body = cast("bytearray", body)  # it is only read


class HeadedProtocol(HttpToolsProtocol):
    """A connection that ends with the first head that can't be answered."""

    parser: Any

    _head_bytes: int | None = None
    """Of the head that is arriving, what came in earlier reads."""

    _trailing_bytes = 0
    """What came in whole reads without anything of a head or a body: trailers, and frills."""

    _got_on = False
    """Whether this read had anything of a head or a body."""

    _read_bytes = 0
    """How long this read is."""

    _is_between = True
    """Whether nothing of another request came yet."""

    _begun: int = 0
    """How many requests began in this read."""

    _last_head = b""
    """That of the last request which came by a read of its own."""

    known: KnownHeads

    @override
    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        was_between = self._is_between and not (self.cycle and not self.cycle.response_complete)
        if was_between and (known := self.known.find(data)):
            self._begin_known(known, data)
            return
        self._got_on = False
        self._begun = 0
        self._read_bytes = len(data)
        try:
            self.parser.feed_data(data)
            self._end_read()
            if was_between and self._is_between and self._has_begun_one():
                self._note_whole(data)
        except httptools.HttpParserUpgrade:
            self.handle_websocket_upgrade()
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._end(cause if isinstance(cause, Refused) else NOT_HTTP)
        except httptools.HttpParserError:
            self._end(NOT_HTTP)
        except Refused as refused:
            self._end(refused)

    @override
    def on_message_begin(self) -> None:
        if len(self.pipeline) >= QUEUED_MAX:
            raise TOO_MANY
        super().on_message_begin()
        self._is_between = False
        self._begun += 1
        self._head_bytes = 0
        self._got_on = True

    @override
    def on_body(self, body: bytes) -> None:
        self._got_on = True
        super().on_body(body)

    @override
    def on_headers_complete(self) -> None:
        # What stands within one read that isn't too large need not be counted.
        if self._head_bytes or self._read_bytes > HEAD_BYTES_MAX or len(self.url) > URL_BYTES_MAX:
            self._judge(sum([len(name) + len(value) for name, value in self.headers]))
        self._head_bytes = None
        upgrades = self.parser.should_upgrade()
        if upgrades and not self._may_upgrade():
            raise NO_UPGRADE
        super().on_headers_complete()
        if not upgrades:
            self.headers = TRAILERS

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        # Of an upgrade there is no cycle, and nothing more is read here.
        self._is_between = bool(self.cycle and self.cycle.keep_alive)

    def _begin_known(self, known: Known, data: bytes) -> None:
        """Begin a request that is all of this read, and whose head is known."""
        self._trailing_bytes = 0
        self.scope = known.new_scope(self.app_state.copy(), self.server, self.client)
        self.cycle = WholeCycle(self, data[-known.length :])
        self._start_asgi_task(self.cycle, cast("Any", self.app))

    def _note_whole(self, data: bytes) -> None:
        """A request was all of this read. If its head came before, it may be known next time."""
        length = len(self.cycle.body)
        head = data[: len(data) - length]
        if head == self._last_head and is_fit(head, self.scope, length):
            self.may_know(head, length)
        self._last_head = head

    def _has_begun_one(self) -> bool:
        return self._begun == 1

    def may_know(self, head: bytes, length: int) -> None:
        """The request that has just begun has this head: once answered, it may be known."""
        raise NotImplementedError

    def _may_upgrade(self) -> bool:
        """Whether a WebSocket is asked for, and no answer of before would go over it."""
        is_free = not self.cycle or self.cycle.response_complete
        return is_free and self._should_upgrade()

    def _end_read(self) -> None:
        """The connection goes on. Raises Refused where too little came of what was read."""
        if self._head_bytes is not None:
            self._head_bytes += self._read_bytes
            self._judge(self._head_bytes)
        if self._got_on:
            self._trailing_bytes = 0
        elif self._head_bytes is None:
            self._trailing_bytes += self._read_bytes
            if self._trailing_bytes > HEAD_BYTES_MAX:
                raise HEAD_TOO_LARGE

    def _judge(self, head_bytes: int) -> None:
        """Raise Refused where the head is too large, or its beginning."""
        if len(self.url) > URL_BYTES_MAX:
            raise URL_TOO_LONG
        if head_bytes > HEAD_BYTES_MAX:
            raise HEAD_TOO_LARGE

    def _end(self, refused: Refused) -> None:
        """Answer and hang up; but whoever has asked something whole before is answered that."""
        self._is_between = False
        if self.cycle and not self.cycle.more_body and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        elif not self.transport.is_closing():
            self.transport.write(_written(refused))
            self.transport.close()


def _written(refused: Refused) -> bytes:
    """An answer as it goes over the wire, with all that every answer has."""
    answer = refusal(refused)
    headers = (
        *answer.raw_headers,
        *GUARDS,
        (REQUEST_ID, new_request_id().encode()),
        (b"connection", b"close"),
    )
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return STATUS_LINE[refused.status] + lines + b"\r\n" + bytes(answer.body)
