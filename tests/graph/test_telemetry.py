"""Telemetry: an operation is told of once, however it ends."""

import asyncio
import json
from contextvars import Context
from datetime import UTC, datetime

import pytest
from graphql import OperationDefinitionNode, parse
from prometheus_client import CollectorRegistry
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from graph.lines import tell_in_lines
from graph.schema import schema
from graph.telemetry import (
    NAME_MAX,
    Telemetry,
    Title,
    note_code,
    note_operation,
    reach,
    title_of,
)
from server.logs import as_json, log_to
from tests.harness.logs import logged
from tests.harness.patience import patience

ANSWERED = "an operation was answered"
QUERY = "query Ask { eventCursor }"
SUBSCRIPTION = "subscription { pointsCredited { cursor } }"


def title(document: str) -> Title:
    definition = parse(document).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    return title_of(schema._schema, definition)  # noqa: SLF001 - no other way


def end(document: str, error: BaseException) -> tuple[str | None, dict[str, float]]:
    """How it is told of an operation that ended so: its line's codes, and the outcomes counted."""
    registry = CollectorRegistry()

    def operate() -> None:
        with Telemetry(registry).trace("http", "id-1"):
            note_operation(title(document))
            raise error

    with logged() as lines, pytest.raises(type(error)):
        Context().run(operate)
    (line,) = lines.of(ANSWERED)
    counted = {
        sample.labels["outcome"]: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "tuppence_operations_total"
    }
    return line.get("codes"), counted


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), ClientDisconnect(), WebSocketDisconnect()], ids=repr
)
def test_a_caller_who_did_not_wait_is_gone(error: BaseException) -> None:
    assert end(QUERY, error) == ("GONE", {"GONE": 1})


@pytest.mark.parametrize("error", [asyncio.CancelledError(), WebSocketDisconnect()], ids=repr)
def test_a_subscription_ends_when_its_caller_goes(error: BaseException) -> None:
    assert end(SUBSCRIPTION, error) == (None, {"OK": 1})


@pytest.mark.parametrize("document", [QUERY, SUBSCRIPTION])
def test_a_fault_that_nobody_has_told_of_is_one_all_the_same(document: str) -> None:
    assert end(document, KeyError("ann")) == ("INTERNAL", {"INTERNAL": 1})


async def test_a_callers_own_name_is_cut() -> None:
    with logged() as lines, Telemetry(CollectorRegistry()).trace("http", "id-1"):
        note_operation(title(f"query {'A' * 999} {{ eventCursor }}"))

    assert lines.of(ANSWERED)[0]["name"] == "A" * NAME_MAX


async def test_a_code_is_told_once() -> None:
    with logged() as lines, Telemetry(CollectorRegistry()).trace("http", "id-1"):
        for code in ("BAD_REQUEST", "INTERNAL", "BAD_REQUEST"):
            note_code(code)

    assert lines.of(ANSWERED)[0]["codes"] == "BAD_REQUEST INTERNAL"


async def test_two_operations_at_a_time_are_told_apart() -> None:
    telemetry, turn = Telemetry(CollectorRegistry()), asyncio.Barrier(2)

    async def operate(request_id: str, code: str) -> None:
        with telemetry.trace("http", request_id):
            await turn.wait()
            note_code(code)
            await turn.wait()

    with logged() as lines:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(operate("id-1", "FORBIDDEN"))
            tasks.create_task(operate("id-2", "BAD_CURSOR"))

    told = {line["request_id"]: line["codes"] for line in lines.of(ANSWERED)}
    assert told == {"id-1": "FORBIDDEN", "id-2": "BAD_CURSOR"}


class Written(asyncio.Event):
    """What is written, for whoever waits until it is."""

    line = b""

    def write(self, data: bytes, /) -> int:
        self.line = data
        self.set()
        return len(data)

    def flush(self) -> None: ...


async def test_what_is_over_is_told_a_moment_later_of_the_instant_when_it_was_over() -> None:
    written = Written()
    with logged():
        log_to(written, "debug", as_json)
        with Telemetry(CollectorRegistry()).trace("http", "id-1"):
            pass
        over = datetime.now(UTC)  # and it is written later
        assert not written.is_set()

        async with patience():
            await written.wait()

    line = json.loads(written.line)
    assert line["request_id"] == "id-1"
    assert datetime.fromisoformat(line["at"]) <= over


def test_what_a_loop_that_has_ended_left_is_told_by_the_next() -> None:
    registry = CollectorRegistry()
    telemetry, written = Telemetry(registry), Written()

    async def operate(request_id: str, *, waits: bool) -> None:
        with telemetry.trace("http", request_id):
            pass
        if waits:
            async with patience():
                await written.wait()

    with logged():
        log_to(written, "debug", as_json)
        asyncio.run(operate("id-1", waits=False))
        assert not written.is_set()
        asyncio.run(operate("id-2", waits=True))

    assert json.loads(written.line)["request_id"] == "id-2"


async def test_what_is_over_is_counted_before_anybody_looks_and_told_as_its_own() -> None:
    registry = CollectorRegistry()
    telemetry = Telemetry(registry)

    async def operate(request_id: str) -> None:
        with telemetry.trace("http", request_id):
            note_operation(title(QUERY))

    def look() -> float | None:
        tell_in_lines(request_id="id-of-who-looks", trace_id="trace-of-who-looks")
        labels = {"operation": "eventCursor", "kind": "query", "outcome": "OK"}
        return registry.get_sample_value("tuppence_operations_total", labels)

    with logged() as lines:
        await asyncio.gather(operate("id-1"), operate("id-2"))
        assert Context().run(look) == 2

    told = lines.of(ANSWERED)
    assert [line["request_id"] for line in told] == ["id-1", "id-2"]
    assert all("trace_id" not in line for line in told)


async def test_each_phase_is_measured_from_the_end_of_the_one_before() -> None:
    registry = CollectorRegistry()
    with logged(), Telemetry(registry).trace("http", "id-1") as trace:
        note_operation(title(QUERY))
        for phase in ("admit", "read", "prepare", "execute"):
            trace.reach(phase)

    def seconds(phase: str) -> float:
        labels = {"kind": "query", "phase": phase}
        found = registry.get_sample_value("tuppence_operation_seconds_sum", labels)
        assert found, phase
        return found

    parts = sum(seconds(phase) for phase in ("admit", "read", "prepare", "execute", "encode"))
    assert parts == pytest.approx(seconds("whole"), abs=1e-9)


def test_outside_an_operation_nothing_is_noted() -> None:
    outside = Context()
    with logged() as lines:
        outside.run(reach, "execute")
        outside.run(note_code, "INTERNAL")
        outside.run(note_operation, title(QUERY))

    assert not lines.text
