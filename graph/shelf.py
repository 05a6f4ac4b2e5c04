"""Shelf: the documents that were last asked for, within bounds."""

from collections import OrderedDict
from threading import Lock
from typing import Final, Generic, Protocol, TypeVar

KEPT_MAX: Final = 256
KEPT_BYTES_MAX: Final = 64_000_000
"""Of all documents that are kept."""


class Sized(Protocol):
    """What takes so many bytes at most."""

    bytes: int


D = TypeVar("D", bound=Sized)


class Shelf(Generic[D]):
    """Documents by their texts, and by how many tokens each might have. Any thread may come."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], D] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def find(self, text: str, tokens_max: int) -> D | None:
        key = (text, tokens_max)
        with self._lock:
            found = self._kept.get(key)
            if found:
                self._kept.move_to_end(key)
            return found

    def keep(self, text: str, tokens_max: int, document: D) -> None:
        key = (text, tokens_max)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = document
                self._bytes += document.bytes
            while len(self._kept) > KEPT_MAX or self._bytes > KEPT_BYTES_MAX:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= dropped.bytes
