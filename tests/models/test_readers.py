"""Readers: reads that are asked for together are run together, and each is told alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from models.database import Database, Unavailable, open_database
from models.readers import READERS, TOGETHER_MAX
from tests.harness.patience import patience

POSITION = text("SELECT position FROM log_head")


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    database = open_database(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
def begun(database: Database) -> list[Any]:
    """The transactions that were begun."""
    found: list[Any] = []
    for engine in database.engines:
        event.listen(engine, "begin", found.append)
    return found


def read_position(connection: Connection) -> int:
    """How far the log has come."""
    return connection.execute(POSITION).scalar_one()


def write_position(connection: Connection, position: int) -> None:
    connection.execute(text("UPDATE log_head SET position = :position"), {"position": position})


def echo(connection: Connection, number: int) -> int:
    """The number, by way of the database."""
    return connection.execute(text("SELECT :number"), {"number": number}).scalar_one()


def fail(connection: Connection, reason: str) -> None:
    connection.execute(POSITION)
    raise LookupError(reason)


def misspeak(connection: Connection) -> None:
    connection.execute(text("SELECT nonsense"))


async def test_what_is_asked_together_is_read_in_one_transaction(
    database: Database, begun: list[Any]
) -> None:
    told = await asyncio.gather(*(database.read(echo, number) for number in range(TOGETHER_MAX)))

    assert told == list(range(TOGETHER_MAX))
    assert len(begun) == 1


async def test_more_than_are_read_together_are_read_one_lot_after_another(
    database: Database, begun: list[Any]
) -> None:
    count = 3 * TOGETHER_MAX + 1

    told = await asyncio.gather(*(database.read(echo, number) for number in range(count)))

    assert told == list(range(count))
    assert len(begun) == 4


async def test_what_is_asked_together_is_of_one_instant(database: Database) -> None:
    def read_and_wait(connection: Connection) -> int:
        before = read_position(connection)
        reading.set()
        assert written.wait(timeout=60)
        return before

    reading, written = Event(), Event()
    asked = asyncio.gather(database.read(read_and_wait), database.read(read_position))
    async with patience():
        await asyncio.to_thread(reading.wait)
        await database.write(write_position, 7)
        written.set()
        told = await asked

    assert told == [0, 0]
    assert await database.read(read_position) == 7


async def test_a_read_sees_what_was_committed_before_it_was_asked_for(database: Database) -> None:
    async def write_and_read(first: int) -> list[int]:
        seen: list[int] = []
        for position in range(first, first + 20):
            await database.write(write_position, position)
            seen.append(await database.read(read_position))
        return seen

    others = [asyncio.create_task(database.read(echo, number)) for number in range(100)]
    seen = await write_and_read(100)
    await asyncio.gather(*others)

    assert seen == list(range(100, 120))


async def test_a_read_that_fails_fails_alone(database: Database) -> None:
    told = await asyncio.gather(
        database.read(echo, 1),
        database.read(fail, "one of ours"),
        database.read(echo, 2),
        database.read(misspeak),
        database.read(echo, 3),
        return_exceptions=True,
    )

    assert [told[0], told[2], told[4]] == [1, 2, 3]
    assert str(told[1]) == "one of ours"
    assert "nonsense" in str(told[3])


async def test_a_read_that_is_given_up_is_given_up_alone(database: Database) -> None:
    asked = [asyncio.create_task(database.read(echo, number)) for number in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()

    told = await asyncio.gather(*asked, return_exceptions=True)

    assert told[0] == 0
    assert isinstance(told[1], asyncio.CancelledError)
    assert told[2] == 2


async def test_a_slow_read_holds_up_none_that_is_asked_for_later(database: Database) -> None:
    def wait(connection: Connection) -> int:
        reading.set()
        assert enough.wait(timeout=60)
        return read_position(connection)

    reading, enough = Event(), Event()
    slow = asyncio.create_task(database.read(wait))
    async with patience():
        await asyncio.to_thread(reading.wait)
        told = [await database.read(echo, number) for number in range(5)]
    enough.set()

    assert told == [0, 1, 2, 3, 4]
    assert await slow == 0


async def test_as_many_are_read_side_by_side_as_there_are_readers(database: Database) -> None:
    def meet(_: Connection, own: Event, other: Event) -> bool:
        own.set()
        return other.wait(timeout=60)

    assert READERS == 2
    one, other = Event(), Event()
    first = asyncio.create_task(database.read(meet, one, other))
    async with patience():
        await asyncio.to_thread(one.wait)
        assert await database.read(meet, other, one)
        assert await first


async def test_every_read_is_told_when_there_is_no_connection(tmp_path: Path) -> None:
    file = tmp_path / "gone.db"
    database = open_database(f"sqlite:///{file}")
    file.unlink()
    file.mkdir()

    told = await asyncio.gather(
        *(database.read(read_position) for _ in range(3)), return_exceptions=True
    )
    await database.close()

    assert [type(each) for each in told] == [Unavailable] * 3


async def test_what_is_asked_for_as_it_closes_is_answered_or_refused(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    asked = [asyncio.create_task(database.read(echo, number)) for number in range(3)]
    await asyncio.sleep(0)

    async with patience():
        await database.close()
        told = await asyncio.gather(*asked, return_exceptions=True)
        later = await asyncio.gather(database.read(echo, 3), return_exceptions=True)

    assert told == [0, 1, 2] or all(isinstance(each, RuntimeError) for each in told)
    assert isinstance(later[0], RuntimeError)
