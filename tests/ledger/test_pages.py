"""Pages: a list cut anywhere, forwards and backwards, is the list."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest
from sqlalchemy import Table, select

from events.audit import SERVICE
from ledger.commands import Credit, Debit, Order, Owner, PlaceHold, ReleaseHold
from ledger.entries import Entry
from ledger.filters import TransactionFilter, WalletFilter
from ledger.lots import expires_at
from ledger.pages import (
    page_credited_not_redeemed,
    page_holds_of_wallets,
    page_programs,
    page_transactions,
    page_transactions_of_wallets,
    page_wallets,
    page_wallets_of_members,
    page_wallets_of_programs,
)
from ledger.records import Hold, Lot, Program, Transaction, Wallet
from ledger.registry import FreezeWallet
from models.tables import lots, programs, wallets
from models.windows import Page, Window
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock
from tests.ledger.believable import DAY_US, Story

R = TypeVar("R")
Cutting = Callable[[Window], Awaitable[Page[Any]]]


def ids(page: Page[Any]) -> list[str]:
    """The ids of a page's records."""
    return [record.id for _, record in page.items]


async def assert_is_cut_into(whole: Sequence[str], cut: Cutting) -> None:
    """Go through a list forwards and backwards, by threes, and between two of its items."""
    everything = (await cut(Window(first=100))).items
    assert [ids(Page([item], has_next=False, has_previous=False))[0] for item in everything] == [
        *whole
    ]
    for number in range(0, len(whole), 3):
        after = everything[number - 1][0] if number else None
        page = await cut(Window(first=3, after=after))
        assert ids(page) == [*whole[number : number + 3]]
        assert (page.has_next, page.has_previous) == (number + 3 < len(whole), number > 0)
        until = len(whole) - number
        before = everything[until][0] if number else None
        page = await cut(Window(last=3, before=before))
        assert ids(page) == [*whole[max(until - 3, 0) : until]]
        assert (page.has_next, page.has_previous) == (number > 0, until > 3)
    if len(whole) > 4:
        after, before = everything[0][0], everything[4][0]
        assert ids(await cut(Window(first=2, after=after, before=before))) == [*whole[1:3]]
        assert ids(await cut(Window(last=2, after=after, before=before))) == [*whole[2:4]]


async def all_of(book: Book, table: Table, record: Callable[..., R]) -> list[R]:
    """Every row of a table."""
    found = await book.database.read(lambda connection: connection.execute(select(table)).all())
    return [record(*row) for row in found]


