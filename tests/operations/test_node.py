"""node and nodes: anything by its id, for ids name their type."""

import pytest

from tests.harness.client import Client
from tests.harness.coupons import create_coupon
from tests.harness.refusals import assert_request_error

NODE = "query Node($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
SUFFIX = "01jqtc38xmeegs4d2pf28aqkff"


async def one_of_each(client: Client) -> dict[str, str]:
    credit = await client.credit("ann", 50)
    hold = await client.hold("ann", 5)
    wallet = await client.wallet("ann")
    [event] = (await client.events()).nodes
    coupon = await create_coupon(client, "SPRING", points=5)
    return {
        "Coupon": coupon.id,
        "Program": wallet.program_id,
        "Member": wallet.member_id,
        "Wallet": wallet.id,
        "Transaction": credit.id,
        "Hold": hold.held.id,
        "PointsCredited": event.id,
    }


async def test_finds_one_of_each_kind(client: Client) -> None:
    ids = await one_of_each(client)

    for kind, node_id in ids.items():
        data = await client.execute(NODE, id=node_id)
        assert data["node"] == {"__typename": kind, "id": node_id}


async def test_a_nodes_fields_are_those_of_its_type(client: Client) -> None:
    ids = await one_of_each(client)
    document = """query Wallet($id: ID!) {
      node(id: $id) { ... on Wallet { balance { active held } member { identity } } } }"""

    data = await client.execute(document, id=ids["Wallet"])

    assert data["node"] == {"balance": {"active": 45, "held": 5}, "member": {"identity": "ann"}}


async def test_finds_many_in_the_order_asked(client: Client) -> None:
    ids = await one_of_each(client)
    asked = [ids["Wallet"], f"wal_{SUFFIX}", ids["Program"], ids["Wallet"]]

    data = await client.execute(NODES, ids=asked)

    assert data["nodes"] == [
        {"__typename": "Wallet", "id": ids["Wallet"]},
        None,
        {"__typename": "Program", "id": ids["Program"]},
        {"__typename": "Wallet", "id": ids["Wallet"]},
    ]


@pytest.mark.parametrize(
    "prefix",
    ["prg", "mem", "wal", "txn", "hld", "evt", "lot", "cmp", "dlv", "chn", "inb", "cpn", "key"],
)
async def test_an_id_of_nothing_is_null(client: Client, prefix: str) -> None:
    assert await client.execute(NODE, id=f"{prefix}_{SUFFIX}") == {"node": None}


@pytest.mark.parametrize(
    "node_id",
    ["", "ann", "wal_", "wal_!!", f"WAL_{SUFFIX}", f"xyz_{SUFFIX}", "💥", "a\x00b", "w" * 9_999],
)
async def test_what_is_no_id_is_null_or_a_clear_error(client: Client, node_id: str) -> None:
    status, answer = await client.ask(NODE, {"id": node_id})

    if answer.get("errors"):
        assert_request_error(status, answer, "id")
    else:
        assert answer["data"] == {"node": None}


async def test_at_most_a_hundred_at_once(client: Client) -> None:
    data = await client.execute(NODES, ids=[f"wal_{SUFFIX}"] * 100)
    assert data["nodes"] == [None] * 100

    status, answer = await client.ask(NODES, {"ids": [f"wal_{SUFFIX}"] * 101})

    assert_request_error(status, answer, "ids")
