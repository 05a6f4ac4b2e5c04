"""Wallets, and what they are made of: lots, holds, and the lots that a hold has set aside.

These rows are the ledger's present state. Each can be told from the transactions, and the audit
does so.
"""

from typing import Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, Index, Table, UniqueConstraint, and_
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from models.columns import flag, holds, one_of, text, whole


class Wallet(SQLModel, table=True):
    """One member's points in one program: the balances as last written, and the lifetime figures.

    `sequence` and `redeemed_sequence` are those of its last transaction and last redeeming debit.
    `effective_at` and `written_at` are the last transaction's. `activity_expires_at` is when lots
    that follow the wallet's activity expire (0 before the first); `lapsed_at` is when an activity
    last came too late for them. `due_at` and `warning_at` are never later than the instant at which
    something falls due, or a warning does; they may be earlier.
    """

    __tablename__ = "wallets"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("program_id", "member_id"),
        Index(None, "member_id"),
        Index(None, "program_id", "id"),
        Index(None, "due_at"),
        Index(None, "warning_at"),
        holds("wallet_active_not_negative", "active >= 0"),
        holds("wallet_promised_not_negative", "promised >= 0"),
        holds("wallet_held_not_negative", "held >= 0"),
        holds("wallet_redeemed_not_negative", "redeemed >= 0 AND removed >= 0"),
        holds(
            "wallet_books_close",
            "active + promised + held = credited + transferred_in - transferred_out"
            " - redeemed - removed - expired - reversed",
        ),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    program_id: str = text(foreign_key="programs.id")
    member_id: str = text(foreign_key="members.id")
    frozen: bool = flag()
    active: int = whole()
    promised: int = whole()
    held: int = whole()
    credited: int = whole()
    transferred_in: int = whole()
    transferred_out: int = whole()
    redeemed: int = whole()
    removed: int = whole()
    expired: int = whole()
    reversed: int = whole()
    sequence: int = whole()
    redeemed_sequence: int = whole()
    effective_at: int = whole()
    written_at: int = whole()
    activity_expires_at: int = whole()
    lapsed_at: int = whole()
    due_at: int = whole()
    warning_at: int = whole()
    created_at: int = whole()


_TRUE = sql("TRUE")


def is_open(lots: FromClause) -> ColumnElement[bool]:
    """The lot has active points that are not held.

    Written so that the partial indexes serve it.
    """
    return and_(lots.c.activated.is_(_TRUE), lots.c.remaining > lots.c.held)


def is_promised(lots: FromClause) -> ColumnElement[bool]:
    """The lot has points that are not active yet."""
    return and_(lots.c.activated.is_not(_TRUE), lots.c.remaining > sql("0"))


def is_credited(lots: FromClause) -> ColumnElement[bool]:
    """A CREDIT issued the lot."""
    return lots.c.credited.is_(_TRUE)


def is_running(holds: FromClause) -> ColumnElement[bool]:
    """The hold still has points set aside."""
    return holds.c.status == sql("'OPEN'")


class Lot(SQLModel, table=True):
    """The points of one issuance still in the wallet, when they become active, when they expire.

    `remaining` counts what is `held`, too. `credited` says that a CREDIT issued it (not a transfer
    or a refund's grace). `expired` and `reversed` are what went those ways, of this lot and of this
    credit. A lot that `follows_activity` expires at the later of its `expires_at` and its wallet's
    `activity_expires_at`, unless it lapsed. `spendable_sequence` is that of the transaction that
    made its points active. `warned_for` is the expiry of which its last warning told.
    """

    __tablename__ = "lots"
    __table_args__: ClassVar[Any] = (
        Index(None, "transaction_id"),
        holds("lot_held_within_remaining", "0 <= held AND held <= remaining"),
        holds("lot_remaining_within_issued", "remaining <= issued"),
        holds("lot_expires_after_activation", "expires_at > active_at"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    wallet_id: str = text(foreign_key="wallets.id")
    program_id: str = text()
    transaction_id: str = text()
    credited: bool = flag()
    issued: int = whole()
    remaining: int = whole()
    held: int = whole()
    expired: int = whole()
    reversed: int = whole()
    issued_at: int = whole()
    active_at: int = whole()
    expires_at: int = whole()
    follows_activity: bool = flag()
    activated: bool = flag()
    spendable_sequence: int | None = whole()
    warned_for: int = whole()


class Hold(SQLModel, table=True):
    """Active points set aside for a checkout.

    What is neither captured nor released is still held while it is OPEN.
    """

    __tablename__ = "holds"
    __table_args__: ClassVar[Any] = (
        Index(None, "wallet_id", "id"),
        one_of("status", "OPEN", "CLOSED", "EXPIRED"),
        holds(
            "hold_settled_within_points",
            "captured >= 0 AND released >= 0 AND captured + released <= points",
        ),
        holds("hold_closed_when_settled", "(status = 'OPEN') = (captured + released < points)"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    wallet_id: str = text(foreign_key="wallets.id")
    transaction_id: str = text()
    points: int = whole()
    captured: int = whole()
    released: int = whole()
    status: str = text()
    expires_at: int = whole()
    created_at: int = whole()


class HeldLot(SQLModel, table=True):
    """What a hold still has set aside of one lot; `ordinal` is the order of taking."""

    __tablename__ = "held_lots"
    __table_args__: ClassVar[Any] = (
        holds("held_lot_not_negative", "held >= 0"),
        {"sqlite_strict": True},
    )

    hold_id: str = text(primary_key=True)
    ordinal: int = whole(primary_key=True)
    lot_id: str = text()
    held: int = whole()


def _index_some(name: str, table: Table, where: ColumnElement[bool], *columns: str) -> None:
    """An index over the rows for which the condition holds."""
    Index(
        name, *[table.c[column] for column in columns], sqlite_where=where, postgresql_where=where
    )


LOTS: Table = Lot.__table__  # pyright: ignore[reportAttributeAccessIssue]
HOLDS: Table = Hold.__table__  # pyright: ignore[reportAttributeAccessIssue]

_index_some("ix_lots_promised", LOTS, is_promised(LOTS), "wallet_id", "active_at")
_index_some(
    "ix_lots_by_expiry",
    LOTS,
    is_open(LOTS),
    "wallet_id",
    "follows_activity",
    "expires_at",
    "active_at",
    "id",
)
_index_some(
    "ix_lots_by_issuance",
    LOTS,
    is_open(LOTS),
    "wallet_id",
    "issued_at",
    "expires_at",
    "active_at",
    "id",
)
_index_some("ix_lots_credited", LOTS, is_credited(LOTS), "wallet_id", "active_at", "id")
_index_some("ix_lots_credited_by_program", LOTS, is_credited(LOTS), "program_id", "active_at", "id")
_index_some("ix_holds_open", HOLDS, is_running(HOLDS), "wallet_id", "expires_at")
