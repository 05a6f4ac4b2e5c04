"""Scalars: how points, instants, spans and time zones are written on the wire.

Inside, points are whole numbers of 1/1000, instants and spans whole numbers of microseconds, so
`Points`, `DateTime` and `Duration` are `int` to the type checker. What can't be read is refused
with a sentence that says what can.
"""

import re
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NewType, NoReturn, TypeVar
from zoneinfo import available_timezones

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from models.columns import NEVER

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
DURATION_MAX_DAYS: Final = 36_525
SHOWN_MAX: Final = 60

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC throughout, written with its Z by hand
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = (datetime(1, 1, 1) - _EPOCH) // _MICROSECOND  # noqa: DTZ001 - as above
_DAY_US: Final = 86_400_000_000

_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,32}))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DURATION: Final = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?"
)


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


def print_points(milli: int) -> int | float:
    whole, rest = divmod(milli, 1000)
    return milli / 1000 if rest else whole


def parse_date_time(value: object) -> int:
    """Read an instant as microseconds since 1970. Its offset is required; finer digits are cut."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        _refuse("DateTime must be RFC 3339 with an offset, like 2026-03-10T09:00:00Z", value)
    date, time, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime.fromisoformat(f"{date}T{time}")
    except ValueError as error:
        _refuse(f"DateTime must be a real date and time: {error}", value)
    instant = (local - _EPOCH) // _MICROSECOND + _micros(fraction)
    if sign:
        offset = (int(hours) * 60 + int(minutes)) * 60_000_000
        instant += offset if sign == "-" else -offset
    if not _EARLIEST <= instant <= NEVER:
        _refuse("DateTime must be within the years 0001 to 9999 in UTC", value)
    return instant


@lru_cache(maxsize=4_096)
def print_date_time(instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).isoformat() + "Z"


def parse_duration(value: object) -> int:
    """Read a span as microseconds. Months and years have no fixed length and are refused."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        _refuse(
            "Duration must be ISO 8601 in weeks, days, hours, minutes and seconds, like P30D", value
        )
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:5])
    whole = (weeks * 7 + days) * 86_400 + hours * 3_600 + minutes * 60 + seconds
    span = whole * 1_000_000 + _micros(match[6])
    if span > DURATION_MAX_DAYS * _DAY_US:
        _refuse(f"Duration must be at most {DURATION_MAX_DAYS} days", value)
    return span


def print_duration(span: int) -> str:
    days, rest = divmod(span, _DAY_US)
    seconds, micros = divmod(rest, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{micros:06}".rstrip("0") if micros else ""
    second = f"{seconds}{fraction}S" if seconds or micros else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + second
    date = f"{days}D" if days else ""
    return f"P{date}T{time}" if time else f"P{date or 'T0S'}"


def parse_time_zone(value: object) -> str:
    if not isinstance(value, str) or value not in _time_zones():
        _refuse("TimeZone must be a name of the IANA database, like Europe/Berlin", value)
    return value


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _micros(fraction: str | None) -> int:
    return int(f"{fraction:0<6}"[:6]) if fraction else 0


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
        serialize=print_points,
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
        serialize=print_date_time,
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
        serialize=print_duration,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="The name of a time zone in the IANA database: `UTC`, `Europe/Berlin`.",
        parse_value=parse_time_zone,
        serialize=as_is,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, kept and given back as it came.",
        parse_value=as_is,
        serialize=as_is,
    ),
}
