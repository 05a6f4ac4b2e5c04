"""Spans: an operation as OpenTelemetry tells it, where that is installed and set up.

`tuppence[opentelemetry]` brings its API; an SDK and where spans are sent to are the operator's
choice, and `opentelemetry-instrument tuppence serve` sets them up. Each operation is then one span,
in the trace that its caller's `traceparent` names. Without it there is no tracer, and nothing is
spent on it.
"""

from collections.abc import Mapping
from typing import Any, Final

from graph.head import Head
from graph.lines import tell_in_lines

NAME: Final = "tuppence"
TOLD_BY_CALLERS: Final = ("traceparent", "tracestate")
FAULTS: Final = frozenset({"INTERNAL", "UNAVAILABLE", "OUTCOME_UNKNOWN", "OVERLOADED"})
"""Codes that are our failure rather than the caller's: the span's status says so."""


def find_tracer() -> "Tracer | None":
    """The tracer that was set up in this process, if one was."""
    try:
        from opentelemetry import trace  # noqa: PLC0415 - it need not be there
    except ImportError:
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return Tracer(provider)


class Tracer:
    """Starts spans with a provider of OpenTelemetry's."""

    def __init__(self, provider: Any) -> None:
        from opentelemetry import context, trace  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self._tracer = provider.get_tracer(NAME)
        self._propagator = TraceContextTextMapPropagator()
        self.trace: Any = trace
        self.context: Any = context

    def start(self, head: Head | None) -> "Span":
        """A span under that which the head names; what is done from now on is within it."""
        said = {name: head.find(name.encode()) for name in TOLD_BY_CALLERS} if head else {}
        carrier = {name: value for name, value in said.items() if value is not None}
        span = self._tracer.start_span(
            "operation",
            context=self._propagator.extract(carrier),
            kind=self.trace.SpanKind.SERVER,
        )
        return Span(self, span)


class Span:
    """One operation, under way."""

    def __init__(self, tracer: Tracer, span: Any) -> None:
        self._tracer = tracer
        self._span = span
        self._token = tracer.context.attach(tracer.trace.set_span_in_context(span))
        context = span.get_span_context()
        tell_in_lines(trace_id=tracer.trace.format_trace_id(context.trace_id))

    def leave(self) -> None:
        """What is done from now on isn't within it, and it may end anywhere."""
        self._tracer.context.detach(self._token)

    def end(self, name: str, attributes: Mapping[str, str | int], outcome: str) -> None:
        """It is done, and was this."""
        self._span.update_name(name)
        self._span.set_attributes(attributes)
        if outcome in FAULTS:
            self._span.set_status(self._tracer.trace.StatusCode.ERROR, outcome)
        self._span.end()
