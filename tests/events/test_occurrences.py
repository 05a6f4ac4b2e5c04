"""Occurrences: each event that campaigns listen to, with all that is true of it, and no more."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from events.audit import SERVICE
from events.log import find_credited, head
from events.occurrences import NAMES, Occurrence, find_occurrences, read_occurrences
from ledger.commands import (
    CaptureHold,
    Credit,
    Debit,
    Order,
    PlaceHold,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Transfer,
)
from ledger.registry import EraseMember
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock

DAY_US = 86_400_000_000

CREDIT = Credit(
    wallet=ANN,
    points=5_000,
    key="credit",
    source="CAMPAIGN",
    campaign_id="cmp_1",
    coupon_code="SPRING",
    description="thanks",
    order=Order("order-1", 49.5, "web", "lyon"),
)
DEBIT = Debit(
    wallet=ANN,
    points=2_000,
    key="debit",
    description="a mug",
    order=Order("order-2", 12.0, "shop", "paris"),
)


@pytest.fixture
async def book(database_url: str, clock: VirtualClock) -> AsyncIterator[Book]:
    async with open_book(database_url, clock) as book:
        yield book


async def read(book: Book, after: int = 0, **chosen: object) -> list[Occurrence]:
    return await book.database.read(
        lambda connection: read_occurrences(connection, after, 100, **chosen)  # pyright: ignore[reportArgumentType]
    )


async def do(book: Book, command: Credit | Debit) -> str:
    """Its transaction's id."""
    (outcome,) = await book.do(command)
    assert outcome.transaction_id is not None
    return outcome.transaction_id


async def lots(book: Book) -> dict[str, str]:
    """The lot that each transaction issued."""
    rows = await book.ask("SELECT transaction_id, id FROM lots")
    return {str(one): str(lot) for one, lot in rows}


async def as_credited(book: Book, credit: str, **differing: object) -> Occurrence:
    """CREDIT as it is told at once, with what differs."""
    wallet = await book.wallet()
    told = Occurrence(
        position=1,
        id="",
        name="POINTS_CREDITED",
        wallet_id=wallet.id,
        program_id=wallet.program_id,
        member_id=wallet.member_id,
        identity="ann",
        transaction_id=credit,
        origin_id=credit,
        sequence=1,
        lot_id=None,
        points=5_000,
        source="CAMPAIGN",
        campaign_id="cmp_1",
        description="thanks",
        sale_channel="web",
        location_id="lyon",
        sale_amount=49.5,
        coupon_code="SPRING",
        coupon_id=None,
        ct_source="Campaign",
        at=book.clock(),
        expires_at=None,
    )
    return replace(told, **differing)  # pyright: ignore[reportArgumentType]


async def as_debited(book: Book, debit: str, **differing: object) -> Occurrence:
    """DEBIT as it is told, with what differs."""
    own: dict[str, object] = {
        "name": "POINTS_DEBITED",
        "source": "API",
        "campaign_id": None,
        "description": "a mug",
        "sale_channel": "shop",
        "location_id": "paris",
        "sale_amount": 12.0,
        "coupon_code": None,
        "ct_source": "API",
        "points": 2_000,
    }
    return await as_credited(book, debit, **(own | differing))


async def test_a_credit_is_told_whole(book: Book) -> None:
    expires_at = book.clock() + DAY_US
    credit = await do(book, replace(CREDIT, expires_at=expires_at))

    (told,) = await read(book)

    assert told == await as_credited(book, credit, id=told.id, expires_at=expires_at)
    found = await book.database.read(find_occurrences, [told.id, "evt_none"])
    assert found == {told.id: told}


