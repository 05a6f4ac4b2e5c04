"""Deadlines: what isn't there in time is given up, by one timer for all that is under way.

asyncio's own timeouts each set a timer and take it back, and nearly none of them ever fires: that
costs six times as much.
"""

import asyncio
from collections.abc import Coroutine, Generator
from math import inf
from types import TracebackType, coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlines:
    """Those of one event loop.

    with deadlines.until(ends_at):  # by the loop's time
        await what_may_be_late()    # is cancelled then, and the block raises TimeoutError
    """

    def __init__(self) -> None:
        self._kept: set[Deadline] = set()
        self._timer: asyncio.Handle | None = None
        self._looks_at = inf

    def until(self, ends_at: float) -> "Deadline":
        """A block's deadline, by the loop's time."""
        return Deadline(self, ends_at)

    @coroutine
    def within(self, seconds: float, work: Coroutine[Any, None, T]) -> Generator[Any, None, T]:
        """What the work gives. Raises TimeoutError where that isn't there in time.

        The deadline is set when there is something to wait for: most often there is nothing.
        """
        try:
            waits_for = work.send(None)
            with self.until(asyncio.get_running_loop().time() + seconds):
                while True:
                    try:
                        yield waits_for
                    except BaseException as error:  # noqa: BLE001 - it is the work's to see
                        waits_for = work.throw(error)
                    else:
                        waits_for = work.send(None)
        except StopIteration as done:
            return done.value

    def keep(self, deadline: "Deadline") -> None:
        self._kept.add(deadline)
        if deadline.ends_at < self._looks_at:
            self._look_at(deadline.ends_at)

    def drop(self, deadline: "Deadline") -> None:
        self._kept.discard(deadline)

    def _look_at(self, instant: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._looks_at = instant
        self._timer = asyncio.get_running_loop().call_at(instant, self._look)

    def _look(self) -> None:
        """Give up who is late, and look again when the next of the others would be."""
        self._timer, self._looks_at = None, inf
        now = asyncio.get_running_loop().time()
        for deadline in self._kept:
            if deadline.ends_at <= now and not deadline.is_late:
                deadline.give_up()
        if ends := [deadline.ends_at for deadline in self._kept if not deadline.is_late]:
            self._look_at(min(ends))


class Deadline:
    """A block that ends in time. `cancelling` is how often its task was cancelled before."""

    __slots__ = ("_cancelling", "_deadlines", "_task", "ends_at", "is_late")

    _task: "asyncio.Task[object]"
    _cancelling: int

    def __init__(self, deadlines: Deadlines, ends_at: float) -> None:
        self._deadlines = deadlines
        self.ends_at = ends_at
        self.is_late = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task, "whoever waits is a task"
        self._task = task
        self._cancelling = task.cancelling()
        self._deadlines.keep(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._deadlines.drop(self)
        if not self.is_late:
            return
        is_ours_alone = self._task.uncancel() <= self._cancelling  # or others cancelled it, too
        if is_ours_alone and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def give_up(self) -> None:
        self.is_late = True
        self._task.cancel()
