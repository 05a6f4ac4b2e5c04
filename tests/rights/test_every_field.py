"""Every field of the schema, asked for by everyone: each gets what is theirs, and nothing else.

The fields come from the schema itself, and who may ask for each from the tables here: a field that
is added without a decision fails.
"""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import build_schema
from websockets.exceptions import ConnectionClosed

from graph.access import RIGHTS
from graph.schema import schema
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.stream import Stream
from tests.rights.routes import Step, Way, fields_of, needed_arguments, ways
from tests.rights.world import EVERYONE, MEMBERS, STRANGERS, World, world

API = build_schema(schema.as_str())

# Who may ask: the scopes that a key needs, and `member` where a member may, for what is theirs.
GUARDED: dict[str, str] = {
    "Query.node": "wallets:read member",
    "Query.nodes": "wallets:read member",
    "Query.member": "wallets:read member",
    "Query.wallet": "wallets:read member",
    "Query.wallets": "wallets:read member",
    "Query.transaction": "wallets:read member",
    "Query.transactions": "wallets:read member",
    "Query.program": "wallets:read",
    "Query.programs": "wallets:read",
    "Query.creditedNotRedeemed": "wallets:read",
    "Query.coupon": "wallets:read",
    "Query.pointsCreditedEvents": "events:read member",
    "Query.eventCursor": "events:read member",
    "Query.channels": "campaigns:write",
    "Query.campaign": "campaigns:write",
    "Query.campaigns": "campaigns:write",
    "Query.deliveries": "campaigns:write",
    "Query.eventSchemas": "campaigns:write",
    "Query.reach": "campaigns:write",
    "Query.ledgerHealth": "admin",
    "Query.apiKeys": "admin",
    "Query.auditLog": "admin",
    "Mutation.creditPoints": "points:credit",
    "Mutation.creditPointsBatch": "points:credit",
    "Mutation.refundDebit": "points:credit",
    "Mutation.upsertMember": "points:credit",
    "Mutation.createCoupon": "points:credit",
    "Mutation.redeemCoupon": "points:credit",
    "Mutation.debitPoints": "points:debit",
    "Mutation.holdPoints": "points:debit",
    "Mutation.captureHold": "points:debit",
    "Mutation.releaseHold": "points:debit",
    "Mutation.reverseCredit": "points:debit",
    "Mutation.transferPoints": "points:credit points:debit",
    "Mutation.createChannel": "campaigns:write",
    "Mutation.createCampaign": "campaigns:write",
    "Mutation.updateCampaign": "campaigns:write",
    "Mutation.publishCampaign": "campaigns:write",
    "Mutation.pauseCampaign": "campaigns:write",
    "Mutation.resumeCampaign": "campaigns:write",
    "Mutation.stopCampaign": "campaigns:write",
    "Mutation.cloneCampaign": "campaigns:write",
    "Mutation.previewMessage": "campaigns:write",
    "Mutation.sendTestMessage": "campaigns:write",
    "Mutation.retryDelivery": "campaigns:write",
    "Mutation.createProgram": "admin",
    "Mutation.updateProgram": "admin",
    "Mutation.eraseMember": "admin",
    "Mutation.freezeWallet": "admin",
    "Mutation.createApiKey": "admin",
    "Mutation.revokeApiKey": "admin",
    "Subscription.pointsCredited": "events:read member",
    "Subscription.inboxMessage": "events:read member",
    "Subscription.deliveryUpdated": "campaigns:write",
    "Delivery.member": "wallets:read",
    "Delivery.wallet": "wallets:read",
    "Program.wallets": "wallets:read",
    "Program.summary": "wallets:read",
    "Member.wallets": "wallets:read member",
    "Member.inbox": "wallets:read member",
    "Wallet.member": "wallets:read member",
    "Wallet.holds": "wallets:read member",
    "Wallet.transactions": "wallets:read member",
    "Transaction.related": "wallets:read member",
    "Transaction.hold": "wallets:read member",
    "PointsCredited.wallet": "wallets:read member",
    "PointsCredited.transaction": "wallets:read member",
}
ANN = '{owner: {identity: "ann"}}'
CID = '{owner: {identity: "cid"}}'
WHO = '{event: "CT Points Credited"}'
PLAN = f'{{name: "walk", who: {WHO}, reward: {{points: 5}}}}'
NUMBERS = itertools.count(1)
WATCH = "subscription ($after: String) { pointsCredited(after: $after) { identity } }"


