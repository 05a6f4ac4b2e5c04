"""transactions: every written row of the ledger, newest first, filtered and paged."""

import pytest

from tests.harness.client import Client
from tests.harness.clock import START, VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Json

CAMPAIGN = "cmp_01jqtc38xmeegs4d2pf28aqkff"


async def a_week(client: Client, clock: VirtualClock) -> list[str]:
    """Make one row a day over two wallets; return their ids, oldest first."""
    order = {"id": "A-1"}
    ids = [(await client.credit("ann", 50, source="MANUAL")).id]
    clock.advance(days=1)
    ids.append((await client.credit("bob", 30, source="CAMPAIGN", campaign_id=CAMPAIGN)).id)
    clock.advance(days=1)
    ids.append((await client.debit("ann", 20, order=order)).id)
    clock.advance(days=1)
    ids.append((await client.credit("ann", 5, order=order)).id)
    clock.advance(days=1)
    ids.append((await client.hold("bob", 10)).id)
    clock.advance(seconds=1)
    return ids


async def test_lists_the_rows_of_all_wallets_newest_first(
    client: Client, clock: VirtualClock
) -> None:
    ids = await a_week(client, clock)

    page = await client.transactions()

    assert [row.id for row in page.nodes] == ids[::-1]
    assert page.nodes == [await client.transaction(transaction_id) for transaction_id in ids[::-1]]


async def test_pages_in_both_directions(client: Client, clock: VirtualClock) -> None:
    ids = (await a_week(client, clock))[::-1]

    first = await client.transactions(first=2)
    second = await client.transactions(first=2, after=first.end_cursor)
    third = await client.transactions(first=2, after=second.end_cursor)
    assert [row.id for page in (first, second, third) for row in page.nodes] == ids

    last = await client.transactions(last=2)
    before = await client.transactions(last=3, before=last.start_cursor)
    assert [row.id for page in (before, last) for row in page.nodes] == ids
    assert (last.has_previous_page, before.has_previous_page) == (True, False)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"kinds": ["HOLD"]}, [4]),
        ({"kinds": ["CREDIT", "DEBIT"]}, [3, 2, 1, 0]),
        ({"kinds": ["EXPIRY"]}, []),
        ({"sources": ["MANUAL", "CAMPAIGN"]}, [1, 0]),
        ({"sources": ["API"], "kinds": ["CREDIT"]}, [3]),
        ({"minPoints": 20}, [2, 1, 0]),
        ({"maxPoints": 20}, [4, 3, 2]),
        ({"minPoints": 10, "maxPoints": 30}, [4, 2, 1]),
        ({"orderId": "A-1"}, [3, 2]),
        ({"orderId": "A-1", "kinds": ["DEBIT"]}, [2]),
        ({"orderId": "nobody's"}, []),
        ({"campaignId": CAMPAIGN}, [1]),
        ({"from": "2026-03-12T09:00:00Z"}, [4, 3, 2]),
        ({"from": "2026-03-12T09:00:00.000001Z"}, [4, 3]),
        ({"to": "2026-03-12T09:00:00Z"}, [1, 0]),
        ({"from": "2026-03-11T10:00:00+01:00", "to": "2026-03-13T09:00:00Z"}, [2, 1]),
        ({}, [4, 3, 2, 1, 0]),
    ],
    ids=str,
)
async def test_can_be_filtered(
    client: Client, clock: VirtualClock, filter: Json, found: list[int]
) -> None:
    assert clock.now == START
    ids = await a_week(client, clock)

    page = await client.transactions(filter)

    assert [ids.index(row.id) for row in page.nodes] == found


async def test_a_filtered_list_pages_without_gap(client: Client, clock: VirtualClock) -> None:
    ids = await a_week(client, clock)

    first = await client.transactions({"kinds": ["CREDIT"]}, first=2)
    rest = await client.transactions({"kinds": ["CREDIT"]}, first=2, after=first.end_cursor)

    assert [ids.index(row.id) for page in (first, rest) for row in page.nodes] == [3, 1, 0]
    assert rest.has_next_page is False


async def test_only_written_rows_are_listed(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    clock.advance(days=1)
    assert [row.kind for row in (await client.transactions()).nodes] == ["CREDIT"]

    await service.sweep()

    assert [row.kind for row in (await client.transactions()).nodes] == ["EXPIRY", "CREDIT"]


async def test_one_transaction_is_found_by_its_id(client: Client) -> None:
    credit = (await client.credit("ann", 50)).posted

    assert await client.transaction(credit.id) == credit
    assert await client.transaction(CAMPAIGN.replace("cmp", "txn")) is None
