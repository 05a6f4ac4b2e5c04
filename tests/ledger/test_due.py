"""What is due: a read shows what it would show had everything due been written."""

import pytest
from sqlalchemy import Connection, select

from ledger.filters import WalletFilter
from ledger.health import audit
from ledger.pages import (
    page_credited_not_redeemed,
    page_holds_of_wallets,
    page_wallets,
)
from ledger.reading import (
    Balance,
    balances_at,
    expiring,
    find_programs_named,
    summarize,
    wallets_as_of,
)
from ledger.records import Wallet
from models import tables
from models.windows import Window
from tests.harness.book import Book, open_book
from tests.harness.clock import VirtualClock
from tests.ledger.believable import DAY_US, PROGRAMS, Story


def all_wallets(connection: Connection) -> list[Wallet]:
    return [Wallet(*row) for row in connection.execute(select(tables.wallets))]


def look(connection: Connection, now: int, at: int) -> dict[str, object]:
    """Everything that counts points, as it is at an instant."""
    written = all_wallets(connection)
    ids = sorted(wallet.id for wallet in written)
    as_of = wallets_as_of(connection, written, now)
    figures = ("active", "promised", "held", "expired", "credited", "redeemed", "reversed")
    programs = find_programs_named(connection, PROGRAMS)
    spans = ((None, None), (now - 4 * DAY_US, now - DAY_US), (now - DAY_US, None))
    window, rich = Window(first=100), WalletFilter(min_active=15_000, max_active=60_000)
    return {
        "wallets": {one: [getattr(as_of[one], name) for name in figures] for one in ids},
        "at": balances_at(connection, written, at),
        "expiring": expiring(connection, ids, now, now + 3 * DAY_US),
        "summaries": {
            (name, span): summarize(connection, program.id, now, *span)
            for name, program in programs.items()
            for span in spans
        },
        "rich": [wallet.id for _, wallet in page_wallets(connection, window, rich, now).items],
        "holds": {
            status: {
                owner: [hold.id for _, hold in page.items]
                for owner, page in page_holds_of_wallets(
                    connection, ids, window, status, now
                ).items()
            }
            for status in ("OPEN", "EXPIRED", "CLOSED")
        },
        "waiting": [
            (position, wallet.id)
            for position, wallet in page_credited_not_redeemed(
                connection, window, None, now - 6 * DAY_US, 5_000, now
            ).items
        ],
    }


async def sweep_all(book: Book) -> int:
    total = 0
    while written := await book.ledger.sweep():
        total += written
    return total


@pytest.mark.parametrize("seed", range(3))
async def test_a_read_shows_the_same_before_and_after_the_sweep(
    database_url: str, clock: VirtualClock, seed: int
) -> None:
    async with open_book(database_url, clock) as book:
        story, swept = Story(book, seed), 0
        await story.begin()
        for _ in range(12):
            await story.go_on(5)
            clock.advance(days=story.chance.choice((1, 2, 7)))
            future = clock() + story.chance.randint(0, 4) * DAY_US
            before = await book.database.read(look, clock(), future)
            assert (await book.database.survey(audit, clock())).violations == []

            swept += await sweep_all(book)

            after = await book.database.read(look, clock(), future)
            assert before == after
            assert (await book.database.survey(audit, clock())).violations == []
        assert swept > 100


@pytest.mark.parametrize("seed", range(2))
async def test_a_balance_of_the_past_is_what_a_read_then_showed(
    database_url: str, clock: VirtualClock, seed: int
) -> None:
    async with open_book(database_url, clock) as book:
        story = Story(book, seed)
        await story.begin()
        shown: dict[int, dict[str, Balance]] = {clock() - 1: {}}

        def show(connection: Connection) -> dict[str, Balance]:
            as_of = wallets_as_of(connection, all_wallets(connection), clock())
            return {
                wallet.id: Balance(wallet.active, wallet.promised, wallet.held)
                for wallet in as_of.values()
            }

        for _ in range(30):
            await story.go_on(2)
            shown[clock()] = await book.database.read(show)
            clock.advance(seconds=1)

        def then(connection: Connection, at: int) -> dict[str, Balance]:
            balances = balances_at(connection, all_wallets(connection), at)
            return {one: balance for one, balance in balances.items() if balance != Balance()}

        for at, balances in shown.items():
            known = {one: balance for one, balance in balances.items() if balance != Balance()}
            assert await book.database.read(then, at) == known
