"""Pragmas: how a connection to SQLite behaves, by what it is for."""

from typing import Any, Final

BUSY_TIMEOUT_MS: Final = 5_000

CHECKPOINT_PAGES: Final = 4_000
"""What is in the log, 16 MB, before it is brought into the file. Pages that are written again and
again are copied once then: at SQLite's own thousand, credits come to 0.92 as many."""


def for_writer(connection: Any) -> None:
    """The one that does all commits and all checkpoints."""
    _run_all(
        connection,
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
        "PRAGMA secure_delete=ON",
        "PRAGMA trusted_schema=OFF",
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
        "PRAGMA cache_size=-65536",
        f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}",
    )


def for_visitor(connection: Any) -> None:
    """A short-lived writer, beside whoever serves the file.

    The fault that loses committed pages needs two connections that checkpoint. This one doesn't as
    it commits; as it closes SQLite does so by itself, but only if nobody else has the file open.
    """
    for_writer(connection)
    _run_all(connection, "PRAGMA wal_autocheckpoint=0")


def for_reader(connection: Any) -> None:
    """One that neither writes nor checkpoints."""
    _run_all(
        connection,
        "PRAGMA query_only=ON",
        "PRAGMA wal_autocheckpoint=0",
        "PRAGMA trusted_schema=OFF",
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
        "PRAGMA mmap_size=268435456",
    )


def _run_all(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
