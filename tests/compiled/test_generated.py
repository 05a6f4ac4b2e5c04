"""An operation of the zoo, whatever it is, is told by its compiled function as by the executor."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from graphql import FieldNode, parse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import from_schema

from tests.compiled.chance import SEEDS, ZOO_SCALARS, chance_of, examples, progress
from tests.compiled.rewriting import nodes_of, rewritten
from tests.compiled.sides import Sides, is_valid
from tests.compiled.writing import Asked, Chances, Writer
from tests.compiled.zoo_queries import ZOO
from tests.compiled.zoo_rows import BOOKS

pytestmark = pytest.mark.filterwarnings(
    # Of an answer that is given up, some was not yet begun: it is so on either side.
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    # Within a named tuple's `__new__` Python can't even say so.
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

ODDS = {"nothing is unusual": 0, "a little is unusual": 25, "much is unusual": 150}
"""Of a thousand fields, so many are unusual."""
OPERATIONS = 120
"""For each of the odds."""
BOOKS_ASKED = 40
"""For each of the odds, too."""
ELSEWHERE = 60
"""Of hypothesis-graphql's."""
COMPILED_PERCENT_MIN = 95
APART = ("loose", "maybe")
"""Take what isn't compiled."""
SOUND = Chances(spoilt=0)


@pytest.fixture
def sides() -> Iterator[Sides]:
    both = Sides(ZOO)
    yield both
    both.close()


def write(seed: int, chances: Chances, apart: tuple[str, ...] = ()) -> Asked:
    chance = chance_of(seed)
    writer = Writer(ZOO._schema, chance, ZOO_SCALARS, chances)  # noqa: SLF001
    kind, root = chance.choice(
        (("query", ZOO._schema.query_type),) * 2 + (("mutation", ZOO._schema.mutation_type),)  # noqa: SLF001
    )
    assert root
    return writer.operation(kind, [name for name in root.fields if name not in apart])


@pytest.mark.parametrize("odds", ODDS.values(), ids=ODDS)
def test_an_operation_is_told_alike(sides: Sides, odds: int) -> None:
    with progress(f"odds {odds}") as counting:

        @examples(OPERATIONS)
        @given(SEEDS)
        def compare(seed: int) -> None:
            asked = write(seed, Chances())
            valid = is_valid(ZOO, asked.document)
            counting.note(is_valid=valid)
            if valid:
                sides.compare(asked, seed, odds)

        compare()

    assert counting.valid > 4 * counting.invalid
    assert set(sides.fallen) <= {"variables", "recursion", "default", "maybe", "input"}


@pytest.mark.parametrize("odds", ODDS.values(), ids=ODDS)
def test_what_is_null_for_want_of_an_attribute_is_told_alike(odds: int) -> None:
    books = Sides(BOOKS)
    with progress(f"books, odds {odds}") as counting, closing(books):

        @examples(BOOKS_ASKED)
        @given(SEEDS)
        def compare(seed: int) -> None:
            writer = Writer(BOOKS._schema, chance_of(seed), ZOO_SCALARS, SOUND)  # noqa: SLF001
            asked = writer.operation("query", ["sheet", "lines", "entry"])
            valid = is_valid(BOOKS, asked.document)
            counting.note(is_valid=valid)
            if valid:
                books.compare(asked, seed, odds)

        compare()

    assert books.compiled > 2 * counting.valid // 3


def test_an_operation_is_told_alike_whose_variables_are_bad(sides: Sides) -> None:
    with progress("bad variables") as counting:

        @examples(OPERATIONS)
        @given(SEEDS)
        def compare(seed: int) -> None:
            chance = chance_of(seed)
            chances = Chances(variable=70, spoilt=40, argument=80, directive=2)
            writer = Writer(ZOO._schema, chance, ZOO_SCALARS, chances, fields_budget=4)  # noqa: SLF001
            roots = chance.choice(("find", "which", "echo", "pets", "notedLater"))
            asked = writer.operation("query", [roots])
            valid = is_valid(ZOO, asked.document)
            counting.note(is_valid=valid)
            if valid:
                sides.compare(asked, seed, 0)

        compare()

    assert sides.compiled > counting.valid // 4


def test_most_operations_are_compiled(sides: Sides) -> None:
    """Else the executor would be compared with itself."""

    @examples(OPERATIONS)
    @given(SEEDS)
    def compare(seed: int) -> None:
        asked = write(seed, SOUND, APART)
        if is_valid(ZOO, asked.document):
            sides.compare(asked, seed, 0)

    compare()

    share = 100 * sides.compiled / (sides.compiled + sum(sides.fallen.values()))
    assert share >= COMPILED_PERCENT_MIN, sides.fallen


def test_an_operation_of_another_writer_is_told_alike(sides: Sides) -> None:
    """hypothesis-graphql's, which knows every edge of a literal; half of them become variables."""
    with progress("hypothesis-graphql") as counting:

        @examples(ELSEWHERE)
        @given(
            from_schema(ZOO.as_str(), custom_scalars=nodes_of(ZOO_SCALARS)), SEEDS, st.booleans()
        )
        def compare(text: str, seed: int, anew: bool) -> None:  # noqa: FBT001
            asked = rewritten(ZOO._schema, text, chance_of(seed)) if anew else Asked(text, None)  # noqa: SLF001
            valid = is_valid(ZOO, asked.document)
            counting.note(is_valid=valid)
            if valid:
                sides.compare(asked, seed, 25)

        compare()

    assert sides.compiled > counting.valid // 2


def test_what_is_generated_has_all_that_operations_may_have() -> None:
    """Else what is never asked would never differ."""
    texts = [write(seed, Chances()).document for seed in range(400)]
    whole = "\n".join(texts)
    for part in (
        *("...F", "... on Cat", "... on Box", "... @include", "@skip(if: $", "@include(if: false)"),
        *("__typename", "mutation", ": [{", " = {", "! = true", ": name", "null", "$v0"),
    ):
        assert part in whole, part
    asked = {
        node.name.value
        for text in texts
        for definition in parse(text).definitions
        for node in definition.selection_set.selections  # type: ignore[attr-defined]
        if isinstance(node, FieldNode)
    }
    assert ZOO._schema.query_type  # noqa: SLF001
    assert set(ZOO._schema.query_type.fields) <= asked  # noqa: SLF001