async def test_a_promise_is_told_and_then_that_it_was_kept(book: Book) -> None:
    start = book.clock()
    credit = await do(
        book, replace(CREDIT, active_at=start + DAY_US, expires_at=start + 20 * DAY_US)
    )
    book.clock.advance(days=2)
    await book.ledger.sweep()

    promised, credited = await read(book)

    of_credit = await as_credited(book, credit, at=start, expires_at=start + 20 * DAY_US)
    assert promised == replace(of_credit, id=promised.id, name="POINTS_PROMISED")
    # The clock keeps it, on a row of its own, in the credit's name.
    assert credited == replace(
        of_credit,
        id=credited.id,
        position=2,
        sequence=2,
        at=start + DAY_US,
        ct_source="System",
    )


async def test_a_debit_is_told_with_its_own_words_and_sale(book: Book) -> None:
    await do(book, CREDIT)
    debit = await do(book, DEBIT)
    removal = await do(book, Debit(wallet=ANN, points=1_000, key="removal", manual=True))

    _, redeemed, removed = await read(book)

    assert redeemed == await as_debited(book, debit, id=redeemed.id, position=2, sequence=2)
    assert removed == replace(
        await as_debited(book, removal, id=removed.id, position=3, sequence=3, points=1_000),
        source="MANUAL",
        ct_source="Dashboard",
        description=None,
        sale_channel=None,
        location_id=None,
        sale_amount=None,
    )


async def test_a_capture_is_a_debit_and_its_hold_is_no_occurrence(book: Book) -> None:
    await do(book, CREDIT)
    await book.do(PlaceHold(wallet=ANN, points=2_000, key="hold", description="for a mug"))
    await book.do(PlaceHold(wallet=ANN, points=1_000, key="other"))
    hold, other = [str(row.hold_id) for row in await book.rows("HOLD")]
    capture, _ = await book.do(
        CaptureHold(hold_id=hold, key="c", description="a mug", order=DEBIT.order),
        ReleaseHold(hold_id=other, key="r"),
    )

    _, captured = await read(book)

    assert capture.transaction_id is not None
    assert captured == await as_debited(
        book, capture.transaction_id, id=captured.id, position=4, sequence=4
    )


async def test_a_reversal_has_its_own_words_and_the_credits_source(book: Book) -> None:
    credit = await do(book, CREDIT)
    (reversal,) = await book.do(
        ReverseCredit(transaction_id=credit, key="r", points=3_000, description="sent back")
    )

    _, told = await read(book)

    assert told == await as_credited(
        book,
        credit,
        id=told.id,
        name="POINTS_REVERSED",
        position=2,
        sequence=2,
        transaction_id=reversal.transaction_id,
        points=3_000,
        description="sent back",
        ct_source="API",
    )


@pytest.mark.parametrize(("manual", "source"), [(False, "API"), (True, "MANUAL")])
async def test_a_refund_has_its_own_words_and_the_debits_sale(
    book: Book,
    manual: bool,  # noqa: FBT001 - parametrized
    source: str,
) -> None:
    await do(book, CREDIT)
    debit = await do(book, replace(DEBIT, manual=manual))
    (refund,) = await book.do(RefundDebit(transaction_id=debit, key="r", points=1_000))

    told = (await read(book))[-1]

    assert told == await as_debited(
        book,
        debit,
        id=told.id,
        name="POINTS_REFUNDED",
        position=3,
        sequence=3,
        transaction_id=refund.transaction_id,
        source=source,
        points=1_000,
        description=None,
    )


async def test_what_expires_is_told_with_what_was_said_of_its_credit(book: Book) -> None:
    start = book.clock()
    other = await do(book, Credit(wallet=ANN, points=9_000, key="other", description="other"))
    credit = await do(book, replace(CREDIT, expires_at=start + 10 * DAY_US))
    await do(book, DEBIT)
    book.clock.set(book.clock.after(days=3))
    await book.ledger.sweep()
    book.clock.set(book.clock.after(days=8))
    await book.ledger.sweep()

    soon, expired = (await read(book))[3:]

    lot = (await lots(book))[credit]
    of_lot = await as_credited(book, credit, lot_id=lot, points=3_000, ct_source="System")
    assert other != credit
    assert soon == replace(
        of_lot,
        id=soon.id,
        name="POINTS_EXPIRING_SOON",
        position=4,
        sequence=None,
        at=start + 3 * DAY_US,
        expires_at=start + 10 * DAY_US,
    )
    (expiry,) = await book.rows("EXPIRY")
    assert expired == replace(
        of_lot,
        id=expired.id,
        name="POINTS_EXPIRED",
        position=5,
        sequence=4,
        transaction_id=expiry.id,
        at=start + 10 * DAY_US,
    )


