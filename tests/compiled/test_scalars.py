"""What a scalar says is to be written for it gives what its function gives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry.types.scalar import ScalarDefinition

from graph.compiled.scalars import WRITTEN, Written
from graph.scalars import SCALARS
from models import notation
from tests.compiled.chance import examples
from tests.compiled.zoo_inputs import SCALARS as ZOO_SCALARS

EXPRESSED = {
    each.name: each
    for each in (*SCALARS.values(), *ZOO_SCALARS.values())
    if hasattr(each.serialize, WRITTEN)
}
MICROSECONDS = 1_000_000
VALUES: dict[type, st.SearchStrategy[Any]] = {
    int: st.one_of(
        st.integers(),
        st.integers(-2_000, 2_000),
        st.integers(-(10**12), 10**12).map(lambda points: points * 1_000),
        st.integers(-(10**12), 10**12).map(lambda second: second * MICROSECONDS),
        st.sampled_from((0, 2**53 + 1, -(2**63), 10**400)),
    ),
    str: st.text(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    dict: st.dictionaries(st.text(), st.integers()),
    list: st.lists(st.integers()),
}


def told(print_: Any, value: Any) -> str:
    """What it gives, or that it raises. `repr` tells 1 from 1.0."""
    try:
        return repr(print_(value))
    except Exception as error:  # noqa: BLE001 - whatever it is
        return type(error).__name__


@pytest.mark.parametrize("scalar", EXPRESSED.values(), ids=EXPRESSED)
def test_what_is_written_is_equal_to_the_function(scalar: ScalarDefinition) -> None:
    function: Any = scalar.serialize
    expressed: Written = getattr(function, WRITTEN)

    def evaluate(value: Any) -> Any:
        return eval(expressed.expression, {**expressed.names, "value": value})  # noqa: S307

    @examples(400)
    @given(st.one_of(*(VALUES[each] for each in expressed.classes)))
    def compare(value: Any) -> None:
        assert type(value) in expressed.classes
        assert told(evaluate, value) == told(function, value) != "None"

    compare()


def test_most_scalars_say_what_is_written() -> None:
    assert {"Points", "DateTime", "JSON", "TimeZone", "Grams"} <= set(EXPRESSED)


def test_instants_that_were_printed_are_kept_up_to_a_bound() -> None:
    texts = [notation.print_instant(day * 86_400 * MICROSECONDS + day) for day in range(9_000)]

    assert 0 < len(notation.PRINTED) <= notation.PRINTED_MAX
    assert texts[0] == "1970-01-01T00:00:00Z"
    assert texts[8_999] == "1994-08-22T00:00:00.008999Z"
