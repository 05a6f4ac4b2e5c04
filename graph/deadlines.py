"""Deadlines: what isn't there in time is given up, by one timer for all that is under way.

asyncio's own timeouts each set a timer and take it back, and nearly none of them ever fires: that
costs six times as much.
"""

import asyncio
from collections.abc import Awaitable
from math import inf
from typing import TypeVar

T = TypeVar("T")


class Deadlines:
    """Those of one event loop."""

    def __init__(self) -> None:
        self._waits: set[_Wait] = set()
        self._timer: asyncio.Handle | None = None
        self._looks_at = inf

    async def keep(self, value: Awaitable[T], ends_at: float) -> T:
        """What is awaited, if it is there by then, by the loop's time; else it is cancelled.

        Raises TimeoutError, or what it raises.
        """
        task = asyncio.current_task()
        assert task, "whoever waits is a task"
        wait = _Wait(task, ends_at)
        self._waits.add(wait)
        if ends_at < self._looks_at:
            self._look_at(ends_at)
        try:
            return await value
        except asyncio.CancelledError as error:
            if wait.is_late and task.cancelling() == wait.cancelling + 1:
                raise TimeoutError from error
            raise  # somebody else has cancelled it, too
        finally:
            self._waits.discard(wait)
            if wait.is_late:
                task.uncancel()

    def _look_at(self, instant: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._looks_at = instant
        self._timer = asyncio.get_running_loop().call_at(instant, self._look)

    def _look(self) -> None:
        """Give up who is late, and look again when the next of the others would be."""
        self._timer, self._looks_at = None, inf
        now = asyncio.get_running_loop().time()
        for wait in self._waits:
            if wait.ends_at <= now and not wait.is_late:
                wait.is_late = True
                wait.task.cancel()
        if ends := [wait.ends_at for wait in self._waits if not wait.is_late]:
            self._look_at(min(ends))


class _Wait:
    """A task that waits. `cancelling` is how often it was cancelled before."""

    __slots__ = ("cancelling", "ends_at", "is_late", "task")

    def __init__(self, task: "asyncio.Task[object]", ends_at: float) -> None:
        self.task = task
        self.ends_at = ends_at
        self.cancelling = task.cancelling()
        self.is_late = False
