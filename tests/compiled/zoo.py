"""A zoo: a schema of everything that a Strawberry schema may hold, and nothing of points.

What a field gives is mostly usual, and now and then anything else that Python has: see `World`.
Who keeps an animal in a variable needs its key only; the rest follows from the world's seed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from graphql import GraphQLError, GraphQLResolveInfo, Undefined
from strawberry.types import Info

from tests.compiled.world import Refused, World
from tests.compiled.zoo_inputs import Anything, Chip, Coat, Grams, Mood

T = TypeVar("T")

LEAVES = ["x", 7, -1, 2**31, 2**70, 1.5, float("nan"), True, b"raw", ["a"], {"a": 1}, object]


def unusual(world: World, usual: Any, *place: object) -> list[Any]:
    """All that may stand in the place of a value."""
    return [
        None,
        Undefined,
        ValueError(f"no value: {place}"),
        Refused(str(place)),
        GraphQLError("with a place of its own", path=["elsewhere"]),
        world.soon(usual, *place),
        world.soon(None, *place),
        world.soon(KeyError("lost"), *place),
        world.soon(ValueError("a value"), *place, "of a value"),
        *LEAVES,
        "torn",
        "blank",
        (),
    ]


class Living:
    """What an attribute of a living thing gives, by its place."""

    world: World
    key: str

    def of(self, name: str, usual: T) -> T:
        place = (self.key, name)
        return self.world.given(usual, lambda: unusual(self.world, usual, *place), *place)


@strawberry.type
class Box:
    """Nothing but attributes, all the way down; no interface says what it is."""

    width: int
    label: str | None
    coats: list[Coat]
    lid: "Box | None"


@dataclass
class Crate:
    """No Strawberry type, and a box for all that."""

    width: Any
    label: Any
    coats: Any
    lid: Any


class Carton(Box):
    """A kind of box that the schema doesn't know."""


def box(world: World, key: str, depth: int = 2) -> Any:
    here = Living()
    here.world, here.key = world, key
    kind = world.pick((Box, Box, Box, Crate, Carton), key, "kind")
    return kind(
        width=here.of("width", world.draw(key, "width") % 100),
        label=here.of("label", world.pick((None, "fragile", ""), key, "label")),
        coats=here.of("coats", [Coat.PLAIN, Coat.SPOTTED, "plain"]),
        lid=here.of("lid", box(world, f"{key}.lid", depth - 1) if depth else None),
    )


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Page:
    more: bool
    last: str | None


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    page: Page

    @strawberry.field
    def total(self) -> int:
        return len(self.edges)


@strawberry.interface
class Alive:
    """An animal of whatever kind."""

    world: strawberry.Private[World]
    key: strawberry.Private[str]
    id: strawberry.ID
    name: str | None
    mood: Mood

    @strawberry.field
    def kin(self, first: int = 2) -> "list[Alive]":
        self.world.note("kin", self.key, repr(first))
        return animals(self.world, f"{self.key}.kin", first)


