"""publish, pause, resume, stop, clone and updateCampaign: one table of moves, and versions."""

from typing import Any

import pytest

from tests.conftest import Unchanged
from tests.harness.campaigns import (
    ask,
    campaign,
    channel,
    create_campaign,
    done,
    move,
    plan,
    publish,
    run_campaign,
)
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Json, wire

PUBLISH, PAUSE, RESUME, STOP = (
    "publishCampaign",
    "pauseCampaign",
    "resumeCampaign",
    "stopCampaign",
)
UPDATE = "updateCampaign"
WAYS: dict[str, tuple[str, ...]] = {
    "DRAFT": (),
    "RUNNING": (PUBLISH,),
    "PAUSED": (PUBLISH, PAUSE),
    "STOPPED": (PUBLISH, STOP),
}
BECOMES = {
    ("DRAFT", PUBLISH): "RUNNING",
    ("RUNNING", PUBLISH): "RUNNING",
    ("RUNNING", PAUSE): "PAUSED",
    ("PAUSED", RESUME): "RUNNING",
    ("RUNNING", STOP): "STOPPED",
    ("PAUSED", STOP): "STOPPED",
    ("DRAFT", UPDATE): "DRAFT",
    ("RUNNING", UPDATE): "RUNNING",
    ("PAUSED", UPDATE): "PAUSED",
}
ALLOWED = {
    "DRAFT": ["RUNNING"],
    "RUNNING": ["PAUSED", "STOPPED"],
    "PAUSED": ["RUNNING", "STOPPED"],
    "STOPPED": [],
    "COMPLETED": [],
}
NOBODY = "cmp_01jqtc38xmeegs4d2pf28aqkff"
POINTS: Json = {"reward": {"points": 5}}


async def one_that_is(client: Client, status: str, **over: Any) -> Json:
    made = await create_campaign(client, **(POINTS | over))
    for way in WAYS[status]:
        made = await move(client, way, made["id"])
    assert made["status"] == status
    return made


def fields_of(mutation: str, campaign_id: str) -> Json:
    more = {"campaign": plan(**POINTS)} if mutation == UPDATE else {}
    return {"id": campaign_id} | more


@pytest.mark.parametrize("mutation", [PUBLISH, PAUSE, RESUME, STOP, UPDATE])
@pytest.mark.parametrize("status", [*WAYS])
async def test_each_move_is_done_from_where_it_may_be_and_refused_elsewhere(
    client: Client, unchanged: Unchanged, status: str, mutation: str
) -> None:
    made = await one_that_is(client, status)
    becomes = BECOMES.get((status, mutation))

    if becomes:
        moved = await done(client, mutation, fields_of(mutation, made["id"]))
        assert moved["status"] == becomes
        assert await campaign(client, made["id"]) == moved
        return
    async with unchanged():
        answer = await ask(client, mutation, fields_of(mutation, made["id"]))
    assert (answer.error, answer.error_path) == ("InvalidTransition", ("input", "id"))
    assert answer.details == {"from": status, "allowed": ALLOWED[status]}
    assert answer.raw["campaign"] is None
    assert await campaign(client, made["id"]) == made


async def test_a_campaign_is_completed_when_its_end_comes(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    running = await one_that_is(client, "RUNNING", when={"endsAt": wire(clock.after(days=1))})
    clock.advance(hours=23, minutes=59)
    before = await campaign(client, running["id"])

    clock.advance(minutes=1)

    assert before["status"] == "RUNNING"
    assert (await campaign(client, running["id"]))["status"] == "COMPLETED"
    async with unchanged():
        answer = await ask(client, PUBLISH, {"id": running["id"]})
    assert (answer.error, answer.error_path) == ("InvalidTransition", ("input", "id"))
    assert answer.details == {"from": "COMPLETED", "allowed": []}


async def test_a_draft_whose_end_has_come_is_not_published(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    made = await create_campaign(client, **POINTS, when={"endsAt": wire(clock.after(days=1))})
    clock.advance(days=1)

    async with unchanged():
        answer = await ask(client, PUBLISH, {"id": made["id"]})

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "id"))
    assert (await campaign(client, made["id"]))["status"] == "DRAFT"


