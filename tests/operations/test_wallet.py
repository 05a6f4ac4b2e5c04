"""wallet: one wallet, its balance at any time, its statement, holds and expiries."""

from datetime import timedelta
from itertools import accumulate

import pytest

from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Balance, Lifetime


async def test_is_found_by_its_owner_and_by_its_id(client: Client) -> None:
    wallet_id = (await client.credit("ann", 50)).posted.wallet_id

    by_owner = await client.wallet("ann")
    by_named_program = await client.wallet("ann", program="Points")
    by_id = await client.wallet(wallet_id)

    assert by_owner == by_named_program == by_id
    assert wallet_id.startswith("wal_")


async def test_is_null_where_there_is_none(client: Client) -> None:
    await client.upsert_member("ann")

    assert await client.find_wallet("ann") is None
    assert await client.find_wallet("bob") is None
    assert await client.find_wallet("ann", program="Silver") is None
    assert await client.find_wallet("wal_01jqtc38xmeegs4d2pf28aqkff") is None


async def test_balances_in_the_past_are_what_a_read_then_showed(
    client: Client, clock: VirtualClock
) -> None:
    opened = clock.now
    await client.credit("ann", 50)
    clock.advance(days=1)
    await client.debit("ann", 20)
    clock.advance(days=1)
    await client.hold("ann", 5)
    clock.advance(minutes=1)

    assert await client.balance("ann", at=opened - MICROSECOND) == Balance()
    assert await client.balance("ann", at=opened) == Balance(active=50)
    at = opened + timedelta(days=1)
    assert await client.balance("ann", at=at - MICROSECOND) == Balance(active=50)
    assert await client.balance("ann", at=at) == Balance(active=30)
    at = opened + timedelta(days=2)
    assert await client.balance("ann", at=at) == Balance(active=25, held=5)
    assert await client.balance("ann", at=clock.now) == Balance(active=25, held=5)


@pytest.mark.parametrize("swept", [False, True], ids=["unswept", "swept"])
async def test_the_clocks_own_work_shows_at_its_time_in_the_past(
    service: Service, client: Client, clock: VirtualClock, *, swept: bool
) -> None:
    activation, expiry = clock.after(days=1), clock.after(days=3)
    await client.credit("ann", 50, active_at=activation, expires_at=expiry)
    clock.advance(days=10)
    if swept:
        await service.sweep()

    assert await client.balance("ann", at=activation - MICROSECOND) == Balance(promised=50)
    assert await client.balance("ann", at=activation) == Balance(active=50)
    assert await client.balance("ann", at=expiry - MICROSECOND) == Balance(active=50)
    assert await client.balance("ann", at=expiry) == Balance()


async def test_in_the_future_only_the_clock_acts(client: Client, clock: VirtualClock) -> None:
    activation, release, expiry = (clock.after(days=days) for days in (1, 2, 3))
    await client.credit("ann", 50, expires_at=expiry)
    await client.credit("ann", 7, active_at=activation)
    await client.hold("ann", 20, expires_at=release)

    assert await client.balance("ann", at=activation - MICROSECOND) == Balance(30, 7, 20)
    assert await client.balance("ann", at=activation) == Balance(37, 0, 20)
    assert await client.balance("ann", at=release) == Balance(57)
    assert await client.balance("ann", at=expiry) == Balance(7)
    assert await client.balance("ann", at=clock.after(days=30_000)) == Balance(7)
    assert await client.balance("ann") == Balance(30, 7, 20)


async def test_a_hold_that_outlives_its_points_lets_them_expire_in_the_future(
    client: Client, clock: VirtualClock
) -> None:
    expiry, release = clock.after(days=2), clock.after(days=5)
    await client.credit("ann", 50, expires_at=expiry)
    await client.hold("ann", 30, expires_at=release)

    assert await client.balance("ann", at=expiry) == Balance(held=30)
    assert await client.balance("ann", at=release - MICROSECOND) == Balance(held=30)
    assert await client.balance("ann", at=release) == Balance()


async def test_expiring_is_soonest_first_and_within_what_is_asked(
    client: Client, clock: VirtualClock
) -> None:
    soon, late = clock.after(days=5), clock.after(days=50)
    await client.credit("ann", 10, expires_at=late)
    await client.credit("ann", 20, expires_at=soon)
    await client.credit("ann", 30)

    assert await client.expiring("ann") == [(soon, 20), (late, 10)]
    assert await client.expiring("ann", within="P30D") == [(soon, 20)]
    assert await client.expiring("ann", within="PT1H") == []


async def test_expiring_leaves_out_what_is_spent_and_what_has_expired(
    client: Client, clock: VirtualClock
) -> None:
    soon, late = clock.after(days=5), clock.after(days=50)
    await client.credit("ann", 10, expires_at=soon)
    await client.credit("ann", 10, expires_at=late)
    await client.debit("ann", 4)
    assert await client.expiring("ann") == [(soon, 6), (late, 10)]

    clock.set(soon)

    assert await client.expiring("ann") == [(late, 10)]


