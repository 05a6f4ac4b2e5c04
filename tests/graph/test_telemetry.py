"""Telemetry: an operation is told of once, however it ends."""

import asyncio
from contextvars import Context

import pytest
from graphql import OperationDefinitionNode, parse
from prometheus_client import CollectorRegistry
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from graph.schema import schema
from graph.telemetry import NAME_MAX, Telemetry, Title, note_code, note_operation, reach, title_of
from tests.harness.logs import logged

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


def test_outside_an_operation_nothing_is_noted() -> None:
    outside = Context()
    with logged() as lines:
        outside.run(reach, "execute")
        outside.run(note_code, "INTERNAL")
        outside.run(note_operation, title(QUERY))

    assert not lines.text
