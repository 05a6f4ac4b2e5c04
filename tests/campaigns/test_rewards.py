"""Rewards: a campaign gives points, once for each trigger, and never because of itself."""

import pytest

from campaigns.plans import Absence, Limits, Message, Plan, Reward, When, Who
from events.audit import TERMINAL
from tests.campaigns.world import DAY, World, who
from tests.harness.values import Balance

BIG = who("CT Points Credited", ("points", "GTE", 100))


async def active(world: World, identity: str = "ann", program: str | None = None) -> object:
    return (await world.client.balance(identity, program)).active


async def test_a_reward_is_credited_with_its_source_and_its_campaign(world: World) -> None:
    campaign = await world.rewarding(Reward(points=20_000, description="Thank you"), who=BIG)
    await world.client.credit("ann", 100)
    await world.work()

    _, reward = await world.client.history("ann")
    assert (reward.points, reward.source, reward.campaign_id, reward.description) == (
        20,
        "CAMPAIGN",
        campaign.id,
        "Thank you",
    )
    assert await world.ends() == [("SENT", None)]


async def test_a_campaign_never_triggers_itself(world: World) -> None:
    await world.rewarding(Reward(points=100_000))
    await world.client.credit("ann", 100)
    for _ in range(3):
        await world.work()

    assert await active(world) == 200


@pytest.mark.parametrize(
    ("decimals", "mode", "active_after"),
    [(0, "DOWN", "3"), (0, "UP", "4"), (1, "DOWN", "3.4"), (1, "UP", "3.5")],
)
async def test_a_percentage_is_rounded_once_by_the_program(
    world: World, decimals: int, mode: str, active_after: str
) -> None:
    await world.client.create_program("Miles", rounding={"decimals": decimals, "mode": mode})
    await world.rewarding(Reward(percent_of="saleAmount", percent=5))
    await world.client.credit("ann", 1, program="Miles", order={"saleAmount": 49.9})
    await world.work()

    assert str(await active(world, program="Miles")) == active_after


async def test_a_percentage_of_points_is_exact(world: World) -> None:
    await world.client.create_program("Miles", rounding={"decimals": 3, "mode": "DOWN"})
    await world.rewarding(Reward(percent_of="points", percent=10))
    await world.client.credit("ann", 0.57, program="Miles")
    await world.work()

    assert str(await active(world, program="Miles")) == "0.627"


async def test_a_percentage_of_what_is_not_there_gives_nothing_and_says_so(world: World) -> None:
    await world.rewarding(Reward(percent_of="saleAmount", percent=5))
    await world.client.credit("ann", 100)
    await world.work()

    [delivery] = await world.deliveries()
    assert (delivery.status, delivery.reason, delivery.detail) == (
        "SKIPPED",
        "MISSING_PROPERTY",
        "Event.saleAmount",
    )


async def test_a_reward_that_rounds_to_nothing_is_a_failure_that_says_so(world: World) -> None:
    await world.rewarding(Reward(percent_of="points", percent=1))
    await world.client.credit("ann", 10)
    await world.work()

    [delivery] = await world.deliveries()
    assert (delivery.status, delivery.reason) == ("FAILED", "REJECTED")
    assert delivery.detail == "the reward comes to 0 points"


async def test_a_reward_may_be_of_another_program(world: World) -> None:
    miles = await world.client.create_program("Miles")
    await world.rewarding(Reward(points=5_000, program_id=miles.program.id))
    await world.client.credit("ann", 100)
    await world.work()

    assert (await active(world), await active(world, program="Miles")) == (100, 5)


async def test_a_refused_reward_fails_and_its_message_is_not_sent(world: World) -> None:
    await world.publish(reward=Reward(points=5_000))
    await world.client.credit("ann", 100)
    await world.campaigns.evaluate()
    await world.client.freeze("ann")
    await world.work()

    [delivery] = await world.deliveries()
    assert (delivery.status, delivery.reason) == ("FAILED", "REJECTED")
    assert delivery.detail == "the wallet is frozen: thaw it first."
    assert world.bodies == []


