"""Spans: one for each operation, where OpenTelemetry is set up; and nothing where it isn't."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from graph.spans import Tracer, find_tracer
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.logs import logged
from tests.harness.patience import patience
from tests.harness.servers import running
from tests.harness.tables import spoil

ROOT = Path(__file__).parents[2]
ANN = "ann.archer@example.com"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def client(
    sqlite_url: str, clock: VirtualClock, exporter: InMemorySpanExporter
) -> AsyncIterator[Client]:
    """Of a service whose operations are spans."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with running(sqlite_url, clock) as service:
        service.inside.telemetry.tracer = Tracer(provider)
        yield service.client


def only(spans: Sequence[ReadableSpan]) -> Any:
    (span,) = spans
    return span


async def test_an_operation_is_a_span_named_by_what_the_schema_calls_it(
    client: Client, exporter: InMemorySpanExporter
) -> None:
    await client.credit(ANN, 50)

    span = only(exporter.get_finished_spans())
    assert (span.name, span.kind) == ("mutation creditPoints", SpanKind.SERVER)
    assert span.parent is None
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes) == {
        "transport": "http",
        "kind": "mutation",
        "operation": "creditPoints",
        "name": "CreditPoints",
        "principal": "key_01kb00000000000000000000ad",
        "status": 200,
        "request_id": span.attributes["request_id"],
        "outcome": "OK",
    }


async def test_it_goes_on_with_its_callers_trace(
    client: Client, exporter: InMemorySpanExporter
) -> None:
    with logged("info") as lines:
        await client.http.post(client.url, json={"query": "{ eventCursor }"}, headers=CALLER)

    span = only(exporter.get_finished_spans())
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert [line["trace_id"] for line in lines.told] == [TRACE]


async def test_each_subscription_is_one(client: Client, exporter: InMemorySpanExporter) -> None:
    cursor = await client.event_cursor()
    with logged("warning") as lines:
        async with client.subscribe(after=cursor) as one, client.subscribe(after=cursor) as two:
            await client.credit(ANN, 50)
            assert await one.next() == await two.next()
        names = [span.name for span in exporter.get_finished_spans()]
        async with patience():
            while names.count("subscription pointsCredited") < 2:
                await asyncio.sleep(0)
                names = [span.name for span in exporter.get_finished_spans()]

    assert sorted(names) == [
        "mutation creditPoints",
        "query eventCursor",
        "subscription pointsCredited",
        "subscription pointsCredited",
    ]
    assert lines.told == []


async def test_a_fault_of_ours_marks_it_and_a_callers_mistake_does_not(
    client: Client, exporter: InMemorySpanExporter, sqlite_url: str
) -> None:
    await client.ask("{ nothing }", {})
    await spoil(sqlite_url, "ALTER TABLE members RENAME TO gone")
    await client.ask(f'{{ member(identity: "{ANN}") {{ name }} }}', {})

    mistake, fault = exporter.get_finished_spans()
    assert (mistake.attributes or {})["outcome"] == "BAD_REQUEST"
    assert mistake.status.status_code is StatusCode.UNSET
    assert (fault.attributes or {})["outcome"] == "INTERNAL"
    assert fault.status.status_code is StatusCode.ERROR
    assert "ann" not in fault.to_json().lower()


def test_where_it_is_not_set_up_there_is_no_tracer() -> None:
    assert find_tracer() is None


def test_where_it_is_set_up_its_tracer_is_found() -> None:
    # A process has one provider, for good: so this one is set up in another process.
    program = (
        "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider;"
        " trace.set_tracer_provider(TracerProvider());"
        " from graph.spans import find_tracer; assert find_tracer()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
