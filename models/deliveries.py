"""Deliveries: what became of each campaign's message to one member, for one trigger."""

from typing import Any, ClassVar

from sqlalchemy import Index, Table, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from models.columns import flag, holds, one_of, text, whole

STATUSES = (
    "WAITING",
    "RETRYING",
    "SENDING",
    "SENT",
    "SKIPPED",
    "HELD_OUT",
    "CANCELLED",
    "FAILED",
    "UNKNOWN",
)
"""As they are written. What is WAITING or RETRYING and whose time has come is told as DUE."""

REASONS = (
    "NO_ADDRESS",
    "FREQUENCY_LIMIT",
    "QUIET_HOURS",
    "CAP_REACHED",
    "TEMPLATE_ABORTED",
    "MISSING_PROPERTY",
    "RENDER_ERROR",
    "STALE",
    "PROFILE_MISMATCH",
    "CREDIT_REDEEMED",
    "WALLET_REDEEMED",
    "CREDIT_REVERSED",
    "CREDIT_EXPIRED",
    "CAMPAIGN_STOPPED",
    "CAMPAIGN_ENDED",
    "MEMBER_ERASED",
    "REJECTED",
    "TIMED_OUT",
    "UNREACHABLE",
)
"""Why one ended as it did, or is tried again. docs/campaigns.md says what each means."""

ABSENCES = ("CREDIT_UNREDEEMED", "WALLET_UNREDEEMED")


class Delivery(SQLModel, table=True):
    """One campaign's message, reward or both, to one member, for one trigger: exactly one row.

    `due_at` is when the courier has to look at it next: the end of a wait, or of a lease while it
    is SENDING; it has none once it has ended. `absence` is what must still be so of the lot
    `lot_id`, or of the wallet since its `sequence`. `depth` counts the rewards that led to
    its trigger. `placed_at` is when it took its place under the limits. `settled_at` is when it
    ended: sent, held out or other. `revision` orders the changes of all deliveries.
    """

    __tablename__ = "deliveries"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("campaign_id", "trigger_key"),
        UniqueConstraint("revision"),
        Index(None, "campaign_id", "id"),
        Index(None, "campaign_id", "status", "reason", "is_test"),
        Index(None, "member_id", "id"),
        Index(None, "event_id"),
        one_of("status", *STATUSES),
        one_of("absence", *ABSENCES),
        holds(
            "delivery_is_due_until_it_ends",
            "(due_at IS NOT NULL) = (status IN ('WAITING', 'RETRYING', 'SENDING'))",
        ),
        holds("delivery_settled_when_it_ends", "(due_at IS NULL) = (settled_at IS NOT NULL)"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    campaign_id: str = text(foreign_key="campaigns.id")
    version: int = whole()
    trigger_key: str = text()
    is_test: bool = flag()
    event_id: str = text()
    member_id: str = text(foreign_key="members.id")
    wallet_id: str | None = text(foreign_key="wallets.id")
    lot_id: str | None = text()
    sequence: int | None = whole()
    absence: str | None = text()
    depth: int = whole()
    status: str = text()
    reason: str | None = text()
    detail: str | None = text()
    due_at: int | None = whole()
    placed_at: int | None = whole()
    settled_at: int | None = whole()
    attempts: int = whole()
    reward_id: str | None = text()
    subject: str | None = text()
    body: str | None = text()
    html: str | None = text()
    revision: int = whole()
    created_at: int = whole()


class Attempt(SQLModel, table=True):
    """One attempt to send, written before it is made: what is not finished is not known.

    `status` is what the other side answered, as its protocol numbers it.
    """

    __tablename__ = "attempts"
    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)

    delivery_id: str = text(primary_key=True, foreign_key="deliveries.id")
    number: int = whole(primary_key=True)
    started_at: int = whole()
    finished_at: int | None = whole()
    status: int | None = whole()
    error: str | None = text()


class InboxMessage(SQLModel, table=True):
    """A message that members read where their points are shown. Erased with its member."""

    __tablename__ = "inbox_messages"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("delivery_id"),
        Index(None, "member_id", "id"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    delivery_id: str = text(foreign_key="deliveries.id")
    member_id: str = text(foreign_key="members.id")
    subject: str | None = text()
    body: str = text()
    sent_at: int = whole()
    read_at: int | None = whole()


class DeliveryHead(SQLModel, table=True):
    """The revision of the last change of a delivery: one row, whose lock puts them in order."""

    __tablename__ = "delivery_head"
    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)

    id: int = whole(primary_key=True)
    revision: int = whole()


def _index_some(name: str, where: str, *columns: str) -> None:
    table: Table = Delivery.__table__  # pyright: ignore[reportAttributeAccessIssue]
    some = [table.c[column] for column in columns]
    Index(name, *some, sqlite_where=sql(where), postgresql_where=sql(where))


_index_some("ix_deliveries_due", "due_at IS NOT NULL", "campaign_id", "due_at", "id")
_index_some(
    "ix_deliveries_absence_of_wallet", "due_at IS NOT NULL AND absence IS NOT NULL", "wallet_id"
)
_index_some(
    "ix_deliveries_placed", "placed_at IS NOT NULL", "campaign_id", "member_id", "placed_at"
)