@strawberry.type
class Cat(Alive):
    """By its interface it is known by its class."""

    coat: Coat | None
    age: int | None
    weight: float
    chip: Chip | None
    grams: Grams
    tags: list[str]
    nicknames: list[str | None] | None
    grid: list[list[int | None] | None]
    box: Box
    spare: Box | None
    boxes: list[Box | None]
    anything: Anything | None

    @strawberry.field
    def owner(self) -> "Owner":
        """May fail where it must not be null."""
        self.world.note("owner", self.key)
        usual = Owner(world=self.world, key=f"{self.key}.owner")
        return resolved(self.world, usual, self.key, "owner")

    @strawberry.field
    async def mate(self) -> "Alive | None":
        self.world.note("mate", self.key)
        await self.world.wait("mate", self.key)
        self.world.note("found", self.key)
        return resolved(self.world, animal(self.world, f"{self.key}.mate"), self.key, "mate")

    @strawberry.field
    async def rival(self) -> "Alive":
        """It is there at once, and awaited all the same."""
        self.world.note("rival", self.key)
        return resolved(self.world, animal(self.world, f"{self.key}.rival"), self.key, "rival")

    @strawberry.field
    def later(self, word: str | None = "miaow") -> str | None:
        """What it gives is awaited, though it doesn't say so."""
        self.world.note("later", self.key, repr(word))
        return self.world.soon(resolved(self.world, word, self.key, "later"), self.key, "later")  # type: ignore[return-value]

    @strawberry.field
    def litter(self) -> "list[Cat | None]":
        """Of its items some may be awaited, some be errors, some be dogs."""
        self.world.note("litter", self.key)
        return listed(self.world, lambda key: cat(self.world, key), f"{self.key}.litter")

    @strawberry.field
    def pack(self) -> "list[Dog]":
        self.world.note("pack", self.key)
        return listed(self.world, lambda key: dog(self.world, key), f"{self.key}.pack")

    @strawberry.field
    def toys(self, after: strawberry.ID | None = None) -> "Connection[Toy]":
        self.world.note("toys", self.key, repr(after))
        edges = [Edge(cursor=f"c{n}", node=toy(self.world, f"{self.key}.{n}")) for n in range(2)]
        page = self.world.given(Page(more=True, last=None), lambda: [None, Page], self.key, "page")
        return Connection(edges=edges, page=page)

    @strawberry.field
    def guest(self) -> "Guest | None":
        self.world.note("guest", self.key)
        return guest(self.world, f"{self.key}.guest")


@strawberry.type
class Dog(Alive):
    """It says itself what is one."""

    loud: bool

    @strawberry.field
    def master(self, info: Info) -> "Owner | None":
        self.world.note("master", self.key, info.path.as_list())
        usual = Owner(world=self.world, key=f"{self.key}.master")
        return resolved(self.world, usual, self.key, "master")

    @strawberry.field(description="Its resolver says what it needs of the parent by its type.")
    async def bark(parent: strawberry.Parent["Dog"], times: int = 1) -> str:  # noqa: N805
        parent.world.note("bark", parent.key, repr(times))
        await parent.world.wait("bark", parent.key, times)
        return resolved(parent.world, "wuff" * min(times, 9), parent.key, "bark")

    @classmethod
    def is_type_of(cls, value: Any, _: GraphQLResolveInfo) -> bool:
        return isinstance(value, Dog | DogRow)


@dataclass
class DogRow:
    """A row of a table, as it were: a dog by its looks."""

    world: World
    key: str
    id: Any
    name: Any
    mood: Any
    loud: Any

    def kin(self, first: int = 2) -> Any:
        return animals(self.world, f"{self.key}.kin", first)


@strawberry.type
class Robot:
    """A guest that is no animal; nothing says which objects are one."""

    serial: int
    model: str | None


@strawberry.type
class Owner:
    world: strawberry.Private[World]
    key: strawberry.Private[str]

    @strawberry.field
    def name(self) -> str:
        return resolved(self.world, f"of {self.key}", self.key, "name")

    @strawberry.field
    async def pet(self) -> Alive:
        self.world.note("pet", self.key)
        await self.world.wait("pet", self.key)
        return resolved(self.world, animal(self.world, f"{self.key}.pet"), self.key, "pet")

    @strawberry.field
    def pets(self, mood: Mood | None = None, first: int | None = strawberry.UNSET) -> list[Alive]:
        self.world.note("pets", self.key, repr(mood), repr(first))
        return animals(self.world, f"{self.key}.pets", 2)


@strawberry.interface
class Thing:
    """What one is, it says itself."""

    size: int

    @classmethod
    def resolve_type(cls, value: Any, _: GraphQLResolveInfo, __: Any) -> str:
        if isinstance(value, Toy):
            return "Toy"
        return "Box" if isinstance(value, Box) else "Nothing"


@strawberry.type
class Toy(Thing):
    world: strawberry.Private[World]
    key: strawberry.Private[str]

    @strawberry.field
    def squeak(self, info: Info, volume: float = 0.5) -> str | None:
        self.world.note("squeak", self.key, repr(volume), info.field_name, info.python_name)
        return resolved(self.world, f"{volume}", self.key, "squeak")


