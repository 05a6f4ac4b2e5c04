"""Short cuts through the executor: every answer is graphql-core's own, mistakes included."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from graph.execution import Execution, note_short_cuts, null_without
from graph.scalars import SCALARS, DateTime, Points


@strawberry.type
class Size:
    width: int
    height: int | None


@strawberry.type
class Box:
    name: str
    size: Size
    spare: Size | None
    points: Points
    made_at: DateTime | None
    other_id: strawberry.Private[str | None]
    parts: list[Size]

    @strawberry.field(metadata=null_without("other_id"))
    async def other(self) -> "Box | None":
        return box(name=f"other than {self.name}") if self.other_id else None

    @strawberry.field
    def fails(self) -> int:
        message = "it always does"
        raise ValueError(message)


def box(**changes: Any) -> Box:
    known: dict[str, Any] = {
        "name": "a",
        "size": Size(width=1, height=None),
        "spare": None,
        "points": 1_500,
        "made_at": None,
        "other_id": None,
        "parts": [Size(width=2, height=3), Size(width=4, height=None)],
    }
    return Box(**{**known, **changes})


@strawberry.type
class Query:
    @strawberry.field
    def boxes(self) -> list[Box | None]:
        return [
            box(),
            box(name="b", made_at=0, spare=Size(width=7, height=8)),
            box(name="c", other_id="x"),
            box(name="d", size=None),  # null where none may be
            box(name="e", points="many"),  # can't be printed
            box(name="f", size=Size(width=None, height=1)),  # type: ignore[arg-type] - null within
            box(name="g", spare=Size(width="wide", height=1)),  # type: ignore[arg-type]
            box(name="h", parts=[Size(width=None, height=1)]),  # type: ignore[arg-type]
        ]


def schema(**options: Any) -> strawberry.Schema:
    config = StrawberryConfig(scalar_map=SCALARS)
    return strawberry.Schema(Query, config=config, **options)


PLAIN = schema()
SHORT = schema(execution_context_class=Execution)
note_short_cuts(SHORT._schema)  # noqa: SLF001 - as graph.schema does

OPERATIONS = [
    "{ boxes { name } }",
    "{ boxes { name points madeAt } }",
    "{ boxes { __typename name size { width height } } }",
    "{ boxes { wide: size { w: width } spare { height } } }",
    (
        "{ boxes { name ...rest } } fragment rest on Box { points size { ...s } }"
        " fragment s on Size { width __typename }"
    ),
    "{ boxes { other { name other { name } size { width } } name } }",
    "{ boxes { parts { width height } } }",
    "{ boxes { name fails } }",
    "{ boxes { name @skip(if: true) points @include(if: true) } }",
    "query ($yes: Boolean! = true) { boxes { size @include(if: $yes) { width @skip(if: $yes) } } }",
    "{ __schema { queryType { fields { name } } } boxes { name } }",
]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_answers_as_graphql_core_does(operation: str) -> None:
    plain, short = await PLAIN.execute(operation), await SHORT.execute(operation)

    assert short.data == plain.data
    assert told(short) == told(plain)


def told(result: Any) -> list[tuple[str, Any, Any]]:
    errors = [(error.message, error.path, error.locations) for error in result.errors or []]
    return sorted(errors, key=str)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def boxes(self) -> AsyncGenerator[Box, None]:
        for name in "abcdef":
            yield box(name=name)


async def test_a_stream_keeps_nothing_of_the_events_that_it_has_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[int] = []
    collect = Execution.collect_subfields

    def count(self: Any, *asked: Any) -> Any:
        found = collect(self, *asked)
        kept.append(len(self._relevant_sub_fields) + len(self._plans))
        return found

    monkeypatch.setattr(Execution, "collect_subfields", count)
    config = StrawberryConfig(scalar_map=SCALARS)
    live = strawberry.Schema(
        Query, subscription=Subscription, config=config, execution_context_class=Execution
    )
    note_short_cuts(live._schema)  # noqa: SLF001

    stream = await live.subscribe("subscription { boxes { name size { width } } }")
    told = [event.data["boxes"]["name"] async for event in stream]  # type: ignore[union-attr]

    assert told == list("abcdef")
    assert max(kept[-2:]) == max(kept[:2])


def test_the_short_cuts_are_taken() -> None:
    short = SHORT._schema.type_map["Box"].extensions["short"]  # noqa: SLF001

    assert sorted(short) == ["madeAt", "name", "other", "points", "size", "spare"]
