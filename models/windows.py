"""Windows: which part of a list is asked for, and the page that is found of it.

A filter says which rows are wanted, a window how many of them and from where.

Lists are cut by keyset, newest first, forwards and backwards. A position is the values of a list's
key in one of its rows. A page begins right after one and is found by index, so it costs the same
however long the list is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, bindparam, tuple_

from models.columns import WHOLE

R = TypeVar("R")
Shape = tuple[str, ...]
Position = tuple[Any, ...]
Columns = Sequence[ColumnElement[Any]]

LIMIT: Final = bindparam("limit", type_=WHOLE)
"""A window's size and one more, in its statement."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Some fields, of which those that are set are what is wanted.

    A statement has a condition for each field that is set and none for the others, so that the
    database plans for what is asked: it is built once a `shape`. A field that is None leaves all
    rows in; an empty list leaves none.
    """

    @property
    def params(self) -> dict[str, Any]:
        """What a statement binds, by the fields' names."""
        named = {name: getattr(self, name) for name in _names_of(type(self))}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def shape(self) -> Shape:
        """The fields that are set."""
        return tuple(self.params)


@cache
def _names_of(kind: type[Filter]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


class Cut(NamedTuple):
    """What of a window its statement depends on."""

    forward: bool
    after: bool
    before: bool

    def bounds(self, key: Columns) -> list[ColumnElement[bool]]:
        """Past the window's bounds: further down the list is a lesser key."""
        after = [tuple_(*key) < tuple_(*_named("after", key))] if self.after else []
        before = [tuple_(*key) > tuple_(*_named("before", key))] if self.before else []
        return [*after, *before]

    def order(self, key: Columns) -> list[Any]:
        """The order in which the window's rows are looked for."""
        return [column.desc() if self.forward else column.asc() for column in key]


def _named(name: str, key: Columns) -> Columns:
    return [bindparam(f"{name}_{i}", type_=column.type) for i, column in enumerate(key)]


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Rows in their list's order, each with its position."""

    items: list[tuple[Position, R]]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True)
class Window:
    """The `first` rows after a position, or the `last` before one; between the two, if both are."""

    first: int | None = None
    last: int | None = None
    after: Position | None = None
    before: Position | None = None

    @property
    def size(self) -> int:
        """How many rows at most."""
        size = self.first if self.last is None else self.last
        assert size is not None, "a window has a first or a last"
        return size

    @property
    def cut(self) -> Cut:
        """What its statement depends on."""
        return Cut(self.last is None, self.after is not None, self.before is not None)

    @property
    def params(self) -> dict[str, Any]:
        """What its statement binds. One row more than wanted tells whether more follow."""
        bounds = {"after": self.after or (), "before": self.before or ()}
        named = {f"{n}_{i}": value for n, key in bounds.items() for i, value in enumerate(key)}
        return named | {"limit": self.size + 1}

    def page(self, found: list[tuple[Position, R]]) -> Page[R]:
        """The page of what its statement found, in the order in which it looked."""
        more = len(found) > self.size
        items = found[: self.size]
        if self.last is None:
            return Page(items, has_next=more, has_previous=self.after is not None)
        return Page(items[::-1], has_next=self.before is not None, has_previous=more)
