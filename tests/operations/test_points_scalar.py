"""Points: exact decimals in and out, whatever a double can carry and nothing else."""

from decimal import Decimal

import pytest

from tests.conftest import Unchanged
from tests.harness import documents
from tests.harness.client import Client
from tests.harness.refusals import assert_body_rejected, assert_request_error
from tests.harness.rules import decimals

MUTATION = documents.mutation("creditPoints")
LITERAL = """mutation { creditPoints(input: {
  wallet: {owner: {identity: "ann", program: "Fine"}}, points: %s, idempotencyKey: "k"
}) { transaction { points } errors { __typename ... on UserError { path } } } }"""
GOOD = [
    ("1", "1"),
    ("1.10", "1.1"),
    ("1e2", "100"),
    ("1.5E1", "15"),
    ("0.001", "0.001"),
    ("12.345", "12.345"),
    ("1e-3", "0.001"),
    ("123456789012.345", "123456789012.345"),
    ("123456789012", "123456789012"),
]
BAD = [
    "0",
    "-0",
    "0.0",
    "-1",
    "0.0001",
    "1.2345",
    "0.30000000000000004",
    "1000000000000",
    "1e12",
    "1e400",
    "999999999999.9999",
]


def body(points: str) -> str:
    return (
        f'{{"query": "{MUTATION}", "variables": {{"input": {{"wallet": {{"owner": '
        f'{{"identity": "ann", "program": "Fine"}}}}, "idempotencyKey": "k", '
        f'"points": {points}}}}}}}'
    ).replace("\n", " ")


@pytest.fixture
async def fine(client: Client) -> Client:
    await client.create_program("Fine", rounding=decimals(3))
    return client


async def test_a_number_of_at_most_three_decimals_is_taken_as_a_variable(fine: Client) -> None:
    for number, (written, meant) in enumerate(GOOD):
        status, answer = await fine.post(body(written).replace('"k"', f'"{number}"'))
        assert status == 200, answer
        assert answer["data"]["creditPoints"]["transaction"]["points"] == Decimal(meant)


async def test_and_as_a_literal(fine: Client) -> None:
    for number, (written, meant) in enumerate(GOOD):
        data = await fine.execute((LITERAL % written).replace('"k"', f'"{number}"'))
        assert data["creditPoints"]["transaction"]["points"] == Decimal(meant), written


async def test_anything_else_is_refused_as_a_variable(fine: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        for written in [*BAD, '"5"', "true", "false", "[5]", '{"points": 5}', "null"]:
            await assert_body_rejected(fine, "creditPoints", body(written), "points")


async def test_what_is_no_json_number_is_a_bad_request(fine: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        for written in ["NaN", "Infinity", "-Infinity", "+5", "05", ".5", "5."]:
            status, answer = await fine.post(body(written))
            assert status == 400, written
            assert_request_error(status, answer, "")


async def test_anything_else_is_refused_as_a_literal(fine: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        for written in [*BAD, '"5"', "true", "[5]", "FIVE"]:
            status, answer = await fine.ask(LITERAL % written, {})
            if answer.get("errors"):
                assert_request_error(status, answer, "")
            else:
                [error] = answer["data"]["creditPoints"]["errors"]
                assert error == {"__typename": "InvalidInput", "path": ["input", "points"]}


@pytest.mark.parametrize(
    ("given", "printed"),
    [(50, "50"), (Decimal("12.5"), "12.5"), (Decimal("0.001"), "0.001"), (10**11, "100000000000")],
)
async def test_points_print_exactly_and_whole_ones_without_a_point(
    fine: Client, given: Decimal | int, printed: str
) -> None:
    credit = await fine.credit("ann", given, program="Fine")

    response = await fine.http.post(
        fine.url, json={"query": f'{{ transaction(id: "{credit.id}") {{ points }} }}'}
    )

    assert response.text.replace(" ", "") == f'{{"data":{{"transaction":{{"points":{printed}}}}}}}'


async def test_sums_are_exact_where_doubles_are_not(fine: Client) -> None:
    for _ in range(3):
        await fine.credit("ann", Decimal("0.1"), program="Fine")

    balance = await fine.balance("ann", program="Fine")

    assert balance.active == Decimal("0.3")
    assert (await fine.debit("ann", Decimal("0.3"), program="Fine")).error is None
