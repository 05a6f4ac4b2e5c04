"""The zoo's books: objects that have nothing but attributes, as long as something is missing."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import Info
from typing_extensions import override

from graph.compiled import NULL_WITHOUT, of_classes
from tests.compiled.world import World
from tests.compiled.zoo import (
    Box,
    Cat,
    Dog,
    Edge,
    Living,
    Owner,
    Page,
    Robot,
    box,
    listed,
    resolved,
)
from tests.compiled.zoo_inputs import SCALARS, Coat, Grams

KEYS: Final = (None, None, None, "key")
"""Most lines have no sister and no master."""


class Sparing(StrawberryGraphQLCoreExecutionContext):
    """An executor that knows, too, what is null without an attribute."""

    @override
    def execute_field(
        self,
        parent_type: Any,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        field = parent_type.fields.get(field_details_list[0].node.name.value)
        definition = field and field.extensions.get("strawberry-definition")
        needed = definition and definition.metadata.get(NULL_WITHOUT)
        if needed and getattr(source, needed, source) is None:
            return None
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )


@strawberry.type
class Line:
    """A line of a book."""

    world: strawberry.Private[World]
    key: strawberry.Private[str]
    sister_key: strawberry.Private[str | None]
    master_key: strawberry.Private[str | None]
    number: int
    grams: Grams
    coat: Coat | None
    box: Box | None

    @strawberry.field(metadata={NULL_WITHOUT: "sister_key"})
    async def sister(self) -> "Line | None":
        self.world.note("sister", self.key)
        await self.world.wait("sister", self.key)
        return resolved(self.world, line(self.world, f"{self.key}.sister"), self.key, "sister")

    @strawberry.field(metadata={NULL_WITHOUT: "master_key"})
    def master(self, info: Info) -> Owner | None:
        self.world.note("master", self.key, info.path.as_list())
        usual = Owner(world=self.world, key=f"{self.key}.master")
        return resolved(self.world, usual, self.key, "master")


@dataclass
class LineRow:
    """No Strawberry type, and a line for all that; now and then without a key at all."""

    world: World
    key: str
    sister_key: Any
    master_key: Any
    number: Any
    grams: Any
    coat: Any
    box: Any

    def __post_init__(self) -> None:
        if self.world.is_odd(self.key, "keyless"):
            del self.sister_key


@dataclass
class NoteRow:
    """What a note is made of: no Strawberry type."""

    world: World
    key: str
    text: Any


class Scrawl(NoteRow):
    """A note, too."""


def author_of(root: strawberry.Parent[NoteRow], info: Info) -> str | None:
    """Who wrote a note, which is a parent and the root by its name."""
    info.context.note("author", root.key)
    return resolved(root.world, f"author of {root.key}", root.key, "author")


@strawberry.type
class Note:
    """Its objects are rows, as it says itself; one of its own class is none."""

    text: str

    author: str | None = strawberry.field(resolver=author_of)

    is_type_of = of_classes(NoteRow)


Scrap = Annotated[Line | Note, strawberry.union("Scrap")]
Entry = Annotated[Line | Robot, strawberry.union("Entry")]


@strawberry.type
class Sheet:
    """Lines in every place where an object may stand."""

    first: Line
    last: Line | None
    lines: list[Line | None]
    edges: list[Edge[Line]]
    blocks: list[list[Line] | None] | None
    entry: Entry | None
    entries: list[Entry]
    notes: list[Note | None]
    scraps: list[Scrap | None]
    page: Page


def note(world: World, key: str) -> Any:
    here = Living()
    here.world, here.key = world, key
    text = here.of("text", f"text of {key}")
    if world.is_odd(key, "its own class"):
        return Note(text=text)
    return world.pick((NoteRow, NoteRow, Scrawl), key, "kind")(world=world, key=key, text=text)


def scrap(world: World, key: str) -> Any:
    return world.pick((note(world, key), note(world, key), line(world, key)), key, "scrap")


def line(world: World, key: str) -> Any:
    here = Living()
    here.world, here.key = world, key
    return world.pick((Line, Line, LineRow), key, "kind")(
        world=world,
        key=key,
        sister_key=here.of("sister key", world.pick(KEYS, key, "sister key")),
        master_key=here.of("master key", world.pick(KEYS, key, "master key")),
        number=here.of("number", world.draw(key, "number") % 100),
        grams=here.of("grams", world.pick((Grams(1_500), Grams(0), Grams(-7)), key, "grams")),
        coat=here.of("coat", world.pick((Coat.PLAIN, "spotted", None), key, "coat")),
        box=here.of("box", world.pick((None, box(world, f"{key}.box", 0)), key, "box")),
    )


def entry(world: World, key: str) -> Any:
    robot = Robot(serial=7, model=None)
    return world.pick((line(world, key), robot, strawberry.cast(Line, line(world, key))), key)


def edge(world: World, key: str) -> Any:
    here = Living()
    here.world, here.key = world, key
    return Edge(cursor=here.of("cursor", key), node=here.of("node", line(world, key)))


def sheet(world: World, key: str, first: int = 3) -> Any:
    here = Living()
    here.world, here.key = world, key
    count = min(max(first, 0), 4)

    def lines(place: str) -> Any:
        return listed(world, lambda each: line(world, each), f"{key}.{place}", count)

    return Sheet(
        first=here.of("first", line(world, f"{key}.first")),
        last=here.of("last", world.pick((None, line(world, f"{key}.last")), key, "last")),
        lines=here.of("lines", lines("lines")),
        edges=here.of("edges", listed(world, lambda each: edge(world, each), f"{key}.edges")),
        blocks=here.of("blocks", [lines("block"), None, lines("other")]),
        entry=here.of("entry", entry(world, f"{key}.entry")),
        entries=here.of("entries", [entry(world, f"{key}.{n}") for n in range(3)]),
        notes=here.of("notes", listed(world, lambda each: note(world, each), f"{key}.notes")),
        scraps=here.of("scraps", [scrap(world, f"{key}.{n}") for n in range(3)]),
        page=here.of("page", Page(more=False, last="1")),
    )


@strawberry.type
class Books:
    """What is asked of them."""

    @strawberry.field
    def sheet(self, info: Info, first: int = 3) -> Sheet | None:
        info.context.note("sheet", first)
        return resolved(info.context, sheet(info.context, "sheet", first), "sheet")

    @strawberry.field
    async def lines(self, info: Info, key: str = "lines") -> list[Line]:
        info.context.note("lines", key)
        return listed(info.context, lambda each: line(info.context, each), key, 4)

    @strawberry.field
    def entry(self, info: Info, key: strawberry.ID) -> Entry | None:
        info.context.note("entry", key)
        return entry(info.context, f"entry {key}")


BOOKS: Final = strawberry.Schema(
    Books,
    types=[Cat, Dog],
    config=StrawberryConfig(scalar_map=SCALARS),
    execution_context_class=Sparing,
)
