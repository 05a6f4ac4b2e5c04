"""Kept: answers to events, for a moment, for others who come by the same event.

while told := kept.find(event):
    if found := await asyncio.shield(told):
        return found
with kept.keeping(event, is_wanted=…) as told:
    told.set_result(…)               # or whoever waits for it does it for themselves
"""

import asyncio
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from graph.courses import Event

KEPT_S: Final = 0.1
"""How long: an answer tells what is so now, and is as old as that at most when it is sent."""

KEPT_MAX: Final = 64
KEPT_BYTES_MAX: Final = 16_384
"""How many, and how large each may be."""

Told = asyncio.Future[Any]


class One(NamedTuple):
    """An event, until when its answer is good for others, and the answer."""

    event: Event
    until: float
    told: Told


class Kept:
    """The answers to the events that were last come by; nothing, where nobody wants them."""

    __slots__ = ("_by_position",)

    def __init__(self) -> None:
        self._by_position: OrderedDict[int, One] | None = None

    def find(self, event: Event) -> Told | None:
        """What will be told of this event, or was a moment ago.

        One that has changed since, as by an erasure, is another.
        """
        found = self._by_position.get(event.position) if self._by_position else None
        if found is None or found.event != event:
            return None
        is_good = not found.told.done() or asyncio.get_running_loop().time() < found.until
        return found.told if is_good else None

    @contextmanager
    def keeping(self, event: Event, *, is_wanted: bool) -> Generator[Told]:
        """Others wait for what is told in the block, if any of them want it."""
        loop = asyncio.get_running_loop()
        one = One(event, loop.time() + KEPT_S, loop.create_future())
        if is_wanted:
            self._add(one)
        else:
            self._by_position = None
        try:
            yield one.told
        finally:
            if not one.told.done():
                one.told.set_result(None)
                self._drop(one)
            elif len(one.told.result()[0].payload) > KEPT_BYTES_MAX:
                self._drop(one)

    def _add(self, one: One) -> None:
        kept = self._by_position = self._by_position or OrderedDict()
        kept[one.event.position] = one
        while len(kept) > KEPT_MAX:
            kept.popitem(last=False)

    def _drop(self, one: One) -> None:
        kept = self._by_position
        if kept and kept.get(one.event.position) is one:
            del kept[one.event.position]
