"""Notation: how points, instants and spans are written outside, and read.

Inside, points are whole numbers of 1/1000, instants and spans whole numbers of microseconds. What
can't be read is told in words that follow the name of what was given: "must be …".
"""

import re
from datetime import datetime, timedelta
from typing import Final

from models.columns import NEVER

SPAN_MAX_DAYS: Final = 36_525

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC throughout, written with its Z by hand
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = (datetime(1, 1, 1) - _EPOCH) // _MICROSECOND  # noqa: DTZ001 - as above
_DAY_US: Final = 86_400_000_000
_MINUTE_US: Final = 60_000_000

PRINTED_MAX: Final = 4_096
PRINTED: Final[dict[int, str]] = {}
"""Instants as they were printed lately: one stands in several places, and is asked for again."""

_DAYS: Final[dict[int, str]] = {}
_MINUTES: Final = [f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60)]

_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,32}))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_SPAN: Final = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,6}))?S)?)?"
)


class Unreadable(ValueError):
    """What was given isn't written as it must be; says how it must."""


def print_points(milli: int) -> int | float:
    """A number of points; whole ones without a fraction."""
    whole, rest = divmod(milli, 1000)
    return milli / 1000 if rest else whole


def read_instant(value: object) -> int:
    """Read an instant as microseconds since 1970. Its offset is required; finer digits are cut."""
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unreadable("must be RFC 3339 with an offset, like 2026-03-10T09:00:00Z")
    date, time, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime.fromisoformat(f"{date}T{time}")
    except ValueError as error:
        raise Unreadable(f"must be a real date and time: {error}") from None
    instant = (local - _EPOCH) // _MICROSECOND + _micros(fraction)
    if sign:
        offset = (int(hours) * 60 + int(minutes)) * 60_000_000
        instant += offset if sign == "-" else -offset
    if not _EARLIEST <= instant <= NEVER:
        raise Unreadable("must be within the years 0001 to 9999 in UTC")
    return instant


def print_instant(instant: int) -> str:
    """An instant in UTC, as RFC 3339 writes it."""
    return PRINTED.get(instant) or _print_instant(instant)


def _print_instant(instant: int) -> str:
    day, rest = divmod(instant, _DAY_US)
    minute, rest = divmod(rest, _MINUTE_US)
    second, micros = divmod(rest, 1_000_000)
    fraction = f"{second:02}.{micros:06}Z" if micros else f"{second:02}Z"
    text = f"{_DAYS.get(day) or _print_day(day)}{_MINUTES[minute]}{fraction}"
    if len(PRINTED) >= PRINTED_MAX:
        PRINTED.clear()
    PRINTED[instant] = text
    return text


def _print_day(day: int) -> str:
    text = (_EPOCH + timedelta(days=day)).date().isoformat()
    if len(_DAYS) >= PRINTED_MAX:
        _DAYS.clear()
    _DAYS[day] = text
    return text


def read_span(value: object) -> int:
    """Read a span as microseconds. Months and years have no fixed length and are refused."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unreadable("must be ISO 8601 in weeks, days, hours, minutes and seconds, like P30D")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:5])
    whole = (weeks * 7 + days) * 86_400 + hours * 3_600 + minutes * 60 + seconds
    span = whole * 1_000_000 + _micros(match[6])
    if span > SPAN_MAX_DAYS * _DAY_US:
        raise Unreadable(f"must be at most {SPAN_MAX_DAYS} days")
    return span


def print_span(span: int) -> str:
    """A span as ISO 8601 writes it, in days, hours, minutes and seconds."""
    days, rest = divmod(span, _DAY_US)
    seconds, micros = divmod(rest, 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{micros:06}".rstrip("0") if micros else ""
    second = f"{seconds}{fraction}S" if seconds or micros else ""
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "") + second
    date = f"{days}D" if days else ""
    return f"P{date}T{time}" if time else f"P{date or 'T0S'}"


def _micros(fraction: str | None) -> int:
    return int(f"{fraction:0<6}"[:6]) if fraction else 0
