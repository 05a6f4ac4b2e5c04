"""What counts as a clear refusal of bad input."""

import json

from tests.harness import documents
from tests.harness.client import Client
from tests.harness.values import Json

REQUEST_CODES = {"BAD_REQUEST", "BAD_CURSOR", "LIMIT_EXCEEDED"}


def assert_request_error(status: int, answer: Json, naming: str) -> None:
    """Assert a request error that a caller can act on: not a fault, and naming the field."""
    assert status in {200, 400}, f"HTTP {status}: {answer}"
    codes = {error["extensions"]["code"] for error in answer["errors"]}
    assert codes <= REQUEST_CODES, answer
    assert naming in json.dumps(answer["errors"], default=str), answer


async def assert_rejected(
    client: Client, mutation: str, fields: Json, naming: str, error: str = "InvalidInput"
) -> None:
    """Assert that a mutation's input gets a typed error or a request error naming the field."""
    body = json.dumps({"query": documents.mutation(mutation), "variables": {"input": fields}})
    await assert_body_rejected(client, mutation, body, naming, error)


async def assert_body_rejected(
    client: Client, mutation: str, body: str, naming: str, error: str = "InvalidInput"
) -> None:
    """The same, for a body that no JSON encoder would make."""
    status, answer = await client.post(body)
    if answer.get("errors"):
        assert_request_error(status, answer, naming)
        return
    refusals = answer["data"][mutation]["errors"]
    assert [refusal["__typename"] for refusal in refusals] == [error], answer
    assert naming in refusals[0]["path"], answer
    assert refusals[0]["path"][0] == "input", answer