async def test_each_publication_is_one_more_version(client: Client) -> None:
    made = await create_campaign(client, **POINTS)

    first = await publish(client, made["id"])
    changed = await done(
        client, UPDATE, {"id": made["id"], "campaign": plan(name="Twice", reward={"points": 10})}
    )
    second = await publish(client, made["id"])

    assert (made["version"], first["version"], changed["version"], second["version"]) == (
        0,
        1,
        1,
        2,
    )
    assert (second["name"], second["reward"]["points"]) == ("Twice", 10)


async def test_an_update_replaces_the_plan_whole(client: Client) -> None:
    way = await channel(client)
    made = await create_campaign(
        client, way["id"], conversion_within="P7D", limits={"perMinute": 5}, **POINTS
    )

    changed = await done(
        client, UPDATE, {"id": made["id"], "campaign": plan(way["id"], name="Other")}
    )

    assert (changed["id"], changed["name"], changed["createdAt"]) == (
        made["id"],
        "Other",
        made["createdAt"],
    )
    assert (changed["reward"], changed["conversionWithin"]) == (None, None)
    assert changed["limits"]["perMinute"] is None
    assert await campaign(client, made["id"]) == changed


@pytest.mark.parametrize(
    ("error", "path", "fields"),
    [
        ("InvalidInput", ("campaign", "name"), {"name": ""}),
        ("InvalidInput", ("campaign", "reward", "points"), {"reward": {"points": 0}}),
        (
            "ProgramNotFound",
            ("campaign", "reward", "programId"),
            {"reward": {"points": 5, "programId": "prg_none"}},
        ),
        (
            "TemplateError",
            ("campaign", "message", "body"),
            {"message": {"body": "{{ nobody.knows }}"}},
        ),
        ("ChannelNotFound", ("campaign", "channelId"), {"channelId": "chn_none"}),
    ],
)
async def test_refuses_an_update_at_its_place_within_the_campaign(
    client: Client, unchanged: Unchanged, error: str, path: tuple[str, ...], fields: Json
) -> None:
    way = await channel(client)
    made = await create_campaign(client, way["id"])

    async with unchanged():
        answer = await ask(client, UPDATE, {"id": made["id"], "campaign": plan(way["id"]) | fields})

    assert (answer.error, answer.error_path) == (error, ("input", *path))
    assert await campaign(client, made["id"]) == made


@pytest.mark.parametrize("waiting", ["CANCEL", "FINISH"])
async def test_a_campaign_is_stopped_either_way(client: Client, waiting: str) -> None:
    running = await run_campaign(client, **POINTS)

    stopped = await move(client, STOP, running["id"], waiting=waiting)

    assert stopped["status"] == "STOPPED"


async def test_a_clone_is_a_draft_of_the_same_plan(client: Client, clock: VirtualClock) -> None:
    stopped = await one_that_is(client, "STOPPED", limits={"perMinute": 5})
    clock.advance(days=1)

    clone = await move(client, "cloneCampaign", stopped["id"], name="Again")

    assert clone == stopped | {
        "id": clone["id"],
        "name": "Again",
        "status": "DRAFT",
        "version": 0,
        "createdAt": wire(clock.now),
    }
    assert clone["id"] != stopped["id"]
    assert await campaign(client, clone["id"]) == clone


@pytest.mark.parametrize("name", ["", "n" * 101, "a\x00b"])
async def test_refuses_a_clone_without_a_name(
    client: Client, unchanged: Unchanged, name: str
) -> None:
    made = await create_campaign(client, **POINTS)

    async with unchanged():
        answer = await ask(client, "cloneCampaign", {"id": made["id"], "name": name})

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "name"))


@pytest.mark.parametrize("campaign_id", [NOBODY, "", "a\x00b", "c" * 9_999])
async def test_refuses_to_move_what_is_not_there(
    client: Client, unchanged: Unchanged, campaign_id: str
) -> None:
    asked = {
        **{name: {"id": campaign_id} for name in (PUBLISH, PAUSE, RESUME, STOP)},
        "cloneCampaign": {"id": campaign_id, "name": "Again"},
        UPDATE: fields_of(UPDATE, campaign_id),
    }

    async with unchanged():
        for mutation, fields in asked.items():
            answer = await ask(client, mutation, fields)
            assert (answer.error, answer.error_path) == ("CampaignNotFound", ("input", "id"))
