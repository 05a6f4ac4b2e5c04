"""Filters: which are taken, and which are refused, where and in which words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.conditions import (
    FILTERS_MAX,
    LISTED_MAX,
    OPS,
    TEXT_MAX,
    PropertyFilter,
    check_filters,
    check_profile,
    compile_filters,
    compile_profile,
)
from campaigns.properties import SCHEMAS, PropertyType
from models.columns import NEVER
from tests.campaigns.cases import ALL_CASES, AT_NOON, CASES, IN_PARIS, JSON, NOON, SOME_OP

PATH = ("who", "filters")
CREDITED = SCHEMAS["CT Points Credited"]


def faults(*filters: PropertyFilter) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.message, fault.path) for fault in check_filters(filters, CREDITED, PATH)]


def profile_faults(*filters: PropertyFilter) -> list[tuple[str, tuple[str, ...]]]:
    return [(fault.message, fault.path) for fault in check_profile(filters, ("who", "profile"))]


PROPERTY_OF = {
    PropertyType.STRING: "couponCode",
    PropertyType.NUMBER: "points",
    PropertyType.DATE: "pointsExpiry",
}


@pytest.mark.parametrize("kind", PROPERTY_OF)
def test_takes_each_operator_of_its_type_and_no_other(kind: PropertyType) -> None:
    values = {op: value for op, value, _, _ in ALL_CASES}
    values |= {op: value for op, value, _, _ in CASES[kind]}

    for op, value in values.items():
        found = faults(PropertyFilter(PROPERTY_OF[kind], op, value))
        assert [path for _, path in found] == ([] if op in OPS[kind] else [(*PATH, "0", "op")]), op


@pytest.mark.parametrize(
    ("filter", "message", "place"),
    [
        (
            PropertyFilter("Points", "GT", 1),
            "CT Points Credited has no property 'Points': did you mean points?",
            ("property",),
        ),
        (
            PropertyFilter("colour", "EQUALS", "red"),
            (
                "CT Points Credited has no property 'colour': it has CT Source, walletId,"
                " transactionId, points, source, campaignId, pointsDescription, eventTimestamp,"
                " pointsExpiry, couponCode, couponId, saleChannel, locationId, saleAmount."
            ),
            ("property",),
        ),
        (
            PropertyFilter("points", "CONTAINS", "1"),
            (
                "op must be one of EQUALS, NOT_EQUALS, GT, GTE, LT, LTE, BETWEEN, EXISTS,"
                " NOT_EXISTS for points, a NUMBER, not CONTAINS."
            ),
            ("op",),
        ),
        (
            PropertyFilter("pointsExpiry", "SOON", "1"),
            (
                "op must be one of BEFORE, AFTER, BETWEEN, WITHIN_LAST, EXISTS, NOT_EXISTS"
                " for pointsExpiry, a DATE, not 'SOON'."
            ),
            ("op",),
        ),
        (PropertyFilter("points", "GT", "1"), "value must be a number.", ("value",)),
        (PropertyFilter("points", "GT", value=True), "value must be a number.", ("value",)),
        (PropertyFilter("points", "GT"), "value must be a number.", ("value",)),
        (
            PropertyFilter("points", "GT", float("nan")),
            "value must be within -1000000000000000 and 1000000000000000.",
            ("value",),
        ),
        (
            PropertyFilter("points", "LT", 10**400),
            "value must be within -1000000000000000 and 1000000000000000.",
            ("value",),
        ),
        (
            PropertyFilter("points", "BETWEEN", 1),
            "value must be a list of two: the least and the greatest.",
            ("value",),
        ),
        (
            PropertyFilter("points", "BETWEEN", [1, 2, 3]),
            "value must be a list of two: the least and the greatest.",
            ("value",),
        ),
        (
            PropertyFilter("points", "BETWEEN", [2, 1]),
            "value must have the lesser of the two first.",
            ("value",),
        ),
        (
            PropertyFilter("points", "BETWEEN", [1, None]),
            "value must be a number.",
            ("value", "1"),
        ),
        (
            PropertyFilter("pointsExpiry", "BETWEEN", [AT_NOON, "2026-03-10T12:59:00+01:00"]),
            "value must have the lesser of the two first.",
            ("value",),
        ),
        (
            PropertyFilter("pointsExpiry", "BEFORE", "2026-03-10T12:00:00"),
            "value must be RFC 3339 with an offset, like 2026-03-10T09:00:00Z.",
            ("value",),
        ),
        (
            PropertyFilter("pointsExpiry", "BEFORE", NOON),
            "value must be a date, like 2026-03-10T09:00:00Z.",
            ("value",),
        ),
        (
            PropertyFilter("pointsExpiry", "WITHIN_LAST", "P1M"),
            "value must be ISO 8601 in weeks, days, hours, minutes and seconds, like P30D.",
            ("value",),
        ),
        (
            PropertyFilter("pointsExpiry", "WITHIN_LAST", "PT0S"),
            "value must be more than no time at all.",
            ("value",),
        ),
        (PropertyFilter("couponCode", "EQUALS", 5), "value must be a text.", ("value",)),
        (
            PropertyFilter("couponCode", "CONTAINS", ""),
            "value must have 1 to 500 characters, not 0.",
            ("value",),
        ),
        (
            PropertyFilter("couponCode", "EQUALS", "x" * (TEXT_MAX + 1)),
            "value must have 1 to 500 characters, not 501.",
            ("value",),
        ),
        (
            PropertyFilter("couponCode", "EQUALS", "\x00"),
            "value must not contain control characters.",
            ("value",),
        ),
        (
            PropertyFilter("couponCode", "IN", "SPRING"),
            "value must be a list of 1 to 100 texts.",
            ("value",),
        ),
        (
            PropertyFilter("couponCode", "IN", []),
            "value must be a list of 1 to 100 texts.",
            ("value",),
        ),
        (
            PropertyFilter("couponCode", "NOT_IN", ["x"] * (LISTED_MAX + 1)),
            "value must be a list of 1 to 100 texts.",
            ("value",),
        ),
        (PropertyFilter("couponCode", "IN", ["x", []]), "value must be a text.", ("value", "1")),
        (
            PropertyFilter("couponCode", "EXISTS", value=False),
            "value must be left out: EXISTS takes none.",
            ("value",),
        ),
        (
            PropertyFilter("source", "EQUALS", "CASHBACK_COUPON"),
            "source is never 'CASHBACK_COUPON' here: did you mean Cashback Coupon?",
            ("value",),
        ),
        (
            PropertyFilter("source", "NOT_IN", ["API", "manual"]),
            "source is never 'manual' here: did you mean Manual?",
            ("value", "1"),
        ),
        (
            PropertyFilter("CT Source", "EQUALS", "Kiosk"),
            "CT Source is never 'Kiosk' here: it is one of API, Dashboard, Campaign, System.",
            ("value",),
        ),
    ],
)
def test_refuses(filter: PropertyFilter, message: str, place: tuple[str, ...]) -> None:
    sound = PropertyFilter("points", "GT", 1)

    assert faults(sound, filter) == [(message, (*PATH, "1", *place))]


@pytest.mark.parametrize(
    "filter",
    [
        PropertyFilter("couponCode", "EQUALS", "x" * TEXT_MAX),
        PropertyFilter("couponCode", "IN", ["x"] * LISTED_MAX),
        PropertyFilter("pointsDescription", "CONTAINS", "two\nlines"),
        PropertyFilter("points", "BETWEEN", [1, 1]),
        PropertyFilter("points", "GT", -(10**15)),
        PropertyFilter("pointsExpiry", "BETWEEN", [AT_NOON, IN_PARIS]),
        PropertyFilter("pointsExpiry", "WITHIN_LAST", "PT0.000001S"),
        PropertyFilter("source", "IN", ["Campaign", "API", "Manual", "Cashback Coupon"]),
        PropertyFilter("source", "STARTS_WITH", "Cash"),
    ],
)
def test_takes(filter: PropertyFilter) -> None:
    assert faults(*[filter] * FILTERS_MAX) == []


def test_what_an_event_never_says_is_refused_of_that_event() -> None:
    debited = SCHEMAS["CT Points Debited"]
    asked = [
        PropertyFilter("source", "EQUALS", "Campaign"),
        PropertyFilter("campaignId", "EXISTS"),
    ]

    found = [*check_filters(asked, debited, PATH)]

    assert [(fault.message, fault.path) for fault in found] == [
        (
            "source is never 'Campaign' here: it is one of API, Manual.",
            (*PATH, "0", "value"),
        ),
        (
            (
                "CT Points Debited has no property 'campaignId': it has CT Source, walletId,"
                " transactionId, points, source, pointsDescription, eventTimestamp, saleChannel,"
                " locationId, saleAmount."
            ),
            (*PATH, "1", "property"),
        ),
    ]


def test_tells_every_fault_and_refuses_too_many_filters() -> None:
    wrong = PropertyFilter("points", "GT", "1")

    found = faults(*[wrong] * (FILTERS_MAX + 1))

    assert found[0] == ("filters must have at most 50 filters, not 51.", PATH)
    assert [path[2] for _, path in found[1:]] == [str(number) for number in range(FILTERS_MAX)]


@pytest.mark.parametrize(
    ("filter", "message", "place"),
    [
        (
            PropertyFilter("Email", "GT", 1),
            (
                "op must be one of EQUALS, NOT_EQUALS, IN, NOT_IN, CONTAINS, NOT_CONTAINS,"
                " STARTS_WITH, ENDS_WITH, EXISTS, NOT_EXISTS for Email, a STRING, not GT."
            ),
            ("op",),
        ),
        (
            PropertyFilter("", "EXISTS"),
            "property must have 1 to 100 characters, not 0.",
            ("property",),
        ),
        (
            PropertyFilter("tier", "IS", 1),
            (
                "op must be one of EQUALS, NOT_EQUALS, IN, NOT_IN, CONTAINS, NOT_CONTAINS,"
                " STARTS_WITH, ENDS_WITH, EXISTS, NOT_EXISTS, GT, GTE, LT, LTE, BETWEEN, BEFORE,"
                " AFTER, WITHIN_LAST for an attribute, not 'IS'."
            ),
            ("op",),
        ),
        (
            PropertyFilter("tier", "EQUALS", []),
            "value must be a text or a number or true or false.",
            ("value",),
        ),
        (
            PropertyFilter("tier", "BETWEEN", [1, AT_NOON]),
            "value must be a list of two of a kind.",
            ("value",),
        ),
        (
            PropertyFilter("tier", "BETWEEN", [True, False]),
            "value must be a number or a date, like 2026-03-10T09:00:00Z.",
            ("value", "0"),
        ),
    ],
)
def test_refuses_on_a_profile(filter: PropertyFilter, message: str, place: tuple[str, ...]) -> None:
    found = profile_faults(filter)

    assert found[0] == (message, ("who", "profile", "0", *place))


def test_takes_on_an_attribute_whatever_some_type_would() -> None:
    filters = [PropertyFilter("tier", op, value) for op, value, _, _ in ALL_CASES]

    assert [profile_faults(one) for one in filters] == [[]] * len(filters)


NAMES = [*CREDITED.properties, "Name", "tier", "point"]
FILTER = st.builds(PropertyFilter, st.sampled_from(NAMES) | st.text(max_size=9), SOME_OP, JSON)


@given(filter=FILTER, found=JSON, now=st.integers(0, NEVER))
def test_whatever_is_given_is_refused_or_answered(
    filter: PropertyFilter, found: Any, now: int
) -> None:
    if not faults(filter):
        assert compile_filters("ALL", [filter])({filter.property: found}, now) in {True, False}
    if not profile_faults(filter):
        holds = compile_profile("ANY", [filter])
        assert holds({filter.property: found}, now) in {True, False}
