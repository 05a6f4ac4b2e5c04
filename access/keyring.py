"""Keyring: the keys that were shown lately, remembered so that one in use costs no read.

Whatever is asked for while a read is under way is read together, next: so guessing, however fast,
keeps one reader of the database busy and no more.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from access.keys import ApiKey, find_by_hashes
from models.database import Database

KNOWN_S: Final = 5.0
"""How long a key is known without another look: so late counts another instance's revocation."""

UNKNOWN_S: Final = 1.0
"""How long a hash is known to be nobody's."""

REMEMBERED_MAX: Final = 10_000
"""How many keys are remembered, and how many hashes that are nobody's."""


class Known(NamedTuple):
    """What a hash is of, until a time: a key, or nobody's."""

    key: ApiKey | None
    until: float


class Remembered:
    """Each key, or the lack of one, until its time; the oldest go first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[str, Known] = {}

    def find(self, hash: str, now: float) -> Known | None:
        known = self._until.get(hash)
        return known if known and now < known.until else None

    def put(self, hash: str, key: ApiKey | None, now: float) -> None:
        self._until.pop(hash, None)
        if len(self._until) >= REMEMBERED_MAX:
            del self._until[next(iter(self._until))]
        self._until[hash] = Known(key, now + self._seconds)

    def clear(self) -> None:
        self._until.clear()


class Keyring:
    """Finds keys by their hashes. `ticks` are seconds that never run backwards."""

    def __init__(self, database: Database, ticks: Callable[[], float]) -> None:
        self._database = database
        self._ticks = ticks
        # Apart, so that nobody's guesses push a key out.
        self._known = Remembered(KNOWN_S)
        self._unknown = Remembered(UNKNOWN_S)
        self._wanted: dict[str, asyncio.Future[ApiKey | None]] = {}
        self._asked: dict[str, asyncio.Future[ApiKey | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    def recall(self, hash: str) -> Known | None:
        """What is known of this hash, as it was at most KNOWN_S ago."""
        now = self._ticks()
        return self._known.find(hash, now) or self._unknown.find(hash, now)

    async def find(self, hash: str) -> ApiKey | None:
        """The key with this hash. Raises DatabaseError."""
        # Shielded: others may wait for the same.
        return await asyncio.shield(self._want(hash))

    def forget(self) -> None:
        """Read every key anew, the next time that it is shown; a read under way doesn't count."""
        self._known.clear()
        self._unknown.clear()
        self._asked = {}

    async def close(self) -> None:
        """Let a read under way end: it needs the database."""
        if self._reading:
            await self._reading

    def _want(self, hash: str) -> "asyncio.Future[ApiKey | None]":
        found = self._asked.get(hash) or self._wanted.get(hash)
        if found is None:
            loop = asyncio.get_running_loop()
            found = self._wanted[hash] = loop.create_future()
            self._reading = self._reading or loop.create_task(self._read_wanted(), name="keyring")
        return found

    async def _read_wanted(self) -> None:
        try:
            while self._wanted:
                self._asked, self._wanted = self._wanted, {}
                await self._answer(self._asked)
        finally:
            self._reading = None

    async def _answer(self, asked: dict[str, "asyncio.Future[ApiKey | None]"]) -> None:
        now = self._ticks()
        try:
            found = await self._database.read(find_by_hashes, asked.keys())
        except Exception as error:  # noqa: BLE001 - whatever it was, those who wait are told
            for waiting in asked.values():
                waiting.set_exception(error)
            return
        finally:
            is_fresh, self._asked = asked is self._asked, {}
        for wanted, waiting in asked.items():
            key = found.get(wanted)
            if is_fresh:
                (self._known if key else self._unknown).put(wanted, key, now)
            waiting.set_result(key)
