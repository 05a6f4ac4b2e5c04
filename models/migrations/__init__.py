"""Migrations: how a database comes to have the tables, and whether it has them already.

A revision leaves the version before it able to run: it adds, and takes away what nobody has used
since then. So many instances are upgraded one after another, on a database that is migrated first.

What a service asks costs one small read. Alembic is imported only to migrate.
"""

import asyncio
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, create_engine, event, inspect, select, table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from models.database import make_private

REVISION: Final = "0005"
"""The newest revision: what the code needs."""

_LOCK: Final = 8_413_721_904
"""The advisory lock that keeps two migrations of one PostgreSQL apart."""

_VERSIONS: Final = table("alembic_version", column("version_num"))


def is_current(connection: Connection) -> bool:
    """The database has the tables that this code makes: what a service asks as it starts."""
    return _revision(connection) == REVISION


def is_enough(connection: Connection) -> bool:
    """It has at least those: a service that runs goes on when a newer one has migrated."""
    return (_revision(connection) or "") >= REVISION


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSIONS.name):
        return None
    return connection.execute(select(_VERSIONS.c.version_num)).scalar_one_or_none()


def upgrade(address: str, revision: str = "head") -> None:
    """Bring the database at `sqlite:///…` or `postgresql://…` up to date, in one unit of work.

    Up to a `revision`, where an older one is wanted. Safe to run again, and from several processes
    at once. It blocks: never call it in an event loop's thread.
    """
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        _upgrade_sqlite(url.set(drivername="sqlite"), revision)
    else:
        asyncio.run(_upgrade_postgres(url.set(drivername="postgresql+asyncpg"), revision))


def _upgrade_sqlite(url: URL, revision: str) -> None:
    make_private(Path(str(url.database)))
    engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None})
    event.listen(engine, "connect", _make_durable)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        _run_revisions(connection, revision)


def _make_durable(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


async def _upgrade_postgres(url: URL, revision: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.run_sync(_run_revisions, revision)


def _run_revisions(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - serving needs no Alembic
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, revision)
