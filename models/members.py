"""Members: the people, and all that is known of them."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.columns import text, whole


class Member(SQLModel, table=True):
    """A person, known by the caller's own `identity`.

    Personal fields stand here and nowhere in the ledger. `attributes` is a JSON object as text.
    Erasing clears everything but the id and makes the identity `erased:<id>`.
    """

    __tablename__ = "members"
    __table_args__: ClassVar[Any] = (UniqueConstraint("identity"), {"sqlite_strict": True})

    id: str = text(primary_key=True)
    identity: str = text()
    name: str | None = text()
    email: str | None = text()
    phone: str | None = text()
    time_zone: str | None = text()
    attributes: str = text(default="{}")
    created_at: int = whole()
    erased_at: int | None = whole()
