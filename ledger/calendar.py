"""The calendar: when a lot expires by its program's rule.

Pure; the program's time zone matters here and nowhere else.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ledger.records import Program
from models.columns import NEVER

DAY_US: Final = 86_400 * 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_datetime(instant: int) -> datetime:
    """An instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def to_instant(moment: datetime) -> int:
    """An aware datetime as an instant."""
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name."""
    return ZoneInfo(name)


def expiry(program: Program, issued_at: int, active_at: int) -> int:
    """When a lot of this program expires, with no activity after it; NEVER if it never does."""
    match program.expiry_rule, program.expiry_count, program.expiry_unit:
        case "NEVER", _, _:
            return NEVER
        case "END_OF_CALENDAR_YEAR", int(count), _:
            return end_of_year(issued_at, count, program.time_zone)
        case _, int(count), str(unit):
            return after(active_at, count, unit, program.time_zone)
        case rule:
            message = f"program {program.id} has no such expiry rule: {rule}"
            raise AssertionError(message)


def after(instant: int, count: int, unit: str, time_zone: str) -> int:
    """So many days, months or years later by the wall clock of the zone.

    The day clamps to its month's last. What lies past the year 9999, there or here, is NEVER.
    """
    try:
        local = _wall_clock(instant, time_zone)
        later = local + timedelta(days=count) if unit == "DAY" else _months(local, count, unit)
        return min(to_instant(later.replace(tzinfo=zone(time_zone))), NEVER)
    except (OverflowError, ValueError):
        return NEVER


def end_of_year(instant: int, count: int, time_zone: str) -> int:
    """The end of the `count`-th calendar year after the instant's own, in the zone.

    Given as the first instant that is past it; past the year 9999 it is NEVER.
    """
    try:
        year = _wall_clock(instant, time_zone).year + count + 1
        return min(to_instant(datetime(year, 1, 1, tzinfo=zone(time_zone))), NEVER)
    except (OverflowError, ValueError):
        return NEVER


def _wall_clock(instant: int, time_zone: str) -> datetime:
    return to_datetime(instant).astimezone(zone(time_zone)).replace(tzinfo=None)


def _months(local: datetime, count: int, unit: str) -> datetime:
    month = local.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = local.year + month // 12, month % 12 + 1
    return local.replace(year=year, month=month, day=min(local.day, monthrange(year, month)[1]))
