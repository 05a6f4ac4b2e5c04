"""Uses: when each key was last used, noted in memory and written down about once a minute."""

import asyncio
from typing import Final

import structlog

from access.keys import note_uses
from models.database import Database, DatabaseError

WRITE_S: Final = 60.0
"""How often it is written down: as much of it is lost if the process dies."""

NOT_YET: Final = "the keys' last uses can't be written yet"

log = structlog.get_logger()


class Uses:
    """A key's last use is for people, who look for keys that nobody needs. Nothing waits for it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[str, int] = {}
        self._closing = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def note(self, key_id: str, at: int) -> None:
        self._noted[key_id] = at

    async def start(self) -> None:
        """Begin to write down what is noted."""
        self._worker = asyncio.create_task(self._run(), name="uses")

    async def close(self) -> None:
        """Write down what is left."""
        self._closing.set()
        if self._worker:
            await self._worker
        await self.write()

    async def write(self) -> None:
        """Write down what was noted since, in one statement. A failure is logged; it is kept."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            await self._database.write(note_uses, noted)
        except DatabaseError as error:
            self._noted = noted | self._noted
            log.warning(NOT_YET, reason=type(error).__name__)
        except Exception as error:
            # Nothing depends on it, so nothing ends by it.
            self._noted = noted | self._noted
            log.warning(NOT_YET, exc_info=error)

    async def _run(self) -> None:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(WRITE_S):
                    await self._closing.wait()
            except TimeoutError:
                await self.write()
