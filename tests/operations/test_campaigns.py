"""campaign, campaigns and deliveries: what there is, newest first, by what is asked."""

from typing import Any

import pytest

from tests.harness.campaigns import (
    CAMPAIGNS,
    DELIVERIES,
    OF_ONE_CAMPAIGN,
    campaigns,
    channel,
    create_campaign,
    deliveries,
    find_campaign,
    follow_deliveries,
    follow_inbox,
    inbox,
    move,
    page_deliveries,
    publish,
    retry,
    run_campaign,
    send_test,
)
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.refusals import assert_request_error
from tests.harness.servers import Service
from tests.harness.values import wire

NODE = "query Node($id: ID!) { node(id: $id) { __typename id } }"
REWARD = {"points": 5}
SUFFIX = "01jqtc38xmeegs4d2pf28aqkff"


async def test_campaigns_are_paged_newest_first(client: Client) -> None:
    made = [await create_campaign(client, name=f"c{n}", reward=REWARD) for n in range(5)]

    first = await campaigns(client, first=2)
    second = await campaigns(client, first=2, after=first.end_cursor)
    third = await campaigns(client, first=2, after=second.end_cursor)

    assert first.nodes + second.nodes + third.nodes == made[::-1]
    assert [page.has_next_page for page in (first, second, third)] == [True, True, False]
    assert [page.has_previous_page for page in (first, second, third)] == [False, True, True]


async def test_campaigns_are_found_by_their_status_at_this_instant(
    client: Client, clock: VirtualClock
) -> None:
    made = {name: await create_campaign(client, name=name, reward=REWARD) for name in "dsrp"}
    ending = await run_campaign(
        client, name="e", reward=REWARD, when={"endsAt": wire(clock.after(days=1))}
    )
    for name in "srp":
        await publish(client, made[name]["id"])
    await move(client, "stopCampaign", made["s"]["id"])
    await move(client, "pauseCampaign", made["p"]["id"])

    async def named(status: str) -> list[str]:
        return [each["name"] for each in (await campaigns(client, status)).nodes]

    before = {status: await named(status) for status in ("RUNNING", "COMPLETED")}
    clock.advance(days=1)

    assert before == {"RUNNING": ["e", "r"], "COMPLETED": []}
    assert {status: await named(status) for status in ("DRAFT", "RUNNING", "PAUSED")} == {
        "DRAFT": ["d"],
        "RUNNING": ["r"],
        "PAUSED": ["p"],
    }
    assert (await named("STOPPED"), await named("COMPLETED")) == (["s"], ["e"])
    assert (await find_campaign(client, ending["id"]) or {})["status"] == "COMPLETED"


@pytest.mark.parametrize("campaign_id", [f"cmp_{SUFFIX}", f"wal_{SUFFIX}", "", "a\x00b"])
async def test_a_campaign_that_is_not_there_is_null(client: Client, campaign_id: str) -> None:
    assert await find_campaign(client, campaign_id) is None


async def test_a_cursor_of_another_list_is_refused(client: Client) -> None:
    await create_campaign(client, reward=REWARD)
    page = await campaigns(client)

    status, answer = await client.ask(DELIVERIES, {"after": page.end_cursor})
    assert_request_error(status, answer, "after")
    status, answer = await client.ask(CAMPAIGNS, {"first": 101})
    assert_request_error(status, answer, "first")


# ── deliveries ───────────────────────────────────────────────────────────────────────────────────


async def test_a_delivery_tells_of_the_message_and_of_each_attempt(
    client: Client, service: Service, clock: VirtualClock
) -> None:
    way = await channel(client)
    running = await run_campaign(
        client, way["id"], message={"subject": "Hi", "body": "{{ Event.points }} points"}
    )
    await client.credit("ann", 50)
    wallet = await client.wallet("ann")
    [event] = (await client.events()).nodes

    await service.plan()

    [sent] = await deliveries(client, running["id"])
    at = wire(clock.now)
    assert sent == {
        "id": sent["id"],
        "campaign": {"id": running["id"], "name": "Reminder"},
        "version": 1,
        "member": {"id": wallet.member_id, "identity": "ann"},
        "wallet": {"id": wallet.id},
        "eventId": event.id,
        "status": "SENT",
        "reason": None,
        "detail": None,
        "dueAt": None,
        "subject": "Hi",
        "body": "50 points",
        "attempts": [
            {"number": 1, "startedAt": at, "finishedAt": at, "status": None, "error": None}
        ],
        "createdAt": at,
    }
    assert sent["id"].startswith("dlv_")
    stats = (await find_campaign(client, running["id"]) or {})["stats"]
    assert (stats["qualified"], stats["sent"], stats["converted"]) == (1, 1, 0)


