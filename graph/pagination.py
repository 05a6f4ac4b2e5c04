"""Pagination: Relay's connections over keyset pages. A cursor names its list and a place in it.

A cursor is the list's name, its owner's id (nothing for a list of all) and the place, in base64url:
given to another list it is refused as garbage is. The event log's is good with any filter.
"""

import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar, cast

import strawberry

from graph.faults import BadCursor, BadRequest, LimitExceeded
from graph.scalars import given
from models.ids import find_prefix
from models.windows import Page, Window

PAGE_DEFAULT: Final = 20
PAGE_MAX: Final = 100
CURSOR_MAX: Final = 256
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")

N = TypeVar("N")
Position = tuple[Any, ...]

First = Annotated[
    int | None,
    strawberry.argument(description="How many, from the start: 1 to 100. 20 if left out."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="Only what comes further down the list than this cursor."),
]
Last = Annotated[
    int | None,
    strawberry.argument(description="How many, from the end: 1 to 100. Not together with `first`."),
]
Before = Annotated[
    str | None,
    strawberry.argument(description="Only what comes further up the list than this cursor."),
]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's; the cursors are those of the first and the last edge."""

    has_next_page: bool = strawberry.field(description="There is more further down.")
    has_previous_page: bool = strawberry.field(description="There is more further up.")
    start_cursor: str | None = strawberry.field(description="The first item's cursor.")
    end_cursor: str | None = strawberry.field(
        description="The last item's cursor: give it as `after` to get the next page."
    )


@strawberry.type(description="One item of a list, and its place in it.")
class Edge(Generic[N]):
    """Relay's."""

    cursor: str = strawberry.field(description="The item's place, for `after` and `before`.")
    node: N = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[N]):
    """Relay's. Forward or backward, the items are in the list's own order."""

    edges: list[Edge[N]] = strawberry.field(description="The items, in the list's order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the list.")


class _Edge(NamedTuple):
    """An edge as it is made of a page's rows: there are many."""

    cursor: str
    node: Any


Part = Callable[[str], Any]
"""Reads one part of a position back; None if it is not one."""


def an_id(text: str) -> str | None:
    return text if find_prefix(text) else None


def a_number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Listing:
    """One list that can be paged: its name, whose it is, and what a place in it is made of."""

    name: str
    owner: str = ""
    parts: tuple[Part, ...] = (an_id,)

    def cursor(self, position: Position) -> str:
        [cursor] = self._cursors([position])
        return cursor

    def _cursors(self, positions: Iterable[Position]) -> list[str]:
        """The cursors of these places. What all of them begin with is written once."""
        head = f"{self.name},{self.owner},".encode()
        whole = len(head) // 3 * 3  # base64 makes four characters of three bytes
        start, rest = _base64(head[:whole]), head[whole:]
        return [start + _base64(rest + ",".join(map(str, each)).encode()) for each in positions]

    def position(self, argument: str, cursor: str | None) -> Position | None:
        """The place that a cursor names; BAD_CURSOR if it is not one of this list's own."""
        if cursor is None:
            return None
        position = self._parse(cursor) if len(cursor) <= CURSOR_MAX else None
        if position is None or self.cursor(position) != cursor:
            raise BadCursor(argument, "this is not a cursor of this list")
        return position

    def _parse(self, cursor: str) -> Position | None:
        try:
            padding = "=" * (-len(cursor) % 4)
            text = urlsafe_b64decode(cursor + padding).decode("ascii")
        except ValueError:
            return None
        name, owner, *parts = [*text.split(","), ""][: 2 + len(self.parts)]
        if (name, owner) != (self.name, self.owner) or len(parts) != len(self.parts):
            return None
        position = tuple(read(part) for read, part in zip(self.parts, parts, strict=True))
        return None if None in position else position

    def window(
        self,
        first: int | None,
        after: str | None,
        last: int | None = None,
        before: str | None = None,
    ) -> Window:
        """What is asked for, as the pages take it; a request error names what can't be asked."""
        first, last = given(first), given(last)
        after, before = given(after), given(before)
        if first is not None and last is not None:
            raise BadRequest("first, last", "only one of them can be given")
        if last is None:
            first = _bounded("first", PAGE_DEFAULT if first is None else first)
        else:
            _bounded("last", last)
        return Window(first, last, self.position("after", after), self.position("before", before))

    def connection(self, page: Page[Any], shape: Callable[[Any], N]) -> Connection[N]:
        cursors = self._cursors(position for position, _ in page.items)
        nodes = (shape(record) for _, record in page.items)
        edges = list(map(_Edge._make, zip(cursors, nodes, strict=True)))
        told = cast("list[Edge[N]]", edges)
        return connected(told, has_next=page.has_next, has_previous=page.has_previous)


def connected(edges: list[Edge[N]], *, has_next: bool, has_previous: bool) -> Connection[N]:
    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


def _base64(text: bytes) -> str:
    """In base64url, without padding."""
    return b2a_base64(text, newline=False).rstrip(b"=").translate(_URL_SAFE).decode()


def _bounded(argument: str, count: int) -> int:
    if count < 1:
        raise BadRequest(argument, f"must be at least 1, not {count}")
    if count > PAGE_MAX:
        raise LimitExceeded(argument, PAGE_MAX, f"must be at most {PAGE_MAX}, not {count}")
    return count
