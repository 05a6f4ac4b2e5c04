"""Campaigns by the channels that are others': CleverTap's uploads, and what apprise reaches."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from campaigns.plans import Message, Plan
from events.audit import TERMINAL
from tests.campaigns.world import World, planning, who
from tests.harness.clock import VirtualClock
from tests.harness.receiver import Answer, Receiver, receiver

ACCOUNT = {"accountId": "ABC-123-456Z", "passcode": "AAA-BBB-CCCC", "region": "eu1"}


@pytest.fixture
async def outside() -> AsyncIterator[Receiver]:
    """A stand-in for the servers of others."""
    async with receiver() as outside:
        outside.otherwise = Answer(200, body=orjson.dumps({"status": "success", "unprocessed": []}))
        yield outside


@pytest.fixture
async def linked(database_url: str, clock: VirtualClock, outside: Receiver) -> AsyncIterator[World]:
    chats = (("chat", f"json://127.0.0.1:{outside.port}"),)
    async with planning(
        database_url, clock, clevertap_url=outside.url, apprise_services=chats
    ) as world:
        yield world


async def channel(world: World, kind: str, settings: dict[str, str]) -> str:
    made = await world.campaigns.create_channel(kind.lower(), kind, settings, TERMINAL)
    return made[0].id


async def test_clevertap_gets_events_many_at_a_time_and_needs_no_message(
    linked: World, outside: Receiver
) -> None:
    channel_id = await channel(linked, "CLEVERTAP", ACCOUNT)
    await linked.publish(Plan(who(), channel_id=channel_id))
    for name in ("ann", "bob", "cleo"):
        await linked.client.credit(name, 7)
    await linked.work()

    [upload] = outside.received
    records: list[Any] = upload.json["d"]
    assert {record["identity"] for record in records} == {"ann", "bob", "cleo"}
    assert {record["evtData"]["points"] for record in records} == {7}
    assert upload.headers["x-clevertap-account-id"] == "ABC-123-456Z"
    assert await linked.ends() == [("SENT", None)] * 3


async def test_apprise_carries_a_message_to_the_operators_service(
    linked: World, outside: Receiver
) -> None:
    channel_id = await channel(linked, "APPRISE", {"service": "chat"})
    message = Message("{{ Event.points }} points", "News")
    await linked.publish(Plan(who(), channel_id=channel_id, message=message))
    await linked.client.credit("ann", 7)
    await linked.work()

    [sent] = outside.received
    assert (sent.json["title"], sent.json["message"]) == ("News", "7 points")
    assert await linked.ends() == [("SENT", None)]
