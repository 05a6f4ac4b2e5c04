"""createCampaign: makes a draft of what it is told, all of it, or says where it can't be so."""

from typing import Any

import pytest

from tests.conftest import Unchanged
from tests.harness.campaigns import ask, campaigns, channel, create_campaign, find_campaign, plan
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.refusals import assert_request_error
from tests.harness.values import Json, wire

NO_STATS: Json = {
    "qualified": 0,
    "waiting": 0,
    "sent": 0,
    "failed": 0,
    "heldOut": 0,
    "skipped": [],
    "converted": 0,
    "conversionRate": None,
    "controlConversionRate": None,
}
NO_CHANNEL = "chn_01jqtc38xmeegs4d2pf28aqkff"
NO_PROGRAM = "prg_01jqtc38xmeegs4d2pf28aqkff"


async def test_a_campaign_has_the_defaults_of_the_contract(
    client: Client, clock: VirtualClock
) -> None:
    way = await channel(client)

    made = await create_campaign(client, way["id"])

    assert made == {
        "id": made["id"],
        "name": "Reminder",
        "status": "DRAFT",
        "version": 0,
        "who": {
            "event": "CT Points Credited",
            "match": "ALL",
            "filters": [],
            "absence": None,
            "profile": [],
        },
        "channel": way,
        "message": {"subject": None, "body": "You have new points.", "html": None},
        "reward": None,
        "when": {
            "delay": None,
            "quietFrom": None,
            "quietTo": None,
            "quietPolicy": "HOLD",
            "startsAt": None,
            "endsAt": None,
        },
        "limits": {
            "per": "EVERY_TRIGGER",
            "minGap": None,
            "maxDeliveries": None,
            "perMinute": None,
            "controlPercent": 0,
        },
        "conversionWithin": None,
        "stats": NO_STATS,
        "createdAt": wire(clock.now),
    }
    assert made["id"].startswith("cmp_")
    assert await find_campaign(client, made["id"]) == made


def everything(clock: VirtualClock) -> Json:
    """Every field of a campaign but those that are looked up, as it goes in and comes out."""
    return {
        "name": "Use them",
        "who": {
            "event": "CT Points Credited",
            "match": "ANY",
            "filters": [
                {"property": "source", "op": "EQUALS", "value": "Cashback Coupon"},
                {"property": "points", "op": "BETWEEN", "value": [1, 99.5]},
                {"property": "saleChannel", "op": "IN", "value": ["web", "app"]},
                {"property": "pointsExpiry", "op": "WITHIN_LAST", "value": "P30D"},
                {"property": "CT Source", "op": "NOT_EXISTS", "value": None},
            ],
            "absence": {"of": "CREDIT_UNREDEEMED", "within": "P7D"},
            "profile": [{"property": "tier", "op": "EQUALS", "value": True}],
        },
        "message": {"subject": "Hi", "body": "{{ Event.points }} points", "html": "<p>Hi</p>"},
        "when": {
            "delay": "PT36H",
            "quietFrom": "22:00",
            "quietTo": "08:00",
            "quietPolicy": "DROP",
            "startsAt": wire(clock.after(days=1)),
            "endsAt": wire(clock.after(days=90)),
        },
        "limits": {
            "per": "ONCE_PER_WALLET",
            "minGap": "P1D",
            "maxDeliveries": 1_000,
            "perMinute": 60,
            "controlPercent": 12.5,
        },
        "conversionWithin": "P14D",
    }


async def test_all_of_a_campaign_can_be_chosen(client: Client, clock: VirtualClock) -> None:
    way = await channel(client)
    program = (await client.create_program("Gold")).program
    assert program
    chosen = everything(clock)
    chosen["when"]["delay"] = "P1DT12H"  # as it comes out
    reward = {"percentOf": "saleAmount", "percent": 2.5, "description": "For you"}

    made = await create_campaign(
        client,
        **chosen,
        channelId=way["id"],
        reward=reward | {"programId": program.id},
    )

    told = await find_campaign(client, made["id"])
    assert told == made
    assert {name: made[name] for name in chosen} == chosen
    assert made["channel"] == way
    assert made["reward"] == reward | {
        "points": None,
        "program": {"id": program.id, "name": "Gold"},
    }


async def test_a_reward_needs_no_message(client: Client) -> None:
    made = await create_campaign(client, reward={"points": 5})

    assert (made["channel"], made["message"]) == (None, None)
    assert made["reward"] == {
        "points": 5,
        "percentOf": None,
        "percent": None,
        "program": None,
        "description": None,
    }


