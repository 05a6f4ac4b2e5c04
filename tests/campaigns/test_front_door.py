"""The use case, whole, by the API alone: publish, credit, let days pass, receive, redeem."""

from collections.abc import AsyncIterator
from ipaddress import ip_network

import pytest

from tests.harness import campaigns as api
from tests.harness.clock import VirtualClock
from tests.harness.patience import poll
from tests.harness.receiver import Receiver, receiver
from tests.harness.servers import Service, running
from tests.harness.values import Json

LOOPBACK = (ip_network("127.0.0.0/8"),)
REMINDER = (
    "{{ Profile.Name | default: 'Hello' }}, you earned {{ Event.points }} points on"
    " {{ Event.eventTimestamp | date: '%A' }} and haven't used them yet."
)
UNREDEEMED = {
    "event": "CT Points Credited",
    "filters": [{"property": "points", "op": "GTE", "value": 100}],
    "absence": {"of": "CREDIT_UNREDEEMED", "within": "P3D"},
}


@pytest.fixture
async def shop() -> AsyncIterator[Receiver]:
    async with receiver() as shop:
        yield shop


@pytest.fixture
async def at_work(database_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    """The service as it ships, its workers running."""
    async with running(
        database_url, clock, sweeper=True, campaigns=True, webhook_allowed_networks=LOOPBACK
    ) as service:
        yield service


async def reminding(service: Service, shop: Receiver) -> Json:
    """A running campaign that reminds of large credits that are unredeemed for three days."""
    fields = {"name": "shop", "kind": "WEBHOOK", "settings": {"url": shop.url}}
    opened = await api.ask(service.client, "createChannel", fields)
    shop.secret = opened.raw["secret"]
    return await api.run_campaign(
        service.client, opened.raw["channel"]["id"], who=UNREDEEMED, message={"body": REMINDER}
    )


async def told(shop: Receiver) -> list[str]:
    return [payload["data"]["body"] for payload in shop.payloads]


async def seen(service: Service, campaign: Json, *statuses: str) -> bool:
    """Wait until the campaign's deliveries are these."""

    async def is_so() -> bool:
        found = await api.deliveries(service.client, campaign["id"])
        return [each["status"] for each in found] == list(statuses)

    return await poll(is_so)


async def test_who_does_not_redeem_is_reminded_by_name_and_points(
    at_work: Service, shop: Receiver, clock: VirtualClock
) -> None:
    campaign = await reminding(at_work, shop)
    await at_work.client.upsert_member("ann", name="Ann")
    await at_work.client.credit("ann", 120)
    await at_work.client.credit("ann", 99)
    assert await seen(at_work, campaign, "WAITING")

    clock.advance(days=3)
    await shop.arrived()

    assert await told(shop) == ["Ann, you earned 120 points on Tuesday and haven't used them yet."]
    assert await seen(at_work, campaign, "SENT")


async def test_who_redeems_hears_nothing_and_it_is_told_why(
    at_work: Service, shop: Receiver, clock: VirtualClock
) -> None:
    campaign = await reminding(at_work, shop)
    await at_work.client.credit("ann", 120)
    await at_work.client.credit("bob", 150)
    assert await seen(at_work, campaign, "WAITING", "WAITING")
    await at_work.client.debit("ann", 120)

    clock.advance(days=3)
    assert await seen(at_work, campaign, "CANCELLED", "SENT")

    [why] = await api.deliveries(at_work.client, campaign["id"], identity="ann")
    assert (why["status"], why["reason"]) == ("CANCELLED", "CREDIT_REDEEMED")
    assert await told(shop) == [
        "Hello, you earned 150 points on Tuesday and haven't used them yet."
    ]
    stats = await api.stats(at_work.client, campaign["id"])
    assert (stats["qualified"], stats["sent"], stats["waiting"]) == (2, 1, 0)
    assert stats["skipped"] == [{"reason": "CREDIT_REDEEMED", "count": 1}]


async def test_what_becomes_of_a_delivery_is_seen_live(
    at_work: Service, shop: Receiver, clock: VirtualClock
) -> None:
    campaign = await reminding(at_work, shop)
    async with api.follow_deliveries(at_work.client, campaign["id"]) as stream:
        await at_work.client.credit("ann", 120)
        heard = [(await stream.next_data())["deliveryUpdated"]["status"]]
        clock.advance(days=3)
        while heard[-1] != "SENT":
            heard.append((await stream.next_data())["deliveryUpdated"]["status"])

    assert heard in (["WAITING", "SENDING", "SENT"], ["WAITING", "SENT"])


async def test_an_inbox_is_read_and_followed_by_its_member(at_work: Service) -> None:
    channel = await api.channel(at_work.client)
    await api.run_campaign(
        at_work.client, channel["id"], message={"subject": "News", "body": "{{ Event.points }}"}
    )
    await at_work.client.upsert_member("ann")
    async with api.follow_inbox(at_work.client, "ann") as stream:
        await at_work.client.credit("bob", 1)
        await at_work.client.credit("ann", 7)
        message = (await stream.next_data())["inboxMessage"]

    assert (message["subject"], message["body"], message["readAt"]) == ("News", "7", None)
    assert (await api.inbox(at_work.client, "ann")).nodes == [message]


async def test_a_test_is_sent_at_once_and_counts_for_nothing(
    at_work: Service, shop: Receiver
) -> None:
    campaign = await reminding(at_work, shop)
    await at_work.client.upsert_member("ann", name="Ann")

    sent = await api.send_test(at_work.client, campaign["id"], "ann")

    assert (sent.error, sent.raw["delivery"]["status"]) == (None, "SENT")
    assert sent.raw["delivery"]["attempts"][0]["status"] == 200
    assert shop.payloads[0]["data"]["test"] is True
    assert (await told(shop))[0].startswith("Ann, you earned 250 points on Tuesday")
    assert (await api.stats(at_work.client, campaign["id"]))["qualified"] == 0


async def test_erasing_a_member_takes_what_was_said_to_them(
    at_work: Service, shop: Receiver, clock: VirtualClock
) -> None:
    campaign = await reminding(at_work, shop)
    inbox = await api.channel(at_work.client)
    await api.run_campaign(at_work.client, inbox["id"], message={"body": "{{ Profile.Name }}"})
    await at_work.client.upsert_member("ann", name="Ann")
    await at_work.client.credit("ann", 120)
    assert await seen(at_work, campaign, "WAITING")

    await at_work.client.erase_member("ann")
    clock.advance(days=3)

    assert await seen(at_work, campaign, "CANCELLED")
    found = await api.deliveries(at_work.client)
    assert {(each["subject"], each["body"]) for each in found} == {(None, None)}
    [why] = await api.deliveries(at_work.client, campaign["id"])
    assert why["reason"] == "MEMBER_ERASED"
    assert shop.received == []
    assert (await at_work.client.health()).violations == []
