"""How long a test waits for what must come: within a bound that only a failing test ever reaches.

A machine that stands still for a while fails no test: what counts is the time in which the event
loop ran. What comes too late all the same says what everybody was waiting for.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import AsyncGeneratorType, CoroutineType
from typing import Any

WAIT_S_MAX = 20
TICK_S = 0.5  # so much of a standstill counts
POLL_S = 0.02
STEPS = {"async_generator_asend", "async_generator_athrow"}


class OutOfPatience(AssertionError):
    """What must come has not come."""


@asynccontextmanager
async def patience(seconds_max: float = WAIT_S_MAX) -> AsyncIterator[None]:
    """A block in which something must come. Raises OutOfPatience."""
    bound = asyncio.timeout(None)
    try:
        async with bound:
            ticks = _Ticks(bound, seconds_max)
            try:
                yield
            finally:
                ticks.stop()
    except TimeoutError as error:
        if not bound.expired():
            raise
        tasks = "\n".join(sorted(map(_whereabouts, asyncio.all_tasks())))
        raise OutOfPatience(f"it did not come within {seconds_max} s of:\n{tasks}") from error


async def poll(condition: Callable[[], Awaitable[bool]], seconds_max: float = WAIT_S_MAX) -> bool:
    """Ask again and again until it is so; say whether it was within the bound."""
    try:
        async with patience(seconds_max):
            while True:
                if await condition():
                    return True
                await asyncio.sleep(POLL_S)
    except OutOfPatience:
        return False


class _Ticks:
    """Ends a bound after so many seconds, each of which the loop has seen.

    By timers and no task of its own: some tests count tasks.
    """

    def __init__(self, bound: asyncio.Timeout, seconds: float) -> None:
        self._bound = bound
        self._left = seconds
        self._loop = asyncio.get_running_loop()
        self._next()

    def _next(self) -> None:
        if self._left <= 0:
            self._bound.reschedule(self._loop.time())
            return
        step = min(TICK_S, self._left)
        self._left -= step
        self._timer = self._loop.call_later(step, self._next)

    def stop(self) -> None:
        self._timer.cancel()


def _whereabouts(task: "asyncio.Task[Any]") -> str:
    """Where a task waits, from the outside in."""
    places: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame:
            places.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        awaited = _awaited_by(awaited)
    return f"  {task.get_name()}: {' > '.join(places)}"


def _awaited_by(waiting: Any) -> Any:
    """What a coroutine or generator waits for; what hides between two of them is looked into."""
    if isinstance(waiting, CoroutineType):
        return waiting.cr_await
    if isinstance(waiting, AsyncGeneratorType):
        return waiting.ag_await
    hidden = gc.get_referents(waiting) if type(waiting).__name__ in STEPS else []
    return next((each for each in hidden if isinstance(each, AsyncGeneratorType)), None)
