"""Kept: an engine's connections, opened as they are needed and kept open."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError


class Kept:
    """An engine's connections, opened as they are needed and kept.

    Threads hold one for one hop only, so any of them may serve any thread.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []

    @contextmanager
    def taken(self) -> Generator[Connection]:
        """One that is nobody else's; what isn't committed is rolled back."""
        connection = self._idle.pop() if self._idle else self._engine.connect()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except DBAPIError:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()
