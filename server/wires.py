"""Wires: uvicorn's WebSockets, held without a task: see graph.wires.

Whoever takes a wire is told of what comes, and writes what goes; the application's task ends by
then, and what only the handshake needed is let go of. Of a socket that does nothing, what is left
is uvicorn's and websockets' own state.
"""

import asyncio
from contextvars import Context
from http import HTTPStatus
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN, Protocol

from graph.wires import EXTENSION, Hearer

TEXT_FRAME: Final = 0x81
"""A text message's only frame; the server's aren't masked."""

NO_CONTEXT: Final = Context()

SHORT_MAX: Final = 125
MEDIUM_MAX: Final = 65_535


class Room:
    """asyncio's event, which takes memory only while there is no room."""

    __slots__ = ("_awaited",)

    def __init__(self) -> None:
        self._awaited: asyncio.Event | None = None

    def is_set(self) -> bool:
        return self._awaited is None

    def clear(self) -> None:
        self._awaited = self._awaited or asyncio.Event()

    def set(self) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited:
            awaited.set()

    async def wait(self) -> None:
        while self._awaited:
            await self._awaited.wait()


class Ear:
    """Where uvicorn puts what a taken socket's application is to be told."""

    __slots__ = ("_hearer",)

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer

    def put_nowait(self, message: Any) -> None:
        """All but messages: they wait for room. See WiredProtocol.hear."""
        if message["type"] == "websocket.disconnect":
            self._hearer.note_gone()


class WiredProtocol(WebSocketsSansIOProtocol):
    """A WebSocket that can be taken; one that isn't is uvicorn's."""

    writable: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.writable = Room()
        self.hearer: Hearer | None = None
        self._unheard: list[str | None] = []

    # ── being taken ─────────────────────────────────────────────────────────────────────────────

    @override
    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[typeddict-unknown-key]

    @override
    async def run_asgi(self) -> None:
        """uvicorn's, but that a wire which was taken stays when the application has returned."""
        try:
            await self.app(self.scope, self.receive, self.send)  # type: ignore[arg-type]
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            self.send_500_response()
        else:
            if not self.handshake_complete:
                self.logger.error("ASGI callable returned without completing handshake.")
                self.send_500_response()
        if self.hearer:
            self._let_go()
        elif self.close_timer is None:
            self.transport.close()

    def _let_go(self) -> None:
        """Keep nothing that only the handshake needed: 5 KB."""
        del self.scope, self.request, self.response
        # An object's dictionary never shrinks by itself.
        self.__dict__ = {**self.__dict__}
        if self.ping_timer:
            # A timer holds the context that it was set in: that of the handshake's task.
            self.ping_timer.cancel()
            NO_CONTEXT.run(self.schedule_ping)
        # websockets' parser still has the request in a variable. Between two frames a new one can
        # take its place.
        within = getattr(self.conn.parser, "gi_yieldfrom", None)
        waits = getattr(within, "gi_yieldfrom", None)
        if waits is not None and waits.__name__ == "at_eof":
            self.conn.parser = Protocol.parse(self.conn)
            next(self.conn.parser)

    def take(self, hearer: Hearer) -> None:
        """See graph.wires."""
        queue, self.queue, self.hearer = self.queue, Ear(hearer), hearer  # type: ignore[assignment]
        while not queue.empty():
            message = queue.get_nowait()
            if message["type"] == "websocket.receive":
                self._unheard.append(message.get("text"))
            else:
                hearer.note_gone()
        self.let_hear()

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────

    def hear(self, text: str | None) -> None:
        """A message came to a wire that is taken. It is told once there is room for an answer."""
        if not self.close_sent:
            self._unheard.append(text)
            self.let_hear()

    def let_hear(self) -> None:
        assert self.hearer, "it is taken"
        while self._unheard and self.writable.is_set():
            self.hearer.hear(self._unheard.pop(0))
        if self._unheard and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        elif self.read_paused and not self._unheard:
            self.read_paused = False
            self.read_on()

    def read_on(self) -> None:
        """Read what comes next."""
        self.transport.resume_reading()

    # ── saying ──────────────────────────────────────────────────────────────────────────────────

    @property
    def has_room(self) -> bool:
        """See graph.wires."""
        return self.writable.is_set()

    async def wait_for_room(self) -> None:
        """See graph.wires."""
        await self.writable.wait()

    def frame(self, message: bytes) -> bytes:
        """See graph.wires."""
        size = len(message)
        if size <= SHORT_MAX:
            return bytes((TEXT_FRAME, size)) + message
        if size <= MEDIUM_MAX:
            return bytes((TEXT_FRAME, SHORT_MAX + 1)) + size.to_bytes(2) + message
        return bytes((TEXT_FRAME, SHORT_MAX + 2)) + size.to_bytes(8) + message

    def write(self, frames: bytes) -> None:
        """See graph.wires."""
        if self.conn.state is OPEN and not self.transport.is_closing():
            self.transport.write(frames)

    def close(self, code: int, reason: str) -> None:
        """See graph.wires. The client has uvicorn's time to answer."""
        if self.conn.state is not OPEN or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._unheard.clear()
        if self.read_paused:
            self.read_paused = False
            self.read_on()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        if self.hearer:
            self.hearer.note_full()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self.hearer:
            self.let_hear()
