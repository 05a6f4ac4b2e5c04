"""Long answers: made in turns, they say what they would have said at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from graph import documents
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.patience import poll
from tests.harness.servers import Service, running
from tests.harness.values import Json
from tests.limits import worst

pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited:RuntimeWarning"),
    pytest.mark.usefixtures("swept"),
]

AT_ONCE = 10**9
BYTES = {"limit": "answer_bytes", "value": 500_000}

WITHIN = "{ wallets(first: 100) { edges { node { id %s } } } }"
DOCUMENTS = {
    **worst.ANSWERS,
    "a mistake in each item": WITHIN % "transactions(first: 101) { edges { cursor } }",
    "a mistake in each item that may be null": (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Wallet {"
        " transactions(first: 101) { edges { node { id wallet { id } } } } } } }"
    ),
    "nulls among the items": (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Wallet {"
        " transactions(first: 20) { edges { node { id wallet { id } } } } } } }"
    ),
}


@pytest.fixture
async def filled(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock) as service:
        await service.client.execute(worst.BATCH, input=worst.batch(1_000, "k", 30))
        yield service


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_they_say_the_same(
    filled: Service, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"ids": await some_ids(filled.client)}

    in_turns = await told(filled.client, DOCUMENTS[name], variables)
    monkeypatch.setattr(documents, "LONG_WORK", AT_ONCE)
    at_once = await told(filled.client, DOCUMENTS[name], variables)

    assert in_turns == at_once


async def test_they_may_not_have_more_bytes(filled: Service, clock: VirtualClock) -> None:
    rows = DOCUMENTS["rows, printed"]
    url = filled.inside.settings.database_url
    async with running(url, clock, limit_answer_bytes=500_000) as service:
        error = await refusal(service.client, rows, {})
        assert error["message"] == "answer_bytes: the answer has more than 500000"
        assert error["path"] == ["wallets", "edges"]
        assert error["extensions"] == {"code": "LIMIT_EXCEEDED", **BYTES}

        # The batch is done: what is beyond the limit is its answer alone.
        batch = {"input": worst.batch(1_000, "l", 30)}
        error = await refusal(service.client, worst.BATCH, batch)
        assert error["path"] == ["creditPointsBatch", "results"]
        assert error["extensions"] == {"code": "OUTCOME_UNKNOWN", "retryable": True, **BYTES}


async def test_one_that_is_given_up_leaves_nothing_behind(
    filled: Service, clock: VirtualClock
) -> None:
    """In the midst of its lists, of which some was not yet begun."""
    url = filled.inside.settings.database_url
    async with running(url, clock, limit_execution_seconds=0.02) as service:
        await service.client.execute("{ __typename }")
        before = len(asyncio.all_tasks())

        for name in ("rows, looked up", "rows of rows", "looked up under thirty names"):
            errors = await service.client.refused(DOCUMENTS[name])
            assert errors[0]["extensions"]["limit"] == "execution_seconds"

        async def nothing_is_left() -> bool:
            return len(asyncio.all_tasks()) == before

        # What a thread reads for it ends by itself, and is given to nobody.
        assert await poll(nothing_is_left)


async def refusal(client: Client, document: str, variables: Json) -> Json:
    status, answer = await client.ask(document, variables)
    assert status == 200
    (error,) = answer["errors"]
    return error


async def some_ids(client: Client) -> list[str]:
    data = await client.execute("{ wallets(first: 30) { edges { node { id } } } }")
    known = [edge["node"]["id"] for edge in data["wallets"]["edges"]]
    return [known_or_not for each in known for known_or_not in (each, "nothing")]


async def told(client: Client, document: str, variables: Json) -> object:
    status, answer = await client.ask(document, variables)
    errors = sorted(answer.get("errors", []), key=lambda error: error["path"])
    return status, answer["data"], errors
