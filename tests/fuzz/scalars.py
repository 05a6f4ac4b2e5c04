"""What stands for the schema's scalars in a random document: mostly edges, and what is none."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphql import FloatValueNode, NameNode, ObjectFieldNode, ValueNode
from hypothesis import strategies as st
from hypothesis_graphql import nodes

Values = st.SearchStrategy[ValueNode]

ZONES: Final = ("UTC", "Europe/Berlin", "America/St_Johns", "localtime", "utc", "../etc/passwd")
SPANS: Final = ("P30D", "PT0S", "P36525D", "PT0.000001S", "P1Y", "P999999999W", "-P1D", "P")
INSTANTS: Final = (
    "2026-03-10T09:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-12:00",
    "2026-02-30T00:00:00Z",
    "2026-03-10T09:00:60Z",
    "2026-03-10",
)
POINTS: Final = ("1", "0.001", "0", "-1", "999999999999.999", "1e12", "1e-3", "1e400", "0.0001")
LENGTHS: Final = (0, 1, 100, 101, 255, 256, 500, 501, 5_000)


def texts(known: Sequence[str]) -> st.SearchStrategy[str]:
    """Mostly names that stand for something, some of their neighbours, some of any text."""
    near = st.builds(
        lambda name, cut, tail: name[:cut] + tail,
        st.sampled_from(known),
        st.integers(0, 40),
        st.text(max_size=3),
    )
    long = st.sampled_from(LENGTHS).map("x".__mul__)
    return st.one_of(*[st.sampled_from(known)] * 4, near, long, st.text(max_size=20))


def _written(texts: st.SearchStrategy[str]) -> Values:
    return texts.map(nodes.String)


def _points() -> Values:
    told = st.one_of(
        st.sampled_from(POINTS),
        st.integers(1, 100).map(str),
        st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    )
    return told.map(_number)


def _number(text: str) -> ValueNode:
    return FloatValueNode(value=text)


def _json(texts: st.SearchStrategy[str]) -> Values:
    leaves = st.one_of(
        st.just(nodes.Null),
        st.booleans().map(nodes.Boolean),
        st.integers().map(nodes.Int),
        texts.map(nodes.String),
    )
    names = st.from_regex(r"\A[_A-Za-z][_0-9A-Za-z]{0,8}\Z")
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.lists(parts, max_size=4).map(nodes.List),
            st.dictionaries(names, parts, max_size=4).map(_object),
        ),
        max_leaves=12,
    )


def _object(parts: Mapping[str, ValueNode]) -> ValueNode:
    return nodes.Object(
        [ObjectFieldNode(name=NameNode(value=name), value=value) for name, value in parts.items()]
    )


def scalars(known: Sequence[str]) -> dict[str, Values]:
    """For each scalar by its name, its values as they are written in a document."""
    any_text = texts(known)
    return {
        "ID": _written(any_text),
        "String": _written(any_text),
        "TimeZone": _written(st.sampled_from(ZONES) | any_text),
        "Duration": _written(st.sampled_from(SPANS) | any_text),
        "DateTime": _written(
            st.one_of(st.sampled_from(INSTANTS), st.datetimes().map("{:%Y-%m-%dT%H:%M:%SZ}".format))
        ),
        "Points": _points(),
        "JSON": _json(any_text),
    }
