"""Erasures are counted beside the log's end, so that every instance hears of them."""

import sqlalchemy as sa
from alembic import op

from models.dialects import alone_in
from models.tables import log_head

revision = "0005"
down_revision = "0004"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the one-row table anew: SQLite would write an added column's words elsewhere."""
    alone_in(op.get_bind(), log_head)  # an instance that still runs takes no position meanwhile
    position = op.get_bind().execute(sa.select(log_head.c.position)).scalar_one()
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
