"""redeemCoupon: credits a member what a coupon gives, as often as it may be redeemed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.coupons import create_coupon, redeem, redeemed
from tests.harness.rules import decimals
from tests.harness.tables import rows
from tests.harness.values import Balance, Json, Order, Points

SALE = ("input", "order", "saleAmount")

# ── what it gives ────────────────────────────────────────────────────────────────────────────────


async def test_credits_the_coupons_points(client: Client, clock: VirtualClock) -> None:
    await create_coupon(client, "SPRING", points=50)

    answer = await redeem(client, "SPRING", "ann", order={"id": "A-1"})

    posted = answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert (posted.kind, posted.points, posted.sequence) == ("CREDIT", 50, 1)
    assert (posted.source, posted.coupon_code) == ("CASHBACK_COUPON", "SPRING")
    assert posted.order == Order(id="A-1")
    assert posted.effective_at == clock.now
    assert answer.wallet == await client.wallet("ann")
    assert await client.balance("ann") == Balance(active=50)
    assert await redeemed(client, "SPRING") == 1
    assert (await client.health()).violations == []


async def test_raises_an_event_with_the_coupons_id(client: Client) -> None:
    coupon = await create_coupon(client, "SPRING", percent_of_sale=10)
    answer = await redeem(client, "SPRING", "ann", 200)

    [event] = (await client.events()).nodes

    assert (event.transaction_id, event.points) == (answer.id, 20)
    assert (event.coupon_id, event.coupon_code) == (coupon.id, "SPRING")
    assert (event.source, event.ct_source, event.sale_amount) == ("CASHBACK_COUPON", "API", 200)


async def test_an_activation_tells_of_the_coupon_too(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Later", activation_delay=timedelta(days=1))
    coupon = await create_coupon(client, "SPRING", program="Later", points=50)
    answer = await redeem(client, "SPRING", "ann")
    assert await client.balance("ann", "Later") == Balance(promised=50)
    clock.advance(days=1)
    await client.credit("ann", 1, program="Later")

    [event] = (await client.events()).nodes

    assert (event.transaction_id, event.ct_source) == (answer.id, "System")
    assert (event.coupon_id, event.coupon_code) == (coupon.id, "SPRING")


async def test_a_credit_that_names_a_code_uses_no_coupon(client: Client) -> None:
    await create_coupon(client, "SPRING", points=50)

    await client.credit("ann", 5, source="CASHBACK_COUPON", coupon_code="SPRING")

    [event] = (await client.events()).nodes
    assert (event.coupon_code, event.coupon_id) == ("SPRING", None)
    assert await redeemed(client, "SPRING") == 0


@pytest.mark.parametrize(
    ("percent", "sale", "places", "mode", "points"),
    [
        (5, Decimal("19.99"), 0, "DOWN", 0),
        (5, Decimal("19.99"), 0, "UP", 1),
        (5, 20, 0, "DOWN", 1),
        (5, 20, 0, "UP", 1),
        (5, Decimal("19.99"), 2, "DOWN", Decimal("0.99")),
        (5, Decimal("19.99"), 2, "UP", Decimal("1.00")),
        (5, Decimal("19.99"), 3, "DOWN", Decimal("0.999")),
        (100, Decimal("19.99"), 2, "DOWN", Decimal("19.99")),
        (100, Decimal("19.99"), 2, "UP", Decimal("19.99")),
        (Decimal("0.1"), 3_000, 0, "UP", 3),
        (7, 100, 0, "UP", 7),
        (110, Decimal("1.1"), 2, "UP", Decimal("1.21")),
        (Decimal("33.3"), Decimal("0.3"), 3, "DOWN", Decimal("0.099")),
        (100_000, 1_000_000, 0, "DOWN", 1_000_000_000),
    ],
    ids=str,
)
async def test_a_percentage_is_rounded_once_by_the_program(
    client: Client, percent: Points, sale: Points, places: int, mode: str, points: Points
) -> None:
    await client.create_program("Gold", rounding=decimals(places, mode))
    await create_coupon(client, "SPRING", program="Gold", percent_of_sale=percent)

    answer = await redeem(client, "SPRING", "ann", sale)

    if points:
        assert answer.posted.points == points
        assert await client.balance("ann", "Gold") == Balance(active=points)
    else:
        assert (answer.error, answer.error_path) == ("InvalidInput", SALE)
        assert answer.message == "saleAmount must be at least 20.00: of this sale come no points."


@pytest.mark.parametrize("sale", [0, -20])
@pytest.mark.parametrize("mode", ["UP", "DOWN"])
async def test_refuses_a_sale_of_which_no_points_come(
    client: Client, unchanged: Unchanged, sale: int, mode: str
) -> None:
    await client.create_program("Gold", rounding=decimals(0, mode))
    await create_coupon(client, "SPRING", program="Gold", percent_of_sale=5)

    async with unchanged():
        answer = await redeem(client, "SPRING", "ann", sale, key="order-1")

    assert (answer.error, answer.error_path) == ("InvalidInput", SALE)
    assert (await redeem(client, "SPRING", "ann", 100, key="order-1")).posted.points == 5


@pytest.mark.parametrize("more", [{"percent_of_sale": 5}, {"points": 5, "minimum_sale": 10}])
async def test_refuses_a_sale_left_out_that_matters(
    client: Client, unchanged: Unchanged, more: Json
) -> None:
    await create_coupon(client, "SPRING", **more)

    async with unchanged():
        without = await redeem(client, "SPRING", "ann", key="order-1")
        empty = await redeem(client, "SPRING", "ann", key="order-1", order={"id": "A-1"})

    assert (without.error, without.error_path) == ("InvalidInput", SALE)
    assert (empty.error, empty.error_path) == ("InvalidInput", SALE)
    assert (await redeem(client, "SPRING", "ann", 100, key="order-1")).error is None


# ── as any credit ────────────────────────────────────────────────────────────────────────────────


async def test_refuses_a_frozen_wallet(client: Client, unchanged: Unchanged) -> None:
    await create_coupon(client, "SPRING", points=50)
    await client.credit("ann", 1)
    await client.freeze("ann")

    async with unchanged():
        answer = await redeem(client, "SPRING", "ann")

    assert (answer.error, answer.error_path) == ("WalletFrozen", ("input", "identity"))
    assert await redeemed(client, "SPRING") == 0


async def test_refuses_to_fill_a_wallet_past_its_limit(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Capped", max_balance=49)
    await create_coupon(client, "SPRING", program="Capped", points=50)

    async with unchanged():
        answer = await redeem(client, "SPRING", "ann", key="order-1")
        again = await redeem(client, "SPRING", "ann", key="order-1")

    assert (answer.error, answer.error_path) == ("BalanceLimit", ("input", "code"))
    assert (answer.details, again.details) == ({"maxBalance": 49}, {"maxBalance": 49})
    assert (answer.replayed, again.replayed) == (False, True)
    assert await redeemed(client, "SPRING") == 0
    assert await client.find_wallet("ann", "Capped") is None


async def test_an_amount_beyond_all_measure_is_over_the_limit(client: Client) -> None:
    await create_coupon(client, "SPRING", percent_of_sale=100_000)

    answer = await redeem(client, "SPRING", "ann", order={"saleAmount": 1e308})

    assert answer.error == "BalanceLimit"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (("input", "code"), {"code": ""}),
        (("input", "code"), {"code": "c" * 65}),
        (("input", "code"), {"code": "a\x00b"}),
        (("input", "identity"), {"identity": ""}),
        (("input", "identity"), {"identity": "erased:mem_1"}),
        (("input", "identity"), {"identity": "a\x00b"}),
        (("input", "idempotencyKey"), {"idempotencyKey": ""}),
        (("input", "order", "id"), {"order": {"id": ""}}),
    ],
    ids=str,
)
async def test_refuses_what_can_not_be(
    client: Client, unchanged: Unchanged, path: tuple[str, ...], fields: Json
) -> None:
    await create_coupon(client, "SPRING", points=50)
    asked = {"code": "SPRING", "identity": "ann", "idempotencyKey": "k"} | fields

    async with unchanged():
        answer = await client.mutate("redeemCoupon", asked)

    assert (answer.error, answer.error_path) == ("InvalidInput", path)


# ── when it gives nothing ────────────────────────────────────────────────────────────────────────


async def test_a_coupon_that_is_not_there_does_not_stick(
    client: Client, unchanged: Unchanged
) -> None:
    async with unchanged():
        answer = await redeem(client, "SPRING", "ann", key="order-1")
    await create_coupon(client, "SPRING", points=50)

    assert (answer.error, answer.error_path) == ("CouponNotFound", ("input", "code"))
    assert (await redeem(client, "SPRING", "ann", key="order-1")).error is None


async def test_is_valid_from_its_start_on_and_before_its_end(
    client: Client, clock: VirtualClock
) -> None:
    starts_at, ends_at = clock.after(days=1), clock.after(days=2)
    await create_coupon(
        client, "SPRING", points=50, member_limit=9, starts_at=starts_at, ends_at=ends_at
    )

    found: list[str | None] = []
    for at in (starts_at - MICROSECOND, starts_at, ends_at - MICROSECOND, ends_at):
        clock.set(at)
        found.append((await redeem(client, "SPRING", "ann")).details.get("reason"))

    assert found == ["NOT_STARTED", None, None, "EXPIRED"]
    assert await redeemed(client, "SPRING") == 2


async def test_a_sale_must_come_to_the_least(client: Client, unchanged: Unchanged) -> None:
    await create_coupon(client, "SPRING", points=50, minimum_sale=19.99)

    async with unchanged():
        small = await redeem(client, "SPRING", "ann", Decimal("19.98"))
    enough = await redeem(client, "SPRING", "ann", Decimal("19.99"))

    assert (small.error, small.details) == ("CouponRefused", {"reason": "MINIMUM_SALE"})
    assert small.error_path == SALE
    assert enough.posted.points == 50


async def test_can_be_redeemed_so_often_by_all(client: Client, unchanged: Unchanged) -> None:
    await create_coupon(client, "SPRING", points=50, total_limit=2)
    await redeem(client, "SPRING", "ann")
    await redeem(client, "SPRING", "bob")

    async with unchanged():
        answer = await redeem(client, "SPRING", "cid")

    assert (answer.error, answer.details) == ("CouponRefused", {"reason": "TOTAL_LIMIT"})
    assert answer.error_path == ("input", "code")
    assert await client.member("cid") is None
    assert await redeemed(client, "SPRING") == 2


async def test_can_be_redeemed_so_often_by_each(client: Client, unchanged: Unchanged) -> None:
    await create_coupon(client, "SPRING", points=50, member_limit=2)
    for _ in range(2):
        assert (await redeem(client, "SPRING", "ann")).error is None

    async with unchanged():
        answer = await redeem(client, "SPRING", "ann")

    assert (answer.error, answer.details) == ("CouponRefused", {"reason": "MEMBER_LIMIT"})
    assert "ann" not in answer.message
    assert (await redeem(client, "SPRING", "bob")).error is None
    assert await redeemed(client, "SPRING") == 3


# ── idempotency ──────────────────────────────────────────────────────────────────────────────────


async def test_a_key_redeems_once_and_replays(client: Client, clock: VirtualClock) -> None:
    await create_coupon(client, "SPRING", points=50, total_limit=1, ends_at=clock.after(days=1))
    first = await redeem(client, "SPRING", "ann", 20, key="order-1")
    clock.advance(days=1)

    again = await redeem(client, "SPRING", "ann", 20, key="order-1")

    assert (again.error, again.replayed, again.posted) == (None, True, first.posted)
    assert await client.balance("ann") == Balance(active=50)
    assert await redeemed(client, "SPRING") == 1


@pytest.mark.parametrize(
    "other",
    [{"code": "OTHER"}, {"who": "bob"}, {"sale": 21}, {"sale": None}],
    ids=str,
)
async def test_a_key_with_other_input_is_a_conflict(
    client: Client, unchanged: Unchanged, other: Json
) -> None:
    for code in ("SPRING", "OTHER"):
        await create_coupon(client, code, points=50, member_limit=9)
    first: Json = {"code": "SPRING", "who": "ann", "sale": 20}
    credit = await redeem(client, **first, key="order-1")

    async with unchanged():
        answer = await redeem(client, **(first | other), key="order-1")

    assert answer.error == "IdempotencyConflict"
    assert answer.details == {"transaction": {"id": credit.id}}


async def test_a_key_of_a_credit_redeems_nothing(client: Client, unchanged: Unchanged) -> None:
    await create_coupon(client, "SPRING", points=50)
    await client.credit("ann", 50, key="order-1")

    async with unchanged():
        answer = await redeem(client, "SPRING", "ann", key="order-1")

    assert answer.error == "IdempotencyConflict"


async def test_a_refusal_sticks_to_its_key_with_its_reason(
    client: Client, clock: VirtualClock
) -> None:
    await create_coupon(client, "LATER", points=50, starts_at=clock.after(days=1))
    early = await redeem(client, "LATER", "ann", key="order-1")
    clock.advance(days=1)

    again = await redeem(client, "LATER", "ann", key="order-1")

    assert (early.error, early.details) == ("CouponRefused", {"reason": "NOT_STARTED"})
    assert (early.replayed, again.replayed) == (False, True)
    assert (again.error, again.details) == (early.error, early.details)
    assert (again.error_path, again.message) == (early.error_path, early.message)
    assert (again.transaction, again.wallet) == (None, None)
    assert (await redeem(client, "LATER", "ann", key="order-2")).error is None


# ── erasing ──────────────────────────────────────────────────────────────────────────────────────


async def test_erasing_a_member_keeps_the_use_and_the_coupons_id(
    client: Client, database_url: str
) -> None:
    coupon = await create_coupon(client, "SPRING", points=50, total_limit=1)
    credit = await redeem(client, "SPRING", "ann")
    member_id = (await client.wallet("ann")).member_id

    await client.erase_member("ann")

    [event] = (await client.events()).nodes
    assert (event.coupon_code, event.coupon_id) == (None, coupon.id)
    assert await rows(database_url, "SELECT * FROM coupon_uses") == [
        (credit.id, coupon.id, member_id, None)
    ]
    assert (await redeem(client, "SPRING", "bob")).details == {"reason": "TOTAL_LIMIT"}
    assert (await client.health()).violations == []
