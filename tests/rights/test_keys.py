"""Keys: one that may write sees what it wrote, and needs to read to go on from there."""

from collections.abc import AsyncIterator

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Json
from tests.rights.world import World, make_key, world

CREDIT = "mutation C($input: CreditPointsInput!) { creditPoints(input: $input) { %s } }"
REFUND = "mutation R($input: RefundDebitInput!) { refundDebit(input: $input) { %s } }"
HOLD = "mutation H($input: HoldPointsInput!) { holdPoints(input: $input) { %s } }"
TRANSFER = "mutation T($input: TransferPointsInput!) { transferPoints(input: $input) { %s } }"
WATCH = "{ pointsCreditedEvents { edges { node { identity points %s } } } }"

ANN = {"owner": {"identity": "ann"}}
BOB = {"owner": {"identity": "bob"}}
BEYOND = (
    "wallet { member { identity } }",
    "wallet { transactions { pageInfo { endCursor } } }",
    "wallet { holds { pageInfo { endCursor } } }",
    "wallet { program { wallets { pageInfo { endCursor } } } }",
    "wallet { program { summary { active } } }",
    "transaction { wallet { member { name } } }",
)


@pytest.fixture
async def place(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[World]:
    async with world(sqlite_url, clock) as opened:
        yield opened


async def codes(client: Client, document: str, variables: Json) -> list[str]:
    _, answer = await client.ask(document, variables)
    return [error["extensions"]["code"] for error in answer.get("errors", [])]


async def test_a_till_sees_the_balance_that_its_credit_led_to(place: World) -> None:
    shown = "wallet { balance { active } program { name } } transaction { points kind }"
    moved = {"wallet": ANN, "points": 5, "idempotencyKey": "till-1"}
    async with place.caller("points:credit") as till:
        data = await till.execute(CREDIT % shown, input=moved)

    assert data["creditPoints"] == {
        "wallet": {"balance": {"active": 405}, "program": {"name": "Points"}},
        "transaction": {"points": 5, "kind": "CREDIT"},
    }


@pytest.mark.parametrize("beyond", BEYOND)
async def test_a_till_goes_no_further_than_what_it_wrote(place: World, beyond: str) -> None:
    moved = {"wallet": ANN, "points": 5, "idempotencyKey": "till-1"}
    async with place.caller("points:credit") as till:
        assert await codes(till, CREDIT % beyond, {"input": moved}) == ["FORBIDDEN"]

    assert (await place.service.client.balance("ann")).active == 405


async def test_what_a_refund_refunds_is_read_by_a_reader_only(place: World) -> None:
    refunded = {"transactionId": place.ids["debit"], "points": 1, "idempotencyKey": "back-1"}
    document = REFUND % "transaction { kind related { description } }"
    async with place.caller("points:credit") as till:
        assert await codes(till, document, {"input": refunded}) == ["FORBIDDEN"]


async def test_what_a_hold_holds_is_read_by_a_reader_only(place: World) -> None:
    held = {"wallet": ANN, "points": 1, "idempotencyKey": "hold-1"}
    async with place.caller("points:debit") as till:
        assert await codes(till, HOLD % "hold { points }", {"input": held}) == []
        document = HOLD % "transaction { hold { points } }"
        assert await codes(till, document, {"input": held}) == ["FORBIDDEN"]


async def test_a_follower_of_events_hears_them_and_reads_no_wallet(place: World) -> None:
    async with place.caller("events:read") as follower:
        assert await codes(follower, WATCH % "", {}) == []
        assert "FORBIDDEN" in await codes(follower, WATCH % "wallet { id }", {})
        assert "FORBIDDEN" in await codes(follower, WATCH % "transaction { id }", {})


async def test_a_transfer_takes_the_right_to_credit_and_to_debit(place: World) -> None:
    admin = place.service.client
    _, both = await make_key(admin, "both", "points:credit", "points:debit")
    moved = {"from": ANN, "to": BOB, "points": 1, "idempotencyKey": "move-1"}
    document = TRANSFER % "sent { points }"
    for half in ("points:credit", "points:debit"):
        async with place.caller(half) as till:
            assert await codes(till, document, {"input": moved}) == ["FORBIDDEN"]
    async with Client.of(admin.url, both) as till:
        assert (await till.execute(document, input=moved))["transferPoints"]["sent"] == {
            "points": 1
        }


async def test_an_event_is_found_by_its_id_by_followers_and_the_rest_by_readers(
    place: World,
) -> None:
    document = "query N($id: ID!) { node(id: $id) { id } }"
    for name, found in place.ids.items():
        for scope in ("wallets:read", "events:read", "points:credit"):
            may = scope == ("events:read" if name == "event" else "wallets:read")
            async with place.caller(scope) as caller:
                told = await codes(caller, document, {"id": found})
            assert told == ([] if may else ["FORBIDDEN"]), (name, scope)


async def test_what_keeps_campaigns_is_found_by_whoever_writes_them(place: World) -> None:
    document = "query N($id: ID!) { node(id: $id) { id } }"
    for name, found in place.kept.items():
        for scope in ("wallets:read", "campaigns:write"):
            async with place.caller(scope) as caller:
                told = await codes(caller, document, {"id": found})
            assert told == ([] if scope == "campaigns:write" else ["FORBIDDEN"]), (name, scope)


async def test_a_delivery_tells_its_member_to_readers_only(place: World) -> None:
    document = "{ deliveries { edges { node { %s } } } }"
    async with place.caller("campaigns:write") as keeper:
        assert await codes(keeper, document % "eventId status", {}) == []
        assert set(await codes(keeper, document % "member { identity }", {})) == {"FORBIDDEN"}
        assert set(await codes(keeper, document % "wallet { id }", {})) == {"FORBIDDEN"}


async def test_a_refusal_names_the_scope_that_is_missing(place: World) -> None:
    async with place.caller("points:credit") as till:
        [error] = await till.refused("{ ledgerHealth { wallets } }")

    assert error["message"] == "this needs a key with admin"
    assert error["extensions"] == {"code": "FORBIDDEN", "scopes": ["admin"]}
