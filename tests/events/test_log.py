"""The log: every fact once, in the order of commits, told as CT Points Credited tell it."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import Connection, select

from events.audit import SERVICE
from events.log import (
    CreditedFilter,
    EventDraft,
    PointsCredited,
    append,
    find_credited,
    head,
    read_credited,
)
from ledger.commands import Credit, Debit, Order, Owner
from ledger.registry import EraseMember
from models.database import Database, open_database
from models.tables import events, log_head, transactions
from tests.events.diary import Diary
from tests.harness.book import ANN, BOB, open_book
from tests.harness.clock import VirtualClock

DAY_US = 86_400_000_000
WRITERS = 8
BATCHES = 25


def draft(number: int) -> EventDraft:
    return EventDraft("POINTS_HELD", f"wal_{number}", "prg_1", f"txn_{number}", None, 1, None, 1)


async def read(diary: Diary, after: int = 0, **wanted: object) -> list[PointsCredited]:
    wants = CreditedFilter(**wanted)  # pyright: ignore[reportArgumentType]
    return await diary.database.read(read_credited, after, 100, wants)


async def test_positions_are_dense_and_the_head_is_the_last(database_url: str) -> None:
    database = open_database(database_url)

    assert await database.read(head) == 0
    assert await database.write(append, [draft(1), draft(2)]) == 2
    assert await database.write(append, [draft(3)]) == 3

    assert await database.read(head) == 3
    query = select(events.c.position, events.c.wallet_id).order_by(events.c.position)
    rows = await database.read(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in rows] == [(1, "wal_1"), (2, "wal_2"), (3, "wal_3")]
    await database.close()


async def test_what_is_rolled_back_leaves_no_gap(database_url: str) -> None:
    database = open_database(database_url)

    def fail(connection: Connection) -> None:
        append(connection, [draft(1), draft(2)])
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)

    assert await database.write(append, [draft(3)]) == 1
    await database.close()


async def test_a_reader_misses_nothing_that_many_write_at_once(shared_url: str) -> None:
    """Eight writers, two readers: whoever has seen a position has seen all before it."""
    writers = [open_database(shared_url) for _ in range(WRITERS)]
    reading = open_database(shared_url)
    done = asyncio.Event()

    async def write(database: Database, number: int) -> None:
        for batch in range(BATCHES):
            first = number * 1_000 + batch * 10
            drafts = [draft(first + i) for i in range(batch % 5 + 1)]
            await database.write(append, drafts)

    async def follow() -> list[int]:
        seen: list[int] = []
        query = select(events.c.position).order_by(events.c.position)
        while True:
            last_round = done.is_set()
            after = seen[-1] if seen else 0
            past = query.where(events.c.position > after)
            found = await reading.read(lambda c, q=past: c.execute(q).scalars().all())
            seen += found
            if last_round:
                return seen

    readers = [asyncio.create_task(follow()) for _ in range(2)]
    await asyncio.gather(*(write(database, n) for n, database in enumerate(writers)))
    done.set()

    written = WRITERS * sum(batch % 5 + 1 for batch in range(BATCHES))
    for seen in await asyncio.gather(*readers):
        assert seen == list(range(1, written + 1))
    for database in (*writers, reading):
        await database.close()


async def test_an_immediate_credit_is_told_whole(diary: Diary) -> None:
    start = diary.clock()
    await diary.do(
        Credit(
            wallet=ANN,
            points=1_500_000,
            key="",
            source="CASHBACK_COUPON",
            campaign_id="cmp_1",
            coupon_code="SPRING",
            description="thanks",
            expires_at=start + DAY_US,
            order=Order(sale_amount=9.5, sale_channel="web", location_id="here"),
        )
    )
    (event,) = await read(diary)

    assert event == PointsCredited(
        position=1,
        id=event.id,
        wallet_id=event.wallet_id,
        program_id=event.program_id,
        transaction_id=event.transaction_id,
        points=1_500_000,
        source="CASHBACK_COUPON",
        campaign_id="cmp_1",
        description="thanks",
        sale_channel="web",
        location_id="here",
        sale_amount=9.5,
        coupon_code="SPRING",
        coupon_id=None,
        ct_source="API",
        at=start,
        expires_at=start + DAY_US,
        identity="ann",
    )
    assert event.id.startswith("evt_")
    assert await diary.database.read(find_credited, [event.id, "evt_none"]) == {event.id: event}


@pytest.mark.parametrize(
    ("source", "ct_source"),
    [
        ("API", "API"),
        ("CASHBACK_COUPON", "API"),
        ("MANUAL", "Dashboard"),
        ("CAMPAIGN", "Campaign"),
    ],
)
async def test_tells_what_raised_it(diary: Diary, source: str, ct_source: str) -> None:
    credit = Credit(wallet=ANN, points=1_000, key="", source=source)  # pyright: ignore[reportArgumentType]
    await diary.do(credit)

    (event,) = await read(diary)

    assert (event.source, event.ct_source, event.expires_at) == (source, ct_source, None)


async def test_a_promise_is_told_when_it_is_kept_and_names_its_credit(diary: Diary) -> None:
    due = diary.clock() + DAY_US
    await diary.do(
        Credit(wallet=ANN, points=1_000, key="", source="MANUAL", description="d", active_at=due)
    )
    assert await read(diary) == []
    diary.clock.advance(days=3)
    await diary.ledger.sweep()

    (event,) = await read(diary)

    assert (event.position, event.at, event.ct_source) == (2, due, "System")
    assert (event.source, event.description, event.points) == ("MANUAL", "d", 1_000)
    (credit,) = await diary.database.read(find_transaction_ids, "CREDIT")
    assert event.transaction_id == credit


def find_transaction_ids(connection: Connection, kind: str) -> list[str]:
    query = select(transactions.c.id).where(transactions.c.kind == kind)
    return list(connection.execute(query).scalars())


async def test_tells_nothing_else(diary: Diary) -> None:
    await diary.credit("ann", points=3_000)
    (outcome,) = await diary.ledger.submit_all(
        [Debit(wallet=ANN, points=1_000, key="debit")], SERVICE
    )
    assert outcome.refusal is None

    assert [event.position for event in await read(diary)] == [1]
    assert await diary.database.read(head) == 2


async def test_filters_by_all_that_is_set(diary: Diary) -> None:
    await diary.do(
        Credit(wallet=ANN, points=1_000, key="", source="MANUAL"),
        Credit(wallet=ANN, points=5_000, key="", source="CAMPAIGN", campaign_id="cmp_1"),
        Credit(wallet=BOB, points=5_000, key="", source="CAMPAIGN", campaign_id="cmp_2"),
        Credit(wallet=BOB, points=9_000, key=""),
    )
    everything = await read(diary)
    ann, bob = everything[0], everything[2]

    async def positions(after: int = 0, **wanted: object) -> list[int]:
        found = await read(diary, after, **wanted)
        wants = CreditedFilter(**wanted)  # pyright: ignore[reportArgumentType]
        assert found == [e for e in everything if e.position > after and wants.wants(e)]
        return [event.position for event in found]

    assert await positions() == [1, 2, 3, 4]
    assert await positions(2) == [3, 4]
    assert await positions(wallet_id=ann.wallet_id) == [1, 2]
    assert await positions(identity="bob") == [3, 4]
    assert await positions(identity="nobody") == []
    assert await positions(program_id=ann.program_id) == [1, 2, 3, 4]
    assert await positions(program_id="prg_none") == []
    assert await positions(sources=["MANUAL", "API"]) == [1, 4]
    assert await positions(campaign_id="cmp_2") == [3]
    assert await positions(min_points=5_000) == [2, 3, 4]
    assert await positions(2, identity="bob", sources=["CAMPAIGN"], min_points=5_000) == [3]
    assert await positions(wallet_id=ann.wallet_id, identity=bob.identity) == []


async def test_reads_so_many_and_so_far(diary: Diary) -> None:
    await diary.credit("a", "b", "c", "d")

    two = await diary.database.read(read_credited, 1, 2)
    early = await diary.database.read(read_credited, 0, 100, CreditedFilter(), 3)

    assert [event.position for event in two] == [2, 3]
    assert [event.position for event in early] == [1, 2, 3]


async def test_an_erased_member_is_told_of_without_a_name(diary: Diary) -> None:
    await diary.do(Credit(wallet=Owner("ann"), points=1_000, key="", description="for Ann"))
    (before,) = await read(diary)
    member_id = await diary.ledger.erase_member(EraseMember(identity="ann"), SERVICE)

    (event,) = await read(diary)

    assert (before.identity, before.description) == ("ann", "for Ann")
    assert (event.identity, event.description) == (f"erased:{member_id}", None)


async def test_every_transaction_has_its_event_in_its_wallets_order(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(*(Credit(wallet=ANN, points=1_000, key=f"k{n}") for n in range(10)))
        told = await book.ask(
            "SELECT t.sequence FROM events e JOIN transactions t ON t.id = e.transaction_id"
            " ORDER BY e.position"
        )
        last = await book.ask(f"SELECT {log_head.c.position.name} FROM log_head")

    assert all(one < other for (one,), (other,) in pairwise(told))
    assert last == [(10,)]
