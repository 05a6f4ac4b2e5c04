"""The evaluator: reads the event log behind a durable cursor and makes the deliveries that follow.

    read = evaluate(connection, now, versions)      # one unit of work; 0 when nothing is left

The cursor moves in the unit of work of the rows that were made, so that a crash repeats nothing and
skips nothing; its lock lets one instance read at a time. What an event costs grows with the
campaigns that listen to it, and with nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, literal, or_, select, update

from campaigns.deliveries import add_deliveries, lock_deliveries, save_deliveries
from campaigns.lifecycle import LISTENING
from campaigns.listeners import Listener, Versions
from campaigns.properties import profile_of, properties_of
from campaigns.records import Delivery
from campaigns.standing import find_excluded, find_excluded_of_wallets
from events.log import head
from events.occurrences import Occurrence, read_occurrences
from ledger.reading import find_members
from models.columns import NEVER, WHOLE
from models.dialects import each, one_of
from models.ids import new_id
from models.tables import (
    campaign_cursor,
    campaigns,
    deliveries,
    idempotency_keys,
    log_head,
    lots,
)
from models.texts import ERASED
from models.wallets import is_credited

PAGE_MAX: Final = 1_000
"""How many events one unit of work reads."""

DEPTH_MAX: Final = 3
"""How many rewards may follow from one another; what would be the next is not given."""

EXCLUDING: Final = frozenset(("POINTS_DEBITED", "POINTS_REVERSED", "POINTS_EXPIRED"))
"""The events after which what waits for points to stay may have to be cancelled."""


class Match(NamedTuple):
    """An event, and a version whose filters it passes."""

    occurrence: Occurrence
    listener: Listener


def is_unread(connection: Connection) -> bool:
    """Whether there is anything for `evaluate` to read."""
    return connection.execute(_UNREAD).first() is not None


def evaluate(connection: Connection, now: int, versions: Versions) -> int:
    """Read on by a page: make the deliveries, cancel those that events exclude, move the cursor.

    Gives how far the cursor was moved, in positions.
    """
    cursor: int = connection.execute(_CURSOR).scalar_one()
    listeners = versions.listeners(connection, cursor)
    if not listeners:
        return 0
    start = max(cursor, min(listener.after for listener in listeners))
    end = head(connection)
    if start >= end:
        return 0
    names = {listener.compiled.log_name for listener in listeners} | EXCLUDING
    page = read_occurrences(connection, start, PAGE_MAX, end, names)
    excluded = _exclude(connection, now, page)  # locked before what is new is numbered
    made = _deliveries(connection, now, _match(page, listeners))
    add_deliveries(connection, made)
    save_deliveries(connection, excluded + _exclude_new(connection, now, made))
    reached = page[-1].position if len(page) == PAGE_MAX else end
    connection.execute(_MOVE, {"to": reached})
    return reached - cursor


_UNREAD: Final = (
    select(campaigns.c.id)
    .where(
        campaign_cursor.c.position < log_head.c.position,
        or_(
            campaigns.c.status.in_(LISTENING),
            and_(
                campaigns.c.until_position > campaign_cursor.c.position,
                campaigns.c.until_position < literal(NEVER, WHOLE),
            ),
        ),
    )
    .limit(1)
)
_CURSOR: Final = select(campaign_cursor.c.position).with_for_update()
_MOVE: Final = update(campaign_cursor).values(position=bindparam("to", type_=WHOLE))


# ── who qualifies ─────────────────────────────────────────────────────────────────────────────────


def _match(page: Iterable[Occurrence], listeners: Iterable[Listener]) -> list[Match]:
    listening: defaultdict[str, list[Listener]] = defaultdict(list)
    for listener in listeners:
        listening[listener.compiled.log_name].append(listener)
    found: list[Match] = []
    for occurrence in page:
        if occurrence.name not in listening or occurrence.identity.startswith(ERASED):
            continue
        properties = properties_of(occurrence)
        found += [
            Match(occurrence, listener)
            for listener in listening[occurrence.name]
            if listener.hears(occurrence) and listener.compiled.wants(properties, occurrence.at)
        ]
    return found


def _deliveries(connection: Connection, now: int, matches: Sequence[Match]) -> list[Delivery]:
    """A delivery for each match, but for those whose reward would be one too many in a row."""
    if not matches:
        return []
    depths = _depths(connection, matches)
    issued = _lots_issued(connection, matches)
    made = [
        _delivery(match, depths.get(match.occurrence.origin_id, 0), issued, now)
        for match in matches
        if match.listener.compiled.plan.reward is None
        or depths.get(match.occurrence.origin_id, 0) < DEPTH_MAX
    ]
    _leave_out_unfit(connection, matches, made, now)
    return made


def _delivery(match: Match, depth: int, issued: dict[str, str], now: int) -> Delivery:
    occurrence, listener = match
    plan = listener.compiled.plan
    absence = plan.who.absence
    soon = occurrence.name == "POINTS_EXPIRING_SOON"
    delivery = Delivery(
        id=new_id("dlv"),
        campaign_id=listener.campaign_id,
        version=listener.version,
        trigger_key=occurrence.id,
        is_test=False,
        event_id=occurrence.id,
        member_id=occurrence.member_id,
        wallet_id=occurrence.wallet_id,
        lot_id=occurrence.lot_id or issued.get(occurrence.transaction_id),
        sequence=occurrence.sequence,
        absence="CREDIT_UNREDEEMED" if soon else absence and absence.of,
        depth=depth,
        status="WAITING",
        created_at=now,
    )
    window = (absence.within if absence else 0) + (plan.when.delay or 0)
    delivery.wait("WAITING", occurrence.at + window)
    return delivery


def _leave_out_unfit(
    connection: Connection, matches: Sequence[Match], made: Sequence[Delivery], now: int
) -> None:
    """Skip those whose member the campaign isn't for, with a row that says so."""
    choosy = {
        (match.listener.campaign_id, match.listener.version): match.listener.compiled.suits
        for match in matches
        if match.listener.compiled.plan.who.profile
    }
    asked = [one for one in made if (one.campaign_id, one.version) in choosy]
    members = find_members(connection, {one.member_id for one in asked})
    for one in asked:
        suits = choosy[one.campaign_id, one.version]
        if not suits(profile_of(members[one.member_id]), now):
            one.end("SKIPPED", now, "PROFILE_MISMATCH")


