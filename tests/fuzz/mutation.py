"""Sound messages, spoilt: a part of one is replaced, doubled or left out; or a byte of it."""

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

WORDS: Final = ("query", "variables", "operationName", "id", "type", "payload", "__proto__", "")
NUMBERS: Final = (0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, -0.0, float("nan"), float("inf"))


def json_values() -> st.SearchStrategy[Any]:
    """Any value of JSON, and some that only Python's own reader takes: NaN, lone surrogates."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(NUMBERS),
        st.sampled_from(WORDS),
        st.text(st.characters(), max_size=8),
    )
    return st.recursive(
        leaves,
        lambda parts: (
            st.lists(parts, max_size=4) | st.dictionaries(st.sampled_from(WORDS), parts, max_size=4)
        ),
        max_leaves=8,
    )


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a value."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path, *[place for name, part in parts for place in _places(part, (*path, name))]]


@st.composite
def mutated_values(draw: st.DrawFn, sound: Sequence[Any]) -> Any:
    """One of the sound values, up to three of whose parts are missing, or are something else."""
    value = {"whole": deepcopy(draw(st.sampled_from(sound)))}
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(_places(value)[1:]))
        holder: Any = value
        for name in way:
            holder = holder[name]
        if way and draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = draw(json_values())
    return value["whole"]


@st.composite
def mutated_bytes(draw: st.DrawFn, sound: Sequence[Any]) -> bytes:
    """One of the sound values as JSON, spoilt in its parts and in its bytes."""
    return draw(spoilt(json.dumps(draw(mutated_values(sound))).encode()))


@st.composite
def spoilt(draw: st.DrawFn, text: bytes) -> bytes:
    """The text, up to three of whose slices are doubled, or others."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 16)))
        instead = draw(st.binary(max_size=4) | st.just(2 * text[start:end]))
        text = text[:start] + instead + text[end:]
    return text
