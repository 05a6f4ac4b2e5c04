"""Turns: long work of the event loop in slices, between which the loop sees to everyone else.

All long operations of a loop share its turns: however many there are, a slice of one of them is all
that stands between two looks at the sockets.
"""

import asyncio
from collections.abc import Awaitable, Generator
from time import monotonic
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

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


class InTurns(Generic[T]):
    """An awaitable that goes on in its turn: when it begins, and each time after it has waited."""

    def __init__(self, awaitable: Awaitable[T], turns: Turns) -> None:
        """Nothing of it runs before it is awaited."""
        self._awaitable = awaitable
        self._turns = turns

    def __await__(self) -> Generator[Any, None, T]:
        """As the awaitable itself would, cancelling included."""
        steps: Any = self._awaitable.__await__()
        error: BaseException | None = None
        try:
            while True:
                yield from self._turns.take().__await__()
                try:
                    waited_for = steps.throw(error) if error else next(steps)
                except StopIteration as done:
                    return done.value
                try:
                    error = None
                    yield waited_for
                except BaseException as thrown:  # noqa: BLE001 - it is for whoever waits inside
                    error = thrown
        finally:
            steps.close()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns_of_loop() -> Turns:
    """The turns of the running loop."""
    return _turns.setdefault(asyncio.get_running_loop(), Turns())
