"""Conversation: one client's socket by graphql-transport-ws, from its opening to its end.

A mistake in one operation is told to that operation and leaves the others alone; one in the
protocol closes the socket, with the protocol's own code and a short reason. Whatever ends a socket
(its client, a mistake, the time, or whoever watches over all of them) says so by `end`, and what
the client says after that is not heard.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, Final, ParamSpec, Protocol

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from access.principal import Principal
from graph.context import Context
from graph.faults import RequestError
from graph.limits import Limits
from graph.messages import (
    ACK,
    Close,
    Complete,
    ConnectionInit,
    Envelope,
    Malformed,
    Message,
    Ping,
    Pong,
    Subscribe,
    pong,
    read_message,
)
from graph.operations import refusal, run_operation
from graph.telemetry import Telemetry, Trace

P = ParamSpec("P")

MALFORMED: Final = 4400
TAKEN: Final = 4409
FORBIDDEN: Final = 4403
NOT_LET_IN: Final = Close(4401, "Unauthorized: nothing is asked before connection_ack")
TOO_LATE: Final = Close(4408, "Connection initialisation timeout")
TOO_MANY_INITS: Final = Close(4429, "Too many initialisation requests")
FAULT: Final = Close(1011, "something went wrong here; it is in the log")

CREDENTIALS: Final = ("authorization", "Authorization")
"""Where `connection_init` shows a key or token: named as HTTP's header is, in either spelling."""

log = structlog.get_logger()


class Gone(WebSocketDisconnect):
    """Nobody is there any more to be told anything. That is no error."""


class TurnedAway(Exception):
    """The client is not let in, and the socket closed so."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.reason)
        self.close = close


class House(Protocol):
    """What a conversation needs of those who hold it."""

    @property
    def limits(self) -> Limits: ...
    @property
    def telemetry(self) -> Telemetry: ...
    async def let_in(self, guest: "Conversation", shown: str | None) -> Principal:
        """Who the client is, by what it shows. Raises TurnedAway."""
        ...

    def begin(self, principal: Principal) -> Context:
        """A context for one more operation. Raises RequestError, or TurnedAway for good."""
        ...


class Conversation:
    """Hears a client's messages, and runs what it asks for."""

    def __init__(self, house: House, socket: WebSocket) -> None:
        self._house = house
        self._socket = socket
        self._ending: asyncio.Future[Close | None] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._is_introduced = False
        self._caller: Principal | None = None

    @property
    def address(self) -> str:
        """Where the client is."""
        return self._socket.client.host if self._socket.client else ""

    def end(self, close: Close | None) -> None:
        """End it, once: with this, or with nothing where the client is gone already."""
        if not self._ending.done():
            self._ending.set_result(close)

    async def run(self) -> None:
        """Hold it, until it is ended."""
        loop = asyncio.get_running_loop()
        silence = loop.call_later(self._house.limits.init_seconds, self._end_silence)
        self._start(self._listen)
        try:
            close = await self._ending
        finally:
            silence.cancel()
            for task in self._tasks:
                task.cancel()
        if close:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(close.code, close.short_reason)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_silence(self) -> None:
        if not self._is_introduced:
            self.end(TOO_LATE)

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        while not self._ending.done():
            frame = await self._socket.receive()
            if frame["type"] == "websocket.disconnect":
                self.end(None)
                return
            try:
                await self._hear(read_message(frame.get("text")))
            except Malformed as error:
                self.end(Close(MALFORMED, str(error)))

    async def _hear(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                self._introduce(message)
            case Ping(payload):
                await self._send(pong(payload))
            case Pong():
                pass
            case Subscribe():
                await self._subscribe(message)
            case Complete(id):
                self._stop(id)

    def _introduce(self, message: ConnectionInit) -> None:
        if self._is_introduced:
            self.end(TOO_MANY_INITS)
            return
        self._is_introduced = True
        self._start(self._let_in, _shown(message.payload or {}))

    async def _let_in(self, shown: str | None) -> None:
        try:
            caller = await self._house.let_in(self, shown)
        except TurnedAway as error:
            self.end(error.close)
            return
        await self._send(ACK)
        self._caller = caller

    async def _subscribe(self, asked: Subscribe) -> None:
        if self._caller is None:
            self.end(NOT_LET_IN)
        elif asked.id in self._operations:
            self.end(Close(TAKEN, f"Subscriber for {asked.id} already exists"))
        else:
            await self._begin(asked, self._caller)

    async def _begin(self, asked: Subscribe, caller: Principal) -> None:
        try:
            context = self._house.begin(caller)
            self._demand_runnable(asked)
        except TurnedAway as error:
            self.end(error.close)
        except RequestError as error:
            await self._send(Envelope(asked.id).seal(*refusal(error)))
        else:
            self._operations[asked.id] = self._start(self._answer, asked, context)

    def _demand_runnable(self, asked: Subscribe) -> None:
        """Raises RequestError."""
        if asked.mistake:
            raise RequestError("BAD_REQUEST", asked.mistake)
        most = self._house.limits.subscriptions
        if len(self._operations) >= most:
            self._house.telemetry.reject("LIMIT_EXCEEDED", "subscriptions")
            message = f"at most {most} operations may run on a socket (subscriptions)"
            raise RequestError("LIMIT_EXCEEDED", message, limit="subscriptions", value=most)

    def _stop(self, id: str) -> None:
        """Stop an operation, if it runs; its id is free at once."""
        if task := self._operations.pop(id, None):
            task.cancel()

    # ── answering ───────────────────────────────────────────────────────────────────────────────

    async def _answer(self, asked: Subscribe, context: Context) -> None:
        with self._house.telemetry.trace("socket", context.request_id) as trace:
            trace.principal = context.principal
            await self._give_answers(asked, context, trace)

    async def _give_answers(self, asked: Subscribe, context: Context, trace: Trace) -> None:
        envelope = Envelope(asked.id)
        last = envelope.complete
        async with aclosing(run_operation(asked, context)) as answers:
            async for kind, payload in answers:
                message = envelope.seal(kind, payload)
                if kind == "error":
                    last = message
                else:
                    trace.reach("execute")
                    trace.answers += 1
                    await self._send(message)
        # Its client may use the id again as soon as it hears the last of it.
        del self._operations[asked.id]
        await self._send(last)

    async def _send(self, message: str) -> None:
        """Send it as soon as there is room. Whoever doesn't read is waited for, without a queue."""
        try:
            await self._socket.send_text(message)
        except (WebSocketDisconnect, RuntimeError) as error:
            # A RuntimeError is what Starlette and uvicorn say of a socket closed from this side.
            raise Gone from error

    def _start(
        self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(self._see_through(work, *args, **kwargs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _see_through(
        self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Do a part of the conversation; what it can't go on with, the whole can't."""
        try:
            await work(*args, **kwargs)
        except Gone:
            self.end(None)
        except Exception:
            log.exception("a socket is closed by a fault")
            self.end(FAULT)


def _shown(payload: dict[str, Any]) -> str | None:
    shown = [payload[name] for name in CREDENTIALS if isinstance(payload.get(name), str)]
    return shown[0] if shown else None
