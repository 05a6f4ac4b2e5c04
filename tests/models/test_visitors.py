"""open_database without checkpoints: a SQLite file that another process serves."""

from pathlib import Path

import pytest
from sqlalchemy import Connection

from models.database import Sqlite, open_database
from models.pragmas import CHECKPOINT_PAGES
from tests.harness.clock import VirtualClock
from tests.harness.servers import running

BALLAST = 2 * CHECKPOINT_PAGES * 4_096
"""Bytes: twice of what makes SQLite do a checkpoint by itself."""


def write_ballast(connection: Connection) -> None:
    connection.exec_driver_sql(f"CREATE TABLE ballast AS SELECT zeroblob({BALLAST}) AS it")


def bytes_of(file: Path) -> int:
    return file.stat().st_size


@pytest.mark.parametrize("checkpoints", [False, True])
async def test_only_who_serves_the_file_brings_the_log_into_it(
    sqlite_url: str, clock: VirtualClock, *, checkpoints: bool
) -> None:
    async with running(sqlite_url, clock):
        visitor = open_database(sqlite_url, checkpoints=checkpoints)
        assert isinstance(visitor, Sqlite)
        file = Path(str(visitor.url.database))

        await visitor.write(write_ballast)
        await visitor.close()

        assert (bytes_of(file) > BALLAST) is checkpoints
