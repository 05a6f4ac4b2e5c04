"""Reach: who would have qualified since an instant, read from the event log.

    reach = await database.survey(count_reach, who, since, clock())

By the code that judges events for a campaign that runs. The log is in the order of writing, and an
event is never written before it happened: what was written well before the instant is not read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select

from campaigns.absences import find_gone
from campaigns.checks import check_who
from campaigns.listeners import Compiled, compile_version
from campaigns.plans import Plan, Who
from campaigns.properties import profile_of, properties_of
from events.log import head
from events.occurrences import Occurrence, read_occurrences
from ledger.reading import find_members
from ledger.refusals import InvalidInput
from models.columns import WHOLE
from models.notation import print_instant
from models.tables import events, transactions
from models.texts import ERASED

PAGE_MAX: Final = 1_000
"""How many events are read at a time."""

EVENTS_MAX: Final = 100_000
"""How many events of the log one count looks through: as many as a request has time for."""

MARGIN_US: Final = 10 * 60 * 1_000_000
"""By how much instants of writing may run backwards along the log.

The clocks of several instances differ, and a unit of work takes its positions at its end.
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many events, and how many members and wallets they are of."""

    events: int
    members: int
    wallets: int


def count_reach(connection: Connection, who: Who, since: int, now: int) -> Reach | InvalidInput:
    """The events from `since` to `now` that `who` is about, and those whom they concern.

    What must not follow an event must not have followed it within its window, as far as that has
    passed.
    """
    for fault in check_who(who):
        return fault
    end = head(connection)
    if end > EVENTS_MAX and (early := _first_refused(connection, end - EVENTS_MAX, since)):
        message = (
            f"more than {EVENTS_MAX:,} events were written since:"
            f" choose an instant after {print_instant(early)}."
        )
        return InvalidInput(message, ("since",))
    compiled = compile_version("", Plan(who))
    cursor = first_written(connection, since - MARGIN_US, end) - 1
    counted = 0
    members: set[str] = set()
    wallets: set[str] = set()
    while cursor < end:
        page = read_occurrences(connection, cursor, PAGE_MAX, end, {compiled.log_name})
        qualified = _qualified(connection, compiled, page, since, now)
        counted += len(qualified)
        members |= {one.member_id for one in qualified}
        wallets |= {one.wallet_id for one in qualified}
        cursor = page[-1].position if len(page) == PAGE_MAX else end
    return Reach(counted, len(members), len(wallets))


def _qualified(
    connection: Connection, compiled: Compiled, page: Iterable[Occurrence], since: int, now: int
) -> Sequence[Occurrence]:
    found = [
        one
        for one in page
        if since <= one.at <= now
        and not one.identity.startswith(ERASED)
        and compiled.wants(properties_of(one), one.at)
    ]
    who = compiled.plan.who
    if who.profile and found:
        members = find_members(connection, {one.member_id for one in found})
        suited = {each.id for each in members.values() if compiled.suits(profile_of(each), now)}
        found = [one for one in found if one.member_id in suited]
    if who.absence:
        gone = find_gone(connection, who.absence, found, now)
        found = [one for one in found if one.id not in gone]
    return found


# ── where to begin ────────────────────────────────────────────────────────────────────────────────


def first_written(connection: Connection, at: int, end: int) -> int:
    """The first position that was written at an instant or later; past `end` if none was."""
    low, high = 1, end + 1
    while low < high:
        middle = (low + high) // 2
        written = _written_at(connection, middle)
        if written is None or written >= at:
            high = middle
        else:
            low = middle + 1
    return low


def _first_refused(connection: Connection, position: int, since: int) -> int | None:
    """The latest instant since which too much was written, if `since` is not after it."""
    written = _written_at(connection, position)
    assert written is not None, "so many events can't all be warnings"
    early = written + MARGIN_US
    return early if since <= early else None


def _written_at(connection: Connection, position: int) -> int | None:
    """When the event at a position was written, or the next of which that is known."""
    return connection.execute(_WRITTEN_AT, {"position": position}).scalar_one_or_none()


_written: Final = (
    select(events.c.transaction_id)
    .where(
        events.c.position >= bindparam("position", type_=WHOLE),
        events.c.transaction_id.is_not(None),
    )
    .order_by(events.c.position)
    .limit(1)
    .scalar_subquery()
)
_WRITTEN_AT: Final = select(transactions.c.created_at).where(transactions.c.id == _written)