async def test_points_that_came_by_transfer_expire_without_a_source(book: Book) -> None:
    await do(book, replace(CREDIT, expires_at=book.clock() + DAY_US))
    await book.do(
        Transfer(sender=ANN, receiver=BOB, points=5_000, key="t", description="a present")
    )
    book.clock.advance(days=2)
    await book.ledger.sweep()

    expired = (await read(book))[-1]

    (received,) = await book.rows("TRANSFER_IN")
    assert (expired.name, expired.identity, expired.origin_id) == (
        "POINTS_EXPIRED",
        "bob",
        received.id,
    )
    assert (expired.source, expired.campaign_id, expired.coupon_code) == (None, None, None)
    assert (expired.ct_source, expired.points) == ("System", 5_000)


async def test_reads_the_names_that_are_wanted_so_many_and_so_far(book: Book) -> None:
    await do(book, CREDIT)
    await do(book, DEBIT)
    await do(book, replace(CREDIT, key="again"))
    await do(book, replace(DEBIT, key="again, debit"))

    async def positions(after: int = 0, **chosen: object) -> list[int]:
        return [told.position for told in await read(book, after, **chosen)]

    assert await positions() == [1, 2, 3, 4]
    assert await positions(2) == [3, 4]
    assert await positions(names=NAMES) == [1, 2, 3, 4]
    assert await positions(names={"POINTS_DEBITED"}) == [2, 4]
    assert await positions(names=["POINTS_DEBITED", "POINTS_CREDITED"], until=3) == [1, 2, 3]
    assert await positions(2, names=["POINTS_DEBITED", "POINTS_HELD"]) == [4]
    assert await positions(names=["POINTS_HELD"]) == []
    assert await positions(names=[]) == []
    two = await book.database.read(read_occurrences, 1, 2)
    assert [told.position for told in two] == [2, 3]


async def test_ids_find_no_event_that_is_no_occurrence(book: Book) -> None:
    await do(book, CREDIT)
    await book.do(PlaceHold(wallet=ANN, points=2_000, key="hold"))
    ids = [str(row[0]) for row in await book.ask("SELECT id FROM events ORDER BY position")]

    found = await book.database.read(find_occurrences, ids)

    assert [*found] == ids[:1]
    assert await book.database.read(head) == 2


async def test_agrees_with_ct_points_credited_as_it_is_streamed(book: Book) -> None:
    await do(book, CREDIT)
    await do(book, Credit(wallet=BOB, points=1_000, key="p", active_at=book.clock() + DAY_US))
    book.clock.advance(days=2)
    await book.ledger.sweep()

    told = await read(book, names=["POINTS_CREDITED"])

    assert len(told) == 2
    streamed = await book.database.read(find_credited, [one.id for one in told])
    for one in told:
        event = streamed[one.id]
        for name in event.__slots__:
            assert getattr(one, name) == getattr(event, name), name


async def test_an_erased_members_events_say_nothing_that_was_written(book: Book) -> None:
    await do(book, CREDIT)
    member_id = await book.ledger.erase_member(EraseMember(identity="ann"), SERVICE)

    (told,) = await read(book)

    assert told.identity == f"erased:{member_id}"
    assert told.description is None
    assert (told.sale_channel, told.location_id, told.sale_amount) == (None, None, None)
    assert told.coupon_code is None
    assert told.points == 5_000
