"""Selections: kept with an operation, and the same as if they were found anew each time."""

import json

import pytest

from graph.costs import Costs
from graph.selections import FIELDS_MAX, are_steady
from tests.harness.client import Client
from tests.harness.servers import Service
from tests.harness.values import Json

PROGRAM = "programs(first: 1) { edges { node { %s } } }"
SOME = "query ($yes: Boolean!) { " + PROGRAM % "id name @include(if: $yes)" + " }"
TWO = "query A { " + PROGRAM % "name" + " } query B { " + PROGRAM % "name id" + " }"


@pytest.fixture
def client(service: Service) -> Client:
    return service.client


def fields(answer: Json) -> list[str]:
    """Return what was told of the first program."""
    return list(answer["programs"]["edges"][0]["node"])


async def test_what_a_directive_leaves_out_is_there_again_without_it(client: Client) -> None:
    told = [fields(await client.execute(SOME, yes=yes)) for yes in (True, False, True)]

    assert told == [["id", "name"], ["id"], ["id", "name"]]


async def test_operations_of_one_document_keep_theirs_apart(client: Client) -> None:
    told: list[list[str]] = []
    for name in "ABAB":
        body = json.dumps({"query": TWO, "operationName": name})
        told.append(fields((await client.post(body))[1]["data"]))

    assert told == [["name"], ["name", "id"]] * 2


@pytest.mark.parametrize(
    ("costs", "steady"),
    [
        (Costs(fields=FIELDS_MAX), True),
        (Costs(fields=FIELDS_MAX + 1), False),
        (Costs(fields=1, directives=1), False),
    ],
    ids=["as many fields as may be", "one more", "a directive"],
)
def test_few_fields_without_directives_are_kept(costs: Costs, *, steady: bool) -> None:
    assert are_steady(costs) is steady