def arguments(ids: dict[str, str]) -> dict[str, str]:
    """What each field that needs arguments is asked with: of Ann, where it is of someone."""
    key = f'idempotencyKey: "walk-{next(NUMBERS)}"'
    credit = f"{{wallet: {CID}, points: 5, {key}}}"
    return {
        "Query.node": f'(id: "{ids["wallet"]}")',
        "Query.nodes": f'(ids: ["{ids["wallet"]}"])',
        "Query.member": '(identity: "ann")',
        "Query.wallet": f"(ref: {ANN})",
        "Query.transaction": f'(id: "{ids["transfer"]}")',
        "Query.program": '(name: "Points")',
        "Query.coupon": '(code: "SPRING")',
        "Query.campaign": f'(id: "{ids["campaign"]}")',
        "Query.reach": f'(who: {WHO}, since: "2026-01-01T00:00:00Z")',
        "Query.creditedNotRedeemed": '(since: "2026-01-01T00:00:00Z")',
        "Mutation.creditPoints": f"(input: {credit})",
        "Mutation.creditPointsBatch": f"(input: {{credits: [{credit}]}})",
        "Mutation.refundDebit": f'(input: {{transactionId: "{ids["debit"]}", points: 1, {key}}})',
        "Mutation.upsertMember": '(input: {identity: "cid", name: "Cid"})',
        "Mutation.debitPoints": f"(input: {{wallet: {CID}, points: 1, {key}}})",
        "Mutation.holdPoints": f"(input: {{wallet: {CID}, points: 1, {key}}})",
        "Mutation.captureHold": f'(input: {{id: "hld_none", {key}}})',
        "Mutation.releaseHold": f'(input: {{id: "hld_none", {key}}})',
        "Mutation.reverseCredit": f'(input: {{transactionId: "txn_none", {key}}})',
        "Mutation.transferPoints": f"(input: {{from: {CID}, to: {ANN}, points: 1, {key}}})",
        "Mutation.createCoupon": f'(input: {{code: "{key[-4:-1]}", points: 5}})',
        "Mutation.redeemCoupon": f'(input: {{code: "SPRING", identity: "cid", {key}}})',
        "Mutation.createChannel": f'(input: {{name: "{key[-4:-1]}", kind: INBOX, settings: {{}}}})',
        "Mutation.createCampaign": f"(input: {PLAN})",
        "Mutation.updateCampaign": f'(input: {{id: "cmp_none", campaign: {PLAN}}})',
        "Mutation.publishCampaign": '(input: {id: "cmp_none"})',
        "Mutation.pauseCampaign": '(input: {id: "cmp_none"})',
        "Mutation.resumeCampaign": '(input: {id: "cmp_none"})',
        "Mutation.stopCampaign": '(input: {id: "cmp_none"})',
        "Mutation.cloneCampaign": '(input: {id: "cmp_none", name: "walk"})',
        "Mutation.previewMessage": f'(input: {{who: {WHO}, message: {{body: "Hello"}}}})',
        "Mutation.sendTestMessage": '(input: {campaignId: "cmp_none", identity: "cid"})',
        "Mutation.retryDelivery": '(input: {id: "dlv_none"})',
        "Subscription.inboxMessage": '(identity: "ann")',
        "Mutation.createProgram": f'(input: {{name: "{key[-4:-1]}", pointsName: "stars"}})',
        "Mutation.updateProgram": '(input: {id: "prg_none"})',
        "Mutation.eraseMember": '(input: {identity: "nobody at all"})',
        "Mutation.freezeWallet": f"(input: {{wallet: {CID}, frozen: false}})",
        "Mutation.createApiKey": '(input: {name: "walk", scopes: []})',
        "Mutation.revokeApiKey": '(input: {id: "key_none"})',
    }


