"""The commands of `tuppence` beside serve: migrate, check, backup, demo, schema, settings."""

import sqlite3
from pathlib import Path

import pytest
from graphql import build_schema

from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres
from tests.harness.processes import tuppence
from tests.harness.servers import running
from tests.harness.tables import rows, spoil
from tests.harness.values import Balance

COMMITTED = Path(__file__).parents[2] / "schema.graphql"


def test_migrate_may_be_run_again(database_url: str) -> None:
    again = tuppence("migrate", database_url=database_url)

    assert again.returncode == 0, again.stderr


def test_migrate_makes_a_new_database(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "tuppence.db"

    done = tuppence("migrate", database_url=f"sqlite:///{file}")

    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600  # what it holds of people is its owner's alone


def test_serve_asks_for_migrate_on_an_empty_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.create("empty")

    done = tuppence("serve", "--port", "0", database_url=url, cwd=tmp_path)

    assert done.returncode != 0
    assert "tuppence migrate" in done.stdout + done.stderr
    postgres.drop("empty")


async def test_check_finds_a_sound_ledger_sound(database_url: str, clock: VirtualClock) -> None:
    async with running(database_url, clock) as service:
        await service.client.credit("ann", 50, expires_at=clock.after(days=1))
        await service.client.transfer("ann", "bob", 5)
        clock.advance(days=2)

    done = tuppence("check", database_url=database_url)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE wallets SET active = active + 1000, credited = credited + 1000",
        "UPDATE transactions SET active_after = active_after + 1000 WHERE sequence = 2",
        "DELETE FROM events WHERE position = 2",
        "UPDATE lots SET remaining = remaining - 1000",
    ],
)
async def test_check_finds_what_was_spoiled(
    database_url: str, clock: VirtualClock, damage: str
) -> None:
    async with running(database_url, clock) as service:
        await service.client.credit("ann", 50)
        await service.client.credit("ann", 60)
        await service.client.credit("ann", 70)
    await spoil(database_url, *past_the_triggers(database_url), damage)

    done = tuppence("check", database_url=database_url)

    assert done.returncode != 0
    assert done.stdout + done.stderr


def past_the_triggers(database_url: str) -> list[str]:
    """Return what takes SQLite's own guards away; PostgreSQL's are off for the session."""
    if not database_url.startswith("sqlite:///"):
        return []
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        statements = [f'DROP TRIGGER "{name}"' for (name,) in names]
    connection.close()
    return statements


def names_in(folder: Path, pattern: str) -> list[str]:
    return sorted(file.name for file in folder.glob(pattern))


async def test_backup_makes_a_whole_copy_of_a_database_in_use(
    tmp_path: Path, clock: VirtualClock
) -> None:
    url, copy = f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path / "copy.db"
    async with running(url, clock) as service:
        await service.client.credit("ann", 50)
        done = tuppence("backup", str(copy), database_url=url)
        await service.client.credit("ann", 7)

    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path, "copy*") == ["copy.db"]
    assert copy.stat().st_mode & 0o777 == 0o600
    async with running(f"sqlite:///{copy}", clock) as service:
        assert await service.client.balance("ann") == Balance(active=50)


def test_backup_does_not_write_over_a_file(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path / "copy.db"
    tuppence("migrate", database_url=url)
    copy.write_text("precious")

    done = tuppence("backup", str(copy), database_url=url)

    assert done.returncode != 0
    assert copy.read_text() == "precious"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_demo_fills_a_believable_program(database_url: str) -> None:
    done = tuppence("demo", database_url=database_url)

    assert done.returncode == 0, done.stdout + done.stderr
    [(members,)] = await rows(database_url, "SELECT count(*) FROM members")
    kinds = await rows(database_url, "SELECT kind, count(*) FROM transactions GROUP BY kind")
    assert members >= 200
    assert sum(count for _, count in kinds) >= 2_000
    assert {"CREDIT", "DEBIT", "HOLD", "RELEASE"} <= {kind for kind, _ in kinds}
    actors = await rows(database_url, "SELECT DISTINCT actor FROM audit_entries")
    assert actors == [("TERMINAL",)]
    checked = tuppence("check", database_url=database_url)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_schema_prints_the_schema_that_is_in_the_repository() -> None:
    done = tuppence("schema")

    assert done.returncode == 0, done.stderr
    assert build_schema(done.stdout).query_type is not None
    assert done.stdout.strip() == COMMITTED.read_text().strip()


def test_settings_lists_every_variable_with_its_meaning_and_value(tmp_path: Path) -> None:
    done = tuppence("settings", cwd=tmp_path, TUPPENCE_PORT="8123", COLUMNS="200")

    assert done.returncode == 0, done.stderr
    for name in ("TUPPENCE_DATABASE_URL", "TUPPENCE_HOST", "TUPPENCE_PORT"):
        assert name in done.stdout
    assert "8123" in done.stdout


def test_a_password_is_not_shown_by_settings(tmp_path: Path) -> None:
    url = "postgresql://tuppence:s3cret@127.0.0.1:1/tuppence"

    done = tuppence("settings", database_url=url, cwd=tmp_path, COLUMNS="200")

    assert "s3cret" not in done.stdout + done.stderr


def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    done = tuppence("serve", cwd=tmp_path, TUPPENCE_PORT="ninety")

    assert done.returncode != 0
    assert "TUPPENCE_PORT" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_command_that_is_none_is_refused(tmp_path: Path) -> None:
    done = tuppence("dance", cwd=tmp_path)

    assert done.returncode == 2