Guest = Annotated[Cat | Robot | Edge[Toy], strawberry.union("Guest")]


# ── how they come about ─────────────────────────────────────────────────────────────────────────


def resolved(world: World, usual: Any, *place: object) -> Any:
    """What a resolver gives, or raises."""
    given = world.given(usual, lambda: unusual(world, usual, *place), *place)
    if isinstance(given, Exception) and world.pick((True, False), "raises", *place):
        raise given
    return given


def cat(world: World, key: str) -> Any:
    here = Living()
    here.world, here.key = world, key
    return Cat(
        world=world,
        key=key,
        id=here.of("id", world.pick((strawberry.ID(key), 7, 2**70), key)),
        name=here.of("name", world.pick((None, f"cat {key}"), key, "name")),
        mood=here.of("mood", world.pick((Mood.CALM, "wild", Mood.SHY), key, "mood")),
        coat=here.of("coat", world.pick((Coat.PLAIN, "spotted", None), key, "coat")),
        age=here.of("age", world.pick((None, 3, 4.0, True), key, "age")),
        weight=here.of("weight", world.pick((4.5, 4, float("inf")), key, "weight")),
        chip=here.of("chip", world.pick((Chip("a1"), None), key, "chip")),
        grams=here.of("grams", Grams(1_500)),
        tags=here.of("tags", world.pick((["a", "b"], ("c",), [], [1]), key, "tags")),
        nicknames=here.of("nicknames", world.pick((None, ["x", None], [None]), key, "nicknames")),
        grid=here.of("grid", [[1, None], None, [], [2, world.given(3, lambda: [None, "x"], key)]]),
        box=here.of("box", box(world, f"{key}.box")),
        spare=here.of("spare", world.pick((None, box(world, f"{key}.spare")), key, "spare")),
        boxes=here.of("boxes", [box(world, f"{key}.{n}", 0) for n in range(2)] + [None]),
        anything=here.of("anything", world.pick((None, {"a": [1]}, "x", 2**70), key, "anything")),
    )


def dog(world: World, key: str) -> Any:
    here = Living()
    here.world, here.key = world, key
    kind = world.pick((Dog, Dog, Dog, DogRow), key, "kind")
    return kind(
        world=world,
        key=key,
        id=here.of("id", strawberry.ID(key)),
        name=here.of("name", f"dog {key}"),
        mood=here.of("mood", Mood.WILD),
        loud=here.of("loud", world.pick((True, False, 1), key, "loud")),
    )


def toy(world: World, key: str) -> Any:
    here = Living()
    here.world, here.key = world, key
    return Toy(world=world, key=key, size=here.of("size", 3))


def animal(world: World, key: str) -> Any:
    return world.pick((cat, dog), key, "animal")(world, key)


def guest(world: World, key: str) -> Any:
    usual = world.pick(
        (
            None,
            Robot(serial=1, model=None),
            Edge(cursor="e", node=toy(world, key)),
            animal(world, key),
            strawberry.cast(Robot, Crate(width=1, label=None, coats=[], lid=None)),
        ),
        key,
        "guest",
    )
    return resolved(world, usual, key, "guest")


def animals(world: World, key: str, count: int) -> Any:
    return listed(world, lambda each: animal(world, each), key, min(max(count, 0), 3))


def listed(world: World, make: Any, key: str, count: int = 2) -> Any:
    """A list as resolvers give them: of this or that kind, its items this or that."""
    items: list[Any] = [
        world.given(make(f"{key}{n}"), lambda n=n: unusual(world, None, key, n), key, "item", n)
        for n in range(count)
    ]
    kinds: list[Any] = [list, tuple, generated, Rows, set_like]
    return resolved(world, world.pick(kinds, key, "list")(items), key, "listed")


def generated(items: Iterable[Any]) -> Iterable[Any]:
    yield from items


def set_like(items: Iterable[Any]) -> Any:
    return dict(enumerate(items)).values()


@dataclass
class Rows:
    """No sequence; it can only be gone through."""

    items: list[Any]

    def __iter__(self) -> Any:
        return iter(self.items)
