"""The calendar: when lots expire, in the program's time zone."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import after, end_of_year, to_datetime, to_instant
from ledger.points import fits, rounded
from ledger.records import Program
from models.columns import NEVER


def at(text: str) -> int:
    return to_instant(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("start", "count", "unit", "zone", "end"),
    [
        ("2025-01-31T12:00:00Z", 1, "MONTH", "UTC", "2025-02-28T12:00:00Z"),
        ("2024-01-31T12:00:00Z", 1, "MONTH", "UTC", "2024-02-29T12:00:00Z"),
        ("2024-02-29T00:00:00Z", 1, "YEAR", "UTC", "2025-02-28T00:00:00Z"),
        ("2024-02-29T00:00:00Z", 4, "YEAR", "UTC", "2028-02-29T00:00:00Z"),
        ("2025-11-30T23:30:00Z", 13, "MONTH", "UTC", "2026-12-30T23:30:00Z"),
        ("2025-06-01T00:00:00Z", 10, "DAY", "UTC", "2025-06-11T00:00:00Z"),
        # The clocks go forward in between: ten days by the wall clock are an hour less.
        ("2025-03-25T12:00:00+01:00", 10, "DAY", "Europe/Berlin", "2025-04-04T12:00:00+02:00"),
        # It is still January where the program is.
        ("2025-02-01T03:00:00Z", 1, "MONTH", "America/New_York", "2025-03-01T03:00:00Z"),
    ],
)
def test_counts_by_the_wall_clock_and_clamps_to_the_month(
    start: str, count: int, unit: str, zone: str, end: str
) -> None:
    assert to_datetime(after(at(start), count, unit, zone)) == to_datetime(at(end))


@pytest.mark.parametrize(
    ("issued", "count", "zone", "end"),
    [
        ("2025-06-01T00:00:00Z", 0, "UTC", "2026-01-01T00:00:00Z"),
        ("2025-06-01T00:00:00Z", 1, "UTC", "2027-01-01T00:00:00Z"),
        ("2025-12-31T23:30:00Z", 0, "Asia/Tokyo", "2027-01-01T00:00:00+09:00"),
        ("2026-01-01T03:00:00Z", 0, "America/New_York", "2026-01-01T00:00:00-05:00"),
    ],
)
def test_a_calendar_year_ends_where_the_program_is(
    issued: str, count: int, zone: str, end: str
) -> None:
    assert to_datetime(end_of_year(at(issued), count, zone)) == to_datetime(at(end))


@pytest.mark.parametrize("unit", ["DAY", "MONTH", "YEAR"])
def test_past_the_last_year_is_never(unit: str) -> None:
    assert after(at("9990-01-01T00:00:00Z"), 36_500, unit, "UTC") == NEVER


@pytest.mark.parametrize("unit", ["DAY", "MONTH", "YEAR"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_at_the_end_of_time_every_zone_has_an_answer(unit: str, zone: str) -> None:
    assert after(at("9999-12-31T23:00:00Z"), 1, unit, zone) == NEVER
    assert end_of_year(at("9999-12-31T23:00:00Z"), 0, zone) == NEVER


def test_the_year_after_the_last_is_never() -> None:
    assert end_of_year(at("9999-01-01T00:00:00Z"), 0, "UTC") == NEVER


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_its_datetime_to_the_microsecond(moment: datetime) -> None:
    assert to_datetime(to_instant(moment)) == moment


def program(decimals: int, mode: str = "DOWN") -> Program:
    return Program(
        "prg",
        "P",
        "p",
        "NEVER",
        None,
        None,
        None,
        "EARLIEST_EXPIRY",
        decimals,
        mode,
        "UTC",
        None,
        7,
        0,
    )


@pytest.mark.parametrize(
    ("amount", "decimals", "mode", "points"),
    [
        (Fraction(10, 3), 0, "DOWN", 3_000),
        (Fraction(10, 3), 0, "UP", 4_000),
        (Fraction(10, 3), 1, "DOWN", 3_300),
        (Fraction(10, 3), 2, "UP", 3_340),
        (Fraction(10, 3), 3, "DOWN", 3_333),
        (Fraction(5), 0, "UP", 5_000),
    ],
)
def test_a_computed_amount_is_rounded_once_as_the_program_says(
    amount: Fraction, decimals: int, mode: str, points: int
) -> None:
    assert rounded(amount, program(decimals, mode)) == points


@given(st.fractions(min_value=0, max_value=10**9), st.integers(0, 3))
def test_rounding_moves_an_amount_by_less_than_one_step(amount: Fraction, decimals: int) -> None:
    down, up = rounded(amount, program(decimals)), rounded(amount, program(decimals, "UP"))

    assert down <= amount * 1000 <= up
    assert up - down in {0, 10 ** (3 - decimals)}
    assert fits(down, program(decimals))
    assert fits(up, program(decimals))
