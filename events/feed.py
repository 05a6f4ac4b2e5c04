"""The feed: who hears of CT Points Credited live.

    feed = Feed(database)
    await feed.start()
    async for event in feed.follow(CreditedFilter(wallet_id=…), after=None): …
    feed.ring()                      # the writer has committed events

    follower = feed.attend(CreditedFilter(wallet_id=…), ring)    # the same, and no task waits
    await follower.begin(after=None)
    while event := await follower.next(): …    # None: `ring` is called when there is more

Following is reading the log from a position on. One tail reads what is new, once for all followers,
into a memory of the newest events, and rings those whom an event may concern: they are found by
what they follow, and nobody else is asked. A follower then looks for itself: in memory or, if it
lags behind that, on the log. It has no queue, so one that stops reading costs nobody anything, and
a bell that is lost costs time and never an event.
"""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import closing, suppress
from typing import Final

import structlog
from sqlalchemy import Connection

from events.log import (
    ANY,
    CreditedFilter,
    LogEnd,
    PointsCredited,
    head,
    log_end,
    read_credited,
)
from models.database import Database, DatabaseError

RECENT_MAX: Final = 4_096
"""How many of the newest events memory holds."""

TAIL_PAGE_MAX: Final = 1_000
"""How many events the tail reads at a time."""

LAG_PAGE_MAX: Final = 500
"""How many events a follower that lags behind memory reads at a time."""

LAG_SPAN_MAX: Final = 10_000
"""How many positions it looks at for them, so that a choosy one doesn't hold up other readers."""

RETRY_S: Final = 1.0
LAG_TRIES_MAX: Final = 10
"""How often in a row a follower that lags tries to read the log before its stream ends."""

Topic = tuple[str, str | None]

log = structlog.get_logger()


