"""The event log: every fact in the order of commits, and the CT Points Credited among them.

    last = append(connection, drafts)                 # the last statements of a unit of work
    events = read_credited(connection, after, 100)    # oldest first; nobody's writing is missed

Positions are dense. A writer takes the log's lock just before it inserts, so that positions are
taken in the order of commits and a reader who has seen position n has seen all before it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from models.columns import NEVER, WHOLE
from models.dialects import each, write_at_end
from models.ids import new_ids
from models.sending import read_rows
from models.tables import coupon_uses, details, events, log_head, members, transactions, wallets

Statement = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class EventDraft:
    """A fact that is yet to get its place on the log. `points` are in 1/1000."""

    name: str
    wallet_id: str
    program_id: str
    transaction_id: str | None
    lot_id: str | None
    points: int
    expires_at: int | None
    at: int


@dataclass(frozen=True, slots=True)
class PointsCredited:
    """Points became the member's to spend.

    `transaction_id` is the credit's, also where an activation raised the event; `ct_source` is then
    `System`. `expires_at` is None if the points never expire. `coupon_id` is that of a coupon that
    was redeemed; a code that a credit only told of has none.
    """

    position: int
    id: str
    wallet_id: str
    program_id: str
    transaction_id: str
    points: int
    source: str
    campaign_id: str | None
    description: str | None
    sale_channel: str | None
    location_id: str | None
    sale_amount: float | None
    coupon_code: str | None
    coupon_id: str | None
    ct_source: str
    at: int
    expires_at: int | None
    identity: str


@dataclass(frozen=True, slots=True)
class CreditedFilter:
    """Which CT Points Credited are wanted: those that are all that is set here."""

    wallet_id: str | None = None
    identity: str | None = None
    program_id: str | None = None
    sources: Collection[str] | None = None
    campaign_id: str | None = None
    min_points: int | None = None

    def wants(self, event: PointsCredited) -> bool:
        """The event is one of these."""
        return (
            (self.wallet_id is None or event.wallet_id == self.wallet_id)
            and (self.identity is None or event.identity == self.identity)
            and (self.program_id is None or event.program_id == self.program_id)
            and (self.sources is None or event.source in self.sources)
            and (self.campaign_id is None or event.campaign_id == self.campaign_id)
            and (self.min_points is None or event.points >= self.min_points)
        )


ANY: Final = CreditedFilter()

MARK_LENGTH: Final = 8


class LogEnd(NamedTuple):
    """Where the log has got to: its last position, and how many members were erased by then.

    Of two, the greater is the later: neither number ever falls, and both change under one lock.
    """

    position: int
    erasures: int


# ── writing ──────────────────────────────────────────────────────────────────────────────────────

_COUNT_ERASURE: Final = (
    update(log_head).where(log_head.c.id == 1).values(erasures=log_head.c.erasures + 1)
)


def append(connection: Connection, drafts: Sequence[EventDraft]) -> int:
    """Write events to the log's end, in their order; the position of the last.

    From here to the commit the log is locked: let nothing follow that takes long.
    """
    ids = new_ids("evt", len(drafts))
    return write_at_end(connection, log_head, events, list(map(_row, ids, drafts)))


def note_erasure(connection: Connection) -> None:
    """Count a member that was erased: whoever remembers events then forgets them.

    From here to the commit the log is locked, as by `append`.
    """
    connection.execute(_COUNT_ERASURE)


def _row(id: str, draft: EventDraft) -> tuple[Any, ...]:
    """All of it but its position."""
    return (
        id,
        draft.name,
        draft.wallet_id,
        draft.program_id,
        draft.transaction_id,
        draft.lot_id,
        draft.points,
        draft.expires_at,
        draft.at,
    )


# ── reading ──────────────────────────────────────────────────────────────────────────────────────

_END: Final = select(log_head.c.position, log_head.c.erasures)


def ct_source(row: FromClause) -> ColumnElement[str]:
    """What raised the event that tells of a transaction: who asked for it, or else the clock.

    No row at all is the clock's, too: it tells of lots that expire soon.
    """
    by_clock = or_(row.c.id.is_(None), row.c.kind.in_([literal("ACTIVATION"), literal("EXPIRY")]))
    return case(
        (by_clock, literal("System")),
        (row.c.source == literal("MANUAL"), literal("Dashboard")),
        (row.c.source == literal("CAMPAIGN"), literal("Campaign")),
        else_=literal("API"),
    )


_ID: Final = select(events.c.id).where(events.c.position == bindparam("position", type_=WHOLE))


_credit: Final = transactions.alias("credit")
_credit_id: Final = case(
    (transactions.c.kind == literal("ACTIVATION"), transactions.c.related_id),
    else_=transactions.c.id,
)
_CREDITED: Final[Statement] = (
    select(
        events.c.position,
        events.c.id,
        events.c.wallet_id,
        events.c.program_id,
        _credit.c.id,
        events.c.points,
        _credit.c.source,
        _credit.c.campaign_id,
        details.c.description,
        details.c.sale_channel,
        details.c.location_id,
        details.c.sale_amount,
        details.c.coupon_code,
        coupon_uses.c.coupon_id,
        ct_source(transactions),
        events.c.at,
        func.nullif(events.c.expires_at, literal(NEVER, WHOLE)),
        members.c.identity,
    )
    .join_from(events, transactions, transactions.c.id == events.c.transaction_id)
    .join(_credit, _credit.c.id == _credit_id)
    .join(wallets, wallets.c.id == events.c.wallet_id)
    .join(members, members.c.id == wallets.c.member_id)
    .outerjoin(details, details.c.transaction_id == _credit.c.id)
    .outerjoin(coupon_uses, coupon_uses.c.transaction_id == _credit.c.id)
    .where(events.c.name == literal("POINTS_CREDITED"))
)
_BY_ID: Final = _CREDITED.where(events.c.id.in_(each("ids")))

_member_wallets: Final = (
    select(wallets.c.id)
    .join(members, members.c.id == wallets.c.member_id)
    .where(members.c.identity == bindparam("identity"))
    .correlate(None)
)
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "wallet_id": events.c.wallet_id == bindparam("wallet_id"),
    "identity": events.c.wallet_id.in_(_member_wallets),
    "program_id": events.c.program_id == bindparam("program_id"),
    "sources": _credit.c.source.in_(each("sources")),
    "campaign_id": _credit.c.campaign_id == bindparam("campaign_id"),
    "min_points": events.c.points >= bindparam("min_points", type_=WHOLE),
}
_FIELDS: Final = tuple(field.name for field in fields(CreditedFilter))


def log_end(connection: Connection) -> LogEnd:
    """Where the log has got to; its position is 0 before the first event."""
    return LogEnd(*read_rows(connection, _END, {})[0])


def head(connection: Connection) -> int:
    """The position of the log's last event, 0 before the first."""
    return log_end(connection).position


