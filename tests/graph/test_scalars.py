"""Scalars: what is read, what is refused, and how it is written."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as some

from graph import scalars
from models import notation
from models.columns import NEVER

DAY = 86_400_000_000


# ── points ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "milli"),
    [
        ("0", 0),
        ("-0.0", 0),
        ("1", 1_000),
        ("1.10", 1_100),
        ("1e2", 100_000),
        ("0.001", 1),
        ("-2.5", -2_500),
        ("999999999999.999", 999_999_999_999_999),
        ("-999999999999.999", -999_999_999_999_999),
    ],
)
def test_points_are_read_exactly(written: str, milli: int) -> None:
    assert scalars.parse_points(json.loads(written)) == milli


@pytest.mark.parametrize(
    "value",
    [
        0.1 + 0.2,
        0.0001,
        1.2345,
        10**12,
        -(10**12),
        10**40,
        1e300,
        float("nan"),
        float("inf"),
        float("-inf"),
        True,
        False,
        "5",
        "",
        None,
        [1],
        {"points": 1},
    ],
    ids=repr,
)
def test_what_is_no_number_of_points_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError, match="Points must"):
        scalars.parse_points(value)


@given(some.integers(-999_999_999_999_999, 999_999_999_999_999))
def test_points_come_back_as_they_went_out(milli: int) -> None:
    written = json.dumps(notation.print_points(milli))

    assert scalars.parse_points(json.loads(written)) == milli
    assert Decimal(written) * 1000 == milli


@given(some.floats())
def test_a_double_is_read_as_its_shortest_decimal_form_or_refused(value: float) -> None:
    shortest = Decimal(repr(value))
    fits = shortest.is_finite() and abs(shortest) < 10**12 and shortest * 1000 % 1 == 0
    try:
        milli = scalars.parse_points(value)
    except GraphQLError:
        assert not fits
    else:
        assert fits
        assert milli == shortest * 1000


def test_whole_points_are_written_without_decimals() -> None:
    assert json.dumps([notation.print_points(milli) for milli in (5_000, 5_500, -1_000, 0)]) == (
        "[5, 5.5, -1, 0]"
    )


# ── instants ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "in_utc"),
    [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("2026-03-10t09:00:00z", "2026-03-10T09:00:00Z"),
        ("2026-03-10T09:00:00+01:30", "2026-03-10T07:30:00Z"),
        ("2026-03-10T09:00:00-08:00", "2026-03-10T17:00:00Z"),
        ("2026-03-10T09:00:00.5Z", "2026-03-10T09:00:00.500000Z"),
        ("2026-03-10T09:00:00.123456789Z", "2026-03-10T09:00:00.123456Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_instants_are_written_in_utc(written: str, in_utc: str) -> None:
    assert notation.print_instant(scalars.parse_date_time(written)) == in_utc


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-10T09:00:00",
        "2026-03-10",
        "2026-03-10 09:00:00Z",
        "2026-03-10T09:00Z",
        "2026-02-30T09:00:00Z",
        "2026-03-10T24:00:00Z",
        "2026-03-10T09:00:60Z",
        "2026-03-10T09:00:00+24:00",
        "2026-03-10T09:00:00+0100",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "٢٠٢٦-03-10T09:00:00Z",
        " 2026-03-10T09:00:00Z",
        "2026-03-10T09:00:00Z\n",
        "tomorrow",
        "",
        1_773_133_200,
        True,
        None,
    ],
    ids=repr,
)
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError, match="DateTime must be"):
        scalars.parse_date_time(value)


def test_the_last_instant_is_never() -> None:
    assert scalars.parse_date_time("9999-12-31T23:59:59.999999Z") == NEVER


@given(some.datetimes(timezones=some.timezones()))
def test_any_instant_with_an_offset_is_the_same_instant_in_utc(at: datetime) -> None:
    offset = at.utcoffset()
    assert offset is not None
    if offset % timedelta(minutes=1):
        return  # offsets of whole minutes are all that RFC 3339 can write
    written = at.isoformat()
    naive = at.replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - what the offset is from
    instant = (naive - offset) // timedelta(microseconds=1)
    if not scalars.parse_date_time("0001-01-01T00:00:00Z") <= instant <= NEVER:
        return

    assert scalars.parse_date_time(written) == instant
    printed = datetime.fromisoformat(notation.print_instant(instant))
    assert printed.tzinfo == UTC
    assert (printed - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == instant


# ── spans ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "span", "plainly"),
    [
        ("P30D", 30 * DAY, "P30D"),
        ("P2W", 14 * DAY, "P14D"),
        ("P1W1D", 8 * DAY, "P8D"),
        ("PT15M", DAY // 96, "PT15M"),
        ("PT36H", DAY * 3 // 2, "P1DT12H"),
        ("PT90S", 90_000_000, "PT1M30S"),
        ("PT0.5S", 500_000, "PT0.5S"),
        ("P1DT1H1M1.000001S", DAY + 3_661_000_001, "P1DT1H1M1.000001S"),
        ("P0D", 0, "PT0S"),
        ("PT0S", 0, "PT0S"),
        ("P36525D", 36_525 * DAY, "P36525D"),
    ],
)
def test_spans_are_read_and_written_plainly(written: str, span: int, plainly: str) -> None:
    assert scalars.parse_duration(written) == span
    assert notation.print_span(span) == plainly


@pytest.mark.parametrize(
    "value",
    [
        "P1M",
        "P1Y",
        "P",
        "PT",
        "P1DT",
        "1D",
        "-P1D",
        "P-1D",
        "p1d",
        "P1H",
        "PT1D",
        "PT1.5H",
        "PT0.1234567S",
        "P36526D",
        "P9999999999D",
        "two weeks",
        "",
        30,
        None,
    ],
    ids=repr,
)
def test_what_is_no_span_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError, match="Duration must be"):
        scalars.parse_duration(value)


@given(some.integers(0, 36_525 * DAY))
def test_spans_come_back_as_they_went_out(span: int) -> None:
    assert scalars.parse_duration(notation.print_span(span)) == span


# ── time zones ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_time_zones_go_by_their_names(name: str) -> None:
    assert scalars.parse_time_zone(name) == name


@pytest.mark.parametrize(
    "value",
    [
        "Europe/Atlantis",
        "europe/berlin",
        "Europe",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "",
        "UTC\0",
        "UTC+1",
        1,
        None,
    ],
    ids=repr,
)
def test_what_is_no_time_zone_is_refused(value: object) -> None:
    with pytest.raises(GraphQLError, match="TimeZone must be"):
        scalars.parse_time_zone(value)


def test_a_long_value_is_not_repeated_whole() -> None:
    with pytest.raises(GraphQLError) as refusal:
        scalars.parse_points("9" * 100_000)

    assert len(refusal.value.message) < 200
