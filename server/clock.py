"""The clock: the only place that reads it. Everything else is handed an instant, or this function.

An instant is an integer of microseconds since 1970-01-01T00:00Z.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def now() -> int:
    """The present instant."""
    return time.time_ns() // 1_000


class FastClock:
    """A clock that begins at an instant and runs `pace` times as fast as ours. It never goes back.

    For a demo alone: what it says is soon years ahead.
    """

    def __init__(
        self, begins_at: int, pace: int, ticks_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.pace = pace
        self._begins_at = begins_at
        self._ticks_ns = ticks_ns
        self._began_ns = ticks_ns()

    def __call__(self) -> int:
        return self._begins_at + (self._ticks_ns() - self._began_ns) * self.pace // 1_000


def pace_of(clock: Clock) -> int:
    """How many of its seconds pass in one of ours: what we are given is so many times as long."""
    return clock.pace if isinstance(clock, FastClock) else 1
