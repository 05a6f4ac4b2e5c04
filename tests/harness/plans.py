"""How a database goes about the statements of a read: by index, or through a table as a whole."""

import re
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, event, text

Read = Callable[[Connection], Any]

LARGE: Final = (
    "transactions|details|lots|held_lots|holds|wallets|members|events|lot_changes|audit_entries"
    "|coupons|coupon_uses|deliveries|attempts|inbox_messages|idempotency_keys"
)
WHOLE_TABLE: Final = {
    "sqlite": re.compile(rf"^SCAN (listed_)?({LARGE})(_\d)?\b(?! USING INDEX)"),
    "postgresql": re.compile(rf"Seq Scan on ({LARGE})\b"),
}


def plan(connection: Connection, read: Read) -> list[str]:
    """How the database would go about a read's statements, were its tables large."""
    if connection.dialect.name == "postgresql":
        # The tables are small here: make dear what is dear once they are large.
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
    return steps_of(connection, read)


def steps_of(connection: Connection, read: Read) -> list[str]:
    """How the database goes about each of the read's statements as it is, one step a line."""
    explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    steps: list[str] = []
    for statement, parameters in statements_of(connection, read):
        told = connection.exec_driver_sql(f"{explain} {statement}", parameters)
        steps += [row[-1] for row in told]
    return steps


def statements_of(connection: Connection, read: Read) -> list[tuple[str, Any]]:
    """The statements that a read sends, with their parameters."""
    sent: list[tuple[str, Any]] = []

    def note(*about: Any) -> None:
        sent.append((about[2], about[3]))

    event.listen(connection, "before_cursor_execute", note)
    read(connection)
    event.remove(connection, "before_cursor_execute", note)
    return [one for one in sent if one[0].startswith("SELECT")]