def mark_of(event_id: str) -> str:
    """What tells an event from another that had its place: on a log brought back from a backup."""
    return sha256(event_id.encode()).hexdigest()[:MARK_LENGTH]


def find_mark(connection: Connection, position: int) -> str | None:
    """The mark of the event at a position, and of the log's beginning; None beyond its end."""
    if position == 0:
        return mark_of("")
    event_id = connection.execute(_ID, {"position": position}).scalar()
    return None if event_id is None else mark_of(event_id)


def read_credited(
    connection: Connection,
    after: int,
    limit: int,
    filter: CreditedFilter = ANY,
    until: int = NEVER,
) -> list[PointsCredited]:
    """The first CT Points Credited past a position that the filter wants, oldest first.

    `until` is the last position to look at: it bounds how long a choosy filter reads on.
    """
    wanted = {name: getattr(filter, name) for name in _FIELDS}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    bounds = {"after": after, "until": until, "limit": limit}
    found = read_rows(connection, _credited_with(tuple(wanted)), wanted | bounds)
    return [PointsCredited(*row) for row in found]


def find_credited(connection: Connection, ids: Iterable[str]) -> dict[str, PointsCredited]:
    """The CT Points Credited with these ids, those that there are."""
    found = [PointsCredited(*row) for row in read_rows(connection, _BY_ID, {"ids": list(ids)})]
    return {event.id: event for event in found}


@cache
def _credited_with(wanted: tuple[str, ...]) -> Statement:
    """The statement for filters that set these fields: one of 64."""
    past = events.c.position > bindparam("after", type_=WHOLE)
    early = events.c.position <= bindparam("until", type_=WHOLE)
    conditions = [_CONDITIONS[name] for name in wanted]
    statement = _CREDITED.where(past, early, *conditions).order_by(events.c.position)
    return statement.limit(bindparam("limit", type_=WHOLE))
