"""Whether the written rows are sound by themselves: the book, and the log beside it. One pass each.

sequence gap            a wallet's sequence is 1..n
wrong balance           a balance is that of the row before, and the change
wrong change            a change is what its kind does with its points
overdraft               no balance is ever negative
hold settled twice      what is captured and released of a hold is at most what it held
position gap            the log's positions are 1..n
event out of order      a wallet's events stand in the order of its rows
event without a row, row without an event, event of other points
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.histories.history import Balance, Finding, History, LogEvent, Posting

EMPTY = Balance()
WARNING = "POINTS_EXPIRING_SOON"

# What a row does with its points, by its kind and whether it is of a hold.
SIGNS = {
    ("CREDIT", False): Balance(active=1),
    ("DEBIT", False): Balance(active=-1),
    ("DEBIT", True): Balance(held=-1),
    ("HOLD", True): Balance(active=-1, held=1),
    ("RELEASE", True): Balance(active=1, held=-1),
    ("TRANSFER_OUT", False): Balance(active=-1),
    ("TRANSFER_IN", False): Balance(active=1),
}


def by_wallet(postings: list[Posting]) -> dict[str, list[Posting]]:
    """The rows of each wallet, in their order."""
    found: dict[str, list[Posting]] = {}
    for posting in postings:
        found.setdefault(posting.wallet, []).append(posting)
    return found


def check_book(history: History) -> Iterator[Finding]:
    """Each wallet's rows follow from one another."""
    for rows in by_wallet(history.postings).values():
        yield from _check_wallet(rows)
    yield from _check_holds(history)


def _check_wallet(rows: list[Posting]) -> Iterator[Finding]:
    sequence, before = 0, EMPTY
    for row in rows:
        if row.sequence != sequence + 1:
            yield Finding("sequence gap", f"{row} after {sequence}")
        if row.after != before.plus(row.change):
            yield Finding("wrong balance", f"{row} after {before}")
        if min(row.after) < 0:
            yield Finding("overdraft", str(row))
        signs = SIGNS.get((row.kind, row.hold is not None))
        if signs and row.change != Balance(*(sign * row.points for sign in signs)):
            yield Finding("wrong change", str(row))
        sequence, before = row.sequence, row.after


def _check_holds(history: History) -> Iterator[Finding]:
    left: dict[str, int] = {}
    for row in history.postings:
        if row.hold is None:
            continue
        placed = row.points if row.kind == "HOLD" else -row.points
        left[row.hold] = left.get(row.hold, 0) + placed
    for hold, points in left.items():
        if points < 0:
            yield Finding("hold settled twice", f"{hold}: {points}")


def check_log(history: History) -> Iterator[Finding]:
    """The log tells of each row once, in the order of each wallet."""
    for position, event in enumerate(history.events, start=1):
        if event.position != position:
            yield Finding("position gap", f"{event} in place of {position}")
            break  # all that follow are out of their places, too
    told = {event.transaction: event for event in history.events if event.transaction}
    for row in history.postings:
        if row.id not in told:
            yield Finding("row without an event", str(row))
    yield from _check_events(history)
    yield from _check_order(history, told)


def _check_events(history: History) -> Iterator[Finding]:
    rows = {row.id: row for row in history.postings}
    told: set[str] = set()
    for event in history.events:
        if event.name == WARNING:
            continue
        row = rows.get(event.transaction or "")
        if row is None:
            yield Finding("event without a row", str(event))
        elif row.id in told:
            yield Finding("row with two events", str(event))
        elif (row.wallet, row.points) != (event.wallet, event.points):
            yield Finding("event of other points", f"{event} of {row}")
        told.add(event.transaction or "")


def _check_order(history: History, told: dict[str, LogEvent]) -> Iterator[Finding]:
    for rows in by_wallet(history.postings).values():
        events = [told[row.id] for row in rows if row.id in told]
        for earlier, later in pairwise(events):
            if later.position <= earlier.position:
                yield Finding("event out of order", f"{later} after {earlier}")
