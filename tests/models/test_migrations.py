"""Migrations: an empty database comes to have exactly the tables that the models tell of."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text
from sqlmodel import SQLModel

from ledger.records import Program
from models import DEFAULT_PROGRAM, tables
from models.database import open_database
from models.migrations import REVISION, is_current, upgrade
from tests.harness.postgres import Postgres

PARTS_ON_POSTGRESQL = """
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable,
                     column_default, ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'public'
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    yield cluster.create("to_migrate")
    cluster.drop("to_migrate")


async def migrate(address: str) -> None:
    await asyncio.to_thread(upgrade, address)


async def in_database(address: str, work: Callable[[Connection], Any]) -> Any:
    database = open_database(address)
    try:
        return await database.write(work)
    finally:
        await database.close()


def parts(connection: Connection) -> set[frozenset[str]]:
    """All that the database knows of its tables, as text, but for triggers and Alembic."""
    if connection.dialect.name == "postgresql":
        found = [[part] for part in connection.execute(text(PARTS_ON_POSTGRESQL)).scalars()]
    else:
        schema = text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger'")
        found = [sql.splitlines() for sql in connection.execute(schema).scalars()]
    return {
        frozenset(line.strip().rstrip(", ") for line in lines)
        for lines in found
        if "alembic" not in lines[0]
    }


def empty(connection: Connection) -> None:
    for table in reversed(SQLModel.metadata.sorted_tables):
        connection.execute(text(f"DROP TABLE {table.name}"))


async def test_models_and_migrations_agree(empty_database_url: str) -> None:
    await migrate(empty_database_url)

    differences = await in_database(
        empty_database_url,
        lambda connection: compare_metadata(
            MigrationContext.configure(connection, opts={"compare_server_default": True}),
            SQLModel.metadata,
        ),
    )

    assert differences == []


async def test_the_tables_are_made_word_for_word_as_the_models_would_make_them(
    empty_database_url: str,
) -> None:
    await migrate(empty_database_url)
    migrated = await in_database(empty_database_url, parts)
    await in_database(empty_database_url, empty)

    await in_database(empty_database_url, SQLModel.metadata.create_all)

    assert await in_database(empty_database_url, parts) == migrated


async def test_sqlite_tables_are_strict(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path / 'strict.db'}")

    with sqlite3.connect(tmp_path / "strict.db") as connection:
        strict = dict(connection.execute("SELECT name, strict FROM pragma_table_list"))
    connection.close()

    assert {name: strict[name] for name in SQLModel.metadata.tables} == dict.fromkeys(
        SQLModel.metadata.tables, 1
    )


async def test_a_database_is_current_once_it_is_migrated(empty_database_url: str) -> None:
    assert not await in_database(empty_database_url, is_current)

    await migrate(empty_database_url)
    await migrate(empty_database_url)

    assert await in_database(empty_database_url, is_current)


async def test_a_database_of_another_revision_is_not_current(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    await in_database(
        empty_database_url,
        lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0'")),
    )

    assert REVISION != "0"
    assert not await in_database(empty_database_url, is_current)


async def test_a_fresh_database_has_the_default_program_and_an_empty_log(
    empty_database_url: str,
) -> None:
    await migrate(empty_database_url)

    def look(connection: Connection) -> Any:
        programs = [Program(*row) for row in connection.execute(select(tables.programs))]
        return programs, connection.execute(select(tables.log_head)).all()

    (program,), log_head = await in_database(empty_database_url, look)

    assert log_head == [(1, 0, 0)]
    assert program == Program(
        id=program.id,
        name=DEFAULT_PROGRAM,
        points_name="points",
        expiry_rule="NEVER",
        expiry_count=None,
        expiry_unit=None,
        activation_delay=None,
        consumption="EARLIEST_EXPIRY",
        rounding_decimals=0,
        rounding_mode="DOWN",
        time_zone="UTC",
        max_balance=None,
        expiring_soon_days=7,
        created_at=program.created_at,
    )
