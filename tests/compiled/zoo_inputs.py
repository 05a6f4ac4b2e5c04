"""What the zoo takes: scalars that fail, enums, and inputs within inputs."""

from enum import Enum, StrEnum
from typing import Any, Final, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from graph.compiled import written
from tests.compiled.world import Refused


@strawberry.enum
class Mood(Enum):
    """Its names aren't its values."""

    CALM = "calm"
    WILD = "wild"
    SHY = "shy"


@strawberry.enum
class Coat(StrEnum):
    """Its values are texts, too."""

    PLAIN = "plain"
    SPOTTED = "spotted"


Chip = NewType("Chip", str)
Grams = NewType("Grams", int)
Anything = NewType("Anything", object)


def read_chip(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a chip is a text, not {value!r}")
    if value.startswith("torn"):
        raise Refused(value)
    return value.upper()


def print_chip(value: Any) -> Any:
    if value == "torn":
        raise ValueError("a torn chip")
    return None if value == "blank" else f"#{value}"


def read_grams(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"no weight: {value!r}")
    if abs(value) > 2**53:
        raise OverflowError("heavier than can be")
    return round(value * 1_000)


def print_grams(value: Any) -> float:
    return value / 1_000


def as_is(value: Any) -> Any:
    return value


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Chip: strawberry.scalar(name="Chip", serialize=print_chip, parse_value=read_chip),
    Grams: strawberry.scalar(
        name="Grams",
        serialize=written(print_grams, int, "value / thousand", thousand=1_000),
        parse_value=read_grams,
    ),
    Anything: strawberry.scalar(name="Anything", serialize=as_is, parse_value=as_is),
}


@strawberry.input
class Span:
    """With defaults, and without."""

    least: int = 1
    most: int | None = None
    unit: str | None = strawberry.UNSET


@strawberry.input(one_of=True)
class Which:
    """By one of these."""

    name: str | None = strawberry.UNSET
    chip: Chip | None = strawberry.UNSET
    span: Span | None = strawberry.UNSET
    moods: list[Mood] | None = strawberry.UNSET


@strawberry.input
class Filter:
    """Everything at once."""

    which: Which
    coats: list[Coat]
    weight: Grams | None = None
    mood: Mood | None = Mood.CALM
    spans: list[Span | None] | None = strawberry.UNSET
    grid: list[list[int]] | None = None
    anything: Anything | None = strawberry.UNSET


@strawberry.input
class Loose:
    """Of what may be left out, and of itself."""

    inner: "Loose | None" = None
    tags: strawberry.Maybe[list[str] | None]
    span: Span = strawberry.field(default_factory=Span)
    coats: list[Coat] = strawberry.field(default_factory=lambda: [Coat.PLAIN])


@strawberry.input
class Extra:
    grams: Grams = Grams(250)
    moods: list[Mood | None] | None = None


@strawberry.input
class Feed:
    """What a mutation is told."""

    animal: strawberry.ID
    grams: Grams = Grams(5_000)
    words: str | None = strawberry.field(name="saidWords", default=None)
    also: list[Extra] | None = None
