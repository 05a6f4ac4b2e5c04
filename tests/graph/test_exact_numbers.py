"""Exact numbers: JSON with a whole number beyond 64 bits is refused, wherever the number stands.

Digits in a text are no number, however many there are and whatever stands before them.
"""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.faults import Refused
from graph.requests import demand_exact

LEAST, MOST = -(2**63), 2**64 - 1

NUMBERS = st.sampled_from([LEAST, LEAST - 1, MOST, MOST + 1, 10**18, 10**60, -(10**60)])
TEXTS = st.from_regex(r"[a: ,\[-]{0,2}[0-9]{17,60}[ ,:\]-]?", fullmatch=True) | st.text("0-: ,")
VALUES = st.recursive(
    NUMBERS | TEXTS | st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 0, 1, "\t"])
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")])


def is_exact(value: Any) -> bool:
    """Whether each whole number within is one of 64 bits."""
    match value:
        case dict():
            return all(is_exact(each) for each in value.values())
        case list():
            return all(is_exact(each) for each in value)
        case int():
            return LEAST <= value <= MOST
        case _:
            return True


def is_taken(text: bytes) -> bool:
    try:
        demand_exact(text)
    except Refused:
        return False
    return True


@given(VALUES, INDENTS, SEPARATORS)
@example([10**60, 1], None, (",", ":"))
@example(["bench-00000000000000000001", LEAST - 1], None, (",", ":"))
@example({"a, -18446744073709551616": "18446744073709551616"}, None, (",", ":"))
@example(MOST + 1, None, (",", ":"))
@example(LEAST - 1, None, (",", ":"))
def test_what_would_be_rounded_is_refused_and_nothing_else(
    value: Any, indent: Any, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, indent=indent, separators=separators).encode()

    assert is_taken(text) == is_exact(value)


@pytest.mark.parametrize("before", ["", " ", "\t", "\r\n"])
def test_a_number_alone_may_stand_behind_space(before: str) -> None:
    assert not is_taken(f"{before}{MOST + 1}".encode())
