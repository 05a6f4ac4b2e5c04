"""Loading: how a loader gathers what is asked of it, and reads it together."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection as Link

from graph.context import Context

K = TypeVar("K")
R = TypeVar("R")
Key = tuple[Any, ...]


class _Asked(Generic[K, R]):
    """What is asked for by one key, and who waits for it."""

    __slots__ = ("error", "is_read", "key", "result", "waiting")

    def __init__(self, key: K) -> None:
        self.key = key
        self.waiting: list[asyncio.Future[None]] = []
        self.is_read = False
        self.result: R | None = None
        self.error: Exception | None = None

    def tell(self) -> None:
        self.is_read = True
        for each in self.waiting:
            if not each.done():  # who is given up waits no more
                each.set_result(None)


class Loader(Generic[K, R]):
    """Reads what is asked of it in one turn of the event loop together, and each thing once.

    A field that is given up takes nothing from the others that wait for the same.
    """

    __slots__ = ("_asked", "_name", "_next", "_read", "_reading")

    def __init__(
        self,
        read: Callable[[list[K]], Awaitable[Sequence[R]]],
        name: Callable[[K], Hashable] | None = None,
    ) -> None:
        """`read` gives one thing for each key, in their order. Keys of one name are the same."""
        self._read = read
        self._name = name
        self._asked: dict[Hashable, _Asked[K, R]] = {}
        self._next: list[_Asked[K, R]] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def load(self, key: K) -> R:
        """What a key names. Raises what reading it raised."""
        name = self._name(key) if self._name else cast("Hashable", key)
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = _Asked(key)
            if not self._next:
                asyncio.get_running_loop().call_soon(self._begin)
            self._next.append(asked)
        if not asked.is_read:
            turn = asyncio.get_running_loop().create_future()
            asked.waiting.append(turn)
            await turn
        if asked.error is not None:
            raise asked.error
        return cast("R", asked.result)

    def _begin(self) -> None:
        asked, self._next = self._next, []
        reading = asyncio.get_running_loop().create_task(self._fill(asked))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    async def _fill(self, asked: list[_Asked[K, R]]) -> None:
        try:
            found = await self._read([each.key for each in asked])
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            for each in asked:
                each.error = error
        else:
            for each, result in zip(asked, found, strict=True):
                each.result = result
        for each in asked:
            each.tell()


class Loading:
    """What is loaded for one operation."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sight = context.sight
        self._known: dict[str, Any] = {}
        """Records that came with others, by their ids."""

    def _recall(self, kind: type[R], id: str) -> R | None:
        """The record of this kind and id, if it came with another."""
        known = self._known.get(id)
        return known if type(known) is kind else None

    def _of_keys(
        self, find: Callable[[Link, Iterable[str]], dict[str, R]]
    ) -> Loader[str, R | None]:
        """A loader of what a key names, or None."""

        async def load(keys: list[str]) -> list[R | None]:
            found = await self._context.read(find, keys)
            return [found.get(key) for key in keys]

        return Loader(load)

    def _of_owners(
        self,
        read: Callable[..., dict[str, R]],
        id_of: Callable[[Any], str] = str,
    ) -> Loader[Any, R]:
        """A loader of what belongs to an owner: all owners of whom the same is asked, at once."""

        def name(key: Key) -> Hashable:
            return (id_of(key[0]), *key[1:])

        async def load(keys: list[Key]) -> list[R]:
            alike: defaultdict[Key, list[Any]] = defaultdict(list)
            for owner, *asked in keys:
                alike[tuple(asked)].append(owner)
            found: dict[Hashable, R] = {}
            for asked, owners in alike.items():
                answer = await self._context.read(read, owners, *asked)
                found |= {(owner_id, *asked): each for owner_id, each in answer.items()}
            return [found[name(key)] for key in keys]

        return Loader(load, name)