async def test_the_reward_comes_first_and_the_message_tells_of_it(world: World) -> None:
    await world.publish(
        reward=Reward(points=5_000), message=Message("You have {{ Wallet.active }}")
    )
    await world.client.credit("ann", 100)
    await world.work()

    assert world.bodies == ["You have 105"]
    assert world.shop.payloads[0]["data"]["reward"]["points"] == 5
    assert await world.ends() == [("SENT", None)]


async def test_a_message_that_is_skipped_keeps_the_reward(world: World) -> None:
    await world.publish(reward=Reward(points=5_000), message=Message("{{ Event.couponCode }}"))
    await world.client.credit("ann", 100)
    await world.work()

    assert await world.ends() == [("SKIPPED", "MISSING_PROPERTY")]
    assert await active(world) == 105


async def test_who_can_not_be_written_to_gets_the_reward_all_the_same(world: World) -> None:
    settings = {"from": "shop@example.com", "smtpUrl": "smtp://mail.example.com"}
    mail, _ = await world.campaigns.create_channel("mail", "EMAIL", settings, TERMINAL)
    await world.publish(
        Plan(who(), channel_id=mail.id, message=Message("Hi"), reward=Reward(points=5_000))
    )
    await world.client.credit("ann", 100)
    await world.work()

    assert await world.ends() == [("SKIPPED", "NO_ADDRESS")]
    assert await active(world) == 105


async def test_a_reward_waits_for_no_quiet_hours_and_its_message_does(world: World) -> None:
    await world.publish(
        reward=Reward(points=5_000), when=When(quiet_from="09:00", quiet_to="10:00")
    )
    world.clock.set("2026-03-10T09:30:00Z")
    await world.client.credit("ann", 100)
    await world.work()
    assert (await active(world), world.bodies) == (105, [])

    world.clock.set("2026-03-10T10:00:00Z")
    await world.work()
    assert (await active(world), len(world.bodies)) == (105, 1)


async def test_a_chain_of_rewards_stops_at_three(world: World) -> None:
    for name, points in (("A", 1_000), ("B", 2_000)):
        await world.rewarding(Reward(points=points), name)
    await world.client.credit("ann", 100)
    for _ in range(10):
        await world.work()

    # Each of the two answers the credit, and then each other: in chains of three rewards.
    assert await active(world) == 100 + (1 + 2 + 1) + (2 + 1 + 2)


async def test_a_message_about_a_reward_is_not_bound_to_the_chain(world: World) -> None:
    for name in ("A", "B"):
        await world.rewarding(Reward(points=1_000), name)
    await world.publish()
    await world.client.credit("ann", 100)
    for _ in range(10):
        await world.work()

    assert len(world.bodies) == 7


async def test_what_is_held_out_gets_no_reward(world: World) -> None:
    await world.rewarding(Reward(points=1_000), limits=Limits(control_percent=100))
    await world.client.credit("ann", 100)
    await world.work()

    assert await active(world) == 100
    assert await world.ends() == [("HELD_OUT", None)]


async def test_a_reward_for_not_redeeming_is_paid_at_the_windows_close(world: World) -> None:
    plan = Plan(
        Who("CT Points Credited", absence=Absence("CREDIT_UNREDEEMED", DAY)),
        reward=Reward(points=1_000),
    )
    await world.publish(plan)
    await world.client.credit("ann", 100)
    await world.client.credit("bob", 100)
    await world.work()
    await world.client.debit("bob", 100)
    world.clock.advance(days=1)
    await world.work()

    assert (await active(world), await active(world, "bob")) == (101, 0)


async def test_stopping_a_campaign_keeps_what_was_paid(world: World) -> None:
    campaign = await world.rewarding(Reward(points=1_000))
    await world.client.credit("ann", 100)
    await world.work()
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=False)
    await world.client.credit("ann", 100)
    await world.work()

    assert await world.client.balance("ann") == Balance(active=201)
