"""Head: what stands before a request's body, looked through once for all who want something of it.

Nearly every request has each header once, and then one dictionary tells all of them. Where one
stands there several times, who asks says which they mean.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from starlette.types import Scope

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]
T = TypeVar("T")

KEPT: Final = "head"
"""Where a request's state has its head, once somebody has looked at it."""


class Head:
    """A request's headers, by their names in small letters."""

    __slots__ = ("_found", "_headers", "_last")

    def __init__(self, headers: Sequence[Header]) -> None:
        self._headers = headers
        self._last = dict(headers)
        self._found: dict[Callable[[Head], Any], Any] = {}

    def find(self, name: bytes) -> str | None:
        """The first of this name."""
        value = self._last.get(name)
        if value is None:
            return None
        if len(self._last) < len(self._headers):
            value = next(said for each, said in self._headers if each == name)
        return value.decode("latin-1")

    def find_last(self, name: bytes) -> bytes | None:
        """The last of this name, which is the nearest proxy's where there are several."""
        return self._last.get(name)

    def once(self, find: Callable[["Head"], T]) -> T:
        """What `find` makes of it: found once, however many requests have this head.

        It must be the same each time. What it raises isn't kept.
        """
        try:
            return self._found[find]
        except KeyError:
            pass
        found = self._found[find] = find(self)
        return found

    def count(self, name: bytes) -> int:
        """How many there are of this name."""
        if len(self._last) == len(self._headers):
            return int(name in self._last)
        return sum(each == name for each, _ in self._headers)

    def list_all(self, name: bytes) -> list[str]:
        """Each of this name, in their order."""
        value = self._last.get(name)
        if value is None:
            return []
        if len(self._last) == len(self._headers):
            return [value.decode("latin-1")]
        return [said.decode("latin-1") for each, said in self._headers if each == name]


def head_of(scope: Scope) -> Head:
    """The head of a request, as whoever came first to look at it has kept it with the request."""
    state: dict[str, Any] = scope.setdefault("state", {})
    head: Head | None = state.get(KEPT)
    if head is None:
        head = state[KEPT] = Head(scope["headers"])
    return head
