"""The service compiles what is asked again, and counts how each operation went."""

from itertools import count

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service, running
from tests.harness.stream import Stream
from tests.harness.values import Json
from tests.server.test_metrics import look

_numbers = count()


def new(document: str) -> str:
    """A document that this process hasn't seen: what it knows outlives a service."""
    return f"query New{next(_numbers)}{document}"


PROGRAMS = "($first: Int!) { programs(first: $first) { edges { node { name } } } }"


async def counted(service: Service) -> dict[str, float]:
    """How many operations went which way."""
    numbers = await look(service)
    return {
        sample.labels["how"]: sample.value
        for sample in numbers.samples
        if sample.name == "tuppence_executions_total"
    }


async def test_an_operation_is_compiled_when_it_is_asked_again(
    service: Service, client: Client
) -> None:
    document = new(PROGRAMS)
    answers = [await client.ask(document, {"first": 2}) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert await counted(service) == {"new": 1, "compiled": 2}


async def test_over_a_socket_it_is_the_same(service: Service, client: Client) -> None:
    document = new(PROGRAMS)
    told: list[Json] = []
    for _ in range(3):
        async with Stream(client.ws_url, document, {"first": 2}) as stream:
            told.append(await stream.next_data())

    assert told[0] == told[1] == told[2]
    assert await counted(service) == {"new": 1, "compiled": 2}


async def test_what_is_not_compiled_is_counted_by_why(service: Service, client: Client) -> None:
    schema, programs = new("{ __schema { queryType { name } } }"), new(PROGRAMS)
    for _ in range(2):
        await client.ask(schema, {})
        await client.ask(programs, {"first": "two"})
        await client.ask("{ nothing }", {})

    ways = {"new": 2, "introspection": 1, "variables": 1, "refused": 2}
    assert await counted(service) == ways


async def test_it_can_be_switched_off(sqlite_url: str, clock: VirtualClock) -> None:
    async with running(sqlite_url, clock, compiled=False) as service:
        for _ in range(3):
            await service.client.ask(new(PROGRAMS), {"first": 2})
        assert await counted(service) == {"off": 3}


@pytest.mark.parametrize("compiled", [True, False])
async def test_a_mistake_is_told_alike_either_way(
    sqlite_url: str, clock: VirtualClock, *, compiled: bool
) -> None:
    async with running(sqlite_url, clock, compiled=compiled) as service:
        document = "query P($f: Int!) { programs(first: $f) { pageInfo { endCursor } } }"
        answers = [await service.client.ask(document, {"f": 0}) for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        error = answers[2][1]["errors"][0]
        assert error["path"] == ["programs"]
        assert error["locations"] == [{"line": 1, "column": 21}]
        assert error["extensions"]["code"] == "BAD_REQUEST"
