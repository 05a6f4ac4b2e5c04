"""Courses: what a subscription follows, in order, from a position on.

    return Course(attend, shape, after)      # from a subscription's resolver, as its stream

A stream is one subscriber's. A course can be followed by many at once, each from a place of its
own: what its events are doesn't depend on who follows, nor on where they began. So one execution
serves all who ask the same of the same course (graph/audiences.py), and whoever can't keep up with
them follows it alone for a while.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from typing_extensions import override


class Event(Protocol):
    """What is followed: its position is past those of all before it."""

    @property
    def position(self) -> int: ...


class Follower(Protocol):
    """One who follows a course: see events.feed."""

    heads: int
    position: int

    @property
    def is_ended(self) -> bool: ...
    async def begin(self, after: int | None) -> None: ...
    async def next(self) -> Event | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Course(AsyncIterator[Any]):
    """A stream whose events are followed elsewhere: taken as a stream, it has none.

    `attend` makes a follower, who is rung by what it is given; `shape` makes of an event what the
    subscription's field resolves; `after` is where the subscriber wishes to begin, if they said so.
    """

    attend: Callable[[Callable[[], None]], Follower]
    shape: Callable[[Any], Any]
    after: int | None

    @override
    async def __anext__(self) -> Any:
        raise StopAsyncIteration


class Begun(NamedTuple):
    """A subscription that was found to be in order: graphql-core's executor, and its course.

    The executor is that of anyone who has sent the same document; `variables`, as it has read them,
    and `turns` are this one's.
    """

    executor: Any
    course: Course
    variables: Any
    turns: Any