def _lots_issued(connection: Connection, matches: Iterable[Match]) -> dict[str, str]:
    """The lots of the credits whose points must stay, by the credits' ids."""
    ids = {
        match.occurrence.transaction_id
        for match in matches
        if (absence := match.listener.compiled.plan.who.absence)
        and absence.of == "CREDIT_UNREDEEMED"
    }
    if not ids:
        return {}
    rows = connection.execute(_LOTS, {"ids": sorted(ids)}).all()
    return {row[0]: row[1] for row in rows}


_LOTS: Final = select(lots.c.transaction_id, lots.c.id).where(
    lots.c.transaction_id.in_(each("ids")), is_credited(lots)
)


def _depths(connection: Connection, matches: Iterable[Match]) -> dict[str, int]:
    """How many rewards led to each reward among the events, by the credits' ids.

    A reward's key is its delivery's id, written with the credit: known before it is settled.
    """
    rewards = [match.occurrence for match in matches if match.occurrence.campaign_id]
    if not rewards:
        return {}
    asked: dict[str, Any] = {
        "campaign_ids": sorted({str(each.campaign_id) for each in rewards}),
        "member_ids": sorted({each.member_id for each in rewards}),
        "ids": sorted({each.origin_id for each in rewards}),
    }
    return {credit: depth + 1 for credit, depth in connection.execute(_DEPTHS, asked)}


_DEPTHS: Final = (
    select(idempotency_keys.c.transaction_id, deliveries.c.depth)
    .join_from(deliveries, idempotency_keys, idempotency_keys.c.key == deliveries.c.id)
    .where(
        one_of(deliveries.c.campaign_id, "campaign_ids"),
        one_of(deliveries.c.member_id, "member_ids"),
        deliveries.c.placed_at.is_not(None),
        idempotency_keys.c.transaction_id.in_(each("ids")),
    )
)


# ── who qualifies no more ─────────────────────────────────────────────────────────────────────────


def _exclude(connection: Connection, now: int, page: Iterable[Occurrence]) -> list[Delivery]:
    """Cancel what waits for points to stay that are gone.

    What has taken a place under its campaign's limits is left to the courier, which frees it.
    """
    moved = sorted({event.wallet_id for event in page if event.name in EXCLUDING})
    reasons = find_excluded_of_wallets(connection, moved, now) if moved else {}
    if not reasons:
        return []
    locked = lock_deliveries(connection, reasons).values()
    waiting = [one for one in locked if one.status == "WAITING" and one.placed_at is None]
    for one in waiting:
        one.end("CANCELLED", now, reasons[one.id])
    return waiting


def _exclude_new(connection: Connection, now: int, made: Sequence[Delivery]) -> list[Delivery]:
    """The same of what was just made: what excludes it may stand on the very same page."""
    waiting = {one.id: one for one in made if one.absence and one.due_at is not None}
    reasons = find_excluded(connection, waiting, now) if waiting else {}
    for delivery_id, reason in reasons.items():
        waiting[delivery_id].end("CANCELLED", now, reason)
    return [waiting[delivery_id] for delivery_id in reasons]
