"""Transactions: the book. Rows are written once; the database refuses to change or delete them."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from models.columns import double, holds, one_of, text, whole

KINDS = (
    "CREDIT",
    "ACTIVATION",
    "DEBIT",
    "EXPIRY",
    "REVERSAL",
    "REFUND",
    "HOLD",
    "RELEASE",
    "TRANSFER_OUT",
    "TRANSFER_IN",
)
SOURCES = ("API", "CAMPAIGN", "MANUAL", "CASHBACK_COUPON")
FLOWS = (
    "credited",
    "transferred_in",
    "transferred_out",
    "redeemed",
    "removed",
    "expired",
    "reversed",
)


class Transaction(SQLModel, table=True):
    """One immutable row of the ledger: its signed changes, and the balances after it.

    `flow_change` is what it adds to the wallet's lifetime figure named by `flow`: a refund takes
    from `redeemed` or `removed`. `effective_at` is the instant it holds from, `created_at` when it
    was written; neither runs backwards in a wallet.
    """

    __tablename__ = "transactions"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("wallet_id", "sequence"),
        Index(None, "wallet_id", "effective_at"),
        Index(None, "program_id", "effective_at"),
        Index(
            "ix_transactions_related",
            "related_id",
            sqlite_where=sql("related_id IS NOT NULL"),
            postgresql_where=sql("related_id IS NOT NULL"),
        ),
        one_of("kind", *KINDS),
        one_of("source", *SOURCES),
        one_of("flow", *FLOWS),
        holds("transaction_points_positive", "points > 0"),
        holds(
            "transaction_balance_not_negative",
            "active_after >= 0 AND promised_after >= 0 AND held_after >= 0",
        ),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    wallet_id: str = text(foreign_key="wallets.id")
    program_id: str = text()
    sequence: int = whole()
    kind: str = text()
    points: int = whole()
    active_change: int = whole()
    promised_change: int = whole()
    held_change: int = whole()
    active_after: int = whole()
    promised_after: int = whole()
    held_after: int = whole()
    flow: str | None = text()
    flow_change: int = whole()
    source: str | None = text()
    campaign_id: str | None = text()
    active_at: int | None = whole()
    expires_at: int | None = whole()
    related_id: str | None = text()
    hold_id: str | None = text()
    effective_at: int = whole()
    created_at: int = whole()


class LotChange(SQLModel, table=True):
    """What one transaction took from, gave back to, or set aside of one lot.

    `ordinal` is the order of taking.
    """

    __tablename__ = "lot_changes"
    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)

    transaction_id: str = text(primary_key=True)
    ordinal: int = whole(primary_key=True)
    lot_id: str = text()
    remaining_change: int = whole()
    held_change: int = whole()


class Detail(SQLModel, table=True):
    """What a caller said of a transaction in free text.

    It stands beside the book so that erasing can clear it. `metadata_json` is a JSON object as
    text.
    """

    __tablename__ = "details"
    __table_args__: ClassVar[Any] = (Index(None, "order_id"), {"sqlite_strict": True})

    transaction_id: str = text(primary_key=True)
    description: str | None = text()
    metadata_json: str | None = text()
    order_id: str | None = text()
    sale_amount: float | None = double()
    sale_channel: str | None = text()
    location_id: str | None = text()
    coupon_code: str | None = text()
