"""The audit: tells of every row that breaks an invariant, and of nothing else."""

import pytest
from sqlalchemy import Connection, text

from events.audit import SERVICE, Deed, note
from ledger.commands import (
    CaptureHold,
    Credit,
    Debit,
    PlaceHold,
    RefundDebit,
    ReverseCredit,
    Transfer,
)
from ledger.health import VIOLATIONS_MAX, Health, audit
from ledger.registry import EraseMember
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock
from tests.harness.tables import spoil
from tests.ledger.believable import DAY_US


async def tell(book: Book) -> None:
    """Something of every kind, in Ann's and Bob's wallets."""
    await book.database.write(note, book.clock(), [Deed(SERVICE, "createApiKey", None)])
    soon = book.clock() + DAY_US
    credit, _, debit, hold, _ = await book.do(
        Credit(wallet=ANN, points=50_000, key="credit", description="thanks"),
        Credit(wallet=ANN, points=7_000, key="promised", active_at=soon),
        Debit(wallet=ANN, points=10_000, key="debit"),
        PlaceHold(wallet=ANN, points=6_000, key="hold", expires_at=soon),
        Transfer(sender=ANN, receiver=BOB, points=4_000, key="transfer"),
    )
    assert hold.transaction is not None
    assert hold.transaction.hold_id is not None
    await book.do(
        CaptureHold(hold_id=hold.transaction.hold_id, points=2_000, key="capture"),
        RefundDebit(transaction_id=str(debit.transaction_id), points=1_000, key="refund"),
        ReverseCredit(transaction_id=str(credit.transaction_id), points=5_000, key="reversal"),
        Credit(wallet=ANN, points=3_000, key="fading", expires_at=soon),
    )
    book.clock.advance(days=1)
    await book.ledger.sweep()
    await book.do(PlaceHold(wallet=BOB, points=1_000, key="open", expires_at=soon + 9 * DAY_US))


HOT = "(SELECT max(wallet_id) FROM transactions WHERE kind = 'REVERSAL')"
LAST = f"(SELECT max(sequence) FROM transactions WHERE wallet_id = {HOT})"

FAULTS = {
    # What is spoiled, and words of the sentence that tells of it.
    "a balance": (
        "UPDATE wallets SET active = active + 1, credited = credited + 1 WHERE redeemed > 0",
        ["active is 37001 and should be 37000", "active in lots is 37000 and should be 37001"],
    ),
    "a lifetime figure": (
        "UPDATE wallets SET redeemed = redeemed - 1, removed = removed + 1 WHERE redeemed > 0",
        ["redeemed is 10999 and should be 11000", "removed is 1 and should be 0"],
    ),
    "a balance after": (
        (
            f"UPDATE transactions SET active_after = active_after + 1 WHERE sequence = 3"
            f" AND wallet_id = {HOT}"
        ),
        ["(sequence 3) does not follow", "(sequence 4) does not follow"],
    ),
    "a gap in the sequence": (
        (
            f"UPDATE transactions SET sequence = sequence + 1 WHERE sequence = {LAST}"
            f" AND wallet_id = {HOT}"
        ),
        ["does not follow on the one before"],
    ),
    "an instant that runs back": (
        f"UPDATE transactions SET effective_at = 5 WHERE sequence = 4 AND wallet_id = {HOT}",
        ["(sequence 4) does not follow", "this HOLD took from lot", "has no event"],
    ),
    "a change that is not its kind's": (
        (
            "UPDATE transactions SET promised_change = 1, active_change = -1 - points"
            " WHERE kind = 'DEBIT' AND hold_id IS NULL"
        ),
        ["a DEBIT of 10000 points can't change -10001 / 1 / 0"],
    ),
    "points missing in a lot": (
        "UPDATE lots SET remaining = remaining - 1 WHERE issued = 4000",
        ["remaining is 3999 and should be 4000", "active in lots is 2999 and should be 3000"],
    ),
    "points held by nobody": (
        "UPDATE held_lots SET held = held - 1 WHERE held = 1000",
        ["held by holds is 999 and should be 1000", "held lots is 999 and should be 1000"],
    ),
    "a lot that is not issued by its transaction": (
        "UPDATE lots SET transaction_id = 'txn_none' WHERE issued = 4000",
        ["change in lots is 0 and should be 4000"],
    ),
    "a lot that expired another amount": (
        "UPDATE lots SET expired = expired + 1 WHERE expired > 0",
        ["expired is 3001 and should be 3000"],
    ),
    "a credit that forgot its reversal": (
        "UPDATE lots SET reversed = 0 WHERE reversed > 0",
        ["reversed is 0 and should be 5000"],
    ),
    "a debit from a lot that was not active": (
        "UPDATE lots SET active_at = issued_at + 1 WHERE issued = 50000",
        ["this DEBIT took from lot", "this HOLD took from lot", "this TRANSFER_OUT took from lot"],
    ),
    "a due instant that is too late": (
        "UPDATE wallets SET due_at = 253402300799999999 WHERE held = 1000",
        ["something falls due before 253402300799999999"],
    ),
    "a hold that captured another amount": (
        "UPDATE holds SET captured = captured - 1, released = released + 1 WHERE captured > 0",
        ["captured is 1999 and should be 2000", "released is 4001 and should be 4000"],
    ),
    "more reversed than there was": (
        "UPDATE transactions SET points = 1000 WHERE points = 50000",
        ["5000 points in REVERSALs, more than its own 1000"],
    ),
    "more refunded than there was": (
        "UPDATE transactions SET points = 1 WHERE kind = 'DEBIT' AND points = 10000",
        ["1000 points in REFUNDs, more than its own 1"],
    ),
    "a transfer without its other leg": (
        "UPDATE transactions SET related_id = NULL WHERE kind = 'TRANSFER_IN'",
        ["a TRANSFER_IN can't be related to nothing", "a TRANSFER_OUT can't be related to txn_"],
    ),
    "a refund of a credit": (
        (
            "UPDATE transactions SET related_id = (SELECT id FROM transactions WHERE points = 7000"
            " AND kind = 'CREDIT') WHERE kind = 'REFUND'"
        ),
        ["a REFUND can't be related to txn_"],
    ),
    "an event missing": (
        "DELETE FROM events WHERE position = 3",
        ["this DEBIT has no event", "the log has 13 events, the last at position 14, and"],
    ),
    "an event that tells another amount": (
        "UPDATE events SET points = points + 1 WHERE name = 'POINTS_RELEASED'",
        ["this RELEASE has no event that tells of it"],
    ),
    "an event of nothing": (
        "UPDATE events SET transaction_id = NULL WHERE name = 'POINTS_PROMISED'",
        ["this POINTS_PROMISED tells of nothing", "this CREDIT has no event"],
    ),
    "a log that ran ahead of its head": (
        "UPDATE log_head SET position = position - 1",
        ["the log has 14 events, the last at position 14, and its head is at 13"],
    ),
    "events out of order": (
        "UPDATE events SET position = -position WHERE position IN (1, 3)",
        ["it tells of sequence", "the one before it of"],
    ),
    "a key of nothing": (
        "UPDATE idempotency_keys SET transaction_id = 'txn_none' WHERE key = 'debit'",
        ["an idempotency key stands for transaction txn_none, which is not there"],
    ),
    "two keys of one transaction": (
        (
            "INSERT INTO idempotency_keys (key, fingerprint, transaction_id, created_at)"
            " SELECT 'again', fingerprint, transaction_id, created_at FROM idempotency_keys"
            " WHERE key = 'debit'"
        ),
        ["2 idempotency keys stand for it"],
    ),
    "a lot of another program": (
        "UPDATE lots SET program_id = 'prg_other' WHERE issued = 4000",
        ["it is of another program than its wallet"],
    ),
    "an effect that nobody made": (
        "DELETE FROM audit_entries WHERE action = 'debitPoints'",
        ["0 audit entries say who made it"],
    ),
    "an effect that two made": (
        (
            "INSERT INTO audit_entries (id, at, actor, action, subject_id)"
            " SELECT 'aud_again', at, actor, action, subject_id FROM audit_entries"
            " WHERE action = 'refundDebit'"
        ),
        ["2 audit entries say who made it"],
    ),
    "an audit entry of nothing": (
        "UPDATE audit_entries SET subject_id = 'txn_none' WHERE action = 'holdPoints'",
        ["this holdPoints is of txn_none, which is not there", "0 audit entries say who made it"],
    ),
    "an erased member's name": (
        "UPDATE members SET erased_at = 1, name = 'Ann' WHERE identity = 'ann'",
        ["erased, and yet not all of it is"],
    ),
}


