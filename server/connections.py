"""Connections: uvicorn's, for clients that mean no good, or don't keep up.

What a socket sends is read a slice at a time, between the turns of others, and no faster than is
bearable. What is written for a client waits for it to read, in a bounded space and for a bounded
time. Whoever keeps a connection and doesn't use it loses it.
"""

import asyncio
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from websockets.frames import Frame

from graph.limits import Limits
from server.answers import Answering
from server.draining import Drain
from server.heads import HeadedProtocol
from server.known import Fresh, Known, KnownHeads
from server.wires import WiredProtocol

SLICE_BYTES: Final = 8_192
"""How much of what a socket sent is read before it is others' turn: at most 1,365 frames, 20 ms."""

FRAMES_A_SECOND_MAX: Final = 2_000
"""What a socket sends beyond that waits until its time has come."""

HEAD_S_MAX: Final = 10.0
"""How long the head of an HTTP request may take to arrive."""

INVALID_TEXT: Final = 1007


class Config(uvicorn.Config):
    """uvicorn's configuration, with our connections, which keep within the limits."""

    def __init__(
        self, app: ASGIApp, limits: Limits, drain: Drain | None = None, **more: Any
    ) -> None:
        # Who reads nothing can't answer a ping. Asked every third of the time, and given another
        # third to answer, they are gone before the whole of it is over.
        third = limits.unread_seconds / 3
        super().__init__(
            app,
            http=Http,
            ws=Socket,
            ws_max_size=limits.message_bytes,
            ws_ping_interval=third,
            ws_ping_timeout=third,
            ws_per_message_deflate=False,
            interface="asgi3",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # server/gate.py reads them, and trusts the last of each
            **more,
        )
        self.limits = limits
        self.drain = drain or Drain()
        self.known = KnownHeads()


class Socket(WiredProtocol):
    """A WebSocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unread = bytearray()
        self._turn: asyncio.TimerHandle | None = None
        self._frames_left = float(FRAMES_A_SECOND_MAX)
        self._counted_at = self.loop.time()

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    @override
    def data_received(self, data: bytes) -> None:
        self.unread += data
        if self._turn is None:
            self._read_slice()

    def _read_slice(self) -> None:
        self._turn = None
        part = bytes(self.unread[:SLICE_BYTES])
        del self.unread[:SLICE_BYTES]
        if part and not self.transport.is_closing():
            super().data_received(part)
        if self.conn.handshake_exc and not self.handshake_initiated:
            # uvicorn doesn't look at a handshake that can't be read, and would wait for ever.
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        self._read_on()

    def _read_on(self) -> None:
        """Read more, of what is here already or is yet to come, as soon as it may be."""
        if self.transport.is_closing():
            self.unread.clear()
        elif self.read_paused and not self.close_sent:
            pass  # until the application has taken what there is: see `receive`
        elif self.unread or self._frames_owed():
            self.transport.pause_reading()
            wait_s = self._frames_owed() / FRAMES_A_SECOND_MAX
            self._turn = self.loop.call_later(wait_s, self._read_slice)
        else:
            self.transport.resume_reading()

    def _frames_owed(self) -> float:
        """How many more came than might."""
        now = self.loop.time()
        earned = (now - self._counted_at) * FRAMES_A_SECOND_MAX
        self._frames_left = min(self._frames_left + earned, FRAMES_A_SECOND_MAX)
        self._counted_at = now
        return max(0.0, -self._frames_left)

    @override
    def handle_events(self) -> None:
        self._frames_left -= len(self.conn.events)
        super().handle_events()

    @override
    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.read_on()
        return message

    @override
    def read_on(self) -> None:
        if self._turn is None:
            self._read_on()

    @override
    def handle_ping(self) -> None:
        pong = self.conn.data_to_send()
        # Whoever pings and doesn't read would have one pong after another kept here.
        if self.writable.is_set():
            self.transport.write(b"".join(pong))

    @override
    def handle_cont(self, event: Frame) -> None:
        # Empty ones don't count toward a message's size, and each would be kept.
        if event.data or event.fin:
            super().handle_cont(event)

    @override
    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            # uvicorn's own way puts a traceback into the log.
            self.frames = []
            self.conn.fail(INVALID_TEXT)
            self.handle_parser_exception()
        elif self.hearer:
            parts, self.frames = self.frames, []
            is_text = self.curr_msg_data_type == "text"
            self.hear(b"".join(parts).decode() if is_text else None)
        else:
            super().send_receive_event_to_app()

    # ── ending ──────────────────────────────────────────────────────────────────────────────────

    @override
    async def send(self, message: Any) -> None:
        await super().send(message)
        # uvicorn takes a handshake that is refused with a body for one that was forgotten.
        self.handshake_complete = self.handshake_complete or self.close_sent

    @override
    def send_keepalive_ping(self) -> None:
        if self.close_sent or self.transport.is_closing():
            # Closing waits until all that was written is read, and it has waited by now.
            self.transport.abort()
        else:
            super().send_keepalive_ping()

    @override
    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    @override
    def shutdown(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._turn:
            self._turn.cancel()
        super().connection_lost(exc)


class Http(HeadedProtocol):
    """An HTTP connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread_s_max = cast("Config", self.config).limits.unread_seconds
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._under_way: RequestResponseCycle | None = None
        self._answering: Answering | None = None
        self._idle_since: float | None = None
        self._drain = cast("Config", self.config).drain
        self.known = cast("Config", self.config).known

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._under_way = cycle
        if self._drain.is_begun:
            cycle.keep_alive = False  # whoever keeps the connection looks for another instance
        self._answering = Answering(app, cycle)
        self._answering.begin(self.loop, self.tasks)

    @override
    def may_know(self, head: bytes, length: int) -> None:
        if self._answering:
            scope = cast("dict[str, Any]", self.scope)
            self._answering.fresh = Fresh(self.known, head, scope.copy(), length)

    @override
    def _begin_known(self, known: Known, data: bytes) -> None:
        self._late = _without(self._late)
        super()._begin_known(known, data)

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_head()

    @override
    def _end_read(self) -> None:
        super()._end_read()
        # Most heads come whole by one read, and are waited for no longer.
        if not self.cycle or self.cycle.response_complete:
            self._expect_head()

    @override
    def on_headers_complete(self) -> None:
        self._late = _without(self._late)
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._late = self._late or self.loop.call_later(HEAD_S_MAX, self.transport.abort)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    @override
    def resume_writing(self) -> None:
        self._unread = _without(self._unread)
        super().resume_writing()

    @override
    def on_response_complete(self) -> None:
        # uvicorn's sets a timer after each answer, and takes it back for each request.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._expect_reading()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle_since = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._look_again(self.timeout_keep_alive)

    def _look_again(self, wait_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(wait_s, self._look_whether_idle)

    def _look_whether_idle(self) -> None:
        """End the connection, if it was idle for so long."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._look_again(left_s)
        else:
            self.timeout_keep_alive_handler()

    @override
    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    @override
    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect_reading()

    def _expect_reading(self) -> None:
        self._unread = self._unread or self.loop.call_later(
            self._unread_s_max, self.transport.abort
        )

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._late = _without(self._late)
        self._unread = _without(self._unread)
        self.timeout_keep_alive_task = _without(self.timeout_keep_alive_task)
        if self._under_way and not self._under_way.response_complete:
            # uvicorn tells only the request that came last, and another may be under way.
            self._under_way.disconnected = True
            self._under_way.message_event.set()
        super().connection_lost(exc)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without(timer: asyncio.TimerHandle | None) -> None:
    if timer:
        timer.cancel()
