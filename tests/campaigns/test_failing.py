"""Failing: what is tried again, what is given up, and what isn't known."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from campaigns.channels.parcels import sent
from campaigns.pages import list_attempts
from campaigns.plans import Limits, Message, Plan, When
from campaigns.settling import Landing, settle
from campaigns.settling import Message as Rendered
from campaigns.situations import LEASE_US
from events.audit import TERMINAL
from ledger.refusals import Refusal
from tests.campaigns.world import HOUR, World, who
from tests.harness.mailbox import Mailbox, mailbox
from tests.harness.receiver import DROPPED, SILENT, Answer


async def attempts(world: World) -> list[tuple[int, int | None]]:
    """The only delivery's attempts: their numbers, and what was answered."""
    [delivery] = await world.deliveries()
    found = await world.service.inside.database.read(list_attempts, [delivery.id])
    return [(each.number, each.status) for each in found[delivery.id]]


async def credited(world: World, **more: Any) -> None:
    await world.publish(**more)
    await world.client.credit("ann", 5)
    await world.work()


async def test_a_webhook_is_tried_again_with_the_same_id(world: World) -> None:
    world.shop.say(Answer(500), Answer(200))
    await credited(world)
    assert await world.ends() == [("RETRYING", "REJECTED")]

    world.clock.advance(seconds=6)  # 5 seconds, and a fifth at most
    await world.work()

    assert await world.ends() == [("SENT", None)]
    assert await attempts(world) == [(1, 500), (2, 200)]
    assert len({each.headers["webhook-id"] for each in world.shop.received}) == 1
    assert world.shop.received[0].json["data"] == world.shop.received[1].json["data"]


async def test_what_is_tried_again_says_what_it_said_before(world: World) -> None:
    world.shop.say(Answer(500), Answer(200))
    await credited(world)
    await world.client.upsert_member("ann", name="Ann")

    world.clock.advance(seconds=6)
    await world.work()

    assert world.bodies == ["Hello there: 5", "Hello there: 5"]


async def test_a_webhook_is_given_up_after_eight_attempts(world: World) -> None:
    world.shop.otherwise = Answer(503)
    await credited(world)
    for _ in range(10):
        world.clock.advance(hours=12)
        await world.work()

    assert await world.ends() == [("FAILED", "REJECTED")]
    assert await attempts(world) == [(number, 503) for number in range(1, 9)]


async def test_nothing_is_tried_again_past_the_end(world: World) -> None:
    world.shop.otherwise = Answer(503)
    await credited(world, when=When(ends_at=world.clock() + HOUR))
    for minutes in (1, 8, 37):
        world.clock.advance(minutes=minutes)
        await world.work()

    assert await world.ends() == [("FAILED", "REJECTED")]
    assert len(await attempts(world)) == 4


async def test_an_endpoint_that_is_gone_is_disabled_and_hears_nothing_more(world: World) -> None:
    world.shop.say(Answer(410))
    await credited(world)
    await world.client.credit("bob", 5)
    await world.work()

    assert await world.ends() == [("FAILED", "REJECTED"), ("SKIPPED", "NO_ADDRESS")]
    assert len(world.shop.received) == 1


async def test_a_receiver_that_hangs_up_is_tried_again(world: World) -> None:
    world.shop.say(DROPPED, Answer(204))
    await credited(world)
    assert await world.ends() == [("RETRYING", "UNREACHABLE")]

    world.clock.advance(seconds=6)
    await world.work()
    assert await world.ends() == [("SENT", None)]


async def test_what_failed_can_be_retried_by_hand_and_takes_its_place_anew(world: World) -> None:
    world.shop.say(Answer(410))
    await credited(world, limits=Limits(max_deliveries=1))
    [failed] = await world.deliveries()
    await _enable(world)

    retried = await world.campaigns.retry(failed.id, TERMINAL)
    assert not isinstance(retried, Refusal)
    await world.work()

    assert await world.ends() == [("SENT", None)]
    assert await attempts(world) == [(1, 410), (2, 200)]


async def test_what_was_sent_is_not_retried(world: World) -> None:
    await credited(world)
    [sent] = await world.deliveries()

    refused = await world.campaigns.retry(sent.id, TERMINAL)

    assert refused.message == "this delivery is SENT: only FAILED or UNKNOWN can be retried."
    assert refused.path == ("id",)


async def _enable(world: World) -> None:
    from tests.harness.tables import spoil  # noqa: PLC0415

    url = world.service.inside.settings.database_url
    await spoil(url, "UPDATE channels SET disabled = (1 = 0)")


# ── a claim whose outcome is not known ───────────────────────────────────────────────────────────


async def interrupted(world: World) -> None:
    """The courier claims what is due, and is never heard of again."""
    courier = world.campaigns.courier
    await world.campaigns.evaluate()
    await courier._fill()  # noqa: SLF001 - no other way to die in the middle of it
    await courier.drain(0)


