"""Loading: how a loader gathers what is asked of it, and reads it together."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from sqlalchemy import Connection as Link
from strawberry.dataloader import DataLoader

from graph.context import Context

R = TypeVar("R")
Key = tuple[Any, ...]


class Loading:
    """What is loaded for one operation."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sight = context.sight

    def _of_keys(
        self, find: Callable[[Link, Iterable[str]], dict[str, R]]
    ) -> DataLoader[str, R | None]:
        """A loader of what a key names, or None."""

        async def load(keys: list[str]) -> list[R | None]:
            found = await self._context.read(find, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load)

    def _of_owners(
        self,
        read: Callable[..., dict[str, R]],
        id_of: Callable[[Any], str] = str,
    ) -> DataLoader[Any, R]:
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

        return DataLoader(load, cache_key_fn=name)
