"""Rows in bulk: few or many, they are written by one statement, and all of them or none."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection, select

from models.database import Collision, Database, open_database
from models.dialects import Writing, add_missing_rows, write_all, write_at_end, write_rows
from models.tables import api_keys, audit_entries, events, log_head
from tests.harness.statements import counted_statements

COUNTS = (1, 2, 1_000)

Row = tuple[str, str, str, str, int, int, None, None]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = open_database(database_url)
    yield database
    await database.close()


def key(number: int, name: str = "till") -> Row:
    return (f"key_{number:04}", name, f"hash-{number}", "admin", number, number, None, None)


def names(connection: Connection) -> list[str]:
    """Of the keys, in their order."""
    return list(connection.execute(select(api_keys.c.name).order_by(api_keys.c.id)).scalars())


@pytest.mark.parametrize("count", COUNTS)
async def test_each_row_is_written_as_it_is(database: Database, count: int) -> None:
    rows = [key(number) for number in range(count)]
    with counted_statements() as statements:
        await database.write(write_rows, api_keys, rows)

    found = await database.read(lambda link: link.execute(select(api_keys)).all())
    assert sorted(map(tuple, found)) == rows
    assert len([each for each in statements if each.startswith("INSERT")]) == 1


@pytest.mark.parametrize("count", COUNTS)
async def test_where_one_is_there_none_is_written(database: Database, count: int) -> None:
    await database.write(write_rows, api_keys, [key(count - 1, "first")])

    with pytest.raises(Collision):
        await database.write(write_rows, api_keys, [key(number) for number in range(count)])

    assert await database.read(names) == ["first"]


@pytest.mark.parametrize("count", COUNTS)
async def test_what_is_there_gets_the_columns_that_are_to_be_replaced(
    database: Database, count: int
) -> None:
    await database.write(write_rows, api_keys, [key(0, "first")])
    await database.write(
        write_rows, api_keys, [key(number, "second") for number in range(count)], "name"
    )

    assert await database.read(names) == ["second"] * count


@pytest.mark.parametrize("count", COUNTS)
async def test_what_is_there_stays_where_only_the_missing_are_added(
    database: Database, count: int
) -> None:
    await database.write(write_rows, api_keys, [key(0, "first")])
    rows = [key(number, "second") for number in range(count)]
    missing = await database.write(add_missing_rows, api_keys, rows)

    assert await database.read(names) == ["first", *["second"] * (count - 1)]
    assert missing == count - 1


async def test_rows_of_several_tables_are_written_each_in_its_own_way(
    database: Database, database_url: str
) -> None:
    await database.write(write_rows, api_keys, [key(0, "first")])
    with counted_statements() as statements:
        await database.write(
            write_all,
            Writing(api_keys, [key(0, "second"), key(1, "second")], ("name",)),
            Writing(audit_entries, []),
            Writing(log_head, [(2, 7, 0)]),
        )

    assert await database.read(names) == ["second", "second"]
    heads = await database.read(lambda link: link.execute(select(log_head.c.position)).scalars())
    assert sorted(heads) == [0, 7]
    inserts = [each for each in statements if "INSERT" in each]
    assert len(inserts) == (1 if database_url.startswith("postgresql") else 2)


async def test_where_a_row_of_one_is_there_nothing_of_the_others_is_written(
    database: Database,
) -> None:
    with pytest.raises(Collision):
        await database.write(
            write_all, Writing(api_keys, [key(0)]), Writing(log_head, [(2, 7, 0), (1, 7, 0)])
        )

    assert await database.read(names) == []


@pytest.mark.parametrize("count", COUNTS)
async def test_the_end_of_a_log_is_dense(database: Database, count: int) -> None:
    def rows(begin: int) -> list[tuple[Any, ...]]:
        numbers = range(begin, begin + count)
        return [
            (f"evt_{n}", "POINTS_DEBITED", "w", "p", f"t_{n}", None, n, None, n) for n in numbers
        ]

    last = [await database.write(write_at_end, log_head, events, rows(n)) for n in (0, count)]

    written = select(events.c.position, events.c.points).order_by(events.c.position)
    found = await database.read(lambda link: link.execute(written).all())
    assert last == [count, 2 * count]
    assert [tuple(row) for row in found] == [(n + 1, n) for n in range(2 * count)]


async def test_no_rows_are_no_statement(database: Database) -> None:
    with counted_statements() as statements:
        await database.write(write_rows, api_keys, [])
        await database.write(write_all, Writing(api_keys, []), Writing(log_head, []))

    assert not [each for each in statements if "INSERT" in each]
