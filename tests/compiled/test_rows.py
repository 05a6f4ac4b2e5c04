"""A list's items are each taken as they are: one that is unusual makes no other so."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import strawberry
from strawberry.types import Info
from typing_extensions import override

from graph.compiled import NULL_WITHOUT
from tests.compiled.sides import Sides, Told, running
from tests.compiled.world import World
from tests.compiled.writing import Asked
from tests.compiled.zoo_rows import Sparing

ROWS = 20
SEVENTH = 7
THIRD = 3


@strawberry.type
class Size:
    width: int
    height: float | None


@strawberry.type
class Row:
    number: int
    size: Size
    spare: Size | None
    other_id: strawberry.Private[int | None] = None
    owner_id: strawberry.Private[int | None] = None

    @strawberry.field(metadata={NULL_WITHOUT: "other_id"})
    async def other(self, info: Info) -> "Row | None":
        info.context.note("other", self.other_id, info.path.as_list())
        await info.context.wait("other", self.other_id)
        return a_row(self.other_id or 0)

    @strawberry.field(metadata={NULL_WITHOUT: "owner_id"})
    def owner(self, info: Info) -> str | None:
        info.context.note("owner", self.owner_id)
        return f"owner {self.owner_id}"


@strawberry.type
class Entry:
    cursor: str
    row: Row


class Watched(Row):
    """A row that counts how often its number is read."""

    reads = 0

    @override
    def __getattribute__(self, name: str) -> Any:
        if name == "number":
            self.reads += 1
        return super().__getattribute__(name)


def a_row(number: int) -> Row:
    return Watched(number=number, size=Size(width=number, height=None), spare=None)


def rows_of(world: Any) -> list[Row]:
    rows = [a_row(number) for number in range(ROWS)]
    world.change(rows[SEVENTH], rows[THIRD])
    world.rows = rows
    return rows


@strawberry.type
class Query:
    @strawberry.field
    def entries(self, info: Info) -> list[Entry | None]:
        return [Entry(cursor=f"{row.number}", row=row) for row in rows_of(info.context)]

    @strawberry.field
    def rows(self, info: Info) -> tuple[list[Row], ...] | None:
        return (rows_of(info.context),)


class Changed(World):
    """A world in which one row isn't like the others."""

    def __init__(self, change: Callable[[Row, Row], object]) -> None:
        super().__init__(0)
        self.change = change
        self.rows: list[Row] = []


SCHEMA = strawberry.Schema(Query, execution_context_class=Sparing)
ROW = "number size { width height } spare { height } other { number owner } owner"
DOCUMENT = f"{{ entries {{ cursor row {{ {ROW} }} }} }}"


@pytest.fixture
def sides() -> Iterator[Sides]:
    both = Sides(SCHEMA)
    yield both
    both.close()


def of(sides: Sides, change: Callable[[Row, Row], object], document: str = DOCUMENT) -> Told:
    """What both sides tell, which is the same, where one row of all is changed."""
    asked = Asked(document, None)
    right = sides.run(sides.executed(asked, None), Changed(change))
    compiled = sides.run(running(sides.operation(asked), None), Changed(change))
    assert compiled == right
    return compiled


def printed(number: int, **other: Any) -> dict[str, Any]:
    row = {"number": number, "size": {"width": number, "height": None}, "spare": None}
    return {"cursor": f"{number}", "row": {**row, "other": None, "owner": None, **other}}


def whole(**at: Any) -> str:
    return repr({"entries": [at.get(f"at_{number}", printed(number)) for number in range(ROWS)]})


def test_a_row_that_has_another_stands_among_those_that_have_none(sides: Sides) -> None:
    told = of(sides, lambda row, _: setattr(row, "other_id", 70))

    assert told.data == whole(at_7=printed(7, other={"number": 70, "owner": None}))
    assert told.journal == ("other 70 ['entries', 7, 'row', 'other']",)


def test_each_thing_that_a_row_has_is_told(sides: Sides) -> None:
    told = of(sides, lambda row, _: setattr(row, "owner_id", 8))

    assert told.data == whole(at_7=printed(7, owner="owner 8"))
    assert told.journal == ("owner 8",)


def test_only_the_row_that_has_another_goes_the_long_way(sides: Sides) -> None:
    world = Changed(lambda row, _: setattr(row, "other_id", 70))

    sides.run(running(sides.operation(Asked(DOCUMENT, None)), None), world)

    # Once for its cursor, and once to be written.
    assert [row.reads for row in world.rows if isinstance(row, Watched)] == [2] * ROWS


def test_a_row_in_which_a_value_cannot_be_written_is_null_alone(sides: Sides) -> None:
    told = of(sides, lambda row, _: setattr(row.size, "width", "wide"))

    assert told.data == whole(at_7=None)
    assert [error.split("[")[2] for error in told.errors] == [
        "'entries', 7, 'row', 'size', 'width'], "
    ]


def test_what_may_be_null_is_so_alone(sides: Sides) -> None:
    told = of(sides, lambda row, _: setattr(row, "spare", Size(width=1, height=float("inf"))))

    assert told.data == whole(at_7=printed(7, spare={"height": None}))
    assert len(told.errors) == 1
    assert "'row', 'spare', 'height'" in told.errors[0]


@pytest.mark.parametrize("name", ["size", "number"])
def test_null_where_none_may_be_makes_the_row_null(sides: Sides, name: str) -> None:
    told = of(sides, lambda row, _: setattr(row, name, None))

    assert told.data == whole(at_7=None)
    assert "Cannot return null for non-nullable field" in told.errors[0]
    assert f"'row', '{name}']" in told.errors[0]


def test_a_row_that_must_not_be_null_takes_its_lists_with_it(sides: Sides) -> None:
    document = f"{{ rows {{ {ROW} }} }}"

    told = of(sides, lambda row, _: setattr(row, "size", None), document)

    assert told.data == "{'rows': None}"
    assert "['rows', 0, 7, 'size']" in told.errors[0]


def test_what_waits_in_a_list_that_is_given_up_is_awaited_for_nobody(sides: Sides) -> None:
    def change(row: Row, third: Row) -> None:
        third.other_id = 30
        row.size = None  # type: ignore[assignment]

    told = of(sides, change, f"{{ rows {{ {ROW} }} }}")

    assert told.data == "{'rows': None}"
    assert len(told.errors) == 1
    assert told.journal == ("other 30 ['rows', 0, 3, 'other']",)
