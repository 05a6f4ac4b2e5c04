"""Instants as others write them: RFC 3339, and Python's own for libraries."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def moment(instant: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)


def rfc3339(instant: int) -> str:
    """Like 2026-05-04T10:12:31.904000Z; without a fraction at a full second."""
    return moment(instant).isoformat().replace("+00:00", "Z")


def find_instant(text: object) -> int | None:
    """The instant that a text names by RFC 3339, offset and all; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if said.tzinfo is None else (said - _EPOCH) // MICROSECOND
