"""The world that resolvers act in: what chance has in store for each, and a journal of their deeds.

Both sides of a comparison get a world of the same seed. What a field gives follows from the seed
and from where it stands, never from when it is asked; and of those who wait, one at a time goes on,
whenever nothing else can: so that all that happens has one order, however many tasks there are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from zlib import crc32

from graphql import GraphQLError

T = TypeVar("T")

PARTS: Final = 1_000
"""Of a whole: how finely odds are told."""
STEPS_MAX: Final = 100_000
"""So many waits end at the most, of one operation; more is a fault of the test's."""


class Refused(GraphQLError):
    """An error that brings its own extensions."""

    def __init__(self, what: str) -> None:
        super().__init__(f"refused: {what}", extensions={"code": "REFUSED", "what": what})


@dataclass(repr=False)
class World:
    """One run's own: it is its context, too."""

    seed: int
    odds: int = 0
    """Of a thousand fields, so many are unusual."""
    journal: list[str] = field(default_factory=list)
    waiting: dict[int, "asyncio.Future[None]"] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"World({self.seed})"

    # ── chance ──────────────────────────────────────────────────────────────────────────────────

    def draw(self, *place: object) -> int:
        return crc32(repr((self.seed, place)).encode())

    def pick(self, choices: Any, *place: object) -> Any:
        return choices[self.draw("pick", *place) % len(choices)]

    def is_odd(self, *place: object) -> bool:
        return self.draw("odd", *place) % PARTS < self.odds

    def given(self, usual: T, unusual: Callable[[], list[Any]], *place: object) -> T:
        """What stands there: mostly the usual."""
        return self.pick(unusual(), *place) if self.is_odd(*place) else usual

    # ── deeds ───────────────────────────────────────────────────────────────────────────────────

    def note(self, *deed: object) -> None:
        self.journal.append(" ".join(map(str, deed)))

    async def wait(self, *place: object) -> None:
        """Until it is this one's turn. What waits twice in the same place fails."""
        turn = self.draw("turn", *place)
        while turn in self.waiting:  # two of the same place: one after the other
            turn += 1
        self.waiting[turn] = asyncio.get_running_loop().create_future()
        try:
            await self.waiting[turn]
        except asyncio.CancelledError:
            self.note("cancelled", *place)
            raise
        finally:
            del self.waiting[turn]

    async def conduct(self) -> None:
        """Let one go on who waits, whenever nothing else can, until nobody does."""
        for _ in range(STEPS_MAX):
            await quiet()
            open_ = [turn for turn, future in self.waiting.items() if not future.done()]
            if not open_:
                return
            self.waiting[min(open_)].set_result(None)
        raise AssertionError("it never ends")

    # ── unusual values ──────────────────────────────────────────────────────────────────────────

    def soon(self, value: Any, *place: object) -> "Soon":
        return Soon(self, value, place)


@dataclass(repr=False)
class Soon(Awaitable[Any]):
    """A value, or the error that it comes to, that may be awaited, and needn't be."""

    world: World
    value: Any
    place: tuple[object, ...]

    def __await__(self) -> Generator[Any, None, Any]:
        return self._settle().__await__()

    def __repr__(self) -> str:
        return f"Soon{self.place}"

    async def _settle(self) -> Any:
        self.world.note("awaited", *self.place)
        if self.world.pick((True, True, False), "waits", *self.place):
            await self.world.wait("soon", *self.place)
            self.world.note("came", *self.place)
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


async def quiet() -> None:
    """Until nothing else can go on: whoever is left waits to be let."""
    loop: Any = asyncio.get_running_loop()
    # What asyncio is about to call; nothing here waits for I/O.
    while loop._ready:  # noqa: SLF001, ASYNC110
        await asyncio.sleep(0)
