"""Entries: what is shown of a transaction, from its row and its detail's."""

from dataclasses import replace

from ledger.entries import OF_DETAIL, OF_TRANSACTION, Entry
from ledger.records import Detail, Transaction
from models.columns import NEVER
from models.tables import details, transactions

CREDIT = Transaction(
    id="txn_1",
    wallet_id="wal_1",
    program_id="prg_1",
    sequence=3,
    kind="CREDIT",
    points=5_000,
    active_change=1_000,
    promised_change=4_000,
    held_change=-2_000,
    active_after=7_000,
    promised_after=8_000,
    held_after=9_000,
    flow="credited",
    flow_change=5_000,
    source="API",
    campaign_id=None,
    active_at=11,
    expires_at=22,
    related_id=None,
    hold_id=None,
    effective_at=33,
    created_at=44,
)


def test_an_entry_has_the_balances_of_its_row_each_in_its_place() -> None:
    entry = Entry.of(CREDIT, None)

    assert entry.change == (1_000, 4_000, -2_000)
    assert entry.balance_after == (7_000, 8_000, 9_000)
    assert (entry.change.promised, entry.balance_after.held) == (4_000, 9_000)


def test_only_a_credit_tells_when_its_points_expire_and_never_is_nothing() -> None:
    assert Entry.of(CREDIT, None).expires_at == 22
    assert Entry.of(replace(CREDIT, expires_at=NEVER), None).expires_at is None
    assert Entry.of(replace(CREDIT, kind="ACTIVATION"), None).expires_at is None
    assert Entry.of(replace(CREDIT, kind="DEBIT", expires_at=None), None).expires_at is None


def test_what_the_caller_said_of_it_is_in_its_place() -> None:
    said = Detail("txn_1", "thanks", '{"a":[1]}', "o-1", 9.5, "web", "here", "SPRING")

    entry = Entry.of(CREDIT, said)

    assert (entry.description, entry.coupon_code) == ("thanks", "SPRING")
    assert entry.metadata == {"a": [1]}
    assert entry.order == ("o-1", 9.5, "web", "here")


def test_of_what_nothing_was_said_nothing_is_told() -> None:
    entry = Entry.of(CREDIT, None)
    of_a_place = Entry.of(CREDIT, Detail("txn_1", location_id="here"))

    assert (entry.description, entry.coupon_code, entry.metadata, entry.order) == (None,) * 4
    assert of_a_place.order == (None, None, None, "here")


def test_an_entry_shows_every_column_but_those_that_only_the_ledger_counts_by() -> None:
    shown = set(OF_TRANSACTION) | set(OF_DETAIL)
    columns = set(transactions.columns.keys()) | set(details.columns.keys())

    assert columns - shown == {"program_id", "flow", "flow_change", "transaction_id"}
    assert shown <= columns