async def test_a_sound_ledger_has_no_violations(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await tell(book)

        health = await book.database.survey(audit, clock())

    assert health == Health(wallets=2, transactions=14, violations=[])


async def test_what_is_due_and_not_written_is_no_violation(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await tell(book)
        clock.advance(days=40)

        health = await book.database.survey(audit, clock())

    assert health.violations == []


async def test_erasing_leaves_a_sound_ledger(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await tell(book)
        await book.ledger.erase_member(EraseMember(identity="ann"), SERVICE)

        health = await book.database.survey(audit, clock())

    assert health == Health(wallets=2, transactions=14, violations=[])


async def test_what_was_done_before_the_trail_began_has_no_entry(
    tmp_sqlite: str, clock: VirtualClock
) -> None:
    async with open_book(tmp_sqlite, clock) as book:
        await book.do(Credit(wallet=ANN, points=5_000, key="before"))
        await book.database.write(lay_open)
        await spoil(tmp_sqlite, "DELETE FROM audit_entries")
        clock.advance(seconds=1)
        await tell(book)

        assert (await book.database.survey(audit, clock())).violations == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_tells_of(tmp_sqlite: str, clock: VirtualClock, fault: str) -> None:
    spoiling, told = FAULTS[fault]
    async with open_book(tmp_sqlite, clock) as book:
        await tell(book)
        await book.database.write(lay_open)
        await spoil(tmp_sqlite, "PRAGMA ignore_check_constraints = ON", spoiling)

        violations = (await book.database.survey(audit, clock())).violations

    assert violations != []
    for words in told:
        assert any(words in violation for violation in violations), violations


async def test_tells_of_a_hundred_violations_at_most(tmp_sqlite: str, clock: VirtualClock) -> None:
    async with open_book(tmp_sqlite, clock) as book:
        await book.do(*(Credit(wallet=ANN, points=1_000, key=f"k{n}") for n in range(150)))
        await book.database.write(lay_open)
        await spoil(tmp_sqlite, "DELETE FROM events")

        violations = (await book.database.survey(audit, clock())).violations

    assert len(violations) == VIOLATIONS_MAX == 100


def lay_open(connection: Connection) -> None:
    """Drop what keeps the book from being rewritten."""
    triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in connection.execute(triggers).scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))
