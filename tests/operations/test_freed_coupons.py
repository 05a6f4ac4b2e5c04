"""A coupon's use is free again once all of its credit is taken back."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.coupons import create_coupon, redeem, redeemed
from tests.harness.values import Balance

SALE = ("input", "order", "saleAmount")


async def test_a_use_is_free_again_once_all_of_its_credit_is_reversed(client: Client) -> None:
    await create_coupon(client, "SPRING", points=50, total_limit=1)
    credit = await redeem(client, "SPRING", "ann")

    await client.reverse(credit.id, points=20)
    after_some = await redeemed(client, "SPRING")
    refused = await redeem(client, "SPRING", "ann")
    await client.reverse(credit.id)
    after_all = await redeemed(client, "SPRING")
    second = await redeem(client, "SPRING", "ann")

    assert (after_some, after_all) == (1, 0)
    assert refused.details == {"reason": "TOTAL_LIMIT"}
    assert second.posted.points == 50
    assert await redeemed(client, "SPRING") == 1
    assert await client.balance("ann") == Balance(active=50)
    assert (await client.health()).violations == []


async def test_a_use_that_was_freed_is_freed_for_that_member(client: Client) -> None:
    await create_coupon(client, "SPRING", points=50)
    credits_ = {who: await redeem(client, "SPRING", who) for who in ("ann", "bob")}

    await client.reverse(credits_["ann"].id)

    assert (await redeem(client, "SPRING", "bob")).details == {"reason": "MEMBER_LIMIT"}
    assert (await redeem(client, "SPRING", "ann")).error is None
    assert (await redeem(client, "SPRING", "ann")).details == {"reason": "MEMBER_LIMIT"}
    assert await redeemed(client, "SPRING") == 2


async def test_a_use_is_freed_once(client: Client, unchanged: Unchanged) -> None:
    await create_coupon(client, "SPRING", points=50, member_limit=9)
    first = await redeem(client, "SPRING", "ann")
    await redeem(client, "SPRING", "ann")
    await client.reverse(first.id, key="back")

    async with unchanged():
        replayed = await client.reverse(first.id, key="back")
        again = await client.reverse(first.id)

    assert (replayed.replayed, again.error) == (True, "ExceedsOriginal")
    assert await redeemed(client, "SPRING") == 1


async def test_a_use_whose_credit_was_spent_is_freed_from_other_points(client: Client) -> None:
    await create_coupon(client, "SPRING", points=50)
    credit = await redeem(client, "SPRING", "ann")
    await client.debit("ann", 30)
    await client.credit("ann", 100)

    await client.reverse(credit.id, shortfall="CLAMP")
    after_some = await redeemed(client, "SPRING")
    await client.reverse(credit.id, from_other_lots=True)

    assert (after_some, await redeemed(client, "SPRING")) == (1, 0)
    assert (await client.health()).violations == []


async def test_a_use_of_which_some_expired_stands(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Short", expiry={"rule": "AFTER", "count": 1, "unit": "DAY"})
    await create_coupon(client, "SPRING", program="Short", points=50)
    credit = await redeem(client, "SPRING", "ann")
    await client.reverse(credit.id, points=20)
    clock.advance(days=1)

    assert (await client.reverse(credit.id)).error == "ExceedsOriginal"
    assert await redeemed(client, "SPRING") == 1
    assert (await client.health()).violations == []


async def test_a_use_stands_whose_credit_was_reversed_but_for_what_expired(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Short", expiry={"rule": "AFTER", "count": 1, "unit": "DAY"})
    await create_coupon(client, "SPRING", program="Short", points=50)
    credit = await redeem(client, "SPRING", "ann")
    await client.debit("ann", 30, program="Short")
    clock.advance(days=1)
    await client.credit("ann", 100, program="Short")

    answer = await client.reverse(credit.id, from_other_lots=True)

    assert answer.posted.points == 30
    assert await redeemed(client, "SPRING") == 1
    assert (await client.health()).violations == []


async def test_a_reversal_of_a_plain_credit_frees_nothing(client: Client) -> None:
    await create_coupon(client, "SPRING", points=50)
    await redeem(client, "SPRING", "ann")
    credit = await client.credit("ann", 50, source="CASHBACK_COUPON", coupon_code="SPRING")

    await client.reverse(credit.id)

    assert await redeemed(client, "SPRING") == 1


async def test_an_event_keeps_its_coupon_when_the_use_is_freed(client: Client) -> None:
    coupon = await create_coupon(client, "SPRING", points=50)
    credit = await redeem(client, "SPRING", "ann")

    await client.reverse(credit.id)

    [event] = (await client.events()).nodes
    assert event.coupon_id == coupon.id
