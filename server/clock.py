"""The clock: the only place that reads it. Everything else is handed an instant, or this function.

An instant is an integer of microseconds since 1970-01-01T00:00Z.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def now() -> int:
    """The present instant."""
    return time.time_ns() // 1_000
