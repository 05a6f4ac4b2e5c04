"""Migrations: how a database comes to have the tables, and whether it has them already.

What a running service asks (`is_current`) costs one small read. Alembic is imported only to
migrate.
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
    """The database has the tables that this code needs."""
    if not inspect(connection).has_table(_VERSIONS.name):
        return False
    return connection.execute(select(_VERSIONS.c.version_num)).scalars().all() == [REVISION]


def upgrade(address: str) -> None:
    """Bring the database at `sqlite:///…` or `postgresql://…` up to date, in one unit of work.

    Safe to run again, and from several processes at once. It blocks: never call it in an event
    loop's thread.
    """
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        _upgrade_sqlite(url.set(drivername="sqlite"))
    else:
        asyncio.run(_upgrade_postgres(url.set(drivername="postgresql+asyncpg")))


def _upgrade_sqlite(url: URL) -> None:
    make_private(Path(str(url.database)))
    engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None})
    event.listen(engine, "connect", _make_durable)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        _run_revisions(connection)


def _make_durable(connection: sqlite3.Connection, _: object) -> None:
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


async def _upgrade_postgres(url: URL) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        await connection.run_sync(_run_revisions)


def _run_revisions(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - serving needs no Alembic
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, "head")
