"""The first key: an empty database gets one admin key, and the one who started it gets to know."""

import asyncio
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from access.keys import find_id, hash_of
from models.database import open_database
from models.ids import find_prefix
from server.first_key import open_first_key
from server.settings import CannotRun
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.processes import serving, tuppence
from tests.harness.tables import rows, spoil

KEYS = "SELECT id, name, hash, scopes, expires_at FROM api_keys"
NEVER = 253_402_300_799_999_999
HELD = "tpk_ours_made-by-our-own-vault"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "admin.key"


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def hold(file: Path, text: str, mode: int = 0o600) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)


def held_in(file: Path) -> str:
    return file.read_text(encoding="utf-8")


async def start(database_url: str, clock: VirtualClock, file: Path) -> str | None:
    """Do what each start does; return what is to be shown."""
    database = open_database(database_url)
    try:
        return await open_first_key(database, clock(), file)
    finally:
        await database.close()


# ── a key is made ───────────────────────────────────────────────────────────────────────────────


async def test_an_empty_database_gets_one_admin_key_which_is_shown_and_written(
    database_url: str, clock: VirtualClock, file: Path
) -> None:
    token = await start(database_url, clock, file)

    assert token is not None
    assert held_in(file) == f"{token}\n"
    key_id = find_id(token)
    assert key_id == f"key_{token.split('_')[1]}"
    assert await rows(database_url, KEYS) == [(key_id, "first", hash_of(token), "admin", NEVER)]


async def test_that_it_was_made_is_written_down(
    database_url: str, clock: VirtualClock, file: Path
) -> None:
    await start(database_url, clock, file)

    [(key_id,)] = await rows(database_url, "SELECT id FROM api_keys")
    trail = "SELECT actor, key_id, action, subject_id FROM audit_entries"
    assert await rows(database_url, trail) == [("SERVICE", None, "createApiKey", key_id)]


async def test_the_next_start_shows_nothing_and_makes_nothing(
    database_url: str, clock: VirtualClock, file: Path
) -> None:
    await start(database_url, clock, file)
    held, kept = held_in(file), await rows(database_url, KEYS)

    assert await start(database_url, clock, file) is None

    assert (held_in(file), await rows(database_url, KEYS)) == (held, kept)


@pytest.mark.usefixtures("no_umask")
async def test_nobody_else_may_read_the_file(
    sqlite_url: str, clock: VirtualClock, file: Path
) -> None:
    await start(sqlite_url, clock, file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600  # noqa: ASYNC240 - a file of the test's own


async def test_of_many_instances_that_start_at_once_one_makes_the_key(
    database_url: str, clock: VirtualClock, file: Path
) -> None:
    shown = await asyncio.gather(*(start(database_url, clock, file) for _ in range(8)))

    [token] = [each for each in shown if each]
    assert held_in(file) == f"{token}\n"
    assert [row[2] for row in await rows(database_url, KEYS)] == [hash_of(token)]


async def test_instances_with_files_of_their_own_leave_no_file_whose_key_is_unknown(
    database_url: str, clock: VirtualClock, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.key" for number in range(4)]

    shown = await asyncio.gather(*(start(database_url, clock, file) for file in files))

    [token] = [each for each in shown if each]
    assert [held_in(file) for file in files if file.exists()] == [f"{token}\n"]


# ── a key is taken ──────────────────────────────────────────────────────────────────────────────


async def test_a_key_that_the_file_holds_is_taken_and_not_shown(
    database_url: str, clock: VirtualClock, file: Path
) -> None:
    hold(file, f"  {HELD}\n\n")

    assert await start(database_url, clock, file) is None

    [(key_id, _, hashed, scopes, _)] = await rows(database_url, KEYS)
    assert (hashed, scopes) == (hash_of(HELD), "admin")
    assert find_prefix(key_id) == "key"
    assert held_in(file) == f"  {HELD}\n\n"


async def test_a_start_that_was_cut_short_is_made_up_for_by_the_next(
    database_url: str, clock: VirtualClock, file: Path
) -> None:
    await spoil(database_url, "ALTER TABLE audit_entries RENAME TO elsewhere")
    with pytest.raises(SQLAlchemyError):
        await start(database_url, clock, file)
    assert await rows(database_url, KEYS) == []
    written = held_in(file)
    await spoil(database_url, "ALTER TABLE elsewhere RENAME TO audit_entries")

    assert await start(database_url, clock, file) is None

    assert held_in(file) == written
    assert [row[2] for row in await rows(database_url, KEYS)] == [hash_of(written.strip())]


async def test_where_there_are_keys_the_file_is_not_looked_at(
    sqlite_url: str, clock: VirtualClock, file: Path, tmp_path: Path
) -> None:
    await start(sqlite_url, clock, tmp_path / "other.key")
    kept = await rows(sqlite_url, KEYS)
    hold(file, "anything", 0o644)

    assert await start(sqlite_url, clock, file) is None

    assert await rows(sqlite_url, KEYS) == kept


async def test_a_file_that_others_may_read_is_warned_of(
    sqlite_url: str, clock: VirtualClock, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(file, HELD, 0o640)

    await start(sqlite_url, clock, file)

    assert f"chmod 600 {file}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "held",
    [
        "",
        "\n",
        "letmein",
        "tpk_ours_fifteen-letters",
        "tpk__made-by-our-own-vault",
        "tpk_ours",
        "Bearer tpk_ours_made-by-our-own-vault",
        f"{HELD} {HELD}",
        f"{HELD}\n{HELD}",
        "tpk_ours_sécrèts-of-our-own-vault",
        "tpk_ours_" + "x" * 2_000,
    ],
)
async def test_a_file_that_holds_no_key_is_told_of_without_what_it_holds(
    sqlite_url: str, clock: VirtualClock, file: Path, held: str
) -> None:
    hold(file, held)

    with pytest.raises(CannotRun) as refused:
        await start(sqlite_url, clock, file)

    assert str(file) in str(refused.value)
    secret = held.strip().rpartition("_")[2]
    assert not secret or secret not in str(refused.value)
    assert await rows(sqlite_url, KEYS) == []


async def test_a_file_that_cannot_be_is_told_of(
    sqlite_url: str, clock: VirtualClock, tmp_path: Path
) -> None:
    hold(tmp_path / "file" / "admin.key", HELD)

    for impossible in (tmp_path, tmp_path / "file" / "admin.key" / "admin.key"):
        with pytest.raises(CannotRun, match=re.escape(str(impossible))):
            await start(sqlite_url, clock, impossible)

    assert await rows(sqlite_url, KEYS) == []


# ── where it is served ──────────────────────────────────────────────────────────────────────────


async def test_serve_shows_the_first_key_once_and_it_lets_in(
    sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "made.key"
    async with serving(sqlite_url, tmp_path, TUPPENCE_ADMIN_KEY_FILE=str(file)) as process:
        token = held_in(file).strip()
        async with Client.of(process.url, token) as client:
            assert (await client.credit("ann", 50)).error is None
        process.terminate()
        await process.start()
        said = process.log.read_text(encoding="utf-8")

    [shown] = [line for line in said.splitlines() if token in line]
    assert str(file) in shown


def test_serve_says_in_a_sentence_that_the_file_holds_no_key(
    sqlite_url: str, tmp_path: Path
) -> None:
    hold(tmp_path / "admin.key", "tpk_short_secret")

    done = tuppence("serve", "--port", "0", database_url=sqlite_url, cwd=tmp_path)

    assert done.returncode == 2
    assert str(tmp_path / "admin.key") in done.stderr
    assert "tpk_short_secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
