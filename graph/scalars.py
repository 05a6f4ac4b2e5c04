"""Scalars: how points, instants, spans and time zones are written on the wire.

Inside, points are whole numbers of 1/1000, instants and spans whole numbers of microseconds, so
`Points`, `DateTime` and `Duration` are `int` to the type checker. What can't be read is refused
with a sentence that says what can.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NewType, NoReturn, TypeVar
from zoneinfo import available_timezones

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from graph.compiled import SIMPLE, written
from models.notation import (
    PRINTED,
    Unreadable,
    print_instant,
    print_points,
    print_span,
    read_instant,
    read_span,
)

if TYPE_CHECKING:
    Points = int
    DateTime = int
    Duration = int
    TimeZone = str
    JSON = Any
else:
    Points = NewType("Points", int)
    DateTime = NewType("DateTime", int)
    Duration = NewType("Duration", int)
    TimeZone = NewType("TimeZone", str)
    JSON = NewType("JSON", object)

T = TypeVar("T")
S = TypeVar("S", str, str | None)

POINTS_BOUND: Final = 10**12
SHOWN_MAX: Final = 60


def parse_points(value: object) -> int:
    """Read a number of points as whole thousandths; refuse a finer part, and what is too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("Points must be a number", value)
    if not -POINTS_BOUND < value < POINTS_BOUND:  # so that NaN is refused, too
        _refuse("Points must be more than -1000000000000 and less than 1000000000000", value)
    milli = round(value * 1000)
    if milli / 1000 != value:
        _refuse("Points must have at most 3 decimals", value)
    return milli


def parse_date_time(value: object) -> int:
    """Read an instant as microseconds since 1970. Its offset is required; finer digits are cut."""
    return _read("DateTime", read_instant, value)


def parse_duration(value: object) -> int:
    """Read a span as microseconds. Months and years have no fixed length and are refused."""
    return _read("Duration", read_span, value)


def parse_time_zone(value: object) -> str:
    if not isinstance(value, str) or value not in _time_zones():
        _refuse("TimeZone must be a name of the IANA database, like Europe/Berlin", value)
    return value


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _read(name: str, read: Callable[[object], int], value: object) -> int:
    try:
        return read(value)
    except Unreadable as error:
        _refuse(f"{name} {error}", value)


def _refuse(rule: str, value: object) -> NoReturn:
    shown = repr(value)
    raise GraphQLError(
        f"{rule}, not {shown if len(shown) <= SHOWN_MAX else shown[:SHOWN_MAX] + '…'}."
    )


def given(value: T | None) -> T | None:
    """An optional argument's value, null where it was left out.

    (A default of None would stand in the schema as one.)
    """
    return None if value is strawberry.UNSET else value


def sought(text: S) -> S:
    """A text to look for, as every database can be asked for it.

    PostgreSQL can't be asked for a NUL. No text that is kept has a control character in it, so
    that another one in its place finds as little.
    """
    return text if text is None else text.replace("\x00", "\x01")


def as_is(value: Any) -> Any:
    return value


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Points: strawberry.scalar(
        name="Points",
        description=(
            "A number of points: a JSON number with at most three decimals, more than"
            " -1,000,000,000,000 and less than 1,000,000,000,000. Whole points are written without"
            " `.0`."
            " Exact to the thousandth; a finer number is refused, never rounded."
        ),
        parse_value=parse_points,
        serialize=written(
            print_points, int, "(value and (value / 1000 if value % 1000 else value // 1000))"
        ),
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description=(
            "An instant, as RFC 3339 writes it: `2026-03-10T09:00:00Z`. An offset is required on"
            " the way"
            " in and is always `Z` (UTC) on the way out. Exact to the microsecond; finer digits"
            " are cut."
        ),
        parse_value=parse_date_time,
        serialize=written(
            print_instant,
            int,
            "(PRINTED.get(value) or print_instant(value))",
            PRINTED=PRINTED,
            print_instant=print_instant,
        ),
    ),
    Duration: strawberry.scalar(
        name="Duration",
        description=(
            "A length of time, as ISO 8601 writes it, in weeks, days, hours, minutes and seconds:"
            " `P30D`,"
            " `PT15M`, `P1DT12H`. A day is 24 hours; months and years, whose length varies, are"
            " refused."
        ),
        parse_value=parse_duration,
        serialize=print_span,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="The name of a time zone in the IANA database: `UTC`, `Europe/Berlin`.",
        parse_value=parse_time_zone,
        serialize=written(as_is, SIMPLE, "value"),
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, kept and given back as it came.",
        parse_value=as_is,
        serialize=written(as_is, SIMPLE, "value"),
    ),
}
