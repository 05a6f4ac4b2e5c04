"""The first key: a database that nobody can enter yet gets one admin key.

The file is written before the database, and within its unit of work: a start that is cut short
leaves at most a file whose key the next start takes. Of several instances that start at once, one
gives the key, and the others find it given.
"""

import os
import stat
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from access import keys
from events.audit import SERVICE
from models.database import Database
from models.dialects import alone_in
from models.tables import api_keys
from server.files import flush
from server.settings import CannotRun
from server.terminal import note

NAME: Final = "first"
BYTES_MAX: Final = 1_024
"""The most that is read of the file: a key is far shorter."""


async def open_first_key(database: Database, now: int, file: Path) -> str | None:
    """Give an empty database its key: the one that `file` holds, or a new one, written there.

    Gives the key's token where it was made now, to be shown once. Raises CannotRun.
    """
    if await database.read(keys.has_any):
        return None
    return await database.write(_give, now, file)


def _give(connection: Connection, now: int, file: Path) -> str | None:
    alone_in(connection, api_keys)
    if keys.has_any(connection):
        return None
    held = _read(file)
    if held is None:
        key_id, token = keys.mint()
        _write(file, token)
    else:
        key_id, token = _id_of(held, file), held
    key = keys.ApiKey(key_id, NAME, keys.hash_of(token), "admin", now)
    keys.write(connection, key, SERVICE)
    return None if held else token


def _id_of(token: str, file: Path) -> str:
    key_id = keys.find_id(token)
    if key_id is None:
        raise CannotRun(
            f"The file {file} holds no key: it must be tpk_<id>_<secret>, the secret of at least 16"
            " characters. Without the file, a key is made."
        )
    return key_id


def _read(file: Path) -> str | None:
    try:
        with file.open("rb") as open_file:
            held = open_file.read(BYTES_MAX)
            mode = os.fstat(open_file.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotRun(f"The admin key's file {file} can't be read: {error.strerror}.") from error
    if mode & (stat.S_IRGRP | stat.S_IROTH) and os.name == "posix":
        note(f"others may read {file}, which holds a key: chmod 600 {file}")
    return held.decode("utf-8", "replace").strip()


def _write(file: Path, token: str) -> None:
    """Make the file, readable by nobody else, and see that it is on the disk."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            file.chmod(0o600)  # the umask may have taken the owner's own rights
            out.write(f"{token}\n")
            out.flush()
            os.fsync(descriptor)
        flush(file.parent)
    except OSError as error:
        raise CannotRun(f"The admin key can't be written to {file}: {error.strerror}.") from error