@pytest.fixture
async def place(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[World]:
    async with world(sqlite_url, clock) as opened:
        await opened.service.client.credit("cid", 100)
        yield opened


def test_every_field_has_a_decision_and_every_decision_a_field() -> None:
    assert set(RIGHTS) == fields_of(API)


def test_the_tables_here_name_fields_that_there_are() -> None:
    there_are = {f"{kind}.{name}" for kind, name in fields_of(API)}

    assert set(GUARDED) <= there_are
    assert needed_arguments(API) <= set(
        arguments(dict.fromkeys(("wallet", "transfer", "debit", "campaign"), ""))
    )
    for root in ("Query", "Mutation", "Subscription"):
        assert {each for each in there_are if each.startswith(f"{root}.")} <= set(GUARDED)


def allowed(who: str, steps: tuple[Step, ...]) -> bool:
    """Whether this caller may ask for a field, by the table."""
    needs = [set(GUARDED.get(f"{kind}.{name}", "member").split()) for kind, name in steps]
    if who in MEMBERS:
        return all("member" in each for each in needs)
    return who == "admin" or all(each - {"member"} <= {who} for each in needs)


async def ask(client: Client, way: Way, ids: dict[str, str]) -> tuple[str, Any, str]:
    """What became of it (a code, `told`, or `nothing`), what was told, and the whole answer."""
    response = await client.http.post(client.url, json={"query": way.document(arguments(ids))})
    answer = response.json()
    if errors := answer.get("errors"):
        assert response.status_code == (200 if "data" in answer else 401), answer
        return errors[0]["extensions"]["code"], None, response.text
    value = way.follow(answer["data"])
    return ("nothing" if value is None else "told"), value, response.text


ASKED = [way for way in ways(API) if way.kind != "subscription"]


@pytest.mark.parametrize("who", EVERYONE)
async def test_gives_each_caller_what_is_theirs_and_no_more(place: World, who: str) -> None:
    wrong: list[str] = []
    async with place.caller(who) as caller:
        for way in ASKED:
            outcome, value, text = await ask(caller, way, place.ids | place.kept)
            expected, of_admin = await expect(place, who, way)
            if outcome not in expected or (outcome == "told" and value not in of_admin):
                wrong.append(f"{way.steps}: {outcome} {value!r}, not {expected} {of_admin!r}")
            if who in {"bob", "dan", *STRANGERS} and any(word in text for word in place.anns):
                wrong.append(f"{way.steps}: tells of Ann: {text}")

    assert not wrong, "\n".join(wrong)


class Anything:
    """Whatever is told will do."""

    def __contains__(self, _: object) -> bool:
        return True


async def expect(place: World, who: str, way: Way) -> tuple[set[str], Any]:
    """What may become of it, and what may then be told: what the administrator is told, if sure."""
    if who in STRANGERS:
        return {"UNAUTHENTICATED"}, ()
    if not allowed(who, way.steps):
        return {"FORBIDDEN"}, ()
    if who in {"bob", "dan"} or way.kind == "mutation":
        return {"told", "nothing"}, Anything()
    if who == "ann" and way.steps[-1] == ("Transaction", "related"):
        return {"nothing"}, ()  # the transfer's other leg is Bob's
    outcome, value, _ = await ask(place.service.client, way, place.ids | place.kept)
    if who == "ann" and way.steps[0][1] in {"wallets", "transactions", "pointsCreditedEvents"}:
        return {"told", "nothing"}, Anything()
    return {outcome}, (value,)


@pytest.mark.parametrize("who", [who for who in EVERYONE if who not in STRANGERS])
async def test_lets_each_caller_watch_what_is_theirs(place: World, who: str) -> None:
    client = place.service.client
    cursor = await client.event_cursor()
    for member in ("cid", "bob", "ann", "dan"):
        await client.credit(member, 1)

    async with Stream(client.ws_url, WATCH, {"after": cursor}, token=place.tokens[who]) as stream:
        if not allowed(who, (("Subscription", "pointsCredited"),)):
            [error] = await stream.refused()
            assert error["extensions"]["code"] == "FORBIDDEN"
        else:
            told = await stream.next_data()
            assert told["pointsCredited"]["identity"] == (who if who in MEMBERS else "cid")


@pytest.mark.parametrize("who", STRANGERS)
async def test_lets_no_stranger_watch_at_all(place: World, who: str) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        async with Stream(place.service.client.ws_url, WATCH, {}, token=place.tokens[who]):
            pass

    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4403