def filtered(**filter: Any) -> Json:
    return {"who": {"event": "CT Points Credited", "filters": [filter]}}


def on(event: str, **more: Any) -> Json:
    return {"who": {"event": event, **more}}


LATE = {"of": "CREDIT_UNREDEEMED", "within": "P7D"}
REWARD = {"reward": {"points": 5}}
FAULTS: list[tuple[str, Json]] = [
    ("name", {"name": ""}),
    ("name", {"name": "n" * 101}),
    ("name", {"name": "a\x00b"}),
    ("who.event", on("CT Points Credit")),
    ("who.event", on("")),
    ("who.event", on("POINTS_CREDITED")),
    ("who.filters.0.property", filtered(property="Points", op="EXISTS")),
    ("who.filters.0.op", filtered(property="points", op="CONTAINS", value="5")),
    ("who.filters.0.op", filtered(property="source", op="GT", value="API")),
    ("who.filters.0.op", filtered(property="pointsExpiry", op="EQUALS", value="2026-03-10")),
    ("who.filters.0.value", filtered(property="points", op="GT", value="5")),
    ("who.filters.0.value", filtered(property="points", op="GT")),
    ("who.filters.0.value", filtered(property="points", op="BETWEEN", value=5)),
    ("who.filters.0.value", filtered(property="source", op="EQUALS", value="Cashback")),
    ("who.filters.0.value", filtered(property="source", op="EXISTS", value=True)),
    ("who.filters.0.value", filtered(property="pointsExpiry", op="BEFORE", value="tomorrow")),
    ("who.filters.0.value", filtered(property="pointsExpiry", op="WITHIN_LAST", value="P1M")),
    ("who.filters", on("CT Points Credited", filters=[{"property": "a", "op": "EXISTS"}] * 51)),
    (
        "who.profile.0.op",
        on("CT Points Credited", profile=[{"property": "Name", "op": "GT", "value": 5}]),
    ),
    ("who.absence.of", on("CT Points Debited", absence=LATE)),
    (
        "who.absence.of",
        on("Points Expiring Soon", absence=LATE | {"of": "WALLET_UNREDEEMED"}),
    ),
    ("who.absence.within", on("CT Points Credited", absence=LATE | {"within": "PT0S"})),
    ("who.absence.within", on("CT Points Credited", absence=LATE | {"within": "P367D"})),
    ("message", {"message": None, "channelId": None}),
    ("message", {"message": None}),
    ("channelId", {"channelId": None}),
    ("message.body", {"message": {"body": " \n"}}),
    ("reward", {"reward": {}}),
    ("reward", {"reward": {"points": 5, "percent": 5, "percentOf": "points"}}),
    ("reward.points", {"reward": {"points": 0}}),
    ("reward.points", {"reward": {"points": -5}}),
    ("reward.percent", {"reward": {"percent": 0, "percentOf": "points"}}),
    ("reward.percent", {"reward": {"percent": 10_000.5, "percentOf": "points"}}),
    ("reward.percent", {"reward": {"percentOf": "points"}}),
    ("reward.percentOf", {"reward": {"percent": 5}}),
    ("reward.percentOf", {"reward": {"percent": 5, "percentOf": "source"}}),
    ("reward.description", {"reward": {"points": 5, "description": "d" * 501}}),
    ("when.delay", {"when": {"delay": "P367D"}}),
    ("when.quietTo", {"when": {"quietFrom": "22:00"}}),
    ("when.quietFrom", {"when": {"quietTo": "08:00"}}),
    ("when.quietFrom", {"when": {"quietFrom": "24:00", "quietTo": "08:00"}}),
    ("when.quietFrom", {"when": {"quietFrom": "8:00", "quietTo": "09:00"}}),
    ("when.quietTo", {"when": {"quietFrom": "08:00", "quietTo": "08:00"}}),
    ("when.endsAt", {"when": {"endsAt": "2026-03-10T09:00:00Z"}}),
    (
        "when.endsAt",
        {"when": {"startsAt": "2026-04-01T00:00:00Z", "endsAt": "2026-04-01T00:00:00Z"}},
    ),
    ("limits.minGap", {"limits": {"minGap": "PT0S"}}),
    ("limits.maxDeliveries", {"limits": {"maxDeliveries": 0}}),
    ("limits.perMinute", {"limits": {"perMinute": 0}}),
    ("limits.controlPercent", {"limits": {"controlPercent": -0.1}}),
    ("limits.controlPercent", {"limits": {"controlPercent": 100.1}}),
    ("conversionWithin", {"conversionWithin": "PT0S"}),
    ("conversionWithin", {"conversionWithin": "P367D"}),
]


