"""Pages: campaigns, deliveries, channels and inboxes, read and listed newest first, and counted.

Each function is a fixed number of statements. What has come by the clock counts as if written: a
campaign whose end has passed is COMPLETED, a wait that is over is DUE.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)

from campaigns.lifecycle import LISTENING
from campaigns.records import Attempt, Campaign, Channel, Delivery, InboxMessage
from ledger.due import NOW
from models.columns import WHOLE
from models.dialects import FirstOfEach, each
from models.tables import (
    attempts,
    campaign_versions,
    campaigns,
    channels,
    deliveries,
    inbox_messages,
    members,
    transactions,
)
from models.windows import LIMIT, Cut, Filter, Page, Shape, Window

Rows = Select[*tuple[Any, ...]]
_IDS: Final = each("ids")


def _found(table: FromClause) -> Rows:
    return select(table).where(table.c.id.in_(_IDS))


_CHANNELS: Final = select(channels).order_by(channels.c.id)
_CHANNELS_FOUND, _CAMPAIGNS_FOUND = _found(channels), _found(campaigns)
_INBOX_FOUND: Final = _found(inbox_messages)


def list_channels(connection: Connection) -> list[Channel]:
    """All channels, in the order in which they were opened."""
    return [Channel(*row) for row in connection.execute(_CHANNELS)]


def find_channels(connection: Connection, ids: Iterable[str]) -> dict[str, Channel]:
    """The channels with these ids, those that there are."""
    return {row[0]: Channel(*row) for row in connection.execute(_CHANNELS_FOUND, {"ids": [*ids]})}


def find_campaigns(connection: Connection, ids: Iterable[str]) -> dict[str, Campaign]:
    """The campaigns with these ids, those that there are."""
    return {row[0]: Campaign(*row) for row in connection.execute(_CAMPAIGNS_FOUND, {"ids": [*ids]})}


def find_inbox_messages(connection: Connection, ids: Iterable[str]) -> dict[str, InboxMessage]:
    """The messages with these ids, those that there are."""
    found = connection.execute(_INBOX_FOUND, {"ids": [*ids]})
    return {row[0]: InboxMessage(*row) for row in found}


# ── campaigns ─────────────────────────────────────────────────────────────────────────────────────

_is_over: Final = and_(campaigns.c.status.in_(LISTENING), campaigns.c.ends_at <= NOW)
_STATUS: Final[ColumnElement[Any]] = case(
    (_is_over, literal("COMPLETED")), else_=campaigns.c.status
)


def page_campaigns(
    connection: Connection, window: Window, status: str | None, now: int
) -> Page[Campaign]:
    """The campaigns that have a status at `now`, or all."""
    asked = {"status": status, "now": now} | window.params
    rows = connection.execute(_campaigns(status is not None, window.cut), asked)
    return window.page([((row[0],), Campaign(*row)) for row in rows])


@cache
def _campaigns(by_status: bool, cut: Cut) -> Rows:  # noqa: FBT001 - part of the statement's shape
    key = [campaigns.c.id]
    which = [bindparam("status") == _STATUS] if by_status else []
    listed = select(campaigns).where(*which, *cut.bounds(key)).order_by(*cut.order(key))
    return listed.limit(LIMIT)


# ── deliveries ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DeliveryFilter(Filter):
    """Deliveries by campaign, member, status at an instant, reason and event."""

    campaign_id: str | None = None
    identity: str | None = None
    statuses: Sequence[str] | None = None
    reasons: Sequence[str] | None = None
    event_id: str | None = None


_is_due: Final = and_(
    deliveries.c.status.in_([literal("WAITING"), literal("RETRYING")]), deliveries.c.due_at <= NOW
)
_STATE: Final[ColumnElement[Any]] = case((_is_due, literal("DUE")), else_=deliveries.c.status)
_theirs: Final = select(members.c.id).where(members.c.identity == bindparam("identity"))
_told: Final = deliveries.alias()
# An event's are few: they are found first, and never sought along the list's order. The offset
# keeps the databases from taking the two for one.
_of_event: Final = (
    select(_told.c.id).where(_told.c.event_id == bindparam("event_id")).offset(literal(0, WHOLE))
)
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "campaign_id": deliveries.c.campaign_id == bindparam("campaign_id"),
    "identity": deliveries.c.member_id == _theirs.scalar_subquery(),
    "statuses": _STATE.in_(each("statuses")),
    "reasons": deliveries.c.reason.in_(each("reasons")),
    "event_id": deliveries.c.id.in_(_of_event),
}


def page_deliveries(
    connection: Connection, window: Window, filter: DeliveryFilter, now: int
) -> Page[Delivery]:
    """The deliveries that the filter wants at `now`."""
    asked = filter.params | window.params | {"now": now}
    rows = connection.execute(_deliveries(filter.shape, window.cut), asked)
    return window.page([((row[0],), Delivery(*row)) for row in rows])


@cache
def _deliveries(shape: Shape, cut: Cut) -> Rows:
    key = [deliveries.c.id]
    wanted = [*(_CONDITIONS[name] for name in shape), *cut.bounds(key)]
    return select(deliveries).where(*wanted).order_by(*cut.order(key)).limit(LIMIT)


_ATTEMPTS: Final = (
    select(attempts)
    .where(attempts.c.delivery_id.in_(_IDS))
    .order_by(attempts.c.delivery_id, attempts.c.number)
)


def list_attempts(connection: Connection, ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """The attempts of each of these deliveries, the first first."""
    found: dict[str, list[Attempt]] = {delivery_id: [] for delivery_id in ids}
    for row in connection.execute(_ATTEMPTS, {"ids": list(ids)}):
        found[row[0]].append(Attempt(*row))
    return found


_CHANGED: Final = (
    select(deliveries)
    .where(
        deliveries.c.revision > bindparam("after", type_=WHOLE),
        deliveries.c.revision <= bindparam("until", type_=WHOLE),
    )
    .order_by(deliveries.c.revision)
    .limit(bindparam("limit", type_=WHOLE))
)


def read_changed(connection: Connection, after: int, until: int, limit: int) -> list[Delivery]:
    """The first deliveries that have changed past a revision, in the order of their changes."""
    asked = {"after": after, "until": until, "limit": limit}
    return [Delivery(*row) for row in connection.execute(_CHANGED, asked)]


# ── inboxes ───────────────────────────────────────────────────────────────────────────────────────


def page_inboxes(
    connection: Connection, member_ids: Sequence[str], window: Window
) -> dict[str, Page[InboxMessage]]:
    """The messages in each of these members' inboxes."""
    found = connection.execute(
        _inboxes(window.cut).on(connection), {"ids": member_ids} | window.params
    )
    of_member: dict[str, list[InboxMessage]] = {member_id: [] for member_id in member_ids}
    for row in found:
        message = InboxMessage(*row)
        of_member[message.member_id].append(message)
    return {
        member_id: window.page(
            [
                ((message.id,), message)
                for message in sorted(rows, key=lambda one: one.id, reverse=window.cut.forward)
            ]
        )
        for member_id, rows in of_member.items()
    }


