"""Deliveries: one for each trigger of each campaign, carried when it is due."""

from campaigns.plans import When
from events.audit import TERMINAL
from tests.campaigns.world import DAY, HOUR, World, who


async def test_a_credit_becomes_a_message(world: World) -> None:
    await world.publish()
    await world.client.upsert_member("ann", name="Ann")

    await world.client.credit("ann", 120)
    await world.work()

    assert world.bodies == ["Hello Ann: 120"]
    assert await world.ends() == [("SENT", None)]


async def test_an_event_before_the_publication_is_not_the_campaigns(world: World) -> None:
    await world.client.credit("ann", 120)
    await world.publish()

    await world.client.credit("bob", 7)
    await world.work()

    assert world.bodies == ["Hello there: 7"]


async def test_the_last_event_before_the_publication_is_an_earlier_campaigns_only(
    world: World,
) -> None:
    earlier = await world.publish(name="earlier")
    await world.client.credit("ann", 120)
    later = await world.publish(name="later")
    await world.work()

    assert await world.ends(earlier) == [("SENT", None)]
    assert await world.ends(later) == []


async def test_filters_say_whom_it_is_for(world: World) -> None:
    await world.publish(who=who("CT Points Credited", ("points", "GTE", 100)))

    await world.client.credit("ann", 100)
    await world.client.credit("bob", 99)
    await world.work()

    assert world.bodies == ["Hello there: 100"]


async def test_a_delay_is_waited_for(world: World) -> None:
    await world.publish(when=When(delay=2 * HOUR))
    await world.client.credit("ann", 5)
    await world.work()
    assert await world.ends() == [("WAITING", None)]

    world.clock.advance(hours=2, microseconds=-1)
    await world.work()
    assert world.bodies == []

    world.clock.advance(microseconds=1)
    assert await world.ends() == [("DUE", None)]
    await world.work()
    assert world.bodies == ["Hello there: 5"]


async def test_each_event_is_told_of_once_however_often_the_log_is_read(world: World) -> None:
    await world.publish()
    await world.client.credit("ann", 5)

    for _ in range(3):
        await world.work()

    assert world.bodies == ["Hello there: 5"]
    assert len(await world.deliveries()) == 1


async def test_a_draft_hears_nothing(world: World) -> None:
    draft = await world.draft()

    await world.client.credit("ann", 5)
    await world.work()
    await world.campaigns.publish(draft.id, TERMINAL)
    await world.work()

    assert await world.deliveries() == []


async def test_what_comes_before_the_start_or_from_the_end_on_is_not_heard(world: World) -> None:
    starts, ends = world.clock() + DAY, world.clock() + 2 * DAY
    await world.publish(when=When(starts_at=starts, ends_at=ends))

    for points in (1, 2, 3):
        await world.client.credit("ann", points)
        await world.work()
        world.clock.advance(days=1)

    assert world.bodies == ["Hello there: 2"]
    assert len(await world.deliveries()) == 1


async def test_an_event_is_judged_by_the_version_in_force_when_it_happened(world: World) -> None:
    running = await world.publish(who=who("CT Points Credited", ("points", "GT", 10)))
    await world.client.credit("ann", 11)
    await world.client.credit("ann", 9)
    changed = await world.draft(who=who("CT Points Credited", ("points", "LT", 10)))
    plan = await _plan(world, changed.id)
    await world.campaigns.update_campaign(running.id, "Reminder", plan, TERMINAL)
    await world.client.credit("ann", 12)
    await world.campaigns.publish(running.id, TERMINAL)
    await world.client.credit("ann", 13)
    await world.client.credit("ann", 8)

    await world.work()

    assert sorted(world.bodies) == ["Hello there: 11", "Hello there: 12", "Hello there: 8"]
    assert [one.version for one in await world.deliveries()] == [1, 1, 2]


async def _plan(world: World, campaign_id: str) -> object:
    from campaigns.pages import find_campaigns  # noqa: PLC0415
    from campaigns.plans import from_json  # noqa: PLC0415

    found = await world.service.inside.database.read(find_campaigns, [campaign_id])
    return from_json(found[campaign_id].plan)
