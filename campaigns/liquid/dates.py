"""Dates: shown in the member's time zone, read only where they can't be read in two ways.

Takes the place of python-liquid's filter, which shows instants by the server's zone and reads
`05-11-2026` month first.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from liquid.exceptions import FilterArgumentError

from campaigns.liquid.bounds import FORMAT_CHARS_MAX

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ISO: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?")
SECONDS: Final = re.compile(r"\d{9,12}")  # `20261105` is rather a day
DIRECTIVE: Final = re.compile(r"%([-^0_#]?)(.?)", re.DOTALL)
DIRECTIVES: Final = "aAbBcdeDFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%"
NOW: Final = ("now", "today")


def instant_of(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def shown(given: object, form: object, zone: tzinfo, now: datetime) -> object:
    """A date in a format of strftime's; what is no date is given back as it is.

    Dates are instants, seconds since 1970, and texts in ISO's order: `2026-11-05`, with a time or
    without. A text that names no offset is read in the member's zone.
    """
    moment = _moment(given, zone, now)
    if moment is None or not form:
        return given
    return _written(moment, str(form))


def _moment(given: object, zone: tzinfo, now: datetime) -> datetime | None:
    if isinstance(given, datetime):
        return given.astimezone(zone)
    if given in NOW:
        return now.astimezone(zone)
    try:
        if isinstance(given, str) and ISO.fullmatch(given):
            read = datetime.fromisoformat(given)
            return read.astimezone(zone) if read.tzinfo else read.replace(tzinfo=zone)
        if isinstance(given, str) and SECONDS.fullmatch(given):
            given = int(given)
        if isinstance(given, int | float) and not isinstance(given, bool):
            return (EPOCH + timedelta(seconds=given)).astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return None


def _written(moment: datetime, form: str) -> str:
    if len(form) > FORMAT_CHARS_MAX:
        raise FilterArgumentError(
            f"date: a format has {FORMAT_CHARS_MAX} characters at most", token=None
        )
    for directive in DIRECTIVE.finditer(form):
        if not directive[2] or directive[2] not in DIRECTIVES:
            raise FilterArgumentError(f"date: unknown directive {directive[0]!r}", token=None)
    # The C library would take the wall clock's time for the server's.
    return moment.strftime(re.sub(r"(%%)|%[-^0_#]?s", lambda it: it[1] or _seconds(moment), form))


def _seconds(moment: datetime) -> str:
    return str((moment - EPOCH) // timedelta(seconds=1))
