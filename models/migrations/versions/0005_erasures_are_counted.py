"""Erasures are counted beside the log's end, so that every instance hears of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column; on SQLite by making the table anew, or its words would stand elsewhere."""
    if op.get_bind().dialect.name == "postgresql":
        counted = sa.Column("erasures", WHOLE, nullable=False, server_default=sa.text("0"))
        op.add_column("log_head", counted)
        op.alter_column("log_head", "erasures", server_default=None)
    else:
        make_anew()


def make_anew() -> None:
    old = sa.table("log_head", sa.column("position"))
    position = op.get_bind().execute(sa.select(old.c.position)).scalar_one()
    op.drop_table("log_head")
    new = op.create_table(
        "log_head",
        *(
            sa.Column(name, WHOLE, nullable=False, autoincrement=False)
            for name in ("id", "position", "erasures")
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.execute(new.insert().values(id=1, position=position, erasures=0))
