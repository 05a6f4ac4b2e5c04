"""Program rules, as `create_program` takes them."""

from tests.harness.values import Json

NEVER: Json = {"rule": "NEVER"}


def after(count: int, unit: str = "DAY") -> Json:
    return {"rule": "AFTER", "count": count, "unit": unit}


def inactivity(count: int, unit: str = "DAY") -> Json:
    return {"rule": "INACTIVITY", "count": count, "unit": unit}


def end_of_calendar_year(count: int) -> Json:
    return {"rule": "END_OF_CALENDAR_YEAR", "count": count}


def decimals(count: int, mode: str = "DOWN") -> Json:
    return {"decimals": count, "mode": mode}