async def test_the_lifetime_and_the_balance_always_add_up(
    client: Client, clock: VirtualClock
) -> None:
    first = await client.credit("ann", 100, expires_at=clock.after(days=9))
    await client.credit("ann", 40, active_at=clock.after(days=2))
    debit = await client.debit("ann", 30)
    await client.debit("ann", 5, manual=True)
    await client.refund(debit.id, points=10)
    await client.reverse(first.id, points=15)
    await client.hold("ann", 8, expires_at=clock.after(days=20))
    await client.transfer("ann", "bob", 12)
    await client.transfer("bob", "ann", 2)
    clock.advance(days=10)

    wallet = await client.wallet("ann")

    assert wallet.lifetime == Lifetime(
        credited=140,
        transferred_in=2,
        transferred_out=12,
        redeemed=20,
        removed=5,
        expired=42,
        reversed=15,
    )
    assert wallet.balance == Balance(active=40, held=8)
    assert wallet.balance.total == wallet.lifetime.total


async def test_each_rows_balances_are_the_running_sums(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    credit = await client.credit("ann", 100, expires_at=clock.after(days=9))
    await client.credit("ann", 40, active_at=clock.after(days=2))
    await client.debit("ann", 30)
    await client.hold("ann", 8)
    await client.reverse(credit.id, points=15)
    clock.advance(days=10)
    await service.sweep()

    rows = await client.history("ann")

    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    for part in ("active", "promised", "held"):
        sums = accumulate(getattr(row.change, part) for row in rows)
        assert list(sums) == [getattr(row.balance_after, part) for row in rows]


async def test_the_statement_pages_newest_first_in_both_directions(client: Client) -> None:
    ids = [(await client.credit("ann", points)).id for points in range(1, 8)][::-1]

    first = await client.statement("ann", first=3)
    second = await client.statement("ann", first=3, after=first.end_cursor)
    third = await client.statement("ann", first=3, after=second.end_cursor)
    back = await client.statement("ann", last=3, before=third.start_cursor)
    tail = await client.statement("ann", last=3)

    forward = [row.id for page in (first, second, third) for row in page.nodes]
    assert forward == ids
    assert [first.has_next_page, second.has_next_page, third.has_next_page] == [True, True, False]
    assert first.has_previous_page is False
    assert back.nodes == second.nodes
    assert back.has_previous_page is True
    assert [row.id for row in tail.nodes] == ids[-3:]
    assert (tail.has_previous_page, tail.has_next_page) == (True, False)
    assert first.cursors[0] == first.start_cursor
    assert first.cursors[-1] == first.end_cursor


async def test_a_page_stays_in_place_while_new_rows_come(client: Client) -> None:
    ids = [(await client.credit("ann", points)).id for points in range(1, 5)][::-1]
    first = await client.statement("ann", first=2)

    await client.credit("ann", 99)

    second = await client.statement("ann", first=2, after=first.end_cursor)
    assert [row.id for row in second.nodes] == ids[2:]


async def test_an_empty_page_has_no_cursors(client: Client) -> None:
    await client.credit("ann", 1)

    page = await client.statement("ann", filter={"kinds": ["DEBIT"]})

    assert (page.nodes, page.start_cursor, page.end_cursor) == ([], None, None)
    assert (page.has_next_page, page.has_previous_page) == (False, False)


async def test_a_page_is_twenty_unless_said_otherwise(client: Client) -> None:
    await client.credit_batch([client.credit_of("ann", 1) for _ in range(21)])

    page = await client.statement("ann")

    assert len(page.nodes) == 20
    assert page.has_next_page is True


async def test_the_statement_can_be_filtered(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50, source="MANUAL")
    clock.advance(days=1)
    day_two = clock.now
    await client.credit("ann", 7, order={"id": "A-1"})
    await client.debit("ann", 20)

    async def points(**filter: object) -> list[object]:
        return [row.points for row in (await client.statement("ann", filter=filter)).nodes]

    assert await points(kinds=["CREDIT"]) == [7, 50]
    assert await points(kinds=["CREDIT", "DEBIT"]) == [20, 7, 50]
    assert await points(sources=["MANUAL"]) == [50]
    assert await points(**{"from": day_two.isoformat()}) == [20, 7]
    assert await points(to=day_two.isoformat()) == [50]
    assert await points(minPoints=20) == [20, 50]
    assert await points(maxPoints=20) == [20, 7]
    assert await points(minPoints=8, maxPoints=49) == [20]
    assert await points(orderId="A-1") == [7]


async def test_a_members_wallets_are_listed(client: Client) -> None:
    await client.create_program("Gold")
    await client.credit("bob", 1)
    points = (await client.credit("ann", 1)).posted.wallet_id
    gold = (await client.credit("ann", 1, program="Gold")).posted.wallet_id

    page = await client.member_wallets("ann")

    assert [wallet.id for wallet in page.nodes] == [gold, points]
