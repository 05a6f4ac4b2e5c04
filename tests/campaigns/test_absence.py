"""Absence: a message about points that were not redeemed is not sent once they are."""

from dataclasses import replace
from typing import Any

import pytest

from tests.campaigns.world import DAY, HELLO, MINUTE, Plan, World, unredeemed


@pytest.fixture
async def reminded(world: World) -> World:
    """A campaign reminds of a credit of 100 that is unredeemed for three days."""
    await world.publish(who=unredeemed(3))
    await world.client.credit("ann", 100, key="credit")
    await world.work()
    return world


async def test_the_message_comes_when_the_window_closes(reminded: World) -> None:
    reminded.clock.advance(days=3, microseconds=-1)
    await reminded.work()
    assert reminded.bodies == []

    reminded.clock.advance(microseconds=1)
    await reminded.work()
    assert reminded.bodies == ["Hello there: 100"]


async def test_who_redeems_some_of_it_is_reminded_of_the_rest(reminded: World) -> None:
    await reminded.client.debit("ann", 99)
    reminded.clock.advance(days=3)
    await reminded.work()

    assert reminded.bodies == ["Hello there: 100"]


async def test_who_redeems_it_is_not_reminded_and_it_is_cancelled_at_once(reminded: World) -> None:
    await reminded.client.debit("ann", 100)

    await reminded.work()

    assert await reminded.ends() == [("CANCELLED", "CREDIT_REDEEMED")]


async def test_what_is_redeemed_a_moment_before_the_attempt_is_not_sent(reminded: World) -> None:
    reminded.clock.advance(days=3)
    await reminded.campaigns.evaluate()
    await reminded.client.debit("ann", 100)

    await reminded.campaigns.deliver()

    assert reminded.bodies == []
    assert await reminded.ends() == [("CANCELLED", "CREDIT_REDEEMED")]


async def test_a_credit_that_is_taken_back_is_not_reminded_of(reminded: World) -> None:
    credit = await reminded.client.credit("ann", 100, key="credit")
    await reminded.client.reverse(credit.transaction.id)
    await reminded.work()

    assert await reminded.ends() == [("CANCELLED", "CREDIT_REVERSED")]


async def test_a_credit_that_has_expired_is_not_reminded_of(world: World) -> None:
    await world.publish(who=unredeemed(3))
    await world.client.credit("ann", 100, expires_at=world.clock.after(days=3))
    await world.service.plan()
    world.clock.advance(days=3)

    await world.campaigns.deliver()  # nobody has written the expiry down

    assert await world.ends() == [("CANCELLED", "CREDIT_EXPIRED")]


async def test_a_debit_at_the_windows_close_is_outside_it_but_the_points_are_gone(
    reminded: World,
) -> None:
    reminded.clock.advance(days=3)
    await reminded.client.debit("ann", 100)
    await reminded.work()

    assert await reminded.ends() == [("CANCELLED", "CREDIT_REDEEMED")]


async def test_any_redemption_ends_the_wait_for_the_wallet(world: World) -> None:
    await world.client.credit("ann", 50)
    await world.publish(who=unredeemed(3, "WALLET_UNREDEEMED"))
    await world.client.credit("ann", 100)
    await world.work()

    await world.client.debit("ann", 1)
    await world.work()

    assert await world.ends() == [("CANCELLED", "WALLET_REDEEMED")]


async def test_a_removal_is_no_redemption_of_the_wallet(world: World) -> None:
    await world.publish(who=unredeemed(3, "WALLET_UNREDEEMED"))
    await world.client.credit("ann", 100)
    await world.client.debit("ann", 1, manual=True)
    world.clock.advance(days=3)
    await world.work()

    assert world.bodies == ["Hello there: 100"]


async def test_a_redemption_before_the_credit_counts_for_nothing(world: World) -> None:
    await world.client.credit("ann", 50)
    await world.publish(who=unredeemed(3, "WALLET_UNREDEEMED"))
    await world.client.debit("ann", 1)
    await world.client.credit("ann", 100)
    world.clock.advance(days=3)
    await world.work()

    assert world.bodies == ["Hello there: 100"]


async def test_who_redeems_and_does_not_again_is_waited_for_from_that_debit_on(
    world: World,
) -> None:
    await world.client.credit("ann", 100)
    await world.publish(who=replace(unredeemed(3, "WALLET_UNREDEEMED"), event="CT Points Debited"))
    await world.client.debit("ann", 7)
    world.clock.advance(days=3)
    await world.work()

    assert world.bodies == ["Hello there: 7"]


async def test_a_window_may_be_of_minutes_or_a_year(world: World) -> None:
    await world.publish(who=unredeemed(5 * MINUTE / DAY), name="soon")
    await world.publish(who=unredeemed(366), name="late")
    await world.client.credit("ann", 100)
    world.clock.advance(minutes=5)
    await world.work()
    assert len(world.bodies) == 1

    world.clock.advance(days=366)
    await world.work()
    assert len(world.bodies) == 2


async def test_a_promised_credit_is_reminded_of_once_it_can_be_spent(world: World) -> None:
    await world.publish(who=unredeemed(3))
    await world.client.credit("ann", 100, active_at=world.clock.after(days=10))
    await world.work()
    assert await world.deliveries() == []

    world.clock.advance(days=10)
    await world.work()
    world.clock.advance(days=3)
    await world.work()

    assert world.bodies == ["Hello there: 100"]


async def test_points_that_expire_soon_are_not_told_of_once_they_are_spent(world: World) -> None:
    plan = Plan(_soon(), channel_id=world.channel_id, message=HELLO)
    await world.publish(plan)
    await world.client.credit("ann", 100, expires_at=world.clock.after(days=20))
    world.clock.advance(days=13)
    await world.service.sweep()
    await world.campaigns.evaluate()
    assert await world.ends() == [("DUE", None)]

    await world.client.debit("ann", 100)
    await world.work()

    assert await world.ends() == [("CANCELLED", "CREDIT_REDEEMED")]


def _soon() -> Any:
    from campaigns.plans import Who  # noqa: PLC0415

    return Who("Points Expiring Soon")