class Feed:
    """Lets many follow the log, and reads it once for all of them; not at all while nobody does.

    `poll_s`: also look at the log so often, for what other instances have written.
    """

    def __init__(self, database: Database, *, poll_s: float | None = None) -> None:
        self._database = database
        self._poll_s = poll_s
        self._rung = asyncio.Event()
        self._followers: defaultdict[Topic, set[Follower]] = defaultdict(set)
        self._recent: _Recent | None = None
        self._forgotten = 0
        self._tail: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._tail = asyncio.create_task(self._run_tail(), name="feed")

    async def close(self) -> None:
        """End the tail and every follower."""
        tail, self._tail = self._tail, None
        if tail:
            tail.cancel()
            with suppress(asyncio.CancelledError):
                await tail
        for followers in self._followers.values():
            for follower in followers:
                follower.end()

    def ring(self) -> None:
        """Events were committed: wake the tail."""
        self._rung.set()

    async def position(self) -> int:
        """The log's end."""
        return await self._database.read(head)

    def forget(self) -> None:
        """Drop all that memory holds, since a member was erased: it is read anew from the log."""
        self._forgotten += 1  # what is being read just now may still tell of them
        if self._recent:
            self._recent = _Recent(self._recent.end)
        for followers in self._followers.values():
            for follower in followers:
                follower.page.clear()

    @property
    def read_to(self) -> int | None:
        """Up to where the log was read for those who follow; None while nobody does."""
        return self._recent.end.position if self._recent else None

    @property
    def followers(self) -> int:
        """How many follow: whoever follows for several counts as so many."""
        return sum(each.heads for followers in self._followers.values() for each in followers)

    async def follow(
        self, filter: CreditedFilter = ANY, after: int | None = None
    ) -> AsyncGenerator[PointsCredited]:
        """Every event past `after` that the filter wants, once, in order, as long as there are any.

        Without `after`, those past the log's end as it is when the first is asked for.
        """
        bell = asyncio.Event()
        with closing(self.attend(filter, bell.set)) as follower:
            await follower.begin(after)
            while True:
                bell.clear()
                while event := await follower.next():
                    yield event
                if follower.is_ended:
                    return
                await bell.wait()

    def attend(self, filter: CreditedFilter, ring: Callable[[], None]) -> "Follower":
        """One who follows, and is rung when there may be more, or when no more can come.

        `ring` must not wait, nor raise.
        """
        follower = Follower(self, filter, ring)
        if self._tail is None:
            follower.is_ended = True  # it hears what there is, and nothing more comes
        self._followers[_topic_of(filter)].add(follower)
        return follower

    # ── for a follower ───────────────────────────────────────────────────────────────────────────

    def leave(self, follower: "Follower") -> None:
        """It follows no longer."""
        topic = _topic_of(follower.filter)
        followers = self._followers.get(topic, set())
        followers.discard(follower)
        if not followers:
            self._followers.pop(topic, None)
        if not self._followers:
            self._recent = None

    async def listen(self) -> int:
        """Let the tail begin at the log's end, if it hasn't begun; where it is now."""
        if self._recent is None:
            end = await self._database.read(log_end)
            if self._recent is None:
                self._recent = _Recent(end)
                self._rung.set()  # what was rung before the tail had begun, it passed over
        return self._recent.end.position

    async def find_next(self, follower: "Follower", end: int) -> PointsCredited | None:
        """The follower's next event up to `end`; None if there is none, with its position there."""
        while follower.position < end:
            recent = self._recent
            if recent and follower.position >= recent.start and not follower.page:
                event = recent.find_next(follower.filter, follower.position, end)
                follower.position = event.position if event else end
                return event
            if not follower.page:
                await self._read_page(follower, end)
            if follower.page:
                event = follower.page.pop(0)
                follower.position = event.position
                return event
        return None

    async def _read_page(self, follower: "Follower", end: int) -> None:
        """Read on where memory doesn't reach."""
        forgotten, after = self._forgotten, follower.position
        until = min(end, after + LAG_SPAN_MAX)
        try:
            page = await self._database.read(
                read_credited, after, LAG_PAGE_MAX, follower.filter, until
            )
        except DatabaseError:
            follower.failures += 1
            if follower.failures == LAG_TRIES_MAX or self._tail is None:
                raise
            await asyncio.sleep(RETRY_S)  # what doesn't stop the tail doesn't stop it either
            return
        follower.failures = 0
        if self._forgotten != forgotten:
            return  # a member was erased meanwhile: read it again
        follower.page.extend(page)
        if not page:
            follower.position = until

    # ── the tail ─────────────────────────────────────────────────────────────────────────────────

    async def _run_tail(self) -> None:
        """Read on whenever it is rung, for as long as the feed is open, whatever happens."""
        while True:
            await self._wait_for_ring()
            self._rung.clear()
            try:
                await self._read_on()
            except Exception as error:  # noqa: BLE001 - whatever it was, what comes next is to be read
                _log(error)
                self._rung.set()
                await asyncio.sleep(RETRY_S)

    async def _wait_for_ring(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._poll_s):
                await self._rung.wait()

    async def _read_on(self) -> None:
        """Read what is new, until nothing is, and ring those whom it concerns."""
        while recent := self._recent:
            forgotten = self._forgotten
            end, page = await self._database.read(_read_tail, recent.end.position)
            if self._recent is not recent or self._forgotten != forgotten:
                continue  # what was read is of before: read it again
            if end.erasures != recent.end.erasures:
                self.forget()
                self._recent = recent = _Recent(LogEnd(recent.end.position, end.erasures))
            recent.extend(page, end)
            for event in page:
                self._ring_for(event)
            if len(page) < TAIL_PAGE_MAX:
                return

    def _ring_for(self, event: PointsCredited) -> None:
        for topic in _topics_of(event):
            for follower in self._followers.get(topic, ()):
                follower.ring_for(event.position)


def _log(error: Exception) -> None:
    """A database that is down is a line; whatever else keeps the log from being read, a fault."""
    message = "the feed could not read the log; it will try again"
    if isinstance(error, DatabaseError):
        log.warning(message, again_in_s=RETRY_S, reason=type(error).__name__)
    else:
        log.error(message, again_in_s=RETRY_S, exc_info=error)


