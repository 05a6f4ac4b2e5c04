"""Telemetry: what is told of each operation: a line in the log, numbers, and a span if wished.

    with service.telemetry.trace("http", request_id, head) as trace:
        trace.admit(principal)              # phase "admit" ends: the caller is known
        …                                   # "read" and "prepare" end in graph/documents.py
        reach("execute")                    # "execute" ends: there is a result
        trace.status = 200                  # "encode" ends with the block

Whoever works on an operation notes what they know of it, wherever they are: it is found by the
task's context, and outside an operation nothing is noted. Told are the names that this API itself
has, never a variable, and of people nothing: a label that callers could make up would grow without
end, and one that names them would tell on them.

What is over is told a moment later, several together: told one by one, between operations, it takes
longer, for by then the processor has forgotten how it is done.
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextvars import Context, ContextVar
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Literal, NamedTuple, Self

import structlog
from graphql import FieldNode, GraphQLSchema, OperationDefinitionNode
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.registry import Collector
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect
from typing_extensions import override

from access.principal import Principal
from graph.counts import Counts
from graph.durations import Durations
from graph.head import Head
from graph.lines import NOTHING, tell_in_lines, told_in_lines
from graph.soon import Soon
from graph.spans import Span, Tracer

Transport = Literal["http", "socket"]
Phase = Literal["admit", "read", "prepare", "execute", "encode", "whole"]

OK: Final = "OK"
GONE: Final = "GONE"
"""The outcome of an operation whose caller did not wait for it."""

NONE: Final = "none"
OTHER: Final = "other"
SEVERAL: Final = "several"
INTROSPECTION: Final = "introspection"

NAME_MAX: Final = 64
"""How much of the name is told that a client has given its operation."""

BEFORE_EXECUTION: Final = frozenset[Phase]({"admit", "read", "prepare"})

REJECTIONS: Final = frozenset(
    {"LIMIT_EXCEEDED", "RATE_LIMITED", "UNAUTHENTICATED", "FORBIDDEN", "OVERLOADED"}
)
DISCONNECTS: Final = (ClientDisconnect, WebSocketDisconnect)

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

log = structlog.get_logger()


class Telemetry(Collector):
    """What one service counts of its operations, and the tracer of their spans."""

    def __init__(self, registry: CollectorRegistry, tracer: Tracer | None = None) -> None:
        self.tracer = tracer
        registry.register(self)
        # There are as many series as the schema has root fields, times the codes: see
        # graph/faults.py.
        self.operations = Counts(
            "tuppence_operations",
            "Operations that were answered, by root field, and by OK, GONE or an error's code.",
            ("operation", "kind", "outcome"),
        )
        self.executed = Counts(
            "tuppence_executions",
            "Queries and mutations, by how they were executed: compiled, or why not.",
            ("how",),
        )
        registry.register(self.operations)
        registry.register(self.executed)
        self.seconds = Durations(
            "tuppence_operation_seconds",
            "How long each phase of an operation took, and the whole of it.",
            SECONDS,
        )
        registry.register(self.seconds)
        self.rejected = Counter(
            "tuppence_rejected",
            "What was refused for want of a key or a right, or by a limit or a rate.",
            ("code", "limit"),
            registry=registry,
        )
        self.sockets = Gauge(
            "tuppence_sockets", "Sockets that are open, by whomever.", registry=registry
        )
        self.shared_executions = Counter(
            "tuppence_shared_executions",
            "Events that were executed and encoded once, for all who share a subscription.",
            registry=registry,
        )
        self.shared_answers = Counter(
            "tuppence_shared_answers",
            "Answers that subscribers were sent of those executions: more than them, by sharing.",
            registry=registry,
        )

    @override
    def collect(self) -> Iterable[Metric]:
        """Nothing of its own: it comes first, and sees that whatever is over is counted."""
        tell()
        return ()

    def note_execution(self, how: str) -> None:
        """An operation was compiled, or why it was executed otherwise."""
        self.executed.count((how,))

    def reject(self, code: str, limit: str = "") -> None:
        """Somebody, or something, was turned away; where a limit or a rate did it, by that."""
        self.rejected.labels(code, limit).inc()

    def trace(self, transport: Transport, request_id: str, head: Head | None = None) -> "Trace":
        """Of one operation, from where it comes in to where its answer has gone out."""
        return Trace(self, transport, request_id, head)


class Trace:
    """What is noted of one operation on its way. Left, it is told."""

    __slots__ = (
        "_began",
        "_codes",
        "_ended",
        "_head",
        "_lines",
        "_reached",
        "_span",
        "_telemetry",
        "_transport",
        "answers",
        "is_kept",
        "kind",
        "name",
        "operation",
        "principal",
        "request_id",
        "status",
    )

    def __init__(
        self,
        telemetry: Telemetry,
        transport: Transport,
        request_id: str,
        head: Head | None,
    ) -> None:
        self._telemetry = telemetry
        self._transport: Transport = transport
        self._head = head
        self._codes: list[str] = []
        self._reached: list[tuple[Phase, float]] = []
        self._span: Span | None = None
        self._lines = NOTHING
        self.request_id = request_id
        self.principal: Principal | None = None
        self.kind = NONE
        self.operation = OTHER
        self.name: str | None = None
        self.status: int | None = None
        self.answers = 0
        self.is_kept = False
        """Whether it goes on after its block: whoever keeps it ends it."""

    def __enter__(self) -> Self:
        _current.set(self)  # and not taken back, as with all that lines tell
        if told_in_lines().get("request_id") != self.request_id:
            tell_in_lines(request_id=self.request_id)
        if self._telemetry.tracer:
            self._span = self._telemetry.tracer.start(self._head)
        self._began = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines = told_in_lines()
        if self._span:
            self._span.leave()
        if error is not None or not self.is_kept:
            self.end(error)

    def end(self, error: BaseException | None = None) -> None:
        """It is over: by itself, or by this. What a block isn't left for may be ended anywhere."""
        self._ended = perf_counter()
        if error is not None and not self._codes:
            self._note_end(error)
        if self._span:
            told: dict[str, Any] = {}
            self._tell_of(told)
            told |= {"request_id": self.request_id, "outcome": self.outcome}
            self._span.end(f"{self.kind} {self.operation}", told, self.outcome)
        _over.append(self)
        _telling.ask()

    def _note_end(self, error: BaseException) -> None:
        """It was ended from outside, or by a fault that nobody told of."""
        if isinstance(error, Exception) and not isinstance(error, DISCONNECTS):
            self._codes.append("INTERNAL")
        elif self.kind != "subscription":  # of which it is the usual end
            self._codes.append(GONE)

    def admit(self, principal: Principal) -> None:
        """The caller is known now."""
        self.principal = principal
        self.reach("admit")

    def reach(self, phase: Phase) -> None:
        """A phase ends now; it began where the one before it ended.

        A subscription executes for as long as somebody listens: that isn't measured.
        """
        if self.kind == "subscription" and phase not in BEFORE_EXECUTION:
            return
        self._reached.append((phase, perf_counter()))

    def note_code(self, code: str, limit: str) -> None:
        if code not in self._codes:
            self._codes.append(code)
        if code in REJECTIONS:
            self._telemetry.reject(code, limit)

    @property
    def outcome(self) -> str:
        """OK, GONE, or the code of its first error."""
        return self._codes[0] if self._codes else OK

    def tell(self, write: Callable[..., None]) -> None:
        """Count it, and write its line."""
        counts = self._telemetry
        counts.operations.count((self.operation, self.kind, self.outcome))
        counts.seconds.observe(self.kind, self._phases())
        told: dict[str, Any] = {"ago_s": perf_counter() - self._ended, **self._lines}
        self._tell_of(told)
        if self._codes:
            told["codes"] = " ".join(self._codes)
        told["ms"] = round((self._ended - self._began) * 1_000, 3)
        write("an operation was answered", **told)

    def _phases(self) -> list[tuple[Phase, float]]:
        """Each phase, and how long it took."""
        phases: list[tuple[Phase, float]] = []
        began, phase = self._began, None
        for phase, ended in self._reached:
            phases.append((phase, ended - began))
            began = ended
        if phase == "execute":
            phases.append(("encode", self._ended - began))
        if self.kind != "subscription":
            phases.append(("whole", self._ended - self._began))
        return phases

    def _tell_of(self, told: dict[str, Any]) -> None:
        """What there is to tell of it to anyone: names of ours, and numbers."""
        told["transport"] = self._transport
        told["kind"] = self.kind
        told["operation"] = self.operation
        if self.name:
            told["name"] = self.name
        if self.principal:
            told["principal"] = self.principal.id
        if self.status:
            told["status"] = int(self.status)
        if self._transport == "socket":
            told["answers"] = self.answers


