"""Coupons redeemed by many at once: each use is counted once, and none too many stands."""

from collections import Counter

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.coupons import create_coupon, redeem, redeemed
from tests.harness.servers import running
from tests.harness.values import Answer
from tests.races.test_races import assert_sound, outcomes, together


def reasons(answers: list[Answer]) -> Counter[str | None]:
    return Counter(answer.details.get("reason") for answer in answers)


async def test_of_a_hundred_redemptions_of_the_last_use_exactly_one_succeeds(
    client: Client,
) -> None:
    await create_coupon(client, "LAST", points=5, total_limit=1)

    answers = await together(redeem(client, "LAST", f"m{n}") for n in range(100))

    assert reasons(answers) == {None: 1, "TOTAL_LIMIT": 99}
    assert outcomes(answers) == {None: 1, "CouponRefused": 99}
    assert (await client.health()).wallets == 1
    assert await redeemed(client, "LAST") == 1
    await assert_sound(client)


async def test_one_member_never_has_more_uses_than_one_may(client: Client) -> None:
    await create_coupon(client, "THRICE", points=5, member_limit=3)

    answers = await together(redeem(client, "THRICE", "ann") for _ in range(50))

    assert reasons(answers) == {None: 3, "MEMBER_LIMIT": 47}
    assert (await client.balance("ann")).active == 15
    await assert_sound(client)


async def test_fifty_tasks_with_one_key_redeem_once(client: Client) -> None:
    await create_coupon(client, "ONCE", points=5, member_limit=50)

    answers = await together(redeem(client, "ONCE", "ann", key="order-1") for _ in range(50))

    assert outcomes(answers) == {None: 50}
    assert len({answer.id for answer in answers}) == 1
    assert await redeemed(client, "ONCE") == 1
    await assert_sound(client)


async def test_reversals_of_one_credit_free_one_use(client: Client) -> None:
    await create_coupon(client, "TWICE", points=5, member_limit=2)
    first = await redeem(client, "TWICE", "ann")
    await redeem(client, "TWICE", "ann")

    answers = await together(client.reverse(first.id) for _ in range(20))

    assert outcomes(answers) == {None: 1, "ExceedsOriginal": 19}
    assert await redeemed(client, "TWICE") == 1
    await assert_sound(client)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_instances_count_the_uses_of_many_coupons_as_one(
    database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock) as one, running(database_url, clock) as two:
        clients = [one.client, two.client]
        for number, client in enumerate(clients):
            client.prefix = f"{number}-"
        for code in "ABCDE":
            await create_coupon(clients[0], code, points=5, total_limit=7, member_limit=99)

        # Coupons and wallets meet in every order, with reversals in between.
        first = await together(
            redeem(clients[n % 2], "ABCDE"[n % 5], f"m{n * 7 % 11}") for n in range(200)
        )
        given = [answer for answer in first if answer.error is None]
        second = await together(
            deed
            for n, answer in enumerate(given)
            for deed in (
                clients[n % 2].reverse(answer.id),
                redeem(clients[(n + 1) % 2], "EDCBA"[n % 5], f"m{n * 5 % 11}"),
            )
        )

        assert reasons(first) == {None: 35, "TOTAL_LIMIT": 165}
        assert set(outcomes(second)) <= {None, "CouponRefused"}
        for code in "ABCDE":
            assert await redeemed(clients[0], code) <= 7
        await assert_sound(clients[1])
