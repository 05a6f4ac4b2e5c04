"""Tuppence without its guard, for `guard` to be measured beside Tuppence as it ships.

`python -m benchmarks.unguarded PORT` is `tuppence serve`, but for

- the door: whoever comes is an administrator, and what they show isn't looked at;
- rights: no resolver asks for one;
- rates;
- limits: of documents, of what they come to, of the time that they take;
- the audit trail: nobody is written down for what they change;
- logs, metrics and traces, of operations and of commits;
- the gate: hosts, origins, the names of requests, the headers of answers;
- connections that keep their clients within bounds: they are uvicorn's own.

The product has no switch for any of it: here its parts are replaced before they are put together.
"""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast

import uvicorn

import graph.access
import ledger.journal
from access.door import Door
from access.principal import Principal
from access.rates import Rates
from graph.limits import Limits
from graph.telemetry import Telemetry, Trace
from server.draining import Drain

ADMINISTRATOR = Principal("KEY", "key_01kb00000000000000000000be", frozenset({"admin"}))
NO_LIMITS = Limits(tokens=10**9, execution_seconds=cast("float", None))


def nothing(*_: object, **__: object) -> None:
    """Stand in the place of what is off."""


def no_rows(*_: object) -> list[tuple[Any, ...]]:
    """Have nothing to write down."""
    return []


class OpenDoor(Door):
    async def admit(self, authorization: str | None) -> Principal:
        """Let in whoever comes."""
        del authorization
        return ADMINISTRATOR


class NoRates(Rates):
    def take(self, principal: Principal) -> None:
        """Count nothing."""


class Untraced:
    """In the place of a trace."""

    status: int | None = None
    answers = 0
    admit = reach = note_code = nothing

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class NoTelemetry(Telemetry):
    def trace(self, transport: Any, request_id: str, head: Any = None) -> Trace:
        """Trace nothing."""
        del transport, head
        return cast("Trace", Untraced(request_id))


def no_gate(app: Callable[..., Any], *_: object) -> Callable[..., Any]:
    """Let everything pass."""
    return app


def plain_config(app: Any, _: Limits, drain: Drain, **more: Any) -> uvicorn.Config:
    """Uvicorn's configuration, with connections of its own."""
    config: Any = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        **more,
    )
    config.drain = drain
    return config


def serve_unguarded(port: str) -> None:
    """Serve until told to stop."""
    graph.access.guard = nothing
    ledger.journal.entry_rows = no_rows
    # Only now: the schema is made, and guarded, when it is imported.
    from graph import documents, running  # noqa: PLC0415
    from server import app, serving  # noqa: PLC0415
    from server.settings import Settings  # noqa: PLC0415

    def judge(
        document: documents.Document, operation: documents.Operation, asked: documents.Asked
    ) -> documents.Prepared:
        del asked
        return documents.Prepared(operation, list(document.errors), is_steady=True)

    documents._judge = judge  # noqa: SLF001 - the product has no switch for it
    running._compiler.around = None  # noqa: SLF001 - nor for this, which keeps time
    app.Metrics.note_commit = nothing
    app.Door, app.Rates, app.Telemetry = OpenDoor, NoRates, NoTelemetry
    app.Gate = cast("Any", no_gate)
    serving.Config = cast("Any", plain_config)
    cast("Any", Settings).limits = NO_LIMITS
    serving.serve(Settings.from_environment().but(port=port, log_level="error"))


if __name__ == "__main__":
    serve_unguarded(sys.argv[1])
