"""Conditions: what each operator is true of, and what filters are true of together."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.conditions import (
    NEGATIONS,
    OPS,
    Match,
    PropertyFilter,
    check_profile,
    compile_filters,
    compile_profile,
)
from campaigns.properties import PropertyType
from models.columns import NEVER, POINTS_MAX
from models.notation import print_instant, print_points
from tests.campaigns.cases import ALL_CASES, AT_NOON, CASES, IN_PARIS, JSON, NOON, SOME_OP

ABSENT: Any = object()


def event_holds(name: str, op: str, value: Any, found: Any, now: int = NOON) -> bool:
    """Whether one filter on an event's property holds, which is absent or found to be something."""
    holds = compile_filters("ALL", [PropertyFilter(name, op, value)])
    return holds({} if found is ABSENT else {name: found}, now)


def profile_holds(op: str, value: Any, found: Any) -> bool:
    holds = compile_profile("ALL", [PropertyFilter("tier", op, value)])
    return holds({} if found is ABSENT else {"tier": found}, NOON)


@pytest.mark.parametrize(("op", "value", "found", "so"), ALL_CASES)
def test_an_operator_holds_of(op: str, value: Any, found: Any, so: object) -> None:
    assert event_holds("p", op, value, found) is so


@pytest.mark.parametrize(("op", "value", "found", "so"), ALL_CASES)
def test_of_what_is_missing_the_negative_operators_alone_hold(
    op: str, value: Any, found: Any, so: object
) -> None:
    del found, so
    assert event_holds("p", op, value, ABSENT) is (op in NEGATIONS)
    assert profile_holds(op, value, ABSENT) is (op in NEGATIONS)


@pytest.mark.parametrize("kind", PropertyType)
def test_every_operator_of_a_type_is_among_the_cases_both_ways(kind: PropertyType) -> None:
    seen = {(op, so) for op, _, _, so in CASES[kind]}
    impossible = {("EXISTS", False), ("NOT_EXISTS", True)}  # of something found

    assert seen == {(op, so) for op in OPS[kind] for so in (True, False)} - impossible


@pytest.mark.parametrize(
    ("op", "value"), [(op, value) for op, value, _, _ in ALL_CASES if "EXISTS" not in op]
)
def test_an_attribute_of_another_type_is_as_good_as_missing(op: str, value: Any) -> None:
    mine = type(value[0] if isinstance(value, list) else value)
    kinds = (int, float)
    others = [
        other
        for other in ("x", 12, 12.3, True, ["SPRING"], {"A": "B"}, [12])
        if type(other) is not mine and not (mine in kinds and type(other) in kinds)
    ]

    for other in others:
        assert profile_holds(op, value, other) is (op in NEGATIONS), other


@pytest.mark.parametrize(
    ("op", "value", "found", "so"),
    [
        ("BEFORE", AT_NOON, "2026-03-10T11:59:59Z", True),
        ("BEFORE", AT_NOON, "2026-03-10T12:30:00+01:00", True),
        ("AFTER", AT_NOON, "2026-03-10T12:30:00+01:00", False),
        ("WITHIN_LAST", "P1D", IN_PARIS, True),
        ("BETWEEN", [AT_NOON, AT_NOON], IN_PARIS, True),
        ("AFTER", AT_NOON, "tomorrow", False),
        ("AFTER", AT_NOON, "2026-03-11", False),
        ("AFTER", AT_NOON, NOON + 1, False),
        ("EQUALS", "gold", "gold", True),
        ("EQUALS", 1, True, False),
        ("EQUALS", True, 1, False),
        ("GT", 0, True, False),
        ("EXISTS", None, [], True),
    ],
)
def test_an_attribute_is_compared_as_what_it_is(
    op: str, value: Any, found: Any, so: object
) -> None:
    assert profile_holds(op, value, found) is so


def test_all_or_any_of_the_filters_must_hold() -> None:
    big = PropertyFilter("points", "GT", 100)
    web = PropertyFilter("saleChannel", "EQUALS", "web")
    both, one, none = (
        {"points": 101, "saleChannel": "web"},
        {"points": 100, "saleChannel": "web"},
        {"points": 100},
    )

    def told(match: Match) -> list[bool]:
        holds = compile_filters(match, [big, web])
        return [holds(properties, NOON) for properties in (both, one, none)]

    assert told("ALL") == [True, False, False]
    assert told("ANY") == [True, True, False]


@pytest.mark.parametrize("match", ["ALL", "ANY"])
def test_no_filters_at_all_hold_of_everything(match: Match) -> None:
    assert compile_filters(match, [])({}, NOON) is True
    assert compile_profile(match, [])({}, NOON) is True


@given(milli=st.integers(1, POINTS_MAX))
def test_points_are_told_apart_to_the_thousandth(milli: int) -> None:
    """A filter's number comes as JSON text, an event's points from whole thousandths."""
    value = json.loads(f"{milli // 1000}.{milli % 1000:03}")
    found = [print_points(milli + by) for by in (-1, 0, 1)]

    def told(op: str) -> list[bool]:
        return [event_holds("points", op, value, points) for points in found]

    assert told("EQUALS") == [False, True, False]
    assert told("GT") == [False, False, True]
    assert told("LTE") == [True, True, False]


@given(instant=st.integers(0, NEVER - 1))
def test_dates_are_told_apart_to_the_microsecond(instant: int) -> None:
    value = print_instant(instant)
    found = [instant - 1, instant, instant + 1]

    assert [event_holds("d", "BEFORE", value, at) for at in found] == [True, False, False]
    assert [event_holds("d", "AFTER", value, at) for at in found] == [False, False, True]


ATTRIBUTE_FILTER = st.builds(PropertyFilter, st.just("tier"), SOME_OP, JSON)


@given(filter=ATTRIBUTE_FILTER, found=JSON | st.just(ABSENT))
def test_a_negative_operator_holds_just_where_its_positive_does_not(
    filter: PropertyFilter, found: Any
) -> None:
    positive = NEGATIONS.get(filter.op)
    if positive and not [*check_profile([filter], ())]:
        properties = {} if found is ABSENT else {filter.property: found}
        other = PropertyFilter(filter.property, positive, filter.value)
        holds, fails = compile_profile("ALL", [other]), compile_profile("ALL", [filter])
        assert holds(properties, NOON) is not fails(properties, NOON)
