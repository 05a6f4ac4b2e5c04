"""Arguments: an input is made by its plan as Strawberry would have made it."""

from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import GraphQLInputObjectType
from strawberry import UNSET
from strawberry.schema.config import StrawberryConfig

from graph.compiled.conversions import plan_conversions
from graph.scalars import JSON, SCALARS, Points
from graph.schema import schema as api


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.input
class Corner:
    x: int
    y: int | None


@strawberry.input
class Shape:
    name: str
    points: Points | None
    colour: Colour = Colour.RED
    colours: list[Colour] | None = UNSET
    corner: Corner | None = UNSET
    corners: list[Corner] | None = None
    holes: list[Corner | None] | None = None
    anything: JSON | None = UNSET
    size_in_metres: float = strawberry.field(default=1.5, name="size")


seen: list[Shape] = []


@strawberry.type
class Query:
    @strawberry.field
    def draw(self, shape: Shape) -> bool:
        seen.append(shape)
        return True


def schema() -> strawberry.Schema:
    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))


SHAPES: list[dict[str, Any]] = [
    {"name": "a"},
    {"name": "a", "points": None, "corner": None, "corners": None, "anything": None},
    {"name": "a", "points": 1.5, "colour": "BLUE", "colours": ["BLUE", "RED"], "size": 2},
    {"name": "a", "corner": {"x": 1}, "corners": [{"x": 1, "y": 2}, {"x": 3, "y": None}]},
    {"name": "a", "corners": {"x": 1}, "holes": [None, {"x": 1}], "colours": []},
    {"name": "a", "anything": {"corner": {"x": [1, None, "y"]}}},
]


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_input_is_made_as_ever(shape: dict[str, Any]) -> None:
    document = "query ($shape: Shape!) { draw(shape: $shape) }"
    plain = schema()
    definition = Shape.__strawberry_definition__  # type: ignore[attr-defined]

    assert (await plain.execute(document, {"shape": shape})).data == {"draw": True}
    plan_conversions(plain._schema, plain.config)  # noqa: SLF001 - as graph.schema does
    assert definition.from_input is not None
    assert (await plain.execute(document, {"shape": shape})).data == {"draw": True}
    for kind in (Shape, Corner):
        kind.__strawberry_definition__.from_input = None  # type: ignore[attr-defined]

    without, planned = seen[-2:]
    assert planned == without


def test_every_input_of_the_api_has_its_plan() -> None:
    inputs = [
        each
        for each in api._schema.type_map.values()  # noqa: SLF001
        if isinstance(each, GraphQLInputObjectType)
    ]

    assert inputs
    assert all(each.extensions["strawberry-definition"].from_input for each in inputs)
