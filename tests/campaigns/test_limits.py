"""Limits: how often, how many, how fast, at which times of the day, and who is held out."""

import pytest

from campaigns.courier import CLAIMED_MAX
from campaigns.gates import is_held_out
from campaigns.plans import Limits, When
from tests.campaigns.world import DAY, HOUR, World

SENT, TOO_OFTEN = ("SENT", None), ("SKIPPED", "FREQUENCY_LIMIT")


async def credit(world: World, *points: int, to: str = "ann", program: str | None = None) -> None:
    for each in points:
        await world.client.credit(to, each, program=program)
        await world.work()


async def test_once_per_member_sends_one_and_says_why_not_more(world: World) -> None:
    await world.publish(limits=Limits(per="ONCE_PER_MEMBER"))
    await credit(world, 1, 2)
    await credit(world, 3, to="bob")

    assert await world.ends() == [SENT, TOO_OFTEN, SENT]


async def test_once_per_member_counts_within_one_claim(world: World) -> None:
    await world.publish(limits=Limits(per="ONCE_PER_MEMBER"))
    for points in (1, 2, 3):
        await world.client.credit("ann", points)
    await world.work()

    assert sorted(await world.ends(), key=str) == [SENT, TOO_OFTEN, TOO_OFTEN]


async def test_once_per_wallet_sends_one_for_each_wallet(world: World) -> None:
    await world.client.create_program("Miles")
    await world.publish(limits=Limits(per="ONCE_PER_WALLET"))
    await credit(world, 1, 2)
    await credit(world, 3, 4, program="Miles")

    assert await world.ends() == [SENT, TOO_OFTEN, SENT, TOO_OFTEN]


async def test_what_was_skipped_takes_nobodys_place(world: World) -> None:
    message = "{% if Event.points < 2 %}{% abort 'too few' %}{% endif %}Hello"
    await world.publish(
        limits=Limits(per="ONCE_PER_MEMBER", max_deliveries=1), message=_text(message)
    )
    await credit(world, 1, 2)

    assert await world.ends() == [("SKIPPED", "TEMPLATE_ABORTED"), SENT]


async def test_a_gap_is_kept_between_messages_to_a_member(world: World) -> None:
    await world.publish(limits=Limits(min_gap=DAY))
    await credit(world, 1)
    world.clock.advance(days=1, microseconds=-1)
    await credit(world, 2)
    world.clock.advance(microseconds=1)
    await credit(world, 3)

    assert await world.ends() == [SENT, TOO_OFTEN, SENT]


async def test_a_cap_holds_for_all_members_together(world: World) -> None:
    await world.publish(limits=Limits(max_deliveries=2))
    for name in ("ann", "bob", "cleo"):
        await world.client.credit(name, 1)
    await world.work()

    ends = await world.ends()
    assert sorted(ends, key=str) == [SENT, SENT, ("SKIPPED", "CAP_REACHED")]


async def test_a_rate_spreads_messages_over_minutes_and_loses_none(world: World) -> None:
    await world.publish(limits=Limits(per_minute=2))
    for number in range(5):
        await world.client.credit("ann", number + 1)
    await world.work()
    assert len(world.bodies) == 2

    world.clock.advance(seconds=59)
    await world.work()
    assert len(world.bodies) == 2

    world.clock.advance(seconds=1)
    await world.work()
    world.clock.advance(minutes=1)
    await world.work()
    assert len(world.bodies) == 5


async def test_what_waits_for_its_rate_is_left_alone_meanwhile(world: World) -> None:
    await world.publish(limits=Limits(per_minute=2))
    for number in range(80):
        await world.client.credit("ann", number + 1)
    await world.work()
    held = [one for one in await world.deliveries() if one.due_at != one.created_at]

    assert len(world.bodies) == 2
    assert len(held) <= 2 + CLAIMED_MAX
    assert await world.work() == 0


async def test_quiet_hours_hold_a_message_until_they_end_where_the_member_is(world: World) -> None:
    await world.client.upsert_member("ann", time_zone="Asia/Tokyo")
    await world.publish(when=When(quiet_from="22:00", quiet_to="08:00"))
    world.clock.set("2026-03-10T13:30:00Z")  # 22:30 in Tokyo
    await credit(world, 1)
    await credit(world, 2, to="bob")  # 13:30 by the program's zone
    assert world.bodies == ["Hello there: 2"]

    world.clock.set("2026-03-10T22:59:59.999999Z")
    await world.work()
    assert len(world.bodies) == 1

    world.clock.set("2026-03-10T23:00:00Z")  # 08:00
    await world.work()
    assert world.bodies == ["Hello there: 2", "Hello there: 1"]


async def test_quiet_hours_drop_a_message_where_that_is_wanted(world: World) -> None:
    await world.publish(when=When(quiet_from="09:00", quiet_to="10:00", quiet_policy="DROP"))
    world.clock.set("2026-03-10T09:00:00Z")
    await credit(world, 1)
    world.clock.set("2026-03-10T10:00:00Z")
    await credit(world, 2)

    assert await world.ends() == [("SKIPPED", "QUIET_HOURS"), SENT]


@pytest.mark.parametrize("percent", [0, 100])
async def test_a_control_group_hears_nothing_and_leaves_a_row(world: World, percent: int) -> None:
    await world.publish(limits=Limits(control_percent=percent))
    await credit(world, 1)

    assert await world.ends() == [("HELD_OUT", None) if percent else SENT]


def test_a_control_group_is_stable_and_of_the_size_that_was_asked_for() -> None:
    members = [f"mem_{number}" for number in range(20_000)]
    tenth = {member for member in members if is_held_out("cmp_1", member, 10)}

    assert 1_850 < len(tenth) < 2_150
    assert tenth == {member for member in members if is_held_out("cmp_1", member, 10)}
    assert tenth < {member for member in members if is_held_out("cmp_1", member, 30)}
    other = {member for member in members if is_held_out("cmp_2", member, 10)}
    assert 100 < len(tenth & other) < 300


async def test_conversions_are_debits_within_the_time_of_the_message(world: World) -> None:
    from campaigns.pages import read_stats  # noqa: PLC0415

    campaign = await world.publish(conversion_within=DAY)
    for name in ("ann", "bob", "cleo", "dora"):
        await world.client.credit(name, 10)
    await world.work()
    await world.client.debit("ann", 1)
    await world.client.debit("cleo", 1, manual=True)
    world.clock.advance(days=1, microseconds=-1)
    await world.client.debit("bob", 1)
    world.clock.advance(microseconds=1)
    await world.client.debit("dora", 1)

    stats = await world.service.inside.database.read(read_stats, campaign.id)
    assert (stats.qualified, stats.sent, stats.converted, stats.has_goal) == (4, 4, 2, True)


async def test_a_wait_of_quiet_hours_is_not_begun_by_their_last_minute(world: World) -> None:
    await world.publish(when=When(delay=HOUR, quiet_from="22:00", quiet_to="08:00"))
    world.clock.set("2026-03-11T07:00:00Z")
    await credit(world, 1)
    world.clock.set("2026-03-11T08:00:00Z")
    await world.work()

    assert await world.ends() == [SENT]


def _text(body: str) -> object:
    from campaigns.plans import Message  # noqa: PLC0415

    return Message(body)
