"""A ledger and a feed over one database, and those who follow it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from events.audit import SERVICE
from events.feed import Feed
from events.log import ANY, CreditedFilter, PointsCredited
from ledger import Ledger
from ledger.commands import Credit, Owner
from models.database import Database, open_database
from tests.harness.clock import VirtualClock
from tests.harness.patience import patience


class Reader:
    """One who follows a feed, in a task of its own, and keeps what it hears."""

    def __init__(self, feed: Feed, filter: CreditedFilter, after: int | None) -> None:
        self.heard: list[PointsCredited] = []
        self._came = asyncio.Event()
        self.task = asyncio.create_task(self._read(feed, filter, after))
        self.task.add_done_callback(lambda _: self._came.set())

    async def _read(self, feed: Feed, filter: CreditedFilter, after: int | None) -> None:
        async for event in feed.follow(filter, after):
            self.heard.append(event)
            self._came.set()

    async def hear(self, number: int) -> list[PointsCredited]:
        """Wait until it has heard so many. Raises what ended its stream before that."""
        async with patience():
            while len(self.heard) < number:
                if self.task.done():
                    self.task.result()
                    pytest.fail(f"its stream ended after {len(self.heard)} events")
                self._came.clear()
                await self._came.wait()
        return self.heard

    async def names(self, number: int) -> list[str]:
        """Of whom the first so many told."""
        return [event.identity for event in (await self.hear(number))[:number]]

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@dataclass
class Bell:
    """What a commit rings, unless it is lost."""

    feed: Feed
    lost: bool = False
    also: Callable[[], None] | None = None

    def ring(self) -> None:
        if self.lost:
            return
        self.feed.ring()
        if self.also:
            self.also()


@dataclass
class Diary:
    """A ledger, the feed that its commits ring, and the database below them."""

    ledger: Ledger
    feed: Feed
    bell: Bell
    database: Database
    clock: VirtualClock
    opened: AsyncExitStack
    credits: int = 0

    async def credit(self, *names: str, points: int = 1_000, program: str = "Points") -> None:
        """Give each of these members points, in one batch."""
        await self.do(*(Credit(wallet=Owner(n, program), points=points, key="") for n in names))

    async def do(self, *commands: Credit) -> None:
        """Submit credits, each with a key of its own; none may be refused."""
        asked = [replace(command, key=self.next_key()) for command in commands]
        outcomes = await self.ledger.submit_all(asked, SERVICE)
        assert [outcome.refusal for outcome in outcomes] == [None] * len(commands)

    def next_key(self) -> str:
        self.credits += 1
        return f"credit-{self.credits}"

    async def follow(self, filter: CreditedFilter = ANY, after: int | None = None) -> Reader:
        """Follow what comes after a position, the log's end if it is left out."""
        position = await self.feed.position() if after is None else after
        return await self.reader(self.feed, filter, position)

    async def reader(self, feed: Feed, filter: CreditedFilter, after: int | None) -> Reader:
        reader = Reader(feed, filter, after)
        self.opened.push_async_callback(reader.close)
        return reader

    async def another_feed(self, poll_s: float | None = None) -> Feed:
        """The feed of another instance, which nobody rings."""
        feed = Feed(self.database, poll_s=poll_s)
        await feed.start()
        self.opened.push_async_callback(feed.close)
        return feed


@asynccontextmanager
async def open_diary(database_url: str, clock: VirtualClock) -> AsyncIterator[Diary]:
    async with AsyncExitStack() as opened:
        database = open_database(database_url)
        opened.push_async_callback(database.close)
        feed = Feed(database)
        bell = Bell(feed)
        ledger = Ledger(database, clock, bell.ring)
        diary = Diary(ledger, feed, bell, database, clock, opened)
        await feed.start()
        opened.push_async_callback(feed.close)
        await ledger.start()
        opened.push_async_callback(ledger.close)
        yield diary
