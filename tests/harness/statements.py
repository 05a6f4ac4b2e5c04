"""Counts the SQL statements of a block, whatever engine they go through; or holds one up."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Collect every statement that any SQLAlchemy engine of this process sends."""
    statements: list[str] = []

    def note(*sent: object) -> None:
        statements.append(str(sent[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


HELD_S_MAX = 30  # a bound for a test that went wrong, never a measure


class Held:
    """A statement that was sent, and whose answer waits until the test lets it go on."""

    def __init__(self) -> None:
        self._sent = threading.Event()
        self._released = threading.Event()

    def hold(self) -> None:
        self._sent.set()
        self._released.wait(HELD_S_MAX)

    async def is_sent(self) -> None:
        assert await asyncio.to_thread(self._sent.wait, HELD_S_MAX), "it was never sent"

    def release(self) -> None:
        self._released.set()


@contextmanager
def held_statement(part: str) -> Iterator[Held]:
    """Hold up the statements of which this is a part: of SQLite, which are sent by threads."""
    held = Held()

    def hold(*sent: object) -> None:
        if part in str(sent[2]):
            held.hold()

    event.listen(Engine, "after_cursor_execute", hold)
    try:
        yield held
    finally:
        held.release()
        event.remove(Engine, "after_cursor_execute", hold)
