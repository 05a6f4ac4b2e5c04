"""The zoo's own fields: what is asked of it, and what is done to it."""

from collections.abc import AsyncGenerator
from typing import Any, Final

import strawberry
from strawberry.extensions.field_extension import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info
from typing_extensions import override

from tests.compiled.zoo import (
    Alive,
    Box,
    Cat,
    Connection,
    Dog,
    Edge,
    Guest,
    Owner,
    Page,
    Robot,
    Thing,
    Toy,
    animal,
    animals,
    box,
    cat,
    dog,
    guest,
    listed,
    resolved,
    toy,
)
from tests.compiled.zoo_inputs import (
    SCALARS,
    Anything,
    Chip,
    Coat,
    Feed,
    Filter,
    Grams,
    Loose,
    Mood,
    Span,
    Which,
)

TWO_KILOS: Final = Grams(2_000)


class Noted(FieldExtension):
    """An extension, which is called around the resolver."""

    @override
    def resolve(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        info.context.note("around", info.field_name, kwargs)
        return next_(source, info, **kwargs)

    @override
    async def resolve_async(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Any:
        info.context.note("around", info.field_name, kwargs)
        given = await next_(source, info, **kwargs)
        info.context.note("after", info.field_name)
        return given


class Keeper(BasePermission):
    """Chance lets in whom it wants."""

    message = "for keepers only"
    error_extensions = {"code": "KEEPERS"}  # noqa: RUF012 - as Strawberry declares it

    @override
    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        info.context.note("asked", info.path.as_list())
        return info.context.pick((True, True, False), "keeper", *info.path.as_list())


@strawberry.type
class Query:
    @strawberry.field
    def cat(self, info: Info, key: str = "tom") -> Cat:
        info.context.note("cat", key)
        return resolved(info.context, cat(info.context, key), "cat", key)

    @strawberry.field
    async def dog(self, info: Info, key: str | None = None) -> Dog | None:
        info.context.note("dog", key)
        await info.context.wait("dog", key)
        return resolved(info.context, dog(info.context, f"{key}"), "dog", key)

    @strawberry.field
    def owner(self, info: Info) -> Owner | None:
        return Owner(world=info.context, key="anna")

    @strawberry.field
    def pets(self, info: Info, moods: list[Mood], first: int = 2) -> list[Alive | None] | None:
        info.context.note("pets", moods, first)
        return animals(info.context, "pets", first)

    @strawberry.field
    async def guests(self, info: Info) -> list[Guest | None]:
        info.context.note("guests")
        return [guest(info.context, f"guests.{n}") for n in range(3)]

    @strawberry.field
    def alive(self, info: Info, key: strawberry.ID) -> Alive | None:
        info.context.note("alive", repr(key))
        return animal(info.context, f"alive.{key}")

    @strawberry.field
    def things(self, info: Info) -> list[Thing]:
        world = info.context
        return [toy(world, "things"), box(world, "things"), world.given(toy, list, "thing")]  # type: ignore[list-item]

    @strawberry.field
    def box(self, info: Info) -> Box | None:
        return box(info.context, "the box", 3)

    @strawberry.field
    def towers(self, info: Info) -> list[list[list[Box | None]]] | None:
        """Lists in lists in lists."""
        world = info.context
        return [
            listed(world, lambda key: listed(world, lambda k: box(world, k, 0), key), f"towers{n}")
            for n in range(2)
        ]

    @strawberry.field
    def shelves(self, info: Info) -> Connection[Alive]:
        edges = [Edge(cursor=f"{n}", node=animal(info.context, f"shelf{n}")) for n in range(2)]
        return Connection(edges=edges, page=Page(more=False, last="1"))

    # ── what arguments come to ──────────────────────────────────────────────────────────────────

    @strawberry.field
    def find(self, info: Info, filter: Filter | None = strawberry.UNSET) -> str:
        info.context.note("find", repr(filter))
        return f"{filter!r}"

    @strawberry.field
    async def which(self, info: Info, these: list[Which], span: Span | None = None) -> str | None:
        info.context.note("which", repr(these), repr(span))
        return f"{these!r} {span!r}"

    @strawberry.field
    def maybe(self, info: Info, given: strawberry.Maybe[int | None] = None) -> str:
        info.context.note("maybe", repr(given))
        return repr(given)

    @strawberry.field
    def loose(self, info: Info, input: Loose) -> str:
        info.context.note("loose", repr(input))
        return repr(input)

    @strawberry.field
    def echo(
        self,
        info: Info,
        text: str = "nothing",
        number: int | None = strawberry.UNSET,
        ratio: float | None = 0.25,
        yes: bool | None = None,  # noqa: FBT001 - as it is asked for
        id: strawberry.ID | None = strawberry.UNSET,
        chip: Chip | None = None,
        grams: Grams | None = TWO_KILOS,
        mood: Mood | None = Mood.SHY,
        coats: list[list[Coat | None]] | None = None,
        anything: Anything | None = strawberry.UNSET,
    ) -> list[str]:
        told = [text, number, ratio, yes, id, chip, grams, mood, coats, anything]
        info.context.note("echo", *map(repr, told))
        return [repr(each) for each in told]

    # ── what resolvers read of the operation ────────────────────────────────────────────────────

    @strawberry.field
    def here(self, depth: int = 0) -> "Place":
        return Place(depth=depth)

    @strawberry.field
    def root(root: Any, info: Info) -> str:  # noqa: N805 - Strawberry knows it by this name
        info.context.note("root", repr(root))
        return repr(root)

    # ── what stands around resolvers ────────────────────────────────────────────────────────────

    @strawberry.field(extensions=[Noted()])
    def noted(self, info: Info, word: str = "x") -> str | None:
        info.context.note("noted", word)
        return resolved(info.context, word, "noted")

    @strawberry.field(extensions=[Noted()])
    async def noted_later(self, info: Info, span: Span) -> int:
        await info.context.wait("noted later", repr(span))
        return resolved(info.context, span.least, "noted later")

    @strawberry.field(permission_classes=[Keeper])
    def kept(self, info: Info) -> str | None:
        info.context.note("kept")
        return "kept"

    @strawberry.field(permission_classes=[Keeper])
    async def kept_cat(self, info: Info) -> Cat:
        await info.context.wait("kept cat")
        return cat(info.context, "kept")


@strawberry.type
class Place:
    depth: int

    @strawberry.field
    def path(self, info: Info) -> list[str]:
        return [str(key) for key in info.path.as_list()]

    @strawberry.field
    def variables(self, info: Info) -> str:
        return repr(info.variable_values)

    @strawberry.field
    def selected(self, info: Info, more: bool | None = None) -> "Place":  # noqa: FBT001
        info.context.note("selected", more, info.selected_fields)
        return Place(depth=self.depth + 1)

    @strawberry.field
    async def operation(self, info: Info) -> str:
        name = info.operation.name
        told = [name and name.value, info.return_type, info.field_name, info.root_value]
        return f"{told} {info.schema is not None} {len(info._raw_info.field_nodes)}"  # noqa: SLF001


@strawberry.type
class Fed:
    animal: Alive | None
    grams: Grams

    @strawberry.field
    async def weighed(self, info: Info) -> float:
        info.context.note("weighed", self.grams)
        await info.context.wait("weighed", self.grams)
        return resolved(info.context, 1.5, "weighed", self.grams)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def feed(self, info: Info, input: Feed) -> Fed:
        info.context.note("feed", repr(input))
        await info.context.wait("feed", repr(input))
        info.context.note("fed", input.animal)
        fed = Fed(animal=animal(info.context, input.animal), grams=input.grams)
        return resolved(info.context, fed, "fed", input.animal)

    @strawberry.mutation
    def rename(self, info: Info, key: strawberry.ID, to: str | None = "nobody") -> Alive | None:
        info.context.note("rename", repr(key), repr(to))
        return resolved(info.context, animal(info.context, key), "rename", key)

    @strawberry.mutation
    def adopt(self, info: Info, feeds: list[Feed]) -> list[Fed]:
        info.context.note("adopt", repr(feeds))
        fed = [Fed(animal=None, grams=each.grams) for each in feeds]
        return info.context.soon(fed, "adopt")

    @strawberry.mutation
    def close(self, info: Info) -> bool:
        """It may fail, and with it all."""
        info.context.note("close")
        usual = True
        return resolved(info.context, usual, "close")

    @strawberry.mutation(extensions=[Noted()], permission_classes=[Keeper])
    async def paint(self, info: Info, coat: Coat = Coat.SPOTTED) -> Coat | None:
        info.context.note("paint", repr(coat))
        return coat


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def visitors(self) -> AsyncGenerator[int, None]:
        yield 1


ZOO: Final = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    types=[Toy, Robot],
    config=StrawberryConfig(scalar_map=SCALARS),
)
