"""The writer: commits in groups.

Commands that arrive while a commit is under way form the next batch. Alone, a command waits for
nobody. The queue is bounded. A caller that goes away takes nothing with it: what was submitted is
done whole or not at all.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection

from ledger.batch import Asked, Outcome, write_batch
from models.collisions import until_it_stands
from models.database import Database, DatabaseError

BATCH_MAX: Final = 1_000
"""How many commands one unit of work takes."""

BACKLOG_MAX: Final = 10_000
"""How many commands may wait; past it callers are told to come back."""

UNITS_MAX: Final = 1_000
"""How many units of work of their own may wait."""

UNITS_A_TURN: Final = 16
"""How many of them are written before commands have their turn again."""

DEFERRALS_MAX: Final = 100
"""How many batches a command may wait for what must be written before it."""

T = TypeVar("T")
Clock = Callable[[], int]
Unit = Callable[[Connection, int], T]
Measured = Callable[[int, float], None]

log = structlog.get_logger()


class Overloaded(Exception):
    """Too much is waiting. Nothing was done: try again in a moment, with the same key."""


@dataclass(slots=True, eq=False)
class _Waiting:
    asked: Asked
    answer: asyncio.Future[Outcome]
    deferrals: int = 0


@dataclass(slots=True, eq=False)
class _Alone:
    """A unit of work of its own: a sweep, a program, a member."""

    unit: Unit[Any]
    answer: asyncio.Future[Any]


def unmeasured(_commands: int, _seconds: float) -> None:
    """What is called where nobody measures commits."""


class Writer:
    """The one that writes. `committed` is called in the event loop after each commit.

    So is `measured`, with how many commands it held and how long it took; a unit of work of its own
    holds none.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        committed: Callable[[], None],
        measured: Measured = unmeasured,
    ) -> None:
        """Nothing is written before `start`."""
        self._database = database
        self._clock = clock
        self._committed = committed
        self._measured = measured
        self._commands: deque[_Waiting] = deque()
        self._units: deque[_Alone] = deque()
        self._work = asyncio.Event()
        self._latest = 0
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def backlog(self) -> int:
        """How many commands wait."""
        return len(self._commands)

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="writer")

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        self._closing = True
        self._work.set()
        if self._task:
            await self._task

    def submit(self, asked: Sequence[Asked]) -> list[asyncio.Future[Outcome]]:
        """Queue the commands, all or (Overloaded) none, and give a future for each."""
        if self._closing or len(self._commands) + len(asked) > BACKLOG_MAX:
            message = (
                f"{len(self._commands)} commands are waiting:"
                " try again in a moment, with the same key."
            )
            raise Overloaded(message)
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(one, loop.create_future()) for one in asked]
        self._commands.extend(waiting)
        self._work.set()
        return [one.answer for one in waiting]

    def alone(self, unit: Unit[T], *, first: bool = False) -> asyncio.Future[T]:
        """Queue a unit of work of its own; it is given the instant at which it runs.

        `first` puts it before all others, and past the bound: the sweep's place, which is one.
        """
        if self._closing or (len(self._units) >= UNITS_MAX and not first):
            message = "too much is waiting: try again in a moment."
            raise Overloaded(message)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        job = _Alone(unit, answer)
        self._units.insert(0 if first else len(self._units), job)
        self._work.set()
        return answer

    # ── the loop ──────────────────────────────────────────────────────────────────────────────────

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._units or self._commands:
                for _ in range(min(UNITS_A_TURN, len(self._units))):
                    await self._run_alone(self._units.popleft())
                if self._commands:
                    await self._run_batch(self._take())
            if self._closing:
                return

    def _take(self) -> list[_Waiting]:
        return [self._commands.popleft() for _ in range(min(BATCH_MAX, len(self._commands)))]

    async def _run_alone(self, job: _Alone) -> None:
        try:
            result = await self._write(job.unit)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's answer
            _fail(job.answer, error)
        else:
            _tell(job.answer, result)

    async def _run_batch(self, batch: list[_Waiting]) -> None:
        """Write a batch.

        Where a statement's error fails it: one command after another, so that none fails another.
        """
        try:
            outcomes = await self._write(
                lambda connection, now: write_batch(connection, [w.asked for w in batch], now),
                len(batch),
            )
        except DatabaseError as error:
            for waiting in batch:
                _fail(waiting.answer, error)
        except Exception as error:
            if len(batch) == 1:
                _, actor = batch[0].asked
                log.exception("a command failed", request_id=actor.request_id)
                _fail(batch[0].answer, error)
                return
            for waiting in batch:
                await self._run_batch([waiting])
        else:
            self._answer(batch, outcomes)

    def _answer(self, batch: list[_Waiting], outcomes: list[Outcome | None]) -> None:
        deferred: list[_Waiting] = []
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if outcome is not None:
                _tell(waiting.answer, outcome)
            elif waiting.deferrals < DEFERRALS_MAX:
                waiting.deferrals += 1
                deferred.append(waiting)
            else:
                _fail(
                    waiting.answer,
                    Overloaded("this wallet has too much to catch up with: try again in a moment."),
                )
        self._commands.extendleft(reversed(deferred))

    async def _write(self, unit: Unit[T], commands: int = 0) -> T:
        """One unit of work, run again while it collides with another writer's."""

        async def write() -> T:
            self._latest = max(self._latest, self._clock())
            begun = perf_counter()
            result = await self._database.write(unit, self._latest)
            self._committed()
            self._measured(commands, perf_counter() - begun)
            return result

        return await until_it_stands(write)


def _tell(answer: asyncio.Future[Any], result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
