"""Upkeep: what the keeper of an installation asks of its database: migrate it, check it, copy it.

What the database refuses is told in one sentence: every function here raises CannotRun for it.
"""

import asyncio
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from ledger.health import Health, audit
from models.database import Database, DatabaseError, make_private, open_database
from models.migrations import is_current, upgrade
from server.clock import Clock
from server.files import flush
from server.first_key import open_first_key
from server.settings import CannotRun, Settings, without_password

NOT_CURRENT: Final = (
    "The database is not up to date: run `tuppence migrate`. Where a newer Tuppence has it already,"
    " run that one."
)

_ERRNO: Final = re.compile(r"^\[Errno \d+\] ")


def migrate(settings: Settings) -> None:
    """Bring the database up to date; an embedded one that isn't there is made."""
    from alembic.util import CommandError  # noqa: PLC0415 - only migrating needs Alembic

    with plainly(settings):
        try:
            upgrade(settings.database_url)
        except CommandError as error:
            raise CannotRun(
                f"The database can't be migrated; was it used by a newer Tuppence? ({error})"
            ) from error


async def bring_up_to_date(database: Database, settings: Settings) -> None:
    """Give an embedded database the tables it lacks. One that others may use is not touched."""
    if await database.read(is_current):
        return
    if settings.database_file is None:
        raise CannotRun(NOT_CURRENT)
    await asyncio.to_thread(migrate, settings)


async def prepare(settings: Settings, clock: Clock) -> str | None:
    """See that the service can start: the database is up to date, and somebody has a key to it.

    Gives the token of the first key where it was made now, to be shown once.
    """
    async with opened(settings) as database:
        await bring_up_to_date(database, settings)
        return await open_first_key(database, clock(), settings.admin_key)


async def check(settings: Settings, clock: Clock) -> Health:
    """Audit every row of the ledger."""
    require_file(settings)
    async with opened(settings) as database:
        if not await database.read(is_current):
            raise CannotRun(NOT_CURRENT)
        return await database.survey(audit, clock())


@asynccontextmanager
async def opened(settings: Settings, *, checkpoints: bool = True) -> AsyncIterator[Database]:
    """The database, until the block ends; see open_database."""
    with plainly(settings):
        database = open_database(settings.database_url, checkpoints=checkpoints)
        try:
            yield database
        finally:
            await database.close()


@contextmanager
def plainly(settings: Settings) -> Generator[None]:
    """Tell in one sentence what keeps the database from being used."""
    try:
        yield
    except (DatabaseError, SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        reason = _ERRNO.sub("", str(cause).partition("\n")[0]) or type(cause).__name__
        address = without_password(settings.database_url)
        raise CannotRun(f"The database {address} can't be used: {reason}.") from error


def require_file(settings: Settings) -> None:
    """Refuse to go on where an embedded database was never made: opening it would make it."""
    file = settings.database_file
    if file is not None and not file.is_file():
        raise CannotRun(f"There is no database at {file}.")


def back_up(settings: Settings, copy: Path) -> None:
    """Copy an embedded database, as of one instant, while it may be in use. Overwrites nothing.

    The copy has its name only once it is whole, sound and on the disk.
    """
    require_file(settings)
    source = settings.database_file
    if source is None:
        raise CannotRun("A PostgreSQL database is backed up by its own tools: use pg_dump.")
    _refuse_to_overwrite(copy)
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.unfinished")
    try:
        _copy(source, unfinished)
        _refuse_to_overwrite(copy)
        unfinished.rename(copy)
        flush(copy.parent)
    except (sqlite3.Error, OSError) as error:
        raise CannotRun(f"{source} can't be copied to {copy}: {error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _refuse_to_overwrite(copy: Path) -> None:
    if copy.exists():
        raise CannotRun(f"{copy} exists already, and a backup overwrites nothing.")


def _copy(source: Path, copy: Path) -> None:
    # Read-only, so that closing it never checkpoints: the service's one connection does that.
    address = f"{source.resolve().as_uri()}?mode=ro"
    make_private(copy)
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise CannotRun(f"The copy of {source} is not sound, and was thrown away: {found[0]}.")
    flush(copy)
