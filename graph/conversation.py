"""Conversation: one client's socket by graphql-transport-ws, from its opening to its end.

A mistake in one operation is told to that operation and leaves the others alone; one in the
protocol closes the socket, with the protocol's own code and a short reason. Whatever ends a socket
(its client, a mistake, the time, or whoever watches over all of them) says so by `end`, and what
the client says after that is not heard.

It has a task only while it works on something: what comes is told to it by its wire, and events
that others hear, too, by its audiences.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final, ParamSpec, Protocol

import structlog

from access.principal import Principal
from graph.asking import read_asking
from graph.audiences import Audience, Audiences, Listener
from graph.context import Context
from graph.courses import Begun
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
from graph.telemetry import Telemetry, Trace, note_operation
from graph.wires import Wire

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
    @property
    def audiences(self) -> Audiences: ...
    async def let_in(self, guest: "Conversation", shown: str | None) -> Principal:
        """Who the client is, by what it shows. Raises TurnedAway."""
        ...

    def begin(self, principal: Principal) -> Context:
        """A context for one more operation. Raises RequestError, or TurnedAway for good."""
        ...

    def let_out(self, guest: "Conversation") -> None:
        """It is over."""
        ...


class Conversation:
    """Hears a client's messages, and runs what it asks for."""

    __slots__ = (
        "_caller",
        "_house",
        "_is_introduced",
        "_operations",
        "_silence",
        "_tasks",
        "_wire",
        "address",
        "is_over",
    )

    def __init__(self, house: House, wire: Wire, address: str) -> None:
        """`address` is where the client is."""
        self.address = address
        self._house = house
        self._wire = wire
        self._tasks: set[asyncio.Task[None]] | None = None
        self._operations: dict[str, asyncio.Task[None] | Listener] = {}
        self._is_introduced = False
        self.is_over = False
        self._caller: Principal | None = None
        loop = asyncio.get_running_loop()
        self._silence: asyncio.Handle | None = loop.call_later(
            house.limits.init_seconds, self.end, TOO_LATE
        )

    def end(self, close: Close | None) -> None:
        """End it, once: with this, or with nothing where the client is gone already."""
        if self.is_over:
            return
        self.is_over = True
        self._expect_no_silence()
        for operation in [*self._operations.values()]:
            operation.cancel()
        for task in self._tasks or ():
            task.cancel()
        self._operations.clear()
        if close:
            self._wire.close(close.code, close.short_reason)
        self._house.let_out(self)

    def _expect_no_silence(self) -> None:
        if self._silence:
            self._silence.cancel()
            self._silence = None

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────

    def hear(self, text: str | None) -> None:
        """See graph.wires.Hearer."""
        if self.is_over:
            return
        try:
            self._hear(read_message(text))
        except Malformed as error:
            self.end(Close(MALFORMED, str(error)))
        except Exception as error:  # noqa: BLE001 - it is told in the log
            self._end_by(error)

    def note_full(self) -> None:
        """See graph.wires.Hearer."""
        for operation in [*self._operations.values()]:
            if isinstance(operation, Listener):
                operation.note_full()

    def note_gone(self) -> None:
        """See graph.wires.Hearer."""
        self.end(None)

    def _hear(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                self._introduce(message)
            case Ping(payload):
                self._send(pong(payload))
            case Pong():
                pass
            case Subscribe():
                self._subscribe(message)
            case Complete(id):
                self._stop(id)

    def _introduce(self, message: ConnectionInit) -> None:
        if self._is_introduced:
            self.end(TOO_MANY_INITS)
            return
        self._is_introduced = True
        self._expect_no_silence()
        self._start(self._let_in, _shown(message.payload or {}))

    async def _let_in(self, shown: str | None) -> None:
        try:
            caller = await self._house.let_in(self, shown)
        except TurnedAway as error:
            self.end(error.close)
            return
        self._send(ACK)
        self._caller = caller

    def _subscribe(self, asked: Subscribe) -> None:
        if self._caller is None:
            self.end(NOT_LET_IN)
        elif asked.id in self._operations:
            self.end(Close(TAKEN, f"Subscriber for {asked.id} already exists"))
        else:
            self._begin(asked, self._caller)

    def _begin(self, asked: Subscribe, caller: Principal) -> None:
        try:
            context = self._house.begin(caller)
            self._demand_runnable(asked)
        except TurnedAway as error:
            self.end(error.close)
        except RequestError as error:
            self._send(Envelope(asked.id).seal(*refusal(error)))
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
        if operation := self._operations.pop(id, None):
            operation.cancel()

    # ── answering ───────────────────────────────────────────────────────────────────────────────

    async def _answer(self, asked: Subscribe, context: Context) -> None:
        with self._house.telemetry.trace("socket", context.request_id) as trace:
            trace.principal = context.principal
            audience, after = self._find_audience(asked, context), None
            if audience is None:
                await self._give_answers(asked, context, trace)
                if begun := context.begun:
                    audience = self._open_audience(asked, context, begun)
                    after = begun.course.after
            if audience is None:
                return
            trace.is_kept = True  # from here on it is the listener's
            listener = Listener(audience, asked.id, self._wire, trace, self._forget)
            self._operations[asked.id] = listener
        await listener.start(after)

    def _find_audience(self, asked: Subscribe, context: Context) -> Audience | None:
        """Those who hear from now on what is asked: it was found in order when they asked it."""
        asking = read_asking(asked, context.principal, self._house.limits)
        found = self._house.audiences.find(asking.key) if asking and asking.is_from_now else None
        if asking and found:
            note_operation(asking.title)
        return found

    def _open_audience(self, asked: Subscribe, context: Context, begun: Begun) -> Audience:
        asking = read_asking(asked, context.principal, self._house.limits)
        key = asking.key if asking else None
        return self._house.audiences.open(key, begun, context)

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
                    await self._wire.wait_for_room()
                    self._send(message)
        if context.begun:
            return
        # Its client may use the id again as soon as it hears the last of it.
        self._forget(asked.id)
        await self._wire.wait_for_room()
        self._send(last)

    def _forget(self, id: str) -> None:
        """It is over by itself."""
        del self._operations[id]

    def _send(self, message: bytes) -> None:
        """Send it, with no queue: whoever sends more than this has waited for room before."""
        self._wire.write(self._wire.frame(message))

    def _start(
        self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(self._see_through(work, *args, **kwargs))
        self._tasks = self._tasks or set()
        self._tasks.add(task)
        task.add_done_callback(self._note_done)
        return task

    def _note_done(self, task: asyncio.Task[None]) -> None:
        assert self._tasks, "it is one of them"
        self._tasks.discard(task)
        self._tasks = self._tasks or None  # most sockets have none nearly always

    async def _see_through(
        self, work: Callable[P, Awaitable[None]], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Do a part of the conversation; what it can't go on with, the whole can't."""
        try:
            await work(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - it is told in the log
            self._end_by(error)

    def _end_by(self, error: Exception) -> None:
        log.error("a socket is closed by a fault", exc_info=error)
        self.end(FAULT)


def _shown(payload: dict[str, Any]) -> str | None:
    shown = [payload[name] for name in CREDENTIALS if isinstance(payload.get(name), str)]
    return shown[0] if shown else None
