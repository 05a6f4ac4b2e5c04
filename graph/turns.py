"""Turns: long work of the event loop in slices, between which the loop sees to everyone else.

All long operations of a loop share its turns: however many there are, a slice of one of them is all
that stands between two looks at the sockets.
"""

import asyncio
from time import monotonic
from typing import Final
from weakref import WeakKeyDictionary

TURN_S: Final = 0.01
"""How long a slice is. What goes on in one may take longer by its last step."""


class Turns:
    """The turns of one event loop."""

    def __init__(self) -> None:
        self._ends_at = 0.0
        self._queue = asyncio.Lock()

    async def take(self) -> None:
        """Go on at once while the slice lasts; else in the next one, first come, first served."""
        if monotonic() < self._ends_at:
            return
        async with self._queue:
            if monotonic() >= self._ends_at:
                await asyncio.sleep(0)
                self._ends_at = monotonic() + TURN_S


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns_of_loop() -> Turns:
    """The turns of the running loop."""
    return _turns.setdefault(asyncio.get_running_loop(), Turns())
