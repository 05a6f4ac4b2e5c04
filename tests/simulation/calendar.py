"""Calendar arithmetic as a person would do it with a wall calendar in the program's zone."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def later_by(at: datetime, count: int, unit: str, zone: str) -> datetime:
    """Return the same time of day so many days, months or years later."""
    local = at.astimezone(ZoneInfo(zone))
    if unit == "DAY":
        day = local.date() + timedelta(days=count)
    else:
        months = local.month - 1 + count * (12 if unit == "YEAR" else 1)
        year, month = local.year + months // 12, months % 12 + 1
        day = local.date().replace(
            year=year, month=month, day=min(local.day, monthrange(year, month)[1])
        )
    later = datetime.combine(day, local.time(), tzinfo=ZoneInfo(zone))
    return later.astimezone(UTC)


def end_of_year_after(at: datetime, count: int, zone: str) -> datetime:
    """Return the instant at which the n-th calendar year after that of `at` is over."""
    year = at.astimezone(ZoneInfo(zone)).year
    return datetime(year + count + 1, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
