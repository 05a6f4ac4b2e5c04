"""The bounds of one command: 1,000 due rows, 5,000 lots, and what is answered past them."""

from ledger.commands import Credit, Debit, PlaceHold
from ledger.refusals import InvalidInput
from tests.harness.book import ANN, Book, open_book
from tests.harness.clock import VirtualClock

HOUR_US = 3_600_000_000


async def give(book: Book, number: int, name: str, **from_then: int) -> None:
    """Credit one point so many times, each a microsecond after the other."""
    start, expiry = from_then.get("active_at"), from_then.get("expires_at")
    asked = [
        Credit(
            wallet=ANN,
            points=1_000,
            key=f"{name}-{n}",
            active_at=None if start is None else start + n,
            expires_at=None if expiry is None else expiry + n,
        )
        for n in range(number)
    ]
    for first in range(0, number, 1_000):
        await book.do(*asked[first : first + 1_000])


async def test_what_is_due_is_written_first_however_much_it_is(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        soon = clock() + HOUR_US
        await give(book, 1_500, "expires", expires_at=soon)
        await give(book, 1_500, "activates", active_at=soon)
        clock.advance(hours=2)
        (answer,) = await book.do(Debit(wallet=ANN, points=1_500_000, key="all"))

        assert answer.transaction is not None
        assert (answer.transaction.sequence, answer.transaction.active_after) == (6_001, 0)
        expired = await book.rows("EXPIRY")
        assert [row.effective_at for row in expired] == [soon + n for n in range(1_500)]
        assert {row.created_at for row in expired} == {clock()}
        assert await book.count("events") == 6_001


async def test_a_debit_over_more_than_5000_lots_is_told_to_take_fewer(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await give(book, 5_001, "credit")
        (refused,) = await book.submit(Debit(wallet=ANN, points=5_001_000, key="key"))

        assert isinstance(refused.refusal, InvalidInput)
        assert refused.refusal.path == ("points",)
        assert "5000 lots" in refused.refusal.message
        assert (await book.wallet()).active == 5_001_000

        await book.do(Debit(wallet=ANN, points=5_000_000, key="key"))
        assert (await book.wallet()).active == 1_000


async def test_two_large_debits_that_meet_in_a_batch_both_succeed(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await give(book, 6_000, "credit")
        await book.do(
            Debit(wallet=ANN, points=3_500_000, key="one"),
            PlaceHold(wallet=ANN, points=2_500_000, key="two"),
        )
        wallet = await book.wallet()

    assert (wallet.active, wallet.held) == (0, 2_500_000)


async def test_lots_are_used_up_in_order_past_the_first_reading(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        later = clock() + 1_000 * HOUR_US
        # The later a lot is issued, the earlier it expires: 200 of them, more than one reading.
        asked = [
            Credit(wallet=ANN, points=1_000, key=f"k{n}", expires_at=later - n) for n in range(200)
        ]
        await book.do(*asked)
        await book.do(
            Debit(wallet=ANN, points=150_000, key="debit"),
            Credit(wallet=ANN, points=1_000, key="last", expires_at=later - 500),
            Debit(wallet=ANN, points=2_000, key="next"),
        )
        left = await book.ask("SELECT expires_at FROM lots WHERE remaining > 0 ORDER BY expires_at")

    assert [row[0] for row in left] == [later - n for n in range(48, -1, -1)]
