"""The first key: a database that nobody can enter yet gets one admin key."""

import os
from pathlib import Path

from sqlalchemy import Connection, select

from access import keys
from access.principal import Scope
from events.audit import SERVICE, Deed, note
from models.database import Database
from models.tables import api_keys
from server.settings import CannotRun

NAME = "first"
SCOPES: frozenset[Scope] = frozenset({"admin"})


async def open_first_key(database: Database, now: int, file: Path) -> str | None:
    """Give an empty database its key: the one that `file` holds, or a new one, written there.

    Gives the key's token where it was made now, to be shown once.
    """
    if await database.read(_has_keys):
        return None
    held = _read(file)
    key_id, token = keys.mint()
    if held is None:
        _write(file, token)
    await database.write(_write_key, now, key_id, held or token)
    return None if held else token


def _has_keys(connection: Connection) -> bool:
    return connection.execute(select(api_keys.c.id).limit(1)).first() is not None


def _write_key(connection: Connection, now: int, id: str, token: str) -> None:
    keys.write(connection, now, NAME, SCOPES, token, id)
    note(connection, now, [Deed(SERVICE, "createApiKey", id)])


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotRun(f"The admin key's file {file} can't be read: {error.strerror}.") from error


def _write(file: Path, token: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(f"{token}\n")
    except OSError as error:
        raise CannotRun(f"The admin key can't be written to {file}: {error.strerror}.") from error
