"""Members: each reads and watches their own, and of all else is told what is told of nothing."""

from collections.abc import AsyncIterator

import pytest

from tests.harness import documents
from tests.harness.campaigns import INBOX, follow_inbox, inbox
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.stream import Stream
from tests.harness.values import Json
from tests.rights.world import World, world

ABSENT = {
    "member": "mem_01jqtc38xmeegs4d2pf28aqkff",
    "wallet": "wal_01jqtc38xmeegs4d2pf28aqkff",
    "credit": "txn_01jqtc38xmeegs4d2pf28aqkff",
    "debit": "txn_01jqtc38xmeegs4d2pf28aqkff",
    "transfer": "txn_01jqtc38xmeegs4d2pf28aqkff",
    "hold": "hld_01jqtc38xmeegs4d2pf28aqkff",
    "message": "inb_01jqtc38xmeegs4d2pf28aqkff",
    "event": "evt_01jqtc38xmeegs4d2pf28aqkff",
}
BY_ID = """query ById($id: ID!, $wallet: ID!) {
  node(id: $id) { __typename id }
  nodes(ids: [$id, $wallet]) { __typename id }
  transaction(id: $id) { id }
  wallet(ref: {id: $wallet}) { id }
}"""
BY_IDENTITY = """query ByIdentity($identity: String!) {
  member(identity: $identity) { id }
  wallet(ref: {owner: {identity: $identity}}) { id }
  wallets(filter: {identity: $identity}) { edges { cursor } pageInfo { hasNextPage endCursor } }
  pointsCreditedEvents(filter: {identity: $identity}) { edges { cursor } pageInfo { endCursor } }
}"""
OF_WALLET = """query OfWallet($wallet: ID!) {
  pointsCreditedEvents(filter: {walletId: $wallet}) { edges { cursor } } }"""
STATEMENT = """query Statement($first: Int, $after: String, $last: Int, $before: String) {
  transactions(first: $first, after: $after, last: $last, before: $before) {
    edges { node { id kind wallet { id member { identity } } related { id } } }
    pageInfo { endCursor hasNextPage startCursor hasPreviousPage } } }"""
WATCH = """subscription Watch($filter: PointsCreditedFilter, $after: String) {
  pointsCredited(filter: $filter, after: $after) { identity points } }"""


@pytest.fixture
async def place(database_url: str, clock: VirtualClock) -> AsyncIterator[World]:
    async with world(database_url, clock) as opened:
        yield opened


@pytest.fixture
async def ann(place: World) -> AsyncIterator[Client]:
    async with place.caller("ann") as client:
        yield client


@pytest.fixture
async def bob(place: World) -> AsyncIterator[Client]:
    async with place.caller("bob") as client:
        yield client


async def test_a_member_reads_all_of_their_own(place: World, ann: Client) -> None:
    for name, own in place.ids.items():
        data = await ann.execute(BY_ID, id=own, wallet=place.ids["wallet"])
        assert data["node"]["id"] == own, name
        assert data["nodes"] == [data["node"], {"__typename": "Wallet", "id": place.ids["wallet"]}]
        assert data["wallet"] == {"id": place.ids["wallet"]}
        assert data["transaction"] == ({"id": own} if own.startswith("txn_") else None)
    wallet = await ann.wallet("ann")
    assert (wallet.id, wallet.balance.active, wallet.balance.held) == (place.ids["wallet"], 400, 20)
    member = await ann.member("ann")
    assert member
    assert (member.name, member.email) == ("Ann Example", "ann@example.com")


async def test_what_is_anothers_is_answered_as_what_is_not_there(place: World, bob: Client) -> None:
    for name, anns in place.ids.items():
        asked: Json = {"id": anns, "wallet": place.ids["wallet"]}
        told = await bob.ask(BY_ID, asked)
        assert told == await bob.ask(BY_ID, {"id": ABSENT[name], "wallet": ABSENT["wallet"]}), name

    told = await bob.ask(BY_IDENTITY, {"identity": "ann"})
    assert told == await bob.ask(BY_IDENTITY, {"identity": "nobody at all"})

    told = await bob.ask(OF_WALLET, {"wallet": place.ids["wallet"]})
    assert told == await bob.ask(OF_WALLET, {"wallet": ABSENT["wallet"]})


async def test_a_program_is_seen_in_a_wallet_and_not_by_itself(ann: Client) -> None:
    wallet = await ann.wallet("ann")

    assert wallet.program == "Points"
    data = await ann.execute("query P($id: ID!) { node(id: $id) { id } }", id=wallet.program_id)
    assert data["node"] is None


async def test_lists_are_of_the_members_own(place: World, ann: Client, bob: Client) -> None:
    admin = place.service.client
    everyones = await admin.transactions(first=100)
    anns = [each.id for each in everyones.nodes if each.wallet_id == place.ids["wallet"]]

    assert [each.id for each in (await ann.wallets()).nodes] == [place.ids["wallet"]]
    assert [each.identity for each in (await bob.wallets()).nodes] == ["bob"]
    assert [each.id for each in (await ann.transactions(first=100)).nodes] == anns
    assert len(anns) == 4
    assert {event.identity for event in (await ann.events()).nodes} == {"ann"}


