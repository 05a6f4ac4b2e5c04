"""createCoupon: makes a cashback code of a program, which then stays as it is."""

from decimal import Decimal

import pytest

from tests.conftest import Unchanged
from tests.harness import documents
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.coupons import Coupon, ask_for_coupon, create_coupon, find_coupon
from tests.harness.refusals import assert_request_error
from tests.harness.rules import decimals
from tests.harness.values import Json

NODE = f"query Node($id: ID!) {{ node(id: $id) {{ ... on Coupon {{ {documents.COUPON} }} }} }}"


async def test_a_coupon_has_the_defaults_of_the_contract(client: Client) -> None:
    coupon = await create_coupon(client, "SPRING", points=50)

    assert coupon == Coupon(
        id=coupon.id,
        code="SPRING",
        program="Points",
        points=50,
        percent_of_sale=None,
        minimum_sale=None,
        total_limit=None,
        member_limit=1,
        starts_at=None,
        ends_at=None,
        redeemed=0,
    )
    assert coupon.id.startswith("cpn_")
    assert await find_coupon(client, "SPRING") == coupon


async def test_all_of_a_coupon_can_be_chosen(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Gold", rounding=decimals(2, "UP"))

    coupon = await create_coupon(
        client,
        "Frühling 5 %",
        program="Gold",
        percent_of_sale=2.5,
        minimum_sale=19.99,
        total_limit=1_000,
        member_limit=3,
        starts_at=clock.after(days=1),
        ends_at=clock.after(days=2),
    )

    assert coupon == Coupon(
        id=coupon.id,
        code="Frühling 5 %",
        program="Gold",
        points=None,
        percent_of_sale=Decimal("2.5"),
        minimum_sale=Decimal("19.99"),
        total_limit=1_000,
        member_limit=3,
        starts_at=clock.after(days=1),
        ends_at=clock.after(days=2),
        redeemed=0,
    )
    assert await find_coupon(client, "Frühling 5 %") == coupon


async def test_a_coupon_is_found_by_its_id(client: Client) -> None:
    coupon = await create_coupon(client, "SPRING", points=50)

    found = (await client.execute(NODE, id=coupon.id))["node"]

    assert (found["code"], found["program"]["name"], found["redeemed"]) == ("SPRING", "Points", 0)


async def test_points_have_the_decimals_of_the_program(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Gold", rounding=decimals(1))

    coupon = await create_coupon(client, "FINE", program="Gold", points=Decimal("0.5"))
    async with unchanged():
        answer = await ask_for_coupon(client, "FINER", program="Gold", points=Decimal("0.25"))

    assert coupon.points == Decimal("0.5")
    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "points"))


async def test_refuses_a_code_that_another_has(client: Client, unchanged: Unchanged) -> None:
    first = await create_coupon(client, "SPRING", points=50)

    async with unchanged():
        answer = await ask_for_coupon(client, "SPRING", percent_of_sale=5)

    assert (answer.error, answer.error_path) == ("NameTaken", ("input", "code"))
    assert await find_coupon(client, "SPRING") == first


async def test_codes_are_told_apart_to_the_letter(client: Client) -> None:
    upper = await create_coupon(client, "SPRING", points=50)
    lower = await create_coupon(client, "spring", points=5)

    assert upper.id != lower.id
    assert await find_coupon(client, "Spring") is None


async def test_refuses_a_program_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await ask_for_coupon(client, "SPRING", points=50, program="Gold")

    assert (answer.error, answer.error_path) == ("ProgramNotFound", ("input", "program"))
    assert await find_coupon(client, "SPRING") is None


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("code", {"code": ""}),
        ("code", {"code": "c" * 65}),
        ("code", {"code": "a\x00b"}),
        ("code", {"code": "a\nb"}),
        ("program", {"program": ""}),
        ("program", {"program": "a\x00b"}),
        ("points", {"points": 0}),
        ("points", {"points": -5}),
        ("points", {"points": 0.5}),
        ("points", {"points": None}),
        ("points", {"percent_of_sale": 5}),
        ("percentOfSale", {"points": None, "percent_of_sale": 0}),
        ("percentOfSale", {"points": None, "percent_of_sale": -1}),
        ("percentOfSale", {"points": None, "percent_of_sale": 100_000.5}),
        ("percentOfSale", {"points": None, "percent_of_sale": 1e308}),
        ("minimumSale", {"minimum_sale": -0.01}),
        ("minimumSale", {"minimum_sale": 1e13}),
        ("totalLimit", {"total_limit": 0}),
        ("memberLimit", {"member_limit": 0}),
        ("memberLimit", {"member_limit": -1}),
    ],
    ids=str,
)
async def test_refuses_what_a_coupon_can_not_be(
    client: Client, unchanged: Unchanged, field: str, fields: Json
) -> None:
    asked: Json = {"code": "SPRING", "points": 50} | fields
    async with unchanged():
        answer = await ask_for_coupon(client, **asked)

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", field))
    assert await find_coupon(client, "SPRING") is None


@pytest.mark.parametrize("seconds", [0, -1])
async def test_refuses_to_end_before_it_starts(
    client: Client, clock: VirtualClock, unchanged: Unchanged, seconds: int
) -> None:
    starts_at = clock.after(days=1)
    async with unchanged():
        answer = await ask_for_coupon(
            client,
            "SPRING",
            points=50,
            starts_at=starts_at,
            ends_at=clock.after(days=1, seconds=seconds),
        )

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "endsAt"))


async def test_the_longest_code_and_the_highest_percentage_are_taken(client: Client) -> None:
    coupon = await create_coupon(client, "c" * 64, percent_of_sale=100_000, minimum_sale=0)

    assert (coupon.percent_of_sale, coupon.minimum_sale) == (100_000, 0)


async def test_a_member_limit_can_not_be_none(client: Client) -> None:
    fields = {"code": "SPRING", "points": 50, "memberLimit": None}

    status, answer = await client.ask(documents.mutation("createCoupon"), {"input": fields})

    assert_request_error(status, answer, "memberLimit")


@pytest.mark.parametrize("code", ["", "a\x00b", "c" * 9_999])
async def test_a_code_that_no_coupon_can_have_finds_none(client: Client, code: str) -> None:
    assert await find_coupon(client, code) is None
