"""Looks into the tables behind the service's back, to read them or to spoil them on purpose."""

import sqlite3
from typing import Any

import asyncpg

Row = tuple[Any, ...]


async def rows(database_url: str, statement: str) -> list[Row]:
    """Return the rows of a SELECT, through a connection of its own."""
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
    other = await asyncpg.connect(database_url)
    try:
        return [tuple(row) for row in await other.fetch(statement)]
    finally:
        await other.close()


async def spoil(database_url: str, *statements: str) -> None:
    """Write past every rule of the service, as a fault would."""
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        try:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        finally:
            connection.close()
        return
    other = await asyncpg.connect(database_url)
    try:
        await other.execute("SET session_replication_role = replica")  # triggers off
        for statement in statements:
            await other.execute(statement)
    finally:
        await other.close()