@cache
def _inboxes(cut: Cut) -> FirstOfEach:
    def chosen(rows: FromClause) -> tuple[Any, list[Any]]:
        key = [rows.c.id]
        return and_(rows.c.member_id == members.c.id, *cut.bounds(key)), cut.order(key)

    return FirstOfEach(members, inbox_messages, chosen, members.c.id.in_(_IDS))


_OF_DELIVERIES: Final = select(inbox_messages).where(inbox_messages.c.delivery_id.in_(_IDS))


def find_inbox_messages_of(
    connection: Connection, delivery_ids: Iterable[str]
) -> dict[str, InboxMessage]:
    """What these deliveries put into inboxes, by the deliveries' ids."""
    found = connection.execute(_OF_DELIVERIES, {"ids": [*delivery_ids]})
    return {row[1]: InboxMessage(*row) for row in found}


# ── stats ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Stats:
    """What became of a campaign's deliveries, tests apart.

    `failed` counts those, too, of which it isn't known. `skipped` are those that were skipped or
    cancelled, by reason. Conversions are told where a goal was set, as shares of 1.
    """

    qualified: int = 0
    waiting: int = 0
    sent: int = 0
    failed: int = 0
    held_out: int = 0
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    converted: int = 0
    held_out_converted: int = 0
    has_goal: bool = False


_own: Final = and_(
    deliveries.c.campaign_id == bindparam("campaign_id"), deliveries.c.is_test == false()
)
_COUNTS: Final = (
    select(deliveries.c.status, deliveries.c.reason, func.count())
    .where(_own)
    .group_by(deliveries.c.status, deliveries.c.reason)
)
_redeemed: Final = exists().where(
    transactions.c.wallet_id == deliveries.c.wallet_id,
    transactions.c.effective_at >= deliveries.c.settled_at,
    transactions.c.effective_at < deliveries.c.settled_at + campaign_versions.c.conversion_within,
    transactions.c.kind == literal("DEBIT"),
    transactions.c.flow == literal("redeemed"),
)
_CONVERSIONS: Final = (
    select(deliveries.c.status, func.count())
    .join(
        campaign_versions,
        and_(
            campaign_versions.c.campaign_id == deliveries.c.campaign_id,
            campaign_versions.c.version == deliveries.c.version,
        ),
    )
    .where(
        _own,
        or_(deliveries.c.status == literal("SENT"), deliveries.c.status == literal("HELD_OUT")),
        campaign_versions.c.conversion_within.is_not(None),
        _redeemed,
    )
    .group_by(deliveries.c.status)
)
_GOALS: Final = select(func.count(campaign_versions.c.conversion_within)).where(
    campaign_versions.c.campaign_id == bindparam("campaign_id")
)


def read_stats(connection: Connection, campaign_id: str) -> Stats:
    """Count what became of a campaign's deliveries. It takes longer the more there are."""
    asked = {"campaign_id": campaign_id}
    stats = Stats(has_goal=connection.execute(_GOALS, asked).scalar_one() > 0)
    for status, reason, count in connection.execute(_COUNTS, asked):
        if reason != "PROFILE_MISMATCH":
            stats.qualified += count
        match status:
            case "SENT":
                stats.sent += count
            case "HELD_OUT":
                stats.held_out += count
            case "FAILED" | "UNKNOWN":
                stats.failed += count
            case "SKIPPED" | "CANCELLED":
                stats.skipped[reason] = stats.skipped.get(reason, 0) + count
            case _:
                stats.waiting += count
    if stats.has_goal:
        rows = connection.execute(_CONVERSIONS, asked).all()
        converted: dict[str, int] = {row[0]: row[1] for row in rows}
        stats.converted = converted.get("SENT", 0)
        stats.held_out_converted = converted.get("HELD_OUT", 0)
    return stats
