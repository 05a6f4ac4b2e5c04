"""Rows in bulk: what a service has written once, copied within its database as often as asked.

The service isn't running meanwhile. Every table has what it would have, had each been asked for:
`tuppence check` finds nothing amiss.
"""

import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.figures import MeasurementError
from models.transactions import FLOWS

FRESH_ID = "substr({0}, 1, length({0}) - 8) || printf('%08d', n)"
"""An id as sortable and as long as the first one's: its last digits say which copy it is."""
FRESH_TRANSACTION = FRESH_ID.format("transaction_id")
TRANSACTIONS = {
    "transactions": {
        "id": FRESH_ID.format("id"),
        "sequence": "n",
        "active_after": "active_after * n",
        "active_at": "active_at + n",
        "effective_at": "effective_at + n",
        "created_at": "created_at + n",
    },
    "details": {"transaction_id": FRESH_TRANSACTION},
    "lots": {
        "id": FRESH_ID.format("id"),
        "transaction_id": FRESH_TRANSACTION,
        "issued_at": "issued_at + n",
        "active_at": "active_at + n",
        "spendable_sequence": "n",
    },
    "idempotency_keys": {
        "key": "key || '-' || n",
        "transaction_id": FRESH_TRANSACTION,
        "created_at": "created_at + n",
    },
    "events": {
        "position": "(SELECT position FROM log_head) + n - 1",
        "id": FRESH_ID.format("id"),
        "transaction_id": FRESH_TRANSACTION,
        "at": "at + n",
    },
    "audit_entries": {
        "id": FRESH_ID.format("id"),
        "at": "at + n",
        "subject_id": FRESH_ID.format("subject_id"),
    },
}
"""The rows that a credit writes, and how the n-th copy of each differs from the first."""

KEYS = {"transactions": "id", "audit_entries": "subject_id"}
"""By which column a table names the transaction, where it isn't `transaction_id`."""

WALLET = """UPDATE wallets SET sequence = :count, active = active * :count,
    credited = credited * :count, effective_at = effective_at + :count,
    written_at = written_at + :count WHERE id = :wallet"""

MEMBERS = {"id": FRESH_ID.format("id"), "identity": "printf('member-%05d', n)"}
NOTHING = ("active", "promised", "held", *FLOWS, "sequence", "redeemed_sequence", "effective_at")
WALLETS = {
    "id": FRESH_ID.format("id"),
    "member_id": FRESH_ID.format("member_id"),
    **dict.fromkeys((*NOTHING, "written_at"), "0"),
}
"""A wallet that nothing has happened in yet, of a member of its own."""

TRANSACTION_BYTES = 2_500
WALLET_BYTES = 1_000
"""About what each takes on the disk, to see beforehand whether there is room."""
CACHE_KB = 512 * 1024


@contextmanager
def bulk(path: Path) -> Generator[sqlite3.Connection]:
    """Open a database for rows in bulk, one unit of work for all; then it is as it was.

    All of it is on the disk at the end, so that nobody's commit waits for it later.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        database.execute("BEGIN")
        yield database
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode = WAL")
    with path.open("rb") as file:
        os.fsync(file.fileno())


def copy_rows(
    database: sqlite3.Connection,
    table: str,
    changes: dict[str, str],
    first: tuple[str, str],
    numbers: tuple[int, int],
) -> None:
    """Copy the row whose column has this value, once for each number up to the last."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changes.get(column, f'"{column}"') for column in columns)
    database.execute(
        "WITH RECURSIVE copies (n) AS"
        " (SELECT :start UNION ALL SELECT n + 1 FROM copies WHERE n < :last)"
        f" INSERT INTO {table} ({names}) SELECT {values} FROM {table}, copies"
        f" WHERE {first[0]} = :value",
        {"start": numbers[0], "last": numbers[1], "value": first[1]},
    )


def lengthen(path: Path, wallet: str, count: int) -> None:
    """Make of a wallet's one credit `count` of them, every table as if each had been made."""
    if count > 1:
        with bulk(path) as database:
            lengthen_one(database, wallet, count)


def lengthen_one(database: sqlite3.Connection, wallet: str, count: int) -> None:
    """Do it on an open database."""
    query = "SELECT id FROM transactions WHERE wallet_id = ?"
    ((transaction,),) = database.execute(query, (wallet,)).fetchall()
    for table, changes in TRANSACTIONS.items():
        key = KEYS.get(table, "transaction_id")
        copy_rows(database, table, changes, (key, transaction), (2, count))
    database.execute(WALLET, {"count": count, "wallet": wallet})
    database.execute("UPDATE log_head SET position = position + ?", (count - 1,))


def lengthen_all(path: Path, count: int) -> None:
    """Do so for every wallet of the database, which have one credit each."""
    if count > 1:
        with bulk(path) as database:
            for (wallet,) in database.execute("SELECT id FROM wallets ORDER BY id").fetchall():
                lengthen_one(database, wallet, count)


def add_wallets(path: Path, count: int) -> None:
    """Beside the database's one wallet, of member 0, open those of members 1 to `count` - 1."""
    with bulk(path) as database:
        ((wallet, member),) = database.execute("SELECT id, member_id FROM wallets").fetchall()
        copy_rows(database, "members", MEMBERS, ("id", member), (1, count - 1))
        copy_rows(database, "wallets", WALLETS, ("id", wallet), (1, count - 1))


def see_room(folder: Path, needed: int) -> None:
    """See that the disk has room for what is to be written."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        reason = (
            f"{folder} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed:"
            " name another folder in TMPDIR, or measure smaller sizes by --quick."
        )
        raise MeasurementError(reason)
