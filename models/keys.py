"""Idempotency keys: what each key that was ever used stands for. Kept for ever."""

from typing import Any, ClassVar

from sqlmodel import SQLModel

from models.columns import holds, text, whole


class IdempotencyKey(SQLModel, table=True):
    """One key, one effect: the transaction it made, or the refusal that sticks to it.

    `fingerprint` is the hash of the command without its key; `refusal` is JSON as text, without
    anything personal.
    """

    __tablename__ = "idempotency_keys"
    __table_args__: ClassVar[Any] = (
        holds("key_has_one_effect", "(transaction_id IS NULL) <> (refusal IS NULL)"),
        {"sqlite_strict": True},
    )

    key: str = text(primary_key=True)
    fingerprint: str = text()
    transaction_id: str | None = text()
    refusal: str | None = text()
    created_at: int = whole()
