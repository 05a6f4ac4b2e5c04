"""Loading: how a loader gathers what is asked of it, and reads it together."""

from asyncio import Future, shield
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any, TypeVar

from sqlalchemy import Connection as Link
from strawberry.dataloader import DataLoader
from typing_extensions import override

from graph.context import Context

K = TypeVar("K")
R = TypeVar("R")
Key = tuple[Any, ...]


class Loader(DataLoader[K, R]):
    """Strawberry's, of which a field that is given up takes nothing from the others.

    They wait for one future. Where a field fails, those beside it are cancelled, and with them
    what they wait for.
    """

    @override
    def load(self, key: K) -> Awaitable[R]:
        loading = super().load(key)
        # What is there already can't be cancelled.
        return loading if isinstance(loading, Future) and loading.done() else shield(loading)


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

        return Loader(load, cache_key_fn=name)
