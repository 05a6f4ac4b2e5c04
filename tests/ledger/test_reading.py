"""Reading: records by what names them, and what they come to at an instant."""

from dataclasses import replace

from sqlalchemy import Connection, select

from events.audit import SERVICE
from ledger import reading
from ledger.commands import Credit, Debit, Owner, PlaceHold, RefundDebit, ReverseCredit
from ledger.entries import Entry
from ledger.reading import (
    Balance,
    Summary,
    balances_at,
    expiring,
    find_holds,
    find_members,
    find_members_known_as,
    find_programs,
    find_programs_named,
    find_transactions,
    find_wallet_of,
    find_wallets,
    summarize,
    wallets_as_of,
)
from ledger.records import Wallet
from models import tables
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock
from tests.harness.statements import counted_statements
from tests.ledger.believable import DAY_US, program


async def balances(book: Book, at: int) -> Balance:
    """The only wallet's."""

    def read(connection: Connection) -> Balance:
        (wallet,) = [Wallet(*row) for row in connection.execute(select(tables.wallets))]
        return balances_at(connection, [wallet], at)[wallet.id]

    return await book.database.read(read)


async def test_finds_what_there_is_by_id_and_by_name(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        credit, placed = await book.do(
            Credit(wallet=ANN, points=9_000, key="credit", description="thanks"),
            PlaceHold(wallet=ANN, points=1_000, key="hold"),
        )
        wallet = await book.wallet()
        assert credit.transaction is not None
        assert placed.transaction is not None
        hold_id = str(placed.transaction.hold_id)
        read = book.database.read

        (program,) = (await read(find_programs, [wallet.program_id, "prg_none"])).values()
        assert program.name == "Points"
        assert await read(find_programs_named, ["Points", "None"]) == {"Points": program}
        (member,) = (await read(find_members, [wallet.member_id])).values()
        assert member.identity == "ann"
        assert await read(find_members_known_as, ["ann", "bob"]) == {"ann": member}
        assert await read(find_wallets, [wallet.id, "wal_none"]) == {wallet.id: wallet}
        assert await read(find_wallet_of, ANN) == wallet
        assert await read(find_wallet_of, BOB) is None
        assert await read(find_wallet_of, Owner("ann", "None")) is None
        found = await read(find_transactions, [credit.transaction.id, placed.transaction.id])
        assert found[credit.transaction.id] == Entry.of(credit.transaction, credit.detail)
        assert found[placed.transaction.id] == Entry.of(placed.transaction, None)
        assert found[credit.transaction.id].description == "thanks"
        assert found[credit.transaction.id].change == (9_000, 0, 0)
        assert found[placed.transaction.id].change == (-1_000, 0, 1_000)
        assert found[placed.transaction.id].balance_after == (8_000, 0, 1_000)
        (hold,) = (await read(find_holds, [hold_id])).values()
        assert (hold.points, hold.status) == (1_000, "OPEN")
        assert await read(find_transactions, []) == {}


async def test_wallets_of_which_nothing_is_due_cost_no_statement(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(Credit(wallet=ANN, points=9_000, key="k", expires_at=clock() + DAY_US))
        wallet = await book.wallet()

        with counted_statements() as sent:
            as_of = await book.database.read(wallets_as_of, [wallet], clock() + DAY_US - 1)

    assert as_of == {wallet.id: wallet}
    assert [one for one in sent if not one.startswith("BEGIN")] == []


async def test_a_balance_changes_at_the_very_instant(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        await book.do(
            Credit(wallet=ANN, points=5_000, key="fades", expires_at=start + DAY_US),
            Credit(wallet=ANN, points=2_000, key="comes", active_at=start + 2 * DAY_US),
            PlaceHold(wallet=ANN, points=1_000, key="held", expires_at=start + 3 * DAY_US),
        )

        assert await balances(book, start - 1) == Balance()
        assert await balances(book, start) == Balance(4_000, 2_000, 1_000)
        assert await balances(book, start + DAY_US - 1) == Balance(4_000, 2_000, 1_000)
        assert await balances(book, start + DAY_US) == Balance(0, 2_000, 1_000)
        assert await balances(book, start + 2 * DAY_US - 1) == Balance(0, 2_000, 1_000)
        assert await balances(book, start + 2 * DAY_US) == Balance(2_000, 0, 1_000)
        assert await balances(book, start + 3 * DAY_US) == Balance(2_000, 0, 0)


async def test_a_past_balance_is_of_the_last_of_several_rows_of_one_instant(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        await book.do(*(Credit(wallet=ANN, points=1_000, key=f"k{n}") for n in range(5)))
        clock.advance(seconds=1)
        await book.do(Debit(wallet=ANN, points=2_000, key="debit"))

        assert await balances(book, start) == Balance(5_000)
        assert await balances(book, clock() - 1) == Balance(5_000)
        assert await balances(book, clock()) == Balance(3_000)


async def test_tells_what_expires_soonest_first(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        late, soon = start + 5 * DAY_US, start + 2 * DAY_US
        await book.do(
            Credit(wallet=ANN, points=1_000, key="late", expires_at=late),
            Credit(wallet=ANN, points=2_000, key="soon", expires_at=soon),
            Credit(wallet=ANN, points=3_000, key="as soon", expires_at=soon),
            Credit(wallet=ANN, points=4_000, key="never"),
            Credit(
                wallet=ANN, points=5_000, key="to come", active_at=start + DAY_US, expires_at=late
            ),
            PlaceHold(wallet=ANN, points=500_000 // 500, key="held", expires_at=start + DAY_US),
        )
        wallet = await book.wallet()

        async def told(now: int, until: int) -> list[tuple[int, int]]:
            found = await book.database.read(expiring, [wallet.id, "wal_none"], now, until)
            assert found["wal_none"] == []
            return found[wallet.id]

        assert await told(start, late - 1) == [(4_000, soon)]
        assert await told(start, late) == [(4_000, soon), (1_000, late)]
        # What has become active and what was released meanwhile counts, written or not.
        assert await told(start + DAY_US, late) == [(5_000, soon), (6_000, late)]
        assert await told(soon, late) == [(6_000, late)]
        assert await told(start, 10**18) == [(4_000, soon), (1_000, late)]


async def test_what_follows_activity_expires_with_it(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await book.ledger.create_program(program("Fades", "INACTIVITY", 2), SERVICE)
        await book.do(Credit(wallet=Owner("ann", "Fades"), points=3_000, key="credit"))
        clock.advance(days=1)
        await book.do(Debit(wallet=Owner("ann", "Fades"), points=1_000, key="debit"))
        wallet = await book.wallet()
        moved_to = clock() + 2 * DAY_US

        found = await book.database.read(expiring, [wallet.id], clock(), moved_to)

        assert found == {wallet.id: [(2_000, moved_to)]}
        assert await balances(book, moved_to - 1) == Balance(2_000)
        assert await balances(book, moved_to) == Balance()


async def test_what_was_held_when_its_wallet_lapsed_expires_as_it_is_released(
    database_url: str, clock: VirtualClock
) -> None:
    ann = Owner("ann", "Fades")
    async with open_book(database_url, clock) as book:
        start = clock()
        await book.ledger.create_program(program("Fades", "INACTIVITY", 2), SERVICE)
        await book.do(Credit(wallet=ann, points=3_000, key="lapses"))
        clock.advance(days=1)
        until = start + 4 * DAY_US
        await book.do(PlaceHold(wallet=ann, points=3_000, key="hold", expires_at=until))
        clock.advance(days=2)
        await book.do(Credit(wallet=ann, points=1_000, key="too late for it"))

        assert await balances(book, until - 1) == Balance(1_000, 0, 3_000)
        assert await balances(book, until) == Balance(1_000)


async def test_what_is_released_and_then_expires_counts_at_its_expiry(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        released_at, expires_at = start + DAY_US, start + 2 * DAY_US
        await book.do(
            Credit(wallet=ANN, points=1_000, key="credit", expires_at=expires_at),
            PlaceHold(wallet=ANN, points=1_000, key="hold", expires_at=released_at),
        )
        (program_id,) = {row.program_id for row in await book.rows()}

        async def expired(since: int, until: int) -> int:
            now = expires_at + DAY_US
            return (await book.database.read(summarize, program_id, now, since, until)).expired

        assert await expired(start, expires_at) == 0
        assert await expired(expires_at, expires_at + 1) == 1_000


async def test_tells_a_thousand_instants_of_expiry_at_most(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        soon = clock() + DAY_US
        await book.do(
            *(
                Credit(wallet=ANN, points=1_000, key=f"k{n}", expires_at=soon + n)
                for n in range(reading.EXPIRING_MAX + 5)
            )
        )
        wallet = await book.wallet()

        found = await book.database.read(expiring, [wallet.id], clock(), soon + DAY_US)

    assert found[wallet.id] == [(1_000, soon + n) for n in range(1_000)]


async def test_a_summary_has_balances_now_and_what_came_and_went_within_a_span(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        credit, _ = await book.do(
            Credit(wallet=ANN, points=50_000, key="credit", source="MANUAL"),
            Credit(wallet=BOB, points=8_000, key="fades", expires_at=start + 2 * DAY_US),
        )
        clock.advance(days=1)
        debit, *_ = await book.do(
            Debit(wallet=ANN, points=10_000, key="debit"),
            Debit(wallet=ANN, points=4_000, key="removal", manual=True),
            PlaceHold(wallet=ANN, points=1_000, key="hold", expires_at=start + 9 * DAY_US),
            ReverseCredit(transaction_id=str(credit.transaction_id), points=3_000, key="reverse"),
        )
        clock.advance(days=2)
        await book.do(
            RefundDebit(transaction_id=str(debit.transaction_id), points=2_000, key="refund")
        )
        (program_id,) = {row.program_id for row in await book.rows()}

        async def summary(since: int | None, until: int | None) -> Summary:
            return await book.database.read(summarize, program_id, clock(), since, until)

        assert await summary(None, None) == Summary(
            active=34_000,
            held=1_000,
            credited=58_000,
            redeemed=8_000,
            removed=4_000,
            expired=8_000,
            reversed=3_000,
            credited_by_source={"MANUAL": 50_000, "API": 8_000},
        )
        now = Summary(active=34_000, held=1_000)
        second = start + DAY_US
        assert await summary(start + 1, second) == now
        assert await summary(second, second + 1) == replace(
            now, redeemed=10_000, removed=4_000, reversed=3_000
        )
        # Due and not written: it counts at its instant. A refund counts at its own.
        assert await summary(second + 1, start + 2 * DAY_US) == now
        assert await summary(start + 2 * DAY_US, clock()) == replace(now, expired=8_000)
        assert await summary(clock(), None) == replace(now, redeemed=-2_000)
        assert await book.database.read(summarize, "prg_none", clock(), None, None) == Summary()
