"""graph/page/examples.graphql: every example does what its title says, on a new installation."""

from collections.abc import AsyncIterator

import pytest
from graphql import OperationDefinitionNode, OperationType, parse, print_ast

from graph import graphiql
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service, running
from tests.harness.stream import Stream


def examples() -> list[OperationDefinitionNode]:
    document = parse((graphiql.PAGE / "examples.graphql").read_text(encoding="utf-8"))
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock) as service:
        yield service


async def test_each_is_answered_without_an_error_one_after_another(service: Service) -> None:
    asked = [each for each in examples() if each.operation is not OperationType.SUBSCRIPTION]

    for example in asked:
        data = await service.client.execute(print_ast(example))

        for name, payload in data.items():
            assert payload, name
            assert "errors" not in payload or payload["errors"] == [], name


async def test_the_subscription_brings_the_credit_that_follows_it(service: Service) -> None:
    [watch] = [each for each in examples() if each.operation is OperationType.SUBSCRIPTION]

    async with Stream(service.client.ws_url, print_ast(watch), {}) as stream:
        await service.client.credit("ann", 25)
        data = await stream.next_data()

    assert data["pointsCredited"]["points"] == 25
    assert data["pointsCredited"]["wallet"]["balance"]["active"] == 25
