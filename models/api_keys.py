"""API keys: what callers of the service show, and what each may do. Only their hashes are kept."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from models.columns import text, whole


class ApiKey(SQLModel, table=True):
    """A key `tpk_<id>_<secret>`, known by its SHA-256: the secret has 256 random bits.

    `scopes` are words with spaces between. A key works until `expires_at` or `revoked_at`, the
    sooner. `last_used_at` lags by a minute or so.
    """

    __tablename__ = "api_keys"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("hash"),
        Index(None, "name"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    name: str = text()
    hash: str = text()
    scopes: str = text()
    created_at: int = whole()
    expires_at: int = whole()
    last_used_at: int | None = whole()
    revoked_at: int | None = whole()
