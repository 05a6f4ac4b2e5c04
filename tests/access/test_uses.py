"""Uses: when a key was last used is written seldom, together, and is worth no failure."""

import pytest
from sqlalchemy import Connection

from access import uses
from access.uses import Uses
from models.database import Database, open_database
from models.ids import new_id
from tests.harness.logs import logged
from tests.harness.patience import poll
from tests.harness.postgres import free_port
from tests.harness.statements import counted_statements
from tests.harness.tables import rows, spoil

WRITTEN_S_MAX = 30  # a bound for a test that went wrong, never a measure
LAST = "SELECT id, last_used_at FROM api_keys ORDER BY id"


@pytest.fixture
def keys() -> list[str]:
    return sorted(new_id("key") for _ in range(3))


async def database_with(database_url: str, keys: list[str]) -> Database:
    await spoil(
        database_url,
        *(
            "INSERT INTO api_keys (id, name, hash, scopes, created_at, expires_at)"
            f" VALUES ('{key}', 'till', '{key}', 'admin', 0, 9)"
            for key in keys
        ),
    )
    return open_database(database_url)


async def test_what_was_noted_is_written_together(database_url: str, keys: list[str]) -> None:
    database = await database_with(database_url, keys)
    noted = Uses(database)
    for at in range(1, 101):
        noted.note(keys[0], at)
    noted.note(keys[1], 7)

    with counted_statements() as statements:
        await noted.write()
        await noted.write()
    await database.close()

    assert await rows(database_url, LAST) == [(keys[0], 100), (keys[1], 7), (keys[2], None)]
    assert len([sent for sent in statements if sent.startswith("UPDATE")]) == 1


async def test_of_two_instances_the_later_use_stays(database_url: str, keys: list[str]) -> None:
    database = await database_with(database_url, keys)
    early, late = Uses(database), Uses(database)
    early.note(keys[0], 5)
    late.note(keys[0], 8)

    await late.write()
    await early.write()
    await database.close()

    assert (await rows(database_url, LAST))[0] == (keys[0], 8)


async def test_a_failure_is_logged_and_what_was_noted_is_written_the_next_time(
    database_url: str, keys: list[str]
) -> None:
    database = await database_with(database_url, keys)
    noted = Uses(database)
    noted.note(keys[0], 5)
    noted.note(keys[1], 5)
    await spoil(database_url, "ALTER TABLE api_keys RENAME TO elsewhere")
    with logged() as lines:
        await noted.write()
    [line] = lines.of("the keys' last uses can't be written yet")
    assert line["level"] == "warning"
    assert keys[0] not in lines.text
    noted.note(keys[0], 6)

    await spoil(database_url, "ALTER TABLE elsewhere RENAME TO api_keys")
    await noted.write()
    await database.close()

    assert (await rows(database_url, LAST))[:2] == [(keys[0], 6), (keys[1], 5)]


async def test_a_database_that_is_down_is_a_line_and_no_fault() -> None:
    database = open_database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    noted = Uses(database)
    noted.note("key", 5)

    with logged() as lines:
        await noted.write()

    await database.close()
    [line] = lines.of("the keys' last uses can't be written yet")
    assert (line["level"], line["reason"]) == ("warning", "Unavailable")
    assert "exception" not in line


async def test_it_writes_by_itself_and_once_more_at_the_end(
    database_url: str, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "WRITE_S", 0.01)
    database = await database_with(database_url, keys)
    noted = Uses(database)
    await noted.start()
    noted.note(keys[0], 5)

    async def is_written() -> bool:
        return await database.read(last_use, keys[0]) == 5

    assert await poll(is_written, WRITTEN_S_MAX)
    monkeypatch.setattr(uses, "WRITE_S", 3_600)
    noted.note(keys[1], 6)
    await noted.close()
    await database.close()

    assert (await rows(database_url, LAST))[:2] == [(keys[0], 5), (keys[1], 6)]


def last_use(connection: Connection, key: str) -> int | None:
    asked = "SELECT last_used_at FROM api_keys WHERE id = "
    return connection.exec_driver_sql(f"{asked}'{key}'").scalar_one()
