"""Absences: an event counts if what must not follow it didn't, to the very end of its window."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from campaigns.plans import Absence, Who
from campaigns.reach import Reach
from events.audit import SERVICE
from ledger.commands import CaptureHold, Owner, PlaceHold, RefundDebit, ReverseCredit
from ledger.registry import CreateProgram
from tests.campaigns.surveys import (
    CREDITED,
    DAY_US,
    NOBODY,
    ONE,
    UNREDEEMED,
    UNTOUCHED,
    credit,
    reach,
    redeem,
)
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock


@pytest.fixture
async def book(database_url: str, clock: VirtualClock) -> AsyncIterator[Book]:
    async with open_book(database_url, clock) as book:
        yield book


@pytest.mark.parametrize("who", [UNREDEEMED, UNTOUCHED], ids=["credit", "wallet"])
@pytest.mark.parametrize(("early", "counted"), [(1, NOBODY), (0, ONE)])
async def test_what_is_redeemed_before_the_windows_end_doesnt_count(
    book: Book, clock: VirtualClock, who: Who, early: int, counted: Reach
) -> None:
    await credit(book)
    clock.set(clock.after(days=3, microseconds=-early))
    await redeem(book, 5_000)
    clock.advance(days=1)

    assert await reach(book, who) == counted


@pytest.mark.parametrize("who", [UNREDEEMED, UNTOUCHED], ids=["credit", "wallet"])
async def test_a_window_that_is_open_counts_as_it_stands(
    book: Book, clock: VirtualClock, who: Who
) -> None:
    await credit(book)
    clock.advance(days=1)
    assert await reach(book, who) == ONE

    await redeem(book, 5_000)

    assert await reach(book, who) == NOBODY


async def test_a_credit_counts_while_any_of_its_points_are_left(
    book: Book, clock: VirtualClock
) -> None:
    await credit(book)
    await redeem(book, 4_000)
    clock.advance(days=4)

    assert await reach(book, UNREDEEMED) == ONE
    assert await reach(book, UNTOUCHED) == NOBODY


async def test_only_what_redeems_counts_against_a_wallet(book: Book, clock: VirtualClock) -> None:
    await credit(book)
    await redeem(book, 5_000, manual=True)
    clock.advance(days=4)

    assert await reach(book, UNTOUCHED) == ONE
    assert await reach(book, UNREDEEMED) == NOBODY


async def test_debits_before_an_event_are_not_after_it(book: Book, clock: VirtualClock) -> None:
    await credit(book, "first")
    await redeem(book, 1_000)
    await credit(book, "second")
    await credit(book, "bob", wallet=BOB)
    clock.advance(days=4)
    debited = replace(UNTOUCHED, event="CT Points Debited")

    assert await reach(book, UNTOUCHED) == Reach(2, 2, 2)
    assert await reach(book, debited) == ONE
    await redeem(book, 1_000, "late")  # after every window
    assert await reach(book, UNTOUCHED) == Reach(2, 2, 2)


async def test_each_event_has_the_next_debit_of_its_own(book: Book, clock: VirtualClock) -> None:
    # Of five credits a day apart, in one wallet, the first two are followed in time.
    for day in range(5):
        await credit(book, f"c{day}")
        if day in {0, 2}:
            clock.advance(hours=1)
            await redeem(book, 1_000, f"d{day}")
        clock.advance(days=1)
    short = replace(UNTOUCHED, absence=Absence("WALLET_UNREDEEMED", DAY_US + 7_200_000_000))
    clock.advance(days=10)

    assert await reach(book, short) == Reach(2, 1, 1)


async def test_points_of_which_a_hold_was_captured_are_redeemed(
    book: Book, clock: VirtualClock
) -> None:
    await credit(book)
    await book.do(PlaceHold(wallet=ANN, points=5_000, key="hold"))
    assert await reach(book, UNREDEEMED) == ONE
    (hold,) = [str(row.hold_id) for row in await book.rows("HOLD")]
    await book.do(CaptureHold(hold_id=hold, key="capture"))
    clock.advance(days=4)

    assert await reach(book, UNREDEEMED) == NOBODY
    assert await reach(book, UNTOUCHED) == NOBODY


async def test_a_credit_that_was_reversed_doesnt_count(book: Book, clock: VirtualClock) -> None:
    first = await credit(book, "first")
    second = await credit(book, "second", wallet=BOB)
    await book.do(
        ReverseCredit(transaction_id=first, key="r1"),
        ReverseCredit(transaction_id=second, key="r2", points=4_000),
    )
    clock.advance(days=4)

    assert await reach(book, UNREDEEMED) == ONE


async def test_points_that_a_refund_gave_back_in_time_count(
    book: Book, clock: VirtualClock
) -> None:
    await credit(book)
    debit = await redeem(book, 5_000)
    clock.set(clock.after(days=3, microseconds=-1))
    await book.do(RefundDebit(transaction_id=debit, key="r", points=1_000))
    clock.advance(days=4)

    assert await reach(book, UNREDEEMED) == ONE


async def test_points_that_a_refund_gave_back_too_late_dont_count(
    book: Book, clock: VirtualClock
) -> None:
    await credit(book)
    debit = await redeem(book, 5_000)
    clock.set(clock.after(days=3))
    await book.do(RefundDebit(transaction_id=debit, key="r", points=1_000))
    clock.advance(days=4)

    assert await reach(book, UNREDEEMED) == NOBODY


@pytest.mark.parametrize("swept", [False, True], ids=["due", "swept"])
@pytest.mark.parametrize(("later", "counted"), [(0, NOBODY), (1, ONE)])
async def test_points_that_expire_by_the_windows_end_dont_count(
    book: Book,
    clock: VirtualClock,
    swept: bool,  # noqa: FBT001 - parametrized
    later: int,
    counted: Reach,
) -> None:
    await credit(book, expires_at=clock() + 3 * DAY_US + later)
    clock.advance(days=4)
    if swept:
        await book.ledger.sweep()

    assert await reach(book, UNREDEEMED) == counted


async def test_an_expiry_that_activity_moved_and_that_came_counts_when_it_came(
    book: Book, clock: VirtualClock
) -> None:
    program = CreateProgram(
        name="Act",
        points_name="p",
        expiry_rule="INACTIVITY",
        expiry_count=2,
        expiry_unit="DAY",
    )
    await book.ledger.create_program(program, SERVICE)
    ann = Owner("ann", "Act")
    await credit(book, "first", wallet=ann)
    clock.advance(days=1)
    since = clock()
    await redeem(book, 1_000, wallet=ann)  # moves the expiry from the second day to the third
    clock.advance(days=10)
    await credit(book, "second", wallet=ann)  # too late for the first: it has lapsed

    def of_the_first(window: int) -> Who:
        absence = Absence("CREDIT_UNREDEEMED", window)
        return replace(CREDITED, absence=absence)

    counted = await reach(book, of_the_first(3 * DAY_US - 1))
    assert counted == Reach(2, 1, 1)
    assert await reach(book, of_the_first(3 * DAY_US)) == ONE
    assert await reach(book, of_the_first(3 * DAY_US), since) == ONE
