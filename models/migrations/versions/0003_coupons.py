"""Coupons and their uses."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOUBLE = sa.REAL().with_variant(postgresql.DOUBLE_PRECISION(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "coupons",
        text("id"),
        text("code"),
        text("program_id"),
        whole("points", nullable=True),
        sa.Column("percent_of_sale", DOUBLE, nullable=True),
        sa.Column("minimum_sale", DOUBLE, nullable=True),
        whole("total_limit", nullable=True),
        whole("member_limit"),
        whole("starts_at", nullable=True),
        whole("ends_at", nullable=True),
        whole("redeemed"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"]),
        sa.UniqueConstraint("code"),
        holds("coupon_gives_one_thing", "(points IS NULL) <> (percent_of_sale IS NULL)"),
        holds("coupon_gives_something", "points > 0 AND percent_of_sale > 0"),
        holds("coupon_minimum_sale_not_negative", "minimum_sale >= 0"),
        holds("coupon_limits_positive", "total_limit > 0 AND member_limit > 0"),
        holds("coupon_ends_after_its_start", "starts_at < ends_at"),
        holds("coupon_within_its_limit", "0 <= redeemed AND redeemed <= total_limit"),
        sqlite_strict=True,
    )
    op.create_table(
        "coupon_uses",
        text("transaction_id"),
        text("coupon_id"),
        text("member_id"),
        text("freed_by", nullable=True),
        sa.PrimaryKeyConstraint("transaction_id"),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"]),
        sqlite_strict=True,
    )
    standing = sa.text("freed_by IS NULL")
    op.create_index(
        "ix_coupon_uses_standing",
        "coupon_uses",
        ["coupon_id", "member_id"],
        sqlite_where=standing,
        postgresql_where=standing,
    )


def downgrade() -> None:
    raise NotImplementedError("The book is never unwritten: restore a backup instead.")


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TEXT, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, WHOLE, nullable=nullable, autoincrement=False)


def holds(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)
