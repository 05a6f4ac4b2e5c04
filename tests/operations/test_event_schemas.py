"""eventSchemas and reach: what a Who section offers, and whom it would have reached."""

from tests.harness.campaigns import REACH, SCHEMAS, reach
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.refusals import assert_request_error
from tests.harness.values import Json, wire

CREDITS = ["Campaign", "API", "Manual", "Cashback Coupon"]


async def schemas(client: Client) -> dict[str, dict[str, Json]]:
    told = (await client.execute(SCHEMAS))["eventSchemas"]
    return {each["name"]: {one["name"]: one for one in each["properties"]} for each in told}


async def test_offers_every_event_by_its_name_on_the_wire(client: Client) -> None:
    assert [*await schemas(client)] == [
        "CT Points Credited",
        "CT Points Debited",
        "Points Promised",
        "Points Expiring Soon",
        "Points Expired",
        "Points Reversed",
        "Points Refunded",
    ]


async def test_points_credited_has_the_properties_of_the_specification(client: Client) -> None:
    credited = (await schemas(client))["CT Points Credited"]

    assert {name: one["type"] for name, one in credited.items()} == {
        "CT Source": "STRING",
        "walletId": "STRING",
        "transactionId": "STRING",
        "points": "NUMBER",
        "source": "STRING",
        "campaignId": "STRING",
        "pointsDescription": "STRING",
        "eventTimestamp": "DATE",
        "pointsExpiry": "DATE",
        "couponCode": "STRING",
        "couponId": "STRING",
        "saleChannel": "STRING",
        "locationId": "STRING",
        "saleAmount": "NUMBER",
    }


async def test_a_property_of_few_values_tells_them_all(client: Client) -> None:
    told = await schemas(client)

    few = {name: one["values"] for name, one in told["CT Points Credited"].items() if one["values"]}
    assert few == {"CT Source": ["API", "Dashboard", "Campaign", "System"], "source": CREDITS}
    assert told["CT Points Debited"]["source"]["values"] == ["API", "Manual"]
    assert "couponCode" not in told["CT Points Debited"]


async def test_reach_counts_who_would_have_qualified_since(
    client: Client, clock: VirtualClock
) -> None:
    await client.credit("cid", 500)
    clock.advance(hours=1)
    since = clock.now
    for member, points in (("ann", 50), ("ann", 60), ("bob", 5)):
        await client.credit(member, points)
    many = {"property": "points", "op": "GTE", "value": 50}

    assert await reach(client, {"event": "CT Points Credited"}, since) == {
        "events": 3,
        "members": 2,
        "wallets": 2,
    }
    assert await reach(client, {"event": "CT Points Credited", "filters": [many]}, since) == {
        "events": 2,
        "members": 1,
        "wallets": 1,
    }


async def test_reach_of_what_can_not_be_is_a_request_error(
    client: Client, clock: VirtualClock
) -> None:
    asked = {"who": {"event": "Points"}, "since": wire(clock.now)}

    status, answer = await client.ask(REACH, asked)

    assert_request_error(status, answer, "who.event")
