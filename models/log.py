"""The event log: what happened, in the order of commits."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from models.columns import one_of, text, whole

EVENTS = (
    "POINTS_CREDITED",
    "POINTS_PROMISED",
    "POINTS_DEBITED",
    "POINTS_EXPIRED",
    "POINTS_REVERSED",
    "POINTS_REFUNDED",
    "POINTS_HELD",
    "POINTS_RELEASED",
    "POINTS_TRANSFERRED",
    "POINTS_EXPIRING_SOON",
)


class Event(SQLModel, table=True):
    """A fact, written in the unit of work of the row it tells of. Never changed, never deleted.

    `position` is dense: 1..n without gap, in the order of commits. Every transaction has exactly
    one event; `POINTS_EXPIRING_SOON` alone tells of a lot and has none. What people wrote is read
    by join, never stored here.
    """

    __tablename__ = "events"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("id"),
        UniqueConstraint("transaction_id"),
        Index(None, "wallet_id", "position"),
        one_of("name", *EVENTS),
        {"sqlite_strict": True},
    )

    position: int = whole(primary_key=True)
    id: str = text()
    name: str = text()
    wallet_id: str = text()
    program_id: str = text()
    transaction_id: str | None = text()
    lot_id: str | None = text()
    points: int = whole()
    expires_at: int | None = whole()
    at: int = whole()


class LogHead(SQLModel, table=True):
    """The position of the last event: one row. Taking its lock puts the log in one order.

    `erasures` counts members that were erased: who remembers events forgets them when it grows.
    """

    __tablename__ = "log_head"
    __table_args__: ClassVar[Any] = ({"sqlite_strict": True},)

    id: int = whole(primary_key=True)
    position: int = whole()
    erasures: int = whole()