async def test_a_delivery_waits_until_its_time_has_come(
    client: Client, service: Service, clock: VirtualClock
) -> None:
    way = await channel(client)
    await run_campaign(client, way["id"], when={"delay": "P1D"})
    await client.credit("ann", 50)
    due_at = wire(clock.after(days=1))
    await service.plan()

    [waiting] = await deliveries(client)
    clock.advance(days=1)
    [due] = await deliveries(client, statuses=["DUE"])

    assert (waiting["status"], waiting["dueAt"]) == ("WAITING", due_at)
    assert (due["id"], due["status"], due["dueAt"]) == (waiting["id"], "DUE", due_at)
    assert await deliveries(client, statuses=["WAITING"]) == []


async def test_deliveries_are_found_by_all_that_is_asked(client: Client, service: Service) -> None:
    way = await channel(client)
    one, two = [await run_campaign(client, way["id"], name=name) for name in ("one", "two")]
    for member in ("ann", "bob"):
        await client.credit(member, 50)
    await service.plan()
    events = {event.identity: event.id for event in (await client.events()).nodes}

    async def found(**filter: Any) -> list[tuple[str, str]]:
        some = await deliveries(client, **filter)
        return sorted((each["campaign"]["name"], each["member"]["identity"]) for each in some)

    everyone = [("one", "ann"), ("one", "bob"), ("two", "ann"), ("two", "bob")]
    assert await found() == everyone
    assert await found(campaign_id=one["id"]) == everyone[:2]
    assert await found(identity="ann") == [("one", "ann"), ("two", "ann")]
    assert await found(event_id=events["bob"], campaign_id=two["id"]) == [("two", "bob")]
    assert await found(statuses=["SENT"]) == everyone
    assert await found(statuses=["FAILED", "UNKNOWN"]) == []
    assert await found(reasons=["NO_ADDRESS"]) == []
    assert await found(statuses=[]) == []
    for nobody in ({"identity": "a\x00b"}, {"campaign_id": "none"}, {"event_id": "a\x00b"}):
        assert await found(**nobody) == []


async def test_a_campaigns_deliveries_are_its_own(client: Client, service: Service) -> None:
    way = await channel(client)
    one, two = [await run_campaign(client, way["id"], name=name) for name in ("one", "two")]
    for member in ("ann", "bob", "cid"):
        await client.credit(member, 50)
    await service.plan()

    async def of(campaign_id: str, **asked: object) -> list[str]:
        data = await client.execute(OF_ONE_CAMPAIGN, id=campaign_id, **asked)
        edges = data["campaign"]["deliveries"]["edges"]
        assert {each["node"]["campaign"]["id"] for each in edges} <= {campaign_id}
        return [each["node"]["member"]["identity"] for each in edges]

    assert sorted(await of(one["id"])) == ["ann", "bob", "cid"]
    assert await of(one["id"], filter={"identity": "bob"}) == ["bob"]
    assert await of(one["id"], filter={"campaignId": one["id"], "identity": "bob"}) == ["bob"]
    assert await of(one["id"], filter={"campaignId": two["id"]}) == []
    assert len(await of(two["id"], first=2)) == 2
    page = await page_deliveries(client, {"campaignId": two["id"]}, first=2)
    status, answer = await client.ask(OF_ONE_CAMPAIGN, {"id": two["id"], "after": page.end_cursor})
    assert_request_error(status, answer, "after")


async def test_everything_of_a_campaign_is_found_by_its_id(
    client: Client, service: Service
) -> None:
    way = await channel(client)
    running = await run_campaign(client, way["id"])
    await client.credit("ann", 50)
    await service.plan()
    [sent] = await deliveries(client)
    [message] = (await inbox(client, "ann")).nodes
    ids = {
        "Campaign": running["id"],
        "Channel": way["id"],
        "Delivery": sent["id"],
        "InboxMessage": message["id"],
    }

    for kind, node_id in ids.items():
        data = await client.execute(NODE, id=node_id)
        assert data["node"] == {"__typename": kind, "id": node_id}
        nobody = f"{node_id[:3]}_{SUFFIX}"
        assert await client.execute(NODE, id=nobody) == {"node": None}


# ── tests and retries ────────────────────────────────────────────────────────────────────────────


async def test_a_test_is_sent_at_once_and_stands_outside_the_stats(client: Client) -> None:
    await client.credit("ann", 50)
    way = await channel(client)
    draft = await create_campaign(client, way["id"])

    answer = await send_test(client, draft["id"], "ann")

    sent = answer.raw["delivery"]
    assert (answer.error, sent["status"], sent["version"]) == (None, "SENT", 0)
    assert sent["body"] == "You have new points."
    assert [each["body"] for each in (await inbox(client, "ann")).nodes] == [sent["body"]]
    assert (await find_campaign(client, draft["id"]) or {})["stats"]["qualified"] == 0


