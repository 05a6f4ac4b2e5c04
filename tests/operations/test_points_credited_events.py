"""pointsCreditedEvents: the log of "CT Points Credited", oldest first, resumable for ever."""

from decimal import Decimal

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Json, PointsCredited

CAMPAIGN = "cmp_01jqtc38xmeegs4d2pf28aqkff"


async def test_an_event_tells_all_of_a_credit(client: Client, clock: VirtualClock) -> None:
    expires_at = clock.after(days=90)
    credit = await client.credit(
        "KMN@123",
        50,
        source="CASHBACK_COUPON",
        campaign_id=CAMPAIGN,
        coupon_code="SPRING",
        description="Spring cashback",
        expires_at=expires_at,
        order={"id": "A-1", "saleAmount": 19.99, "saleChannel": "web", "locationId": "Rome"},
    )
    program = await client.program("Points")
    assert program is not None

    [event] = (await client.events()).nodes

    assert event == PointsCredited(
        id=event.id,
        cursor=event.cursor,
        name="CT Points Credited",
        ct_source="API",
        wallet_id=credit.posted.wallet_id,
        transaction_id=credit.id,
        points=50,
        source="CASHBACK_COUPON",
        campaign_id=CAMPAIGN,
        points_description="Spring cashback",
        event_timestamp=clock.now,
        points_expiry=expires_at,
        coupon_code="SPRING",
        coupon_id=None,
        sale_channel="web",
        location_id="Rome",
        sale_amount=Decimal("19.99"),
        identity="KMN@123",
        program_id=program.id,
    )
    assert event.id.startswith("evt_")


@pytest.mark.parametrize(
    ("source", "ct_source"),
    [
        ("API", "API"),
        ("CASHBACK_COUPON", "API"),
        ("MANUAL", "Dashboard"),
        ("CAMPAIGN", "Campaign"),
    ],
)
async def test_the_system_property_says_who_raised_it(
    client: Client, source: str, ct_source: str
) -> None:
    await client.credit("ann", 50, source=source)

    [event] = (await client.events()).nodes
    assert (event.source, event.ct_source) == (source, ct_source)
    assert (event.points_description, event.points_expiry, event.campaign_id) == (None,) * 3


async def test_a_promise_is_told_when_it_becomes_active(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    active_at = clock.after(days=1)
    credit = await client.credit(
        "ann", 50, active_at=active_at, description="Soon", source="MANUAL"
    )
    await service.sweep()
    assert (await client.events()).nodes == []

    clock.advance(days=2)
    await service.sweep()

    [event] = (await client.events()).nodes
    assert event.transaction_id == credit.id
    assert (event.ct_source, event.source) == ("System", "MANUAL")
    assert (event.points, event.event_timestamp) == (50, active_at)
    assert event.points_description == "Soon"


async def test_only_what_is_left_of_a_promise_is_told(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    credit = await client.credit("ann", 50, active_at=clock.after(days=1))
    await client.reverse(credit.id, points=20)
    clock.advance(days=1)

    await service.sweep()

    assert [event.points for event in (await client.events()).nodes] == [30]


async def test_a_command_that_finds_a_promise_due_tells_of_it(
    client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, active_at=clock.after(days=1))
    clock.advance(days=1)

    await client.credit("ann", 7)

    assert [event.points for event in (await client.events()).nodes] == [50, 7]


async def test_nothing_but_points_credited_is_listed(client: Client) -> None:
    credit = await client.credit("ann", 50)
    debit = await client.debit("ann", 20)
    await client.refund(debit.id)
    await client.release((await client.hold("ann", 5)).held.id)
    await client.transfer("ann", "bob", 5)
    await client.reverse(credit.id, points=5)

    assert [event.transaction_id for event in (await client.events()).nodes] == [credit.id]


async def test_pages_oldest_first_and_resumes(client: Client) -> None:
    ids = [(await client.credit("ann", points)).id for points in range(1, 6)]

    first = await client.events(first=2)
    second = await client.events(first=2, after=first.end_cursor)
    third = await client.events(first=2, after=second.end_cursor)

    pages = (first, second, third)
    assert [event.transaction_id for page in pages for event in page.nodes] == ids
    assert [page.has_next_page for page in pages] == [True, True, False]
    for page in pages:
        assert [event.cursor for event in page.nodes] == page.cursors


async def test_the_logs_end_is_a_cursor_too(client: Client) -> None:
    empty = await client.event_cursor()
    first = await client.credit("ann", 1)
    between = await client.event_cursor()
    second = await client.credit("ann", 2)

    async def after(cursor: str) -> list[str]:
        return [event.transaction_id for event in (await client.events(after=cursor)).nodes]

    assert await after(empty) == [first.id, second.id]
    assert await after(between) == [second.id]
    assert await after(await client.event_cursor()) == []


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"identity": "ann"}, [1, 4]),
        ({"identity": "nobody"}, []),
        ({"sources": ["MANUAL"]}, [4]),
        ({"sources": ["API", "CAMPAIGN"]}, [1, 2, 8]),
        ({"campaignId": CAMPAIGN}, [2]),
        ({"minPoints": 4}, [4, 8]),
        ({"identity": "ann", "minPoints": 2}, [4]),
        ({}, [1, 2, 4, 8]),
    ],
    ids=str,
)
async def test_can_be_filtered(client: Client, filter: Json, found: list[int]) -> None:
    await client.create_program("Gold")
    await client.credit("ann", 1)
    await client.credit("bob", 2, source="CAMPAIGN", campaign_id=CAMPAIGN)
    await client.credit("ann", 4, source="MANUAL")
    await client.credit("cyd", 8, program="Gold")

    page = await client.events(filter)

    assert [event.points for event in page.nodes] == found


async def test_can_be_filtered_by_wallet_and_by_program(client: Client) -> None:
    await client.create_program("Gold")
    wallet = (await client.credit("ann", 1)).wallet
    gold = (await client.credit("ann", 2, program="Gold")).wallet
    assert wallet is not None
    assert gold is not None

    by_wallet = await client.events({"walletId": wallet.id})
    by_program = await client.events({"programId": gold.program_id})

    assert [event.points for event in by_wallet.nodes] == [1]
    assert [event.points for event in by_program.nodes] == [2]


async def test_a_cursor_is_good_with_any_filter(client: Client) -> None:
    await client.credit("ann", 1)
    cursor = (await client.events({"identity": "ann"})).end_cursor
    await client.credit("bob", 2)

    page = await client.events({"identity": "bob"}, after=cursor)

    assert [event.points for event in page.nodes] == [2]
