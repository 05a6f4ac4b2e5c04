"""Changes: who hears live of what became of deliveries.

As with the event feed, following is reading on from a revision: a bell that is lost costs time and
never a change. One that follows late sees each delivery as it is by then, once.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection

from campaigns.deliveries import head
from campaigns.pages import read_changed
from campaigns.records import Delivery
from models.database import Database

PAGE_MAX: Final = 200
"""How many changes a follower reads at a time."""

Wanted = Callable[[Delivery], bool]


class Changes:
    """Lets many follow what becomes of deliveries.

    `poll_s`: also look so often, for what other instances have written.
    """

    def __init__(self, database: Database, *, poll_s: float | None = None) -> None:
        self._database = database
        self._poll_s = poll_s
        self._bells: set[asyncio.Event] = set()
        self._closed = False

    def ring(self) -> None:
        """Deliveries have changed."""
        for bell in self._bells:
            bell.set()

    def close(self) -> None:
        """End every follower."""
        self._closed = True
        self.ring()

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._bells)

    async def follow(self, wanted: Wanted) -> AsyncGenerator[Delivery]:
        """Each delivery that is wanted, whenever it has changed, from now on."""
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            revision = await self._database.read(head)
            while not self._closed:
                bell.clear()
                revision, page = await self._database.read(_read_on, revision)
                for delivery in page:
                    if wanted(delivery):
                        yield delivery
                if len(page) < PAGE_MAX:
                    await self._wait(bell)
        finally:
            self._bells.discard(bell)

    async def _wait(self, bell: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_s):
                await bell.wait()


def _read_on(connection: Connection, after: int) -> tuple[int, list[Delivery]]:
    """The first changes past a revision, and the revision up to which that is all of them."""
    end = head(connection)  # first: there may be more by the next statement
    page = read_changed(connection, after, end, PAGE_MAX)
    return (page[-1].revision if len(page) == PAGE_MAX else end), page