class Title(NamedTuple):
    """What an operation is called: its kind, by the client, and by the schema."""

    kind: str
    name: str | None
    operation: str


class Codes:
    """The errors' codes of what is executed for several operations at once: each is told of them.

    with Codes(request_id) as codes: …
    codes.tell(trace)
    """

    __slots__ = ("_noted", "_request_id")

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._noted: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        _current.set(self)
        tell_in_lines(request_id=self._request_id)
        return self

    def __exit__(self, *_: object) -> None: ...

    def __bool__(self) -> bool:
        return bool(self._noted)

    def reach(self, phase: Phase) -> None:
        """Nothing of it is measured for each."""

    def note_code(self, code: str, limit: str) -> None:
        self._noted.append((code, limit))

    def tell(self, trace: Trace) -> None:
        for code, limit in self._noted:
            trace.note_code(code, limit)


_current: ContextVar[Trace | Codes | None] = ContextVar("trace", default=None)
_over: deque[Trace] = deque()


def tell() -> None:
    """Tell of all that is over and wasn't told yet."""
    Context().run(_tell_each)  # whoever asks for it may be at an operation of their own


def _tell_each() -> None:
    write = log.info  # to look it up takes as long as to write a line
    while _over:
        _over.popleft().tell(write)


_telling: Final = Soon(tell)


def reach(phase: Phase) -> None:
    """A phase of the operation under way ends now."""
    if (trace := _current.get()) is not None:
        trace.reach(phase)


def note_code(code: str, limit: str = "") -> None:
    """An error of this code is among its answers; where a limit refused it, that limit."""
    if (trace := _current.get()) is not None:
        trace.note_code(code, limit)


def note_operation(title: Title | None) -> None:
    """What is asked, if it is known."""
    trace = _current.get()
    if isinstance(trace, Trace) and title:
        trace.kind, trace.name, trace.operation = title


def title_of(schema: GraphQLSchema, definition: OperationDefinitionNode) -> Title:
    """How it is told of an operation."""
    named = definition.name.value[:NAME_MAX] if definition.name else None
    return Title(definition.operation.value, named, _root_of(schema, definition))


def _root_of(schema: GraphQLSchema, definition: OperationDefinitionNode) -> str:
    """The one root field that is asked for, if the schema has it."""
    chosen = definition.selection_set.selections
    names = {each.name.value if isinstance(each, FieldNode) else SEVERAL for each in chosen}
    if len(names) != 1:
        return SEVERAL
    (name,) = names
    if name.startswith("__"):
        return INTROSPECTION
    root = schema.get_root_type(definition.operation)
    return name if name == SEVERAL or (root and name in root.fields) else OTHER
