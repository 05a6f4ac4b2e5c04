"""The audit trail: who did what, written in the unit of work of what it tells of."""

from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import SQLModel

from models.columns import holds, one_of, text, whole

ACTORS = ("KEY", "DEVELOPER", "TERMINAL", "SERVICE")


class AuditEntry(SQLModel, table=True):
    """One change and whoever made it. Never changed, never deleted; it names no person.

    `action` is the mutation's name, or the terminal's command; `subject_id` is the id of what it
    made or changed: a transaction, wallet, program, member, coupon or key.
    """

    __tablename__ = "audit_entries"
    __table_args__: ClassVar[Any] = (
        Index(None, "at", "id"),
        Index(None, "key_id", "at", "id"),
        Index(None, "subject_id", "at", "id"),
        Index(None, "action", "at", "id"),
        one_of("actor", *ACTORS),
        holds("key_acts_by_its_id", "(actor = 'KEY') = (key_id IS NOT NULL)"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    id: str = text(primary_key=True)
    at: int = whole()
    actor: str = text()
    key_id: str | None = text()
    action: str = text()
    subject_id: str | None = text()
    request_id: str | None = text()
