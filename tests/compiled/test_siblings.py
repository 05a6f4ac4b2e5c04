"""What becomes of siblings when one fails: as the executor has it, to the turn."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import parse

from graph.compiled import VARIANTS_MAX, Compiler, NotCovered
from tests.compiled.siblings import SHOUTING, SIBLINGS, Turns
from tests.compiled.sides import ROOT, Sides, Told, parsed, running
from tests.compiled.world import World, quiet
from tests.compiled.writing import Asked

pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    # Within a named tuple's `__new__` Python can't even say so.
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture
def sides() -> Iterator[Sides]:
    both = Sides(SIBLINGS)
    yield both
    both.close()


def of(sides: Sides, document: str, variables: dict[str, Any] | None = None) -> Told:
    """What both sides tell of an operation, which is the same."""
    asked = Asked(document, variables)
    right = sides.run(sides.executed(asked, variables), Turns(0))
    compiled = sides.run(running(sides.operation(asked), variables), Turns(0))
    assert compiled == right
    return compiled


def words(told: Told) -> list[str]:
    return [error.split("'")[1] for error in told.errors]


def test_errors_stand_in_the_order_in_which_they_happen(sides: Sides) -> None:
    told = of(
        sides,
        """{ a: may(word: "a", turn: 2, fails: true) b: may(word: "b", fails: true)
             c: may(word: "c", turn: 1, fails: true) d: may(word: "d", fails: true) }""",
    )

    assert words(told) == ["b", "d", "c", "a"]
    assert told.data == "{'a': None, 'b': None, 'c': None, 'd': None}"


def test_null_spreads_to_the_nearest_that_may_be_null(sides: Sides) -> None:
    told = of(
        sides,
        """{ inner { always { always { must(word: "a", fails: true) } } }
             inners { must(word: "b", fails: true) } may(word: "c") }""",
    )

    assert told.data == "{'inner': None, 'inners': [None, None], 'may': 'c'}"
    assert words(told) == ["a", "b", "b"]


def test_null_spreads_to_the_whole(sides: Sides) -> None:
    told = of(sides, '{ may(word: "a") always { must(word: "b", turn: 1, fails: true) } }')

    assert told.data == "None"
    assert words(told) == ["b"]


def test_what_was_begun_beside_one_that_fails_at_once_goes_on_to_its_end(sides: Sides) -> None:
    told = of(
        sides,
        """{ inner { a: must(word: "a", turn: 1) b: must(word: "b", fails: true)
             c: must(word: "c") } may(word: "d") }""",
    )

    assert told.data == "{'inner': None, 'may': 'd'}"
    # What comes after it isn't begun.
    assert told.journal == ("began a", "began b", "ended b", "began d", "ended d", "ended a")


def test_what_waits_beside_one_that_fails_later_is_cancelled(sides: Sides) -> None:
    told = of(
        sides,
        """{ inner { a: must(word: "a", turn: 2) b: must(word: "b", turn: 1, fails: true) }
             may(word: "c", turn: 3) }""",
    )

    assert told.data == "{'inner': None, 'may': 'c'}"
    assert told.journal[-3:] == ("ended b", "cancelled 2 a", "ended c")
    assert words(told) == ["b"]


def test_an_error_within_what_is_null_already_is_not_told(sides: Sides) -> None:
    told = of(
        sides,
        """{ inner { a: must(word: "a", fails: true) }
             always { inner { b: may(word: "b", turn: 2, fails: true) c: may(word: "c", turn: 1)
               d: must(word: "d", turn: 3, fails: true) } } }""",
    )

    assert words(told) == ["a", "b", "d"]
    assert told.data == "{'inner': None, 'always': {'inner': None}}"


def test_an_error_in_what_goes_on_within_a_null_is_not_told(sides: Sides) -> None:
    told = of(
        sides,
        """{ inner { a: may(word: "a", turn: 1, fails: true) b: must(word: "b", fails: true) }
             may(word: "c", turn: 2) }""",
    )

    assert words(told) == ["b"]
    assert told.journal[-2:] == ("ended a", "ended c")


def test_a_coroutine_is_begun_after_all_that_is_there_at_once(sides: Sides) -> None:
    told = of(sides, '{ a: begun(word: "a") b: must(word: "b") c: begun(word: "c") }')

    assert [each for each in told.journal if "began" in each] == ["began b", "began a", "began c"]
    assert told.data == "{'a': 'a', 'b': 'b', 'c': 'c'}"


def test_a_lists_items_that_are_awaited_go_on_beside_one_that_fails(sides: Sides) -> None:
    told = of(sides, "{ inner { pending } }")

    assert told.data == "{'inner': None}"
    assert told.journal == ("ended b", "ended c")


def test_deeds_are_done_one_after_another(sides: Sides) -> None:
    told = of(
        sides,
        """mutation { a: may(word: "a", turn: 3, fails: true) b: must(word: "b")
             c: begun(word: "c") d: may(word: "d", turn: 1) }""",
    )

    assert told.journal == tuple(f"{what} {who}" for who in "abcd" for what in ("began", "ended"))
    assert words(told) == ["a"]


@pytest.mark.parametrize("turn", ["", ", turn: 1"], ids=["at once", "later"])
def test_after_a_deed_that_must_not_be_null_none_is_done(sides: Sides, turn: str) -> None:
    told = of(
        sides,
        f"""mutation {{ a: must(word: "a") b: must(word: "b"{turn}, fails: true)
              c: may(word: "c") }}""",
    )

    assert told.data == "None"
    assert told.journal[-1] == "ended b"


async def test_who_gives_up_ends_all_that_waits() -> None:
    operation = Sides(SIBLINGS).operation(
        Asked('{ a: must(word: "a", turn: 1) inner { b: must(word: "b", turn: 2) } }', None)
    )
    world = Turns(0)

    running = asyncio.ensure_future(operation.run(None, world, ROOT))  # type: ignore[arg-type]
    await quiet()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await quiet()

    assert world.journal == ["began a", "began b", "cancelled 1 a", "cancelled 2 b"]


def test_what_a_resolver_changes_is_new_for_the_next(sides: Sides) -> None:
    document = """query ($things: [Int!]!, $bag: Bag!) {
      a: grow b: grow(things: [5]) c: grow(things: $things) d: grow(things: $things)
      e: grow(bag: $bag) f: grow(bag: $bag) g: grow(bag: {things: $things}) sum(things: $things)
      inner { __typename } }"""
    variables = {"things": [7, 8], "bag": {"things": [1]}}
    operation = sides.operation(Asked(document, variables))

    runs = [sides.run(running(operation, variables), World(0)) for _ in range(2)]

    assert runs[0] == runs[1]
    for part in ("'c': [7, 8, 2], 'd': [7, 8, 2]", "'b': [5, 1]", "'sum': 16"):
        assert part in runs[0].data
    assert variables == {"things": [7, 8], "bag": {"things": [1]}}


def test_what_directives_leave_out_is_decided_anew_for_each_run(sides: Sides) -> None:
    document = """query ($yes: Boolean!, $no: Boolean = false) {
      a: may(word: "a") @include(if: $yes) b: may(word: "b") @skip(if: $no) __typename }"""

    told = [
        of(sides, document, {"yes": yes, **no}).data
        for yes in (True, False)
        for no in ({}, {"no": True})
    ]

    assert told == [
        "{'a': 'a', 'b': 'b', '__typename': 'Query'}",
        "{'a': 'a', '__typename': 'Query'}",
        "{'b': 'b', '__typename': 'Query'}",
        "{'__typename': 'Query'}",
    ]


def test_not_all_of_many_variants_are_compiled() -> None:
    names = [f"v{number}" for number in range(8)]
    defined = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f'{name}: may(word: "x") @skip(if: ${name})' for name in names)
    operation = Compiler(SIBLINGS).operation(parse(f"query ({defined}) {{ {fields} }}"), None)
    context = World(0)

    compiled = 0
    for number in range(VARIANTS_MAX + 2):
        try:
            operation.run({each: bool(number >> n & 1) for n, each in enumerate(names)}, context)
            compiled += 1
        except NotCovered as error:
            assert error.reason == "variants"  # noqa: PT017 - it is raised for some only

    assert compiled == VARIANTS_MAX


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("subscription { words }", "subscription"),
        ("{ __schema { queryType { name } } }", "introspection"),
        ('{ may(word: "a") __type(name: "Query") { name } }', "introspection"),
        ('{ inner { ... @defer { may(word: "a") } } }', "directive"),
        ("{ inners @stream { __typename } }", "directive"),
        ('{ may(word: "a") @shout }', "directive"),
        ("query ($a: Int!) { __typename }", "variables"),
    ],
)
def test_what_is_not_covered_is_said_before_anything_is_done(document: str, reason: str) -> None:
    world = World(0)
    with pytest.raises(NotCovered) as caught:
        Compiler(SIBLINGS).operation(parsed(document), None).run(None, world)

    assert caught.value.reason == reason
    assert world.journal == []


def test_a_schema_with_directives_of_its_own_is_not_covered() -> None:
    with pytest.raises(NotCovered) as caught:
        Compiler(SHOUTING).operation(parsed('{ may(word: "a") }'), None).run(None, World(0))

    assert caught.value.reason == "extension"
