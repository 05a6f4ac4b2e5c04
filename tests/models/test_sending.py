"""Sending: what goes to the driver as it is tells the same as what goes through SQLAlchemy."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, bindparam, event, literal, select, union_all
from sqlalchemy.exc import OperationalError

from models import pragmas, sending
from models.columns import FLAG
from models.database import Collision, Database, Unavailable, open_database
from models.sending import read_rows, send_each
from models.tables import programs

numbers = union_all(*(select(literal(number).label("number")) for number in (1, 2, 3))).subquery()
AGAIN = "INSERT INTO log_head (id, position, erasures) VALUES (?, 0, 0)"
SELECTED = select(
    literal("a constant"),
    bindparam("name", type_=programs.c.name.type),
    bindparam("flag", type_=FLAG),
    bindparam("nothing", type_=programs.c.name.type),
)


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    database = open_database(sqlite_url)
    yield database
    await database.close()


def listen(database: Database) -> None:
    """Have someone listen to what is sent: it then goes the long way."""
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *_: None)


@pytest.mark.parametrize("is_heard", [False, True])
async def test_rows_are_the_same_by_both_ways(database: Database, *, is_heard: bool) -> None:
    if is_heard:
        listen(database)

    rows = await database.read(
        read_rows, SELECTED, {"name": "Points", "flag": True, "nothing": None}
    )

    assert [tuple(row) for row in rows] == [("a constant", "Points", 1, None)]


@pytest.mark.parametrize("is_heard", [False, True])
async def test_a_text_that_differs_by_its_values_is_made_each_time(
    database: Database, *, is_heard: bool
) -> None:
    if is_heard:
        listen(database)
    listed = select(numbers.c.number).where(
        numbers.c.number.in_(bindparam("wanted", expanding=True))
    )

    for wanted in ([], [2], [3, 1, 7], [2]):
        rows = await database.read(read_rows, listed, {"wanted": wanted})
        assert [number for (number,) in rows] == sorted({1, 2, 3} & set(wanted))


@pytest.mark.parametrize("is_heard", [False, True])
async def test_an_error_tells_the_statement_and_no_value(
    database: Database, *, is_heard: bool
) -> None:
    if is_heard:
        listen(database)

    with pytest.raises(OperationalError, match="no such column: nowhere") as raised:
        await database.read(send_each, "SELECT nowhere, ?", [("ann@example.com",)])

    assert raised.value.statement == "SELECT nowhere, ?"
    assert raised.value.params is None or raised.value.hide_parameters
    assert "ann@example.com" not in str(raised.value)


@pytest.mark.parametrize("is_heard", [False, True])
async def test_a_row_that_is_there_already_is_a_collision(
    database: Database, *, is_heard: bool
) -> None:
    if is_heard:
        listen(database)

    def write_twice(connection: Connection) -> None:
        send_each(connection, AGAIN, [(7,), (7,)])

    with pytest.raises(Collision):
        await database.write(write_twice)
    assert await database.read(count_heads) == 1


def count_heads(connection: Connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM log_head").scalar_one()


@pytest.mark.parametrize("is_heard", [False, True])
async def test_a_file_that_another_has_locked_is_unavailable_and_free_again_later(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, is_heard: bool
) -> None:
    monkeypatch.setattr(pragmas, "BUSY_TIMEOUT_MS", 1)
    if is_heard:
        listen(database)
    other = sqlite3.connect(str(database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="database is locked"):
        await database.write(count_heads)
    other.execute("ROLLBACK")

    assert await database.write(count_heads) == 1
    other.close()


async def test_a_read_that_fails_leaves_the_next_one_a_whole_connection(
    database: Database,
) -> None:
    def fail(connection: Connection) -> None:
        count_heads(connection)
        raise LookupError

    for _ in range(5):  # more often than there are readers
        with pytest.raises(LookupError):
            await database.read(fail)

    await database.write(take_a_position)
    assert await asyncio.gather(*(database.read(position) for _ in range(4))) == [1, 1, 1, 1]


def take_a_position(connection: Connection) -> None:
    connection.exec_driver_sql("UPDATE log_head SET position = position + 1")


def position(connection: Connection) -> int:
    return connection.exec_driver_sql("SELECT position FROM log_head").scalar_one()


async def test_statements_that_nobody_keeps_are_kept_here_within_a_bound(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SAID_MAX", 3)

    for number in range(10):
        statement = select(literal(number), bindparam("name", type_=programs.c.name.type))
        assert (await database.read(read_rows, statement, {"name": "a"}))[0] == (number, "a")

    assert len(sending._said) <= 3  # noqa: SLF001