async def test_a_members_statement_is_paged_both_ways(ann: Client) -> None:
    whole = (await ann.execute(STATEMENT, first=100))["transactions"]["edges"]
    first = (await ann.execute(STATEMENT, first=3))["transactions"]
    rest = (await ann.execute(STATEMENT, first=3, after=first["pageInfo"]["endCursor"]))[
        "transactions"
    ]
    last = (await ann.execute(STATEMENT, last=2))["transactions"]

    assert first["edges"] + rest["edges"] == whole
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert last["edges"] == whole[-2:]


async def test_the_other_leg_of_a_transfer_is_the_others(place: World, bob: Client) -> None:
    [received] = [
        edge["node"]
        for edge in (await bob.execute(STATEMENT, first=10))["transactions"]["edges"]
        if edge["node"]["kind"] == "TRANSFER_IN"
    ]
    seen = await place.service.client.transaction(received["id"])

    assert received["related"] is None
    assert received["wallet"]["member"] == {"identity": "bob"}
    assert seen
    assert seen.related_id == place.ids["transfer"]


async def test_a_member_who_has_no_wallet_has_nothing(place: World) -> None:
    async with place.caller("dan") as dan:
        assert await dan.find_wallet("dan") is None
        assert await dan.member("dan") is None
        assert (await dan.wallets()).nodes == []
        assert (await dan.transactions()).nodes == []
        assert (await dan.events()).nodes == []


async def test_a_member_watches_their_own_whatever_they_ask_for(place: World, bob: Client) -> None:
    admin = place.service.client
    filters: tuple[Json | None, ...] = (None, {}, {"identity": "bob"}, {"minPoints": 1})
    cursor = await admin.event_cursor()
    await admin.credit("ann", 1)
    await admin.credit("bob", 2)

    for wanted in filters:
        variables = {"filter": wanted, "after": cursor}
        async with Stream(bob.ws_url, WATCH, variables, token=bob.token) as stream:
            told = (await stream.next_data())["pointsCredited"]
            assert told == {"identity": "bob", "points": 2}


async def test_a_member_who_asks_for_anothers_events_hears_of_nothing(
    place: World, bob: Client
) -> None:
    admin = place.service.client
    cursor = await admin.event_cursor()
    await admin.credit("ann", 1)
    await admin.credit("bob", 2)
    variables = {"filter": {"identity": "ann"}, "after": cursor}

    async with Stream(bob.ws_url, WATCH, variables, token=bob.token) as stream:
        own = {"query": WATCH, "variables": {"after": cursor}}
        await stream.send({"id": "own", "type": "subscribe", "payload": own})
        first = await stream.receive()
    assert (first["id"], first["payload"]["data"]["pointsCredited"]["points"]) == ("own", 2)
    assert (await bob.events({"identity": "ann"}, after=cursor)).nodes == []


async def test_a_member_who_was_erased_has_nothing(place: World, ann: Client) -> None:
    await place.service.client.erase_member("ann")

    assert await ann.find_wallet("ann") is None
    assert await ann.member("ann") is None
    assert (await ann.transactions()).nodes == []
    data = await ann.execute(BY_ID, id=place.ids["credit"], wallet=place.ids["wallet"])
    assert data == {"node": None, "nodes": [None, None], "transaction": None, "wallet": None}


async def test_a_member_changes_nothing(place: World, ann: Client) -> None:
    moved = {"wallet": {"owner": {"identity": "ann"}}, "points": 1, "idempotencyKey": "mine"}
    for name in ("creditPoints", "debitPoints"):
        [error] = await ann.refused(documents.mutation(name), input=moved)
        assert error["extensions"]["code"] == "FORBIDDEN"

    assert (await place.service.client.balance("ann")).active == 400


async def test_what_keeps_campaigns_is_not_there_for_members(place: World, ann: Client) -> None:
    document = "query N($id: ID!) { node(id: $id) { id } }"
    for name, kept in place.kept.items():
        assert await ann.execute(document, id=kept) == {"node": None}, name


async def test_a_member_reads_and_follows_their_own_inbox(
    place: World, ann: Client, bob: Client
) -> None:
    admin = place.service.client
    [message] = (await inbox(ann, "ann")).nodes
    async with follow_inbox(bob, "ann") as stream:
        [error] = await stream.refused()
    async with follow_inbox(bob, "bob") as stream:
        await place.service.changes_followed(1)
        for member in ("ann", "bob"):
            await admin.credit(member, 5)
        await place.service.plan()
        told = (await stream.next_data())["inboxMessage"]

    assert message["body"] == "For Ann Example"
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert (await inbox(bob, "bob")).nodes[0] == told
    assert (await bob.execute(INBOX, identity="ann"))["member"] is None