async def test_a_webhook_that_may_have_been_sent_is_sent_again(world: World) -> None:
    await world.publish()
    await world.client.credit("ann", 5)
    await interrupted(world)
    assert await world.ends() == [("SENDING", None)]

    await world.work()
    assert await world.ends() == [("SENDING", None)]
    world.clock.advance(microseconds=LEASE_US)
    await world.work()

    assert await world.ends() == [("SENT", None)]
    assert await attempts(world) == [(1, None), (2, 200)]


async def test_a_late_word_on_an_earlier_attempt_changes_nothing(world: World) -> None:
    world.shop.otherwise = SILENT
    await world.publish()
    await world.client.credit("ann", 5)
    await interrupted(world)
    world.clock.advance(microseconds=LEASE_US)
    await interrupted(world)  # another has it in hand by now
    [one] = await world.deliveries()

    word = Landing(one.id, one.campaign_id, 1, 0, sent(200), has_message=True, kind="WEBHOOK")
    await world.service.inside.database.write(settle, world.clock(), [word])

    assert await world.ends() == [("SENDING", None)]
    assert await attempts(world) == [(1, None), (2, None)]


async def test_what_may_have_been_sent_is_unknown_though_it_must_not_be_sent_any_more(
    world: World,
) -> None:
    campaign = await world.publish()
    await world.client.credit("ann", 5)
    await interrupted(world)
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=False)
    world.clock.advance(microseconds=LEASE_US)
    await world.work()

    assert await world.ends() == [("UNKNOWN", "TIMED_OUT")]


async def test_a_late_word_on_a_member_who_was_erased_meanwhile_is_not_written_down(
    world: World,
) -> None:
    campaign = await world.publish()
    await world.client.credit("ann", 5)
    await interrupted(world)
    await world.campaigns.stop(campaign.id, TERMINAL, finishes=False)
    world.clock.advance(microseconds=LEASE_US)
    await world.work()
    [one] = await world.deliveries()
    await world.client.erase_member("ann")

    word = Landing(
        one.id, campaign.id, 1, 0, sent(200), has_message=True, message=Rendered("Ann", "Hi", None)
    )
    await world.service.inside.database.write(settle, world.clock(), [word])

    assert await world.ends() == [("UNKNOWN", "TIMED_OUT")]
    assert [(one.subject, one.body) for one in await world.deliveries()] == [(None, None)]


@pytest.fixture
async def letters(world: World) -> AsyncIterator[tuple[World, Mailbox]]:
    """The same world with a mail server, and Ann's address."""
    async with mailbox() as post:
        await world.client.upsert_member("ann", email="ann@example.com")
        yield world, post


async def write(world: World, post: Mailbox, **more: Any) -> None:
    settings = {"from": "shop@example.com", "smtpUrl": post.url}
    channel, _ = await world.campaigns.create_channel("mail", "EMAIL", settings, TERMINAL)
    message = Message("Hello {{ Event.points }}", "News")
    await world.publish(Plan(who(), channel_id=channel.id, message=message), **more)
    await world.client.credit("ann", 5)


async def test_a_letter_arrives(letters: tuple[World, Mailbox]) -> None:
    world, post = letters
    await write(world, post)
    await world.work()

    [letter] = post.letters
    assert (letter["subject"], letter["to"]) == ("News", "ann@example.com")
    assert letter.get_content().strip() == "Hello 5"
    assert await world.ends() == [("SENT", None)]


async def test_a_letter_that_may_have_been_sent_is_unknown_and_not_sent_again(
    letters: tuple[World, Mailbox],
) -> None:
    world, post = letters
    await write(world, post)
    await interrupted(world)
    world.clock.advance(microseconds=LEASE_US)
    await world.work()

    assert await world.ends() == [("UNKNOWN", "TIMED_OUT")]
    [unknown] = await world.deliveries()
    before = len(post.letters)
    await world.campaigns.retry(unknown.id, TERMINAL)
    await world.work()
    assert len(post.letters) == before + 1
    assert await world.ends() == [("SENT", None)]


async def test_a_member_without_an_address_gets_no_letter(
    letters: tuple[World, Mailbox],
) -> None:
    world, post = letters
    await write(world, post)
    await world.client.credit("bob", 5)
    await world.work()

    assert await world.ends() == [("SENT", None), ("SKIPPED", "NO_ADDRESS")]


# ── what the template does ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "end", "detail"),
    [
        ("{% abort 'not today' %}", ("SKIPPED", "TEMPLATE_ABORTED"), "not today"),
        ("{{ Event.couponCode }}", ("SKIPPED", "MISSING_PROPERTY"), "Event.couponCode"),
        ("{{ Profile.Nickname }}", ("SKIPPED", "MISSING_PROPERTY"), "Profile.Nickname"),
    ],
)
async def test_a_template_may_skip_its_message(
    world: World, body: str, end: tuple[str, str], detail: str
) -> None:
    await credited(world, message=Message(body))

    [delivery] = await world.deliveries()
    assert (delivery.status, delivery.reason) == end
    assert delivery.detail == detail
    assert await attempts(world) == []
    assert world.shop.received == []
