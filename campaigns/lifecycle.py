"""The lifecycle: which status a campaign may come to from which, and by what.

    DRAFT ──publish──▶ RUNNING ──pause──▶ PAUSED ──stop──▶ STOPPED
                        │  ▲  └──────stop──────────────────▲
                        │  └─────resume──── PAUSED
                        └────── its endsAt comes ─────────▶ COMPLETED   (from PAUSED, too)

A stopped campaign never starts again: clone it. The end comes by the clock, whether or not anything
has been written about it.
"""

from typing import Final, Literal

from campaigns.refusals import InvalidTransition

Status = Literal["DRAFT", "RUNNING", "PAUSED", "STOPPED", "COMPLETED"]
Move = Literal["publish", "pause", "resume", "stop", "update"]

STATUSES: Final[tuple[Status, ...]] = ("DRAFT", "RUNNING", "PAUSED", "STOPPED", "COMPLETED")

MOVES: Final[dict[Move, dict[str, Status]]] = {
    "publish": {"DRAFT": "RUNNING", "RUNNING": "RUNNING"},
    "pause": {"RUNNING": "PAUSED"},
    "resume": {"PAUSED": "RUNNING"},
    "stop": {"RUNNING": "STOPPED", "PAUSED": "STOPPED"},
    "update": {"DRAFT": "DRAFT", "RUNNING": "RUNNING", "PAUSED": "PAUSED"},
}
"""By each move, what a status becomes. A status that is not listed refuses it."""

_DONE: Final[dict[Move, str]] = {
    "publish": "published",
    "pause": "paused",
    "resume": "resumed",
    "stop": "stopped",
    "update": "changed",
}

LISTENING: Final = ("RUNNING", "PAUSED")
"""While it is one of these, its events are heard: what is found in a pause waits for its end."""


def status_at(status: str, ends_at: int, now: int) -> str:
    """What a campaign is at an instant, whose end may have come since it was written."""
    return "COMPLETED" if status in LISTENING and ends_at <= now else status


def move(status: str, by: Move) -> Status | InvalidTransition:
    """What a campaign becomes by a move, or that it can't be."""
    if status in MOVES[by]:
        return MOVES[by][status]
    allowed = reachable(status)
    rest = f"it may become {' or '.join(allowed)}" if allowed else "clone it to begin anew"
    message = f"a {status} campaign can't be {_DONE[by]}: {rest}."
    return InvalidTransition(message, ("id",), status, allowed)


def reachable(status: str) -> tuple[Status, ...]:
    """What a campaign that is `status` can be made to become."""
    found = {becomes[status] for becomes in MOVES.values() if status in becomes}
    return tuple(each for each in STATUSES if each in found and each != status)