async def test_refuses_what_a_campaign_can_not_be(client: Client, unchanged: Unchanged) -> None:
    way = await channel(client)
    wrong: list[str] = []

    async with unchanged():
        for path, fields in FAULTS:
            answer = await ask(client, "createCampaign", plan(way["id"]) | fields)
            found = (answer.error, ".".join(answer.error_path), answer.raw["campaign"])
            if found != ("InvalidInput", f"input.{path}", None):
                wrong.append(f"{fields}: {found} {answer.message}")

    assert not wrong, "\n".join(wrong)
    assert (await campaigns(client)).nodes == []


@pytest.mark.parametrize(
    ("error", "path", "fields"),
    [
        ("ChannelNotFound", "channelId", {"channelId": NO_CHANNEL}),
        ("ChannelNotFound", "channelId", {"channelId": "a\x00b"}),
        ("ProgramNotFound", "reward.programId", {"reward": {"points": 5, "programId": NO_PROGRAM}}),
        ("ProgramNotFound", "reward.programId", {"reward": {"points": 5, "programId": "\x00"}}),
    ],
)
async def test_refuses_what_is_not_there(
    client: Client, unchanged: Unchanged, error: str, path: str, fields: Json
) -> None:
    way = await channel(client)

    async with unchanged():
        answer = await ask(client, "createCampaign", plan(way["id"]) | fields)

    assert (answer.error, ".".join(answer.error_path)) == (error, f"input.{path}")
    assert answer.raw["campaign"] is None


async def test_points_have_the_decimals_of_the_rewards_program(
    client: Client, unchanged: Unchanged
) -> None:
    program = (await client.create_program("Gold", rounding={"decimals": 1})).program
    assert program
    given = {"programId": program.id}

    made = await create_campaign(client, reward=given | {"points": 0.5})
    async with unchanged():
        answer = await ask(client, "createCampaign", plan(reward=given | {"points": 0.25}))

    assert float(made["reward"]["points"]) == 0.5
    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "reward", "points"))


@pytest.mark.parametrize(
    ("part", "template", "line", "column", "suggestion"),
    [
        ("body", "{{ event.points }}", 1, 4, "Event"),
        ("body", "Hello,\n{{ Event.point }}", 2, 10, "Event.points"),
        ("subject", "{{ Event.points", 1, 1, None),
        ("html", "<p>{{ Profile.Name | upcas }}</p>", 1, 22, "upcase"),
    ],
)
async def test_refuses_a_template_at_its_line_and_column(
    client: Client,
    unchanged: Unchanged,
    part: str,
    template: str,
    line: int,
    column: int,
    suggestion: str | None,
) -> None:
    way = await channel(client)
    message = {"body": "Hello", part: template}

    async with unchanged():
        answer = await ask(client, "createCampaign", plan(way["id"], message=message))

    assert (answer.error, answer.error_path) == ("TemplateError", ("input", "message", part))
    assert answer.details == {"line": line, "column": column, "suggestion": suggestion}
    assert answer.raw["campaign"] is None


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("match", {"who": {"event": "CT Points Credited", "match": "NONE"}}),
        ("op", {"who": {"event": "CT Points Credited", "filters": [{"property": "a", "op": "X"}]}}),
        ("delay", {"when": {"delay": "P1M"}}),
        ("endsAt", {"when": {"endsAt": "tomorrow"}}),
        ("maxDeliveries", {"limits": {"maxDeliveries": 2**31}}),
        ("points", {"reward": {"points": 0.0001}}),
        ("controlPercent", {"limits": {"controlPercent": None}}),
        ("percent", {"reward": {"percent": "5"}}),
    ],
)
async def test_refuses_what_is_not_of_its_type(
    client: Client, unchanged: Unchanged, field: str, fields: Json
) -> None:
    document = "mutation M($input: CampaignInput!) { createCampaign(input: $input) { __typename } }"

    async with unchanged():
        status, answer = await client.ask(document, {"input": plan() | fields})

    assert_request_error(status, answer, field)