async def test_refuses_a_test_at_its_place(client: Client) -> None:
    way = await channel(client)
    draft = await create_campaign(client, way["id"])
    silent = await create_campaign(client, reward=REWARD)
    await client.upsert_member("ann")
    asked = [
        ("CampaignNotFound", "campaignId", ("none", "ann", None)),
        ("CampaignNotFound", "campaignId", ("a\x00b", "ann", None)),
        ("MemberNotFound", "identity", (draft["id"], "bob", None)),
        ("MemberNotFound", "identity", (draft["id"], "a\x00b", None)),
        ("InvalidInput", "campaignId", (silent["id"], "ann", None)),
        ("InvalidInput", "eventId", (draft["id"], "ann", "evt_none")),
        ("InvalidInput", "eventId", (draft["id"], "ann", "a\x00b")),
    ]

    for error, path, fields in asked:
        answer = await send_test(client, *fields)
        assert (answer.error, answer.error_path) == (error, ("input", path))
        assert answer.raw["delivery"] is None
    assert await deliveries(client) == []


async def test_refuses_to_retry_what_was_sent_or_is_not_there(
    client: Client, service: Service
) -> None:
    way = await channel(client)
    await run_campaign(client, way["id"])
    await client.credit("ann", 50)
    await service.plan()
    [sent] = await deliveries(client)

    again, nobody, garbage = [
        await retry(client, each) for each in (sent["id"], f"dlv_{SUFFIX}", "a\x00b")
    ]

    assert (again.error, again.error_path) == ("InvalidInput", ("input", "id"))
    assert (nobody.error, nobody.error_path) == ("DeliveryNotFound", ("input", "id"))
    assert (garbage.error, garbage.error_path) == ("DeliveryNotFound", ("input", "id"))
    assert await deliveries(client) == [sent]


# ── followed live ────────────────────────────────────────────────────────────────────────────────


async def test_what_becomes_of_a_campaigns_deliveries_is_told(
    client: Client, service: Service
) -> None:
    way = await channel(client)
    wanted, other = [await run_campaign(client, way["id"], name=name) for name in ("one", "two")]
    async with follow_deliveries(client, wanted["id"]) as stream:
        await service.changes_followed(1)

        await client.credit("ann", 50)
        await service.plan()

        told = (await stream.next_data())["deliveryUpdated"]
        while told["status"] != "SENT":
            told = (await stream.next_data())["deliveryUpdated"]
        assert [told] == await deliveries(client, wanted["id"])
    assert len(await deliveries(client, other["id"])) == 1


async def test_following_a_campaign_that_is_not_there_is_refused(client: Client) -> None:
    for nobody in (f"cmp_{SUFFIX}", "", "a\x00b"):
        async with follow_deliveries(client, nobody) as stream:
            [error] = await stream.refused()
        assert error["extensions"]["code"] == "BAD_REQUEST"
        assert error["extensions"]["argument"] == "campaignId"


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_members_messages_are_told_as_they_come(
    client: Client, service: Service, *, is_known: bool
) -> None:
    way = await channel(client)
    await run_campaign(client, way["id"], message={"body": "For {{ Profile.Identity }}"})
    await client.credit("bob", 1)
    if is_known:
        await client.upsert_member("ann")
    await service.plan()
    async with follow_inbox(client, "ann") as stream:
        await service.changes_followed(1)

        for member in ("bob", "ann"):
            await client.credit(member, 50)
        await service.plan()

        told = (await stream.next_data())["inboxMessage"]
    assert (await inbox(client, "ann")).nodes == [told]
    assert (told["body"], told["readAt"]) == ("For ann", None)


async def test_an_inbox_is_paged_newest_first(client: Client, service: Service) -> None:
    way = await channel(client)
    await run_campaign(client, way["id"], message={"body": "{{ Event.points }}"})
    for points in (1, 2, 3):
        await client.credit("ann", points)
        await service.plan()
    await client.credit("bob", 4)
    await service.plan()

    first = await inbox(client, "ann", first=2)
    second = await inbox(client, "ann", first=2, after=first.end_cursor)

    assert [each["body"] for each in first.nodes + second.nodes] == ["3", "2", "1"]
    assert (first.has_next_page, second.has_next_page) == (True, False)
    assert [each["body"] for each in (await inbox(client, "bob")).nodes] == ["4"]
