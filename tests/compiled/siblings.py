"""Siblings: a schema whose fields wait and fail as they are told to, each in its turn."""

from collections.abc import AsyncGenerator, Awaitable
from typing import Any, Final

import strawberry
from strawberry.directive import DirectiveLocation
from strawberry.types import Info
from typing_extensions import override

from tests.compiled.world import World


class Turns(World):
    """A world in which those who wait go on in the order of their turns."""

    @override
    def draw(self, *place: object) -> int:
        return int(str(place[1])) if place[0] == "turn" else super().draw(*place)


async def _later(world: World, word: str, turn: int, *, fails: bool) -> str:
    await world.wait(turn, word)
    return _now(world, word, fails=fails)


def _now(world: World, word: str, *, fails: bool) -> str:
    world.note("ended", word)
    if fails:
        raise ValueError(word)
    return word


def act(info: Info, word: str, turn: int | None, *, fails: bool) -> Any:
    info.context.note("began", word)
    if turn is None:
        return _now(info.context, word, fails=fails)
    return _later(info.context, word, turn, fails=fails)


@strawberry.type
class Inner:
    @strawberry.field
    def may(
        self, info: Info, word: str, turn: int | None = None, *, fails: bool = False
    ) -> str | None:
        return act(info, word, turn, fails=fails)

    @strawberry.field
    def must(self, info: Info, word: str, turn: int | None = None, *, fails: bool = False) -> str:
        return act(info, word, turn, fails=fails)

    @strawberry.field
    async def begun(self, info: Info, word: str, *, fails: bool = False) -> str:
        """It begins when it is awaited."""
        return act(info, word, None, fails=fails)

    @strawberry.field
    def inner(self) -> "Inner | None":
        return Inner()

    @strawberry.field
    def always(self) -> "Inner":
        return Inner()

    @strawberry.field
    def inners(self) -> "list[Inner | None]":
        return [Inner(), Inner()]

    @strawberry.field
    def pending(self, info: Info) -> list[str]:
        """Its first item fails at once, its others are there later."""
        waits: list[Awaitable[str]] = [
            _later(info.context, word, turn, fails=False) for turn, word in enumerate(("b", "c"))
        ]
        return [None, *waits]  # type: ignore[list-item]


@strawberry.input
class Bag:
    things: list[int]
    words: list[str] | None = None


@strawberry.type
class Query(Inner):
    @strawberry.field
    def grow(
        self,
        things: list[int] = [0],  # noqa: B006 - a default that resolvers change
        bag: Bag | None = None,
    ) -> list[int]:
        """It changes what it is given."""
        things.append(len(things))
        if bag:
            bag.things += things
            things = bag.things
        return things

    @strawberry.field
    async def sum(self, things: list[int]) -> int:
        things.append(1)
        return sum(things)


@strawberry.type
class Mutation(Inner):
    pass


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def words(self) -> AsyncGenerator[str, None]:
        yield "a"


@strawberry.directive(locations=[DirectiveLocation.FIELD])
def shout(value: str) -> str:
    return value.upper()


SIBLINGS: Final = strawberry.Schema(Query, Mutation, Subscription)
SHOUTING: Final = strawberry.Schema(Query, directives=[shout])
