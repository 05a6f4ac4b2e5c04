"""Running: what pausing, resuming, stopping and the end do to what waits."""

import pytest

from campaigns.plans import When
from events.audit import TERMINAL
from tests.campaigns.world import DAY, HOUR, World

STOPPED, ENDED = ("CANCELLED", "CAMPAIGN_STOPPED"), ("CANCELLED", "CAMPAIGN_ENDED")


async def test_what_happens_in_a_pause_is_sent_after_it(world: World) -> None:
    campaign = await world.publish()
    await world.campaigns.pause(campaign.id, TERMINAL)
    await world.client.credit("ann", 5)
    await world.work()
    assert (world.bodies, await world.ends()) == ([], [("DUE", None)])

    await world.campaigns.resume(campaign.id, TERMINAL)
    await world.work()

    assert world.bodies == ["Hello there: 5"]


async def test_what_waited_through_a_pause_for_more_than_a_day_is_stale(world: World) -> None:
    campaign = await world.publish()
    await world.campaigns.pause(campaign.id, TERMINAL)
    await world.client.credit("ann", 5)
    world.clock.advance(microseconds=1)
    await world.client.credit("ann", 6)
    world.clock.advance(days=1)
    await world.campaigns.resume(campaign.id, TERMINAL)
    await world.work()

    assert world.bodies == ["Hello there: 6"]
    assert await world.ends() == [("SKIPPED", "STALE"), ("SENT", None)]


async def test_what_is_late_without_a_pause_is_sent_all_the_same(world: World) -> None:
    await world.publish()
    await world.client.credit("ann", 5)
    world.clock.advance(days=3)
    await world.work()

    assert world.bodies == ["Hello there: 5"]


async def test_stopping_cancels_what_waits(world: World) -> None:
    campaign = await world.publish(when=When(delay=DAY))
    await world.client.credit("ann", 5)
    await world.work()
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=False)
    await world.work()

    assert await world.ends() == [STOPPED]


async def test_stopping_may_let_what_waits_finish_and_hears_nothing_new(world: World) -> None:
    campaign = await world.publish(when=When(delay=DAY))
    await world.client.credit("ann", 5)  # heard, though it is read only later
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=True)
    await world.client.credit("ann", 6)
    world.clock.advance(days=1)
    await world.work()

    assert world.bodies == ["Hello there: 5"]


async def test_a_paused_campaign_that_is_stopped_finishes_if_asked_to(world: World) -> None:
    campaign = await world.publish()
    await world.campaigns.pause(campaign.id, TERMINAL)
    await world.client.credit("ann", 5)
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=True)
    await world.work()

    assert world.bodies == ["Hello there: 5"]


async def test_the_end_cancels_what_waits(world: World) -> None:
    from campaigns.pages import page_campaigns  # noqa: PLC0415
    from models.windows import Window  # noqa: PLC0415

    await world.publish(when=When(delay=2 * HOUR, ends_at=world.clock() + HOUR))
    await world.client.credit("ann", 5)
    world.clock.advance(hours=1)
    await world.work()

    assert await world.ends() == [ENDED]
    read = world.service.inside.database.read
    page = await read(page_campaigns, Window(first=9), "COMPLETED", world.clock())
    assert [one.status for _, one in page.items] == ["COMPLETED"]


async def test_a_delivery_is_on_its_way_while_its_campaign_is_stopped_and_arrives(
    world: World,
) -> None:
    campaign = await world.publish()
    await world.client.credit("ann", 5)
    await world.campaigns.evaluate()
    await world.campaigns.courier._fill()  # noqa: SLF001 - the moment between claim and settlement
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=False)
    await world.work()

    assert world.bodies == ["Hello there: 5"]
    assert await world.ends() == [("SENT", None)]


async def test_what_finishes_finishes_before_the_end(world: World) -> None:
    when = When(delay=2 * HOUR, ends_at=world.clock() + HOUR)
    campaign = await world.publish(when=when)
    await world.client.credit("ann", 5)
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=True)
    world.clock.advance(hours=1)
    await world.work()

    assert await world.ends() == [ENDED]


@pytest.mark.parametrize("late", [False, True])
async def test_what_was_not_read_before_the_end_has_a_row_that_says_so(
    world: World,
    late: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    campaign = await world.publish(when=When(ends_at=world.clock() + HOUR))
    await world.client.credit("ann", 5)
    if late:
        world.clock.advance(hours=1)
        await world.campaigns.deliver()  # the end is written down before the event is read
    else:
        await world.campaigns.stop(campaign.id, TERMINAL, finishes=False)
    await world.work()

    assert await world.ends() == [ENDED if late else STOPPED]
    assert world.bodies == []
