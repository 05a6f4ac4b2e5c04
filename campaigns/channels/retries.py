"""Retries: when a message is tried again, and what may be repeated at all."""

from collections.abc import Mapping
from typing import Final

from campaigns.channels.parcels import Kind

_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US
_HOUR_US: Final = 60 * _MINUTE_US

_HTTP: Final = (
    5 * _SECOND_US,
    5 * _MINUTE_US,
    30 * _MINUTE_US,
    *(hours * _HOUR_US for hours in (2, 5, 10, 10)),
)
_MAIL: Final = (_MINUTE_US, 5 * _MINUTE_US, 30 * _MINUTE_US, 2 * _HOUR_US, 6 * _HOUR_US)

SCHEDULE_US: Final[Mapping[Kind, tuple[int, ...]]] = {
    "WEBHOOK": _HTTP,
    "CLEVERTAP": _HTTP,
    "EMAIL": _MAIL,
    "APPRISE": _MAIL,
    "INBOX": (),
}
"""How long after the n-th attempt the next one comes. An inbox is a row, and written at once."""

JITTERED: Final[frozenset[Kind]] = frozenset(("WEBHOOK", "CLEVERTAP"))
JITTER_PER_MILLE: Final = 200
"""By how much a delay varies to either side, lest what failed together comes again together."""

REPEATABLE: Final[frozenset[Kind]] = frozenset(("WEBHOOK", "INBOX"))


def retry_delay(
    kind: Kind, attempt: int, chance: float, retry_after_us: int | None = None
) -> int | None:
    """How long after attempt number `attempt` (from 1) the next one is due; None: there is none.

    `chance` is from 0 up to 1. A receiver's own word is honoured as the least: who says 0 seconds
    would else have all attempts at once.
    """
    schedule = SCHEDULE_US[kind]
    if not 1 <= attempt <= len(schedule):
        return None
    delay = schedule[attempt - 1]
    if kind in JITTERED:
        per_mille = 1000 - JITTER_PER_MILLE + int(2 * JITTER_PER_MILLE * chance)
        delay = delay * per_mille // 1000
    return max(delay, retry_after_us or 0)


def is_repeatable(kind: Kind) -> bool:
    """Whether a message whose fate is unknown may be sent again unasked.

    A webhook's receiver tells a repetition by its id, and the inbox is ours. A letter or a text
    message would be read twice; CleverTap promises nowhere to drop an event that comes twice, and a
    campaign of theirs would follow each.
    """
    return kind in REPEATABLE
