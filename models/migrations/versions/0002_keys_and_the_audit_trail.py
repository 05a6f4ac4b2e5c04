"""Keys and the audit trail."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from models.dialects import forbid_rewriting

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTORS = "'KEY', 'DEVELOPER', 'TERMINAL', 'SERVICE'"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        text("id"),
        text("name"),
        text("hash"),
        text("scopes"),
        whole("created_at"),
        whole("expires_at"),
        whole("last_used_at", nullable=True),
        whole("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
        sqlite_strict=True,
    )
    op.create_index(None, "api_keys", ["name"])
    op.create_table(
        "audit_entries",
        text("id"),
        whole("at"),
        text("actor"),
        text("key_id", nullable=True),
        text("action"),
        text("subject_id", nullable=True),
        text("request_id", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint(f"actor IN ({ACTORS})", name="actor_is_known"),
        sa.CheckConstraint("(actor = 'KEY') = (key_id IS NOT NULL)", name="key_acts_by_its_id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(None, "audit_entries", ["at", "id"])
    for filtered in ("key_id", "subject_id", "action"):
        op.create_index(None, "audit_entries", [filtered, "at", "id"])
    for statement in forbid_rewriting("audit_entries", op.get_context().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("Nobody is let in without keys: restore a backup instead.")


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TEXT, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, WHOLE, nullable=nullable, autoincrement=False)