def _read_tail(connection: Connection, after: int) -> tuple[LogEnd, list[PointsCredited]]:
    """The first events past a position, and the end up to which that is all of them."""
    end = log_end(connection)  # first: on a busy PostgreSQL, there is more by the next statement
    page = read_credited(connection, after, TAIL_PAGE_MAX, until=end.position)
    return (end._replace(position=page[-1].position) if len(page) == TAIL_PAGE_MAX else end), page


def _topic_of(filter: CreditedFilter) -> Topic:
    """The narrowest topic that has every event that the filter wants."""
    if filter.wallet_id is not None:
        return "wallet", filter.wallet_id
    if filter.identity is not None:
        return "identity", filter.identity
    if filter.program_id is not None:
        return "program", filter.program_id
    return "all", None


def _topics_of(event: PointsCredited) -> tuple[Topic, ...]:
    return (
        ("wallet", event.wallet_id),
        ("identity", event.identity),
        ("program", event.program_id),
        ("all", None),
    )


class Follower:
    """One who follows: the last position it has dealt with, and a page of the log if it lags.

    `heads`: for how many it does. `is_ended`: what there is can be heard, and no more will come.
    """

    __slots__ = (
        "_end",
        "_feed",
        "_first",
        "_last",
        "_ring",
        "failures",
        "filter",
        "heads",
        "is_ended",
        "page",
        "position",
    )

    def __init__(self, feed: Feed, filter: CreditedFilter, ring: Callable[[], None]) -> None:
        self.filter = filter
        self.position = 0
        self.page: list[PointsCredited] = []
        self.failures = 0
        self.heads = 1
        self.is_ended = False
        self._feed = feed
        self._ring = ring
        self._end = 0
        self._first = self._last = 0  # that it was rung for, and hasn't looked at yet

    async def begin(self, after: int | None) -> None:
        """Follow from past `after` on; without it, from the log's end as it is now."""
        self.position = await self._feed.position() if after is None else after
        self._end = await self._feed.listen()
        self._first = 0

    async def next(self) -> PointsCredited | None:
        """The next event; None if there is none yet, and `ring` is called when there may be one.

        Where it is None, all up to `position` is dealt with, and nothing was awaited since.
        """
        while True:
            if event := await self._feed.find_next(self, self._end):
                return event
            if not self._first:
                # Had there been any of its own among the newest, it would have been rung.
                self.position = max(self.position, self._feed.read_to or 0)
                return None
            self.position = max(self.position, self._first - 1)
            self._end = self._last
            self._first = 0

    def close(self) -> None:
        self._feed.leave(self)

    # ── for the feed ─────────────────────────────────────────────────────────────────────────────

    def ring_for(self, position: int) -> None:
        """An event at this position may concern it."""
        self._first = self._first or position
        self._last = position
        self._ring()

    def end(self) -> None:
        self.is_ended = True
        self._ring()


class _Recent:
    """The newest events: all of those past `start`, up to `end`, that are CT Points Credited."""

    __slots__ = ("_positions", "end", "events", "start")

    def __init__(self, end: LogEnd) -> None:
        self.end = end
        self.start = end.position
        self._positions: list[int] = []
        self.events: list[PointsCredited] = []

    def extend(self, events: list[PointsCredited], end: LogEnd) -> None:
        self._positions += [event.position for event in events]
        self.events += events
        self.end = end
        if len(self.events) >= 2 * RECENT_MAX:  # half at a time: cutting a list off copies it
            self.start = self._positions[-RECENT_MAX - 1]
            del self._positions[:-RECENT_MAX]
            del self.events[:-RECENT_MAX]

    def find_next(self, filter: CreditedFilter, after: int, end: int) -> PointsCredited | None:
        """The first event past `after`, up to `end`, that the filter wants."""
        first, last = bisect_right(self._positions, after), bisect_right(self._positions, end)
        wanted = (self.events[index] for index in range(first, last))
        return next((event for event in wanted if filter.wants(event)), None)