async def test_programs_are_listed_newest_first(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await Story(book, 1).begin()
        whole = sorted((row.id for row in await all_of(book, programs, Program)), reverse=True)

        await assert_is_cut_into(whole, lambda window: book.database.read(page_programs, window))

    assert len(whole) == 4


# ── wallets ──────────────────────────────────────────────────────────────────────────────────────

WALLETS: dict[str, tuple[WalletFilter, Callable[[Wallet], bool]]] = {
    "all": (WalletFilter(), lambda _: True),
    "of a program": (WalletFilter(program_name="Points"), lambda _: True),
    "frozen": (WalletFilter(frozen=True), lambda wallet: bool(wallet.frozen)),
    "thawed": (WalletFilter(frozen=False), lambda wallet: not wallet.frozen),
    "at least": (WalletFilter(min_active=30_000), lambda wallet: wallet.active >= 30_000),
    "at most": (WalletFilter(max_active=30_000), lambda wallet: wallet.active <= 30_000),
}


@pytest.mark.parametrize("name", WALLETS)
async def test_wallets_are_listed_newest_first(
    database_url: str, clock: VirtualClock, name: str
) -> None:
    wants, wanted = WALLETS[name]
    async with open_book(database_url, clock) as book:
        for number in range(12):
            points = number * 5_000 + 5_000
            await book.do(Credit(wallet=Owner(f"m{number}"), points=points, key=f"k{number}"))
        for number in (3, 7, 8):
            await book.ledger.freeze_wallet(
                FreezeWallet(wallet=Owner(f"m{number}"), frozen=True), SERVICE
            )
        found = await all_of(book, wallets, Wallet)
        whole = sorted((wallet.id for wallet in found if wanted(wallet)), reverse=True)

        async def cut(window: Window) -> Page[Wallet]:
            return await book.database.read(page_wallets, window, wants, clock())

        await assert_is_cut_into(whole, cut)

    assert len(whole) >= 3


@pytest.mark.parametrize(
    "wants",
    [WalletFilter(program_name="nowhere"), WalletFilter(identity="nobody")],
    ids=["program", "member"],
)
async def test_there_are_no_wallets_of_what_is_not_there(
    database_url: str, clock: VirtualClock, wants: WalletFilter
) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(Credit(wallet=ANN, points=1_000, key="k"))

        page = await book.database.read(page_wallets, Window(first=5), wants, clock())

    assert page == Page([], has_next=False, has_previous=False)


async def test_a_balance_filter_counts_what_is_due(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        soon = clock() + DAY_US
        await book.do(
            Credit(wallet=ANN, points=1_000, key="fades", expires_at=soon),
            Credit(wallet=BOB, points=1_000, key="comes", active_at=soon),
        )
        (bob,) = (
            wallet.id for wallet in await all_of(book, wallets, Wallet) if wallet.promised == 1_000
        )

        async def rich(now: int) -> list[str]:
            wants = WalletFilter(min_active=1_000)
            return ids(await book.database.read(page_wallets, Window(first=5), wants, now))

        assert bob not in await rich(soon - 1)
        assert await rich(soon) == [bob]


async def test_each_program_and_each_member_has_its_own_page(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        story = Story(book, 5)
        await story.begin()
        await story.go_on(40, days=0)
        found = await all_of(book, wallets, Wallet)

        listings: list[tuple[Callable[[Wallet], str], Callable[..., dict[str, Page[Wallet]]]]] = [
            (lambda wallet: wallet.program_id, page_wallets_of_programs),
            (lambda wallet: wallet.member_id, page_wallets_of_members),
        ]
        for of, page_of in listings:
            owners = sorted({of(wallet) for wallet in found})
            for window in (Window(first=2), Window(last=2)):
                pages = await book.database.read(page_of, [*owners, "nobody"], window)
                for owner in owners:
                    whole = sorted((w.id for w in found if of(w) == owner), reverse=True)
                    wanted = whole[:2] if window.first else whole[-2:]
                    assert ids(pages[owner]) == wanted
                assert ids(pages["nobody"]) == []


# ── transactions ─────────────────────────────────────────────────────────────────────────────────

Wanted = Callable[[Transaction], bool]
TRANSACTIONS: dict[str, tuple[TransactionFilter, Wanted]] = {
    "all": (TransactionFilter(), lambda _: True),
    "kinds": (
        TransactionFilter(kinds=("CREDIT", "HOLD")),
        lambda row: row.kind in {"CREDIT", "HOLD"},
    ),
    "no kind": (TransactionFilter(kinds=()), lambda _: False),
    "sources": (TransactionFilter(sources=["MANUAL"]), lambda row: row.source == "MANUAL"),
    "points": (
        TransactionFilter(min_points=5_000, max_points=20_000),
        lambda row: 5_000 <= row.points <= 20_000,
    ),
    "campaign": (TransactionFilter(campaign_id="cmp_1"), lambda row: row.campaign_id == "cmp_1"),
}


@pytest.mark.parametrize("name", TRANSACTIONS)
async def test_transactions_are_listed_newest_first(
    database_url: str, clock: VirtualClock, name: str
) -> None:
    wants, wanted = TRANSACTIONS[name]
    async with open_book(database_url, clock) as book:
        story = Story(book, 7)
        await story.begin()
        await story.go_on(12)
        rows = await book.rows()
        whole = sorted((row.id for row in rows if wanted(row)), reverse=True)

        await assert_is_cut_into(
            whole, lambda window: book.database.read(page_transactions, window, wants)
        )
        assert len(whole) >= 5 or name == "no kind"

        hot = Counter(row.wallet_id for row in rows).most_common(1)[0][0]
        of_hot = sorted((row for row in rows if row.wallet_id == hot), key=lambda row: row.sequence)
        newest_first = [row.id for row in reversed(of_hot) if wanted(row)]

        async def cut(window: Window) -> Page[Entry]:
            owners = [hot, "nobody"]
            pages = await book.database.read(page_transactions_of_wallets, owners, window, wants)
            assert pages["nobody"].items == []
            return pages[hot]

        await assert_is_cut_into(newest_first, cut)


@pytest.mark.parametrize("seed", range(2))
async def test_a_span_is_from_its_start_on_and_before_its_end(
    database_url: str, clock: VirtualClock, seed: int
) -> None:
    async with open_book(database_url, clock) as book:
        story = Story(book, seed)
        await story.begin()
        await story.go_on(25)
        rows = await book.rows()
        instants = sorted({row.effective_at for row in rows})
        owners = sorted({row.wallet_id for row in rows})
        everything = Window(first=100)
        # Bounds at the very instants of rows, between two, and outside of all.
        bounds = [None, instants[0] - 1, *instants[::4], instants[5] + 1, instants[-1] + 1]

        for since in bounds:
            until = story.chance.choice(bounds)
            wants = TransactionFilter(since=since, until=until)
            earliest = since or 0
            latest = instants[-1] + 2 if until is None else until
            whole = [row for row in rows if earliest <= row.effective_at < latest]
            page = await book.database.read(page_transactions, everything, wants)
            assert ids(page) == sorted((row.id for row in whole), reverse=True)[:100]
            pages = await book.database.read(
                page_transactions_of_wallets, owners, everything, wants
            )
            for owner in owners:
                own = [row for row in whole if row.wallet_id == owner]
                own.sort(key=lambda row: row.sequence, reverse=True)
                assert ids(pages[owner]) == [row.id for row in own]


async def test_an_order_is_found_with_what_was_said_of_it(
    database_url: str, clock: VirtualClock
) -> None:
    wants = TransactionFilter(order_id="o-1")
    async with open_book(database_url, clock) as book:
        order = Order(id="o-1", sale_amount=9.5, sale_channel="web", location_id="here")
        await book.do(
            Credit(wallet=ANN, points=1_000, key="other", order=Order(id="o-2")),
            Credit(wallet=ANN, points=2_000, key="one", order=order, metadata={"a": [1]}),
            Credit(wallet=ANN, points=3_000, key="none"),
            Debit(wallet=ANN, points=1_000, key="two", order=Order(id="o-1")),
            Credit(wallet=BOB, points=4_000, key="three", order=Order(id="o-1")),
        )
        page = await book.database.read(page_transactions, Window(first=9), wants)
        (ann,) = {row.wallet_id for row in await book.rows("DEBIT")}
        pages = await book.database.read(
            page_transactions_of_wallets, [ann], Window(first=9), wants
        )

    entries = [entry for _, entry in page.items]
    assert [entry.points for entry in entries] == [4_000, 1_000, 2_000]
    assert entries[2].order == ("o-1", 9.5, "web", "here")
    assert entries[2].metadata == {"a": [1]}
    assert (entries[2].description, entries[2].coupon_code) == (None, None)
    assert [entry.points for _, entry in pages[ann].items] == [1_000, 2_000]


async def test_of_a_transaction_of_which_nothing_was_said_nothing_is_told(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(Credit(wallet=ANN, points=1_000, key="k"))

        page = await book.database.read(page_transactions, Window(last=1), TransactionFilter())

    ((_, entry),) = page.items
    assert (entry.order, entry.metadata, entry.description, entry.coupon_code) == (None,) * 4


# ── holds ────────────────────────────────────────────────────────────────────────────────────────


async def test_holds_have_the_status_that_the_clock_gives_them(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        soon = clock() + DAY_US
        await book.do(Credit(wallet=ANN, points=9_000, key="k"))
        placed = await book.do(
            PlaceHold(wallet=ANN, points=1_000, key="short", expires_at=soon),
            PlaceHold(wallet=ANN, points=1_000, key="long", expires_at=soon + DAY_US),
            PlaceHold(wallet=ANN, points=1_000, key="given back", expires_at=soon),
        )
        short, long, given_back = (
            outcome.transaction.hold_id for outcome in placed if outcome.transaction
        )
        await book.do(ReleaseHold(hold_id=str(given_back), key="back"))
        (owner,) = {row.wallet_id for row in await book.rows()}

        async def holds(status: str | None, now: int) -> list[str]:
            window = Window(first=5)
            pages = await book.database.read(page_holds_of_wallets, [owner], window, status, now)
            return ids(pages[owner])

        assert await holds("OPEN", soon - 1) == [long, short]
        assert await holds("EXPIRED", soon - 1) == []
        assert await holds("OPEN", soon) == [long]
        assert await holds("EXPIRED", soon) == [short]
        assert await holds("CLOSED", soon) == [given_back]
        assert await holds(None, soon) == [given_back, long, short]

        async def cut(window: Window) -> Page[Hold]:
            pages = await book.database.read(page_holds_of_wallets, [owner], window, None, soon)
            return pages[owner]

        await assert_is_cut_into([str(given_back), str(long), str(short)], cut)


# ── credited, not redeemed ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("sweeps", [0, 100])
async def test_who_was_credited_and_has_not_redeemed(
    database_url: str, clock: VirtualClock, seed: int, sweeps: int
) -> None:
    async with open_book(database_url, clock) as book:
        story = Story(book, seed)
        await story.begin()
        await story.go_on(25)
        clock.advance(days=1)
        for _ in range(sweeps):
            await book.ledger.sweep()
        now = clock()
        lots_then = await all_of(book, lots, Lot)
        wallets_then = {wallet.id: wallet for wallet in await all_of(book, wallets, Wallet)}

        for since, min_points in ((now - 9 * DAY_US, 0), (now - 3 * DAY_US, 15_000)):
            whole = waiting(lots_then, wallets_then, since, min_points, now)

            async def cut(
                window: Window, since: int = since, min_points: int = min_points
            ) -> Page[Wallet]:
                asked = (window, None, since, min_points, now)
                return await book.database.read(page_credited_not_redeemed, *asked)

            await assert_is_cut_into([wallet.id for _, wallet in whole], cut)
            page = await cut(Window(first=100))
            assert [position for position, _ in page.items] == [position for position, _ in whole]
            of_programs = {wallet.program_id for _, wallet in whole}
            for program_id in of_programs:
                asked = (Window(first=100), program_id, since, min_points, now)
                page = await book.database.read(page_credited_not_redeemed, *asked)
                assert page.items == [
                    (position, wallet)
                    for position, wallet in whole
                    if wallet.program_id == program_id
                ]


def waiting(
    lots_then: list[Lot], wallets_then: dict[str, Wallet], since: int, min_points: int, now: int
) -> list[tuple[tuple[int, str], Wallet]]:
    """The audience as the glossary says it, from plain rows."""
    newest: dict[str, Lot] = {}
    for lot in sorted(lots_then, key=lambda lot: (lot.active_at, lot.id)):
        if lot.credited and since <= lot.active_at <= now and lot.issued >= min_points:
            newest[lot.wallet_id] = lot
    found = [
        ((lot.active_at, lot.id), wallets_then[lot.wallet_id])
        for lot in newest.values()
        if lot.remaining
        and expires_at(lot, wallets_then[lot.wallet_id]) > now
        and wallets_then[lot.wallet_id].redeemed_sequence < (lot.spendable_sequence or 10**9)
    ]
    return sorted(found, key=lambda one: one[0], reverse=True)
