"""Reach: who would have qualified since an instant, by the code that judges a real campaign."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from campaigns import reach as reaching
from campaigns.conditions import PropertyFilter
from campaigns.evaluator import evaluate
from campaigns.listeners import Versions
from campaigns.plans import Absence, Message, Plan, Who
from campaigns.reach import Reach, count_reach
from campaigns.records import Campaign, Channel
from campaigns.registry import NewChannel, create_campaign, create_channel, publish_campaign
from campaigns.standing import find_excluded
from events.audit import SERVICE
from ledger.commands import Credit, Owner
from ledger.refusals import InvalidInput
from ledger.registry import CreateProgram, EraseMember
from models.tables import deliveries
from tests.campaigns.surveys import (
    CREDITED,
    DAY_US,
    NOBODY,
    ONE,
    UNREDEEMED,
    UNTOUCHED,
    busy,
    credit,
    know,
    reach,
    redeem,
)
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock
from tests.ledger.test_plans import WHOLE_TABLE, plan


@pytest.fixture
async def book(database_url: str, clock: VirtualClock) -> AsyncIterator[Book]:
    async with open_book(database_url, clock) as book:
        yield book


# ── which events, and of whom ─────────────────────────────────────────────────────────────────────


async def test_counts_events_and_those_whom_they_concern(book: Book) -> None:
    gold = CreateProgram(name="Gold", points_name="g")
    await book.ledger.create_program(gold, SERVICE)
    assert await reach(book) == NOBODY
    for number, owner in enumerate([ANN, ANN, Owner("ann", "Gold"), BOB]):
        await credit(book, f"c{number}", wallet=owner)
    await redeem(book, 1_000)

    assert await reach(book) == Reach(events=4, members=2, wallets=3)
    assert await reach(book, Who("CT Points Debited")) == ONE
    assert await reach(book, Who("Points Refunded")) == NOBODY


async def test_since_is_counted_and_what_was_before_is_not(book: Book, clock: VirtualClock) -> None:
    await credit(book, "first")
    clock.advance(hours=1)
    since = clock()
    await credit(book, "second")

    assert await reach(book, since=since - 3_600_000_000) == Reach(2, 1, 1)
    assert await reach(book, since=since) == ONE
    assert await reach(book, since=since + 1) == NOBODY


async def test_what_happened_before_and_was_written_since_is_not_counted(
    book: Book, clock: VirtualClock
) -> None:
    start = clock()
    await credit(book, active_at=start + DAY_US)
    clock.advance(days=2)
    await book.ledger.sweep()
    await credit(book, "later", wallet=BOB)

    assert await reach(book, since=start + DAY_US) == Reach(2, 2, 2)
    assert await reach(book, since=start + DAY_US + 1) == ONE


async def test_what_is_yet_to_come_is_not_counted(book: Book, clock: VirtualClock) -> None:
    await credit(book)

    counted = await book.database.survey(count_reach, CREDITED, 0, clock() - 1)

    assert counted == NOBODY


async def test_all_filters_or_any_of_them(book: Book) -> None:
    await credit(book, "spring", coupon_code="SPRING")
    await credit(book, "large", wallet=BOB, points=50_000)
    filters = (
        PropertyFilter("couponCode", "EQUALS", "SPRING"),
        PropertyFilter("points", "GTE", 50),
    )

    assert await reach(book, replace(CREDITED, filters=filters)) == NOBODY
    assert await reach(book, replace(CREDITED, filters=filters[:1])) == ONE
    both = await reach(book, replace(CREDITED, match="ANY", filters=filters))
    assert both == Reach(2, 2, 2)


async def test_members_whom_the_profile_doesnt_suit_are_left_out(book: Book) -> None:
    await know(book, "ann", {"tier": "gold"})
    await credit(book)
    await credit(book, "bob", wallet=BOB)
    who = replace(CREDITED, profile=(PropertyFilter("tier", "EQUALS", "gold"),))

    assert await reach(book, who) == ONE
    await know(book, "ann", {"tier": "none"})
    assert await reach(book, who) == NOBODY


async def test_erased_members_are_left_out(book: Book) -> None:
    await credit(book)
    await credit(book, "bob", wallet=BOB)
    await book.ledger.erase_member(EraseMember(identity="ann"), SERVICE)

    assert await reach(book) == ONE


async def test_promises_and_what_expires_soon(book: Book, clock: VirtualClock) -> None:
    start = clock()
    await credit(book, active_at=start + DAY_US, expires_at=start + 20 * DAY_US)
    assert await reach(book, Who("Points Promised")) == ONE
    assert await reach(book) == NOBODY
    clock.advance(days=15)
    while await book.ledger.sweep():
        pass
    soon = Who("Points Expiring Soon")

    assert await reach(book, soon, start + 13 * DAY_US) == ONE
    assert await reach(book, soon, start + 13 * DAY_US + 1) == NOBODY
    kept = replace(soon, absence=Absence("CREDIT_UNREDEEMED", DAY_US))
    assert await reach(book, kept, start + 13 * DAY_US) == ONE
    clock.set(clock.after(days=1))
    await redeem(book, 5_000)
    assert await reach(book, kept, start + 13 * DAY_US) == ONE
    long = replace(soon, absence=Absence("CREDIT_UNREDEEMED", 4 * DAY_US))
    assert await reach(book, long, start + 13 * DAY_US) == NOBODY


async def test_what_expires_soon_is_found_though_nothing_is_written_after_it(
    book: Book, clock: VirtualClock
) -> None:
    start = clock()
    await credit(book, expires_at=start + 20 * DAY_US)
    clock.advance(days=15)
    assert await book.ledger.sweep() == 1

    assert await reach(book, Who("Points Expiring Soon"), start + 13 * DAY_US) == ONE


async def test_what_cant_be_right_is_refused_with_its_place(book: Book) -> None:
    unknown = await reach(book, Who("CT Points Credit"))
    misplaced = await reach(book, replace(UNREDEEMED, event="CT Points Debited"))

    assert isinstance(unknown, InvalidInput)
    assert unknown.path == ("who", "event")
    assert isinstance(misplaced, InvalidInput)
    assert misplaced.path == ("who", "absence", "of")


# ── as a campaign would ───────────────────────────────────────────────────────────────────────────


async def publish(book: Book, who: Who) -> None:
    """A campaign that is for these, and has heard nothing so far."""

    def write(connection: Connection, now: int) -> None:
        asked = NewChannel("inbox", "INBOX", {}, {})
        channel = create_channel(connection, now, asked, SERVICE)
        assert isinstance(channel, Channel)
        plan = Plan(who, channel.id, Message("hello"))
        campaign = create_campaign(connection, now, "c", plan, SERVICE)
        assert isinstance(campaign, Campaign)
        assert isinstance(publish_campaign(connection, now, campaign.id, SERVICE), Campaign)

    await book.database.write(write, book.clock())


async def delivered(book: Book) -> list[tuple[str, str]]:
    """The statuses and events of the deliveries that the evaluator makes of the whole log."""
    versions = Versions()
    while await book.database.write(evaluate, book.clock(), versions):
        pass
    asked = select(deliveries.c.status, deliveries.c.event_id)
    rows = await book.database.read(lambda connection: connection.execute(asked).all())
    return [(str(row[0]), str(row[1])) for row in rows]


@pytest.mark.parametrize(
    "who",
    [
        CREDITED,
        Who("CT Points Debited"),
        Who("Points Promised"),
        Who("Points Expiring Soon"),
        Who("Points Expired"),
        Who("Points Reversed"),
        Who("CT Points Credited", filters=(PropertyFilter("points", "GT", 12),)),
        Who("CT Points Credited", profile=(PropertyFilter("tier", "EQUALS", "gold"),)),
    ],
    ids=lambda who: f"{who.event}{' large' * bool(who.filters)}{' gold' * bool(who.profile)}",
)
async def test_counts_what_the_evaluator_would_make(
    book: Book, clock: VirtualClock, who: Who
) -> None:
    await publish(book, who)
    await busy(book, clock)

    counted = await reach(book, who)

    assert isinstance(counted, Reach)
    made = [status for status, _ in await delivered(book) if status != "SKIPPED"]
    assert counted.events == len(made) > 0


@pytest.mark.parametrize("of", ["CREDIT_UNREDEEMED", "WALLET_UNREDEEMED"])
async def test_counts_what_the_courier_would_find_standing(
    book: Book, clock: VirtualClock, of: str
) -> None:
    who = replace(CREDITED, absence=Absence(of, 366 * DAY_US))
    await publish(book, who)
    await busy(book, clock)

    counted = await reach(book, who)

    await delivered(book)
    asked = select(deliveries.c.id)
    ids = await book.database.read(lambda c: [row[0] for row in c.execute(asked)])
    gone = await book.database.read(find_excluded, ids, clock())
    assert isinstance(counted, Reach)
    assert counted.events == len(ids) - len(gone)
    assert 0 < len(gone) < len(ids)


# ── how it reads ──────────────────────────────────────────────────────────────────────────────────


async def test_reads_a_page_after_another(
    book: Book, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy(book, clock)
    whole = [await reach(book, who) for who in (CREDITED, UNREDEEMED, UNTOUCHED)]

    monkeypatch.setattr(reaching, "PAGE_MAX", 3)

    assert [await reach(book, who) for who in (CREDITED, UNREDEEMED, UNTOUCHED)] == whole


@pytest.mark.parametrize("who", [UNREDEEMED, UNTOUCHED], ids=["credit", "wallet"])
async def test_a_page_takes_as_many_statements_however_many_events_it_has(
    book: Book, who: Who
) -> None:
    suited = replace(who, profile=(PropertyFilter("Identity", "EXISTS"),))

    async def statements() -> int:
        book.statements.clear()
        await reach(book, suited)
        search = "SELECT transactions.created_at"  # as many as the log's length has digits
        return len([one for one in book.statements if not one.startswith(search)])

    await credit(book, "first")
    few = await statements()
    await book.do(*(Credit(wallet=ANN, points=1_000, key=f"a{n}") for n in range(40)))
    await book.do(*(Credit(wallet=Owner(f"m{n}"), points=1_000, key=f"m{n}") for n in range(40)))

    assert await reach(book, suited) == Reach(81, 41, 41)
    assert await statements() == few


async def test_begins_where_the_instant_may_have_been_written(
    book: Book, clock: VirtualClock
) -> None:
    margin = reaching.MARGIN_US
    written: list[int] = []
    for number in range(9):
        await credit(book, f"c{number}")
        written.append(clock())
        clock.advance(minutes=1)

    def first(at: int) -> int:
        return next((n for n, one in enumerate(written, start=1) if one >= at), 10)

    for at in [0, *written, *(one + 1 for one in written), written[-1] + margin]:
        found = await book.database.survey(reaching.first_written, at, 9)
        assert found == first(at)


async def test_an_event_of_an_instance_whose_clock_is_behind_is_found(
    book: Book, clock: VirtualClock
) -> None:
    """It was written after others, at an earlier instant than theirs."""
    late = VirtualClock(clock.now)
    clock.advance(microseconds=reaching.MARGIN_US)
    since = clock()
    await credit(book, "ahead")
    async with open_book(str(book.database.url), late) as other:
        for number in range(6):
            await credit(other, f"behind{number}", wallet=BOB)
    await credit(book, "after")

    assert await reach(book, since=since) == Reach(2, 1, 1)


async def test_too_much_to_read_is_refused_with_an_instant_that_is_not(
    book: Book, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "EVENTS_MAX", 3)
    for number in range(5):
        await credit(book, f"c{number}")
        clock.advance(hours=1)
    # The second, at ten o'clock, is one too many.
    early = 1_773_133_200_000_000 + 3_600_000_000 + reaching.MARGIN_US

    assert await reach(book, since=early) == InvalidInput(
        "more than 3 events were written since: choose an instant after 2026-03-10T10:10:00Z.",
        ("since",),
    )
    assert await reach(book, since=early + 1) == Reach(3, 1, 1)


@pytest.mark.parametrize("who", [UNREDEEMED, UNTOUCHED], ids=["credit", "wallet"])
async def test_reads_no_table_whole(book: Book, clock: VirtualClock, who: Who) -> None:
    await credit(book)
    suited = replace(who, profile=(PropertyFilter("Identity", "EXISTS"),))

    steps = await book.database.survey(plan, lambda c: count_reach(c, suited, 0, clock()))

    whole = WHOLE_TABLE[str(book.database.url).partition(":")[0].partition("+")[0]]
    assert [step for step in steps if whole.search(step)] == []
    assert len(steps) > 5
