"""Occurrences: the events of the log that campaigns listen to, each with all that is true of it.

    page = read_occurrences(connection, after, 1_000, names={"POINTS_DEBITED"})   # oldest first

An event tells of a row of the ledger, its *own*; `POINTS_EXPIRING_SOON` tells of a lot and has
none. Its *origin* is the transaction that says where the points come from. What an occurrence has:

    event         | transaction_id | origin          | description | raised by (ct_source)
    --------------+----------------+-----------------+-------------+------------------------------
    credited      | the credit's   | the credit      | origin's    | the credit's source, or the
                  |                |                 |             | clock, by an activation
    promised      | own            | the credit: own | own         | its source
    debited       | own            | the debit: own  | own         | its source
    reversed      | own            | the credit      | own         | the API
    refunded      | own            | the debit       | own         | the API
    expired       | own            | what issued the | origin's    | the clock
                  |                | lot             |             |
    expiring soon | origin's       | what issued the | origin's    | the clock
                  |                | lot             |             |

`source`, `campaign_id`, the coupon and the sale are the origin's. A transfer or a refund's grace
may have issued a lot: it has no source. `points` are what this event is about, never the origin's.
`expires_at` is the log's: of what was credited, promised or expires soon; else None.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import (
    Connection,
    FromClause,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)

from events.log import Statement, ct_source
from models.columns import NEVER, WHOLE
from models.dialects import each
from models.tables import (
    coupon_uses,
    details,
    events,
    lot_changes,
    lots,
    members,
    transactions,
    wallets,
)

NAMES: Final = (
    "POINTS_CREDITED",
    "POINTS_DEBITED",
    "POINTS_PROMISED",
    "POINTS_EXPIRING_SOON",
    "POINTS_EXPIRED",
    "POINTS_REVERSED",
    "POINTS_REFUNDED",
)
"""The log's names of the events that a campaign may listen to."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event that a campaign may listen to. `points` are in 1/1000, instants in microseconds.

    `origin_id` is the transaction that the points come from: the credit that was reversed, the
    debit that was refunded, what issued the lot that expires. `sequence` is that of the event's own
    row in its wallet. `lot_id` is known of what expired, or will soon.
    """

    position: int
    id: str
    name: str
    wallet_id: str
    program_id: str
    member_id: str
    identity: str
    transaction_id: str
    origin_id: str
    sequence: int | None
    lot_id: str | None
    points: int
    source: str | None
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


_own: Final = transactions.alias()
_origin: Final = transactions.alias()
_said: Final = details.alias()
_sold: Final = details.alias()
_origin_id: Final = func.coalesce(lots.c.transaction_id, _own.c.related_id, _own.c.id)
_told_id: Final = case(
    (or_(_own.c.id.is_(None), _own.c.kind == literal("ACTIVATION")), _origin.c.id),
    else_=_own.c.id,
)
_said_id: Final = case((_own.c.kind == literal("EXPIRY"), _origin.c.id), else_=_told_id)


def _told(events: FromClause) -> Statement:
    """All that is true of some events, by index: those that a subquery has chosen beforehand.

    Nothing is joined but what was chosen, however little a database knows of its tables.
    """
    # An expiry names its lot by its only change.
    of_lot = and_(
        events.c.name == literal("POINTS_EXPIRED"),
        lot_changes.c.transaction_id == events.c.transaction_id,
        lot_changes.c.ordinal == literal(0, WHOLE),
    )
    lot_id = func.coalesce(events.c.lot_id, lot_changes.c.lot_id)
    return (
        select(
            events.c.position,
            events.c.id,
            events.c.name,
            events.c.wallet_id,
            events.c.program_id,
            wallets.c.member_id,
            members.c.identity,
            _told_id,
            _origin.c.id,
            _own.c.sequence,
            lots.c.id,
            events.c.points,
            _origin.c.source,
            _origin.c.campaign_id,
            _said.c.description,
            _sold.c.sale_channel,
            _sold.c.location_id,
            _sold.c.sale_amount,
            _sold.c.coupon_code,
            coupon_uses.c.coupon_id,
            ct_source(_own),
            events.c.at,
            func.nullif(events.c.expires_at, literal(NEVER, WHOLE)),
        )
        .join_from(events, wallets, wallets.c.id == events.c.wallet_id)
        .join(members, members.c.id == wallets.c.member_id)
        .outerjoin(_own, _own.c.id == events.c.transaction_id)
        .outerjoin(lot_changes, of_lot)
        .outerjoin(lots, lots.c.id == lot_id)
        .join(_origin, _origin.c.id == _origin_id)
        .outerjoin(_said, _said.c.transaction_id == _said_id)
        .outerjoin(_sold, _sold.c.transaction_id == _origin.c.id)
        .outerjoin(coupon_uses, coupon_uses.c.transaction_id == _origin.c.id)
        .order_by(events.c.position)
    )


_BY_ID: Final = _told(
    select(events)
    .where(events.c.id.in_(each("ids")), events.c.name.in_([literal(name) for name in NAMES]))
    .subquery()
)


def read_occurrences(
    connection: Connection,
    after: int,
    limit: int,
    until: int = NEVER,
    names: Collection[str] | None = None,
) -> list[Occurrence]:
    """The first occurrences past a position, oldest first; of these names, if they are given.

    `until` is the last position to look at: it bounds how long a read goes on that finds little.
    Names that no campaign may listen to find nothing.
    """
    wanted = tuple(name for name in NAMES if names is None or name in names)
    if not wanted:
        return []
    bounds = {"after": after, "until": until, "limit": limit}
    return [Occurrence(*row) for row in connection.execute(_occurred_as(wanted), bounds)]


def find_occurrences(connection: Connection, ids: Iterable[str]) -> dict[str, Occurrence]:
    """The occurrences with these events' ids, those that there are."""
    found = [Occurrence(*row) for row in connection.execute(_BY_ID, {"ids": list(ids)})]
    return {occurrence.id: occurrence for occurrence in found}


@cache
def _occurred_as(names: tuple[str, ...]) -> Statement:
    """The statement for these names: one of 127."""
    page = (
        select(events)
        .where(
            events.c.position > bindparam("after", type_=WHOLE),
            events.c.position <= bindparam("until", type_=WHOLE),
            events.c.name.in_([literal(name) for name in names]),
        )
        .order_by(events.c.position)
        .limit(bindparam("limit", type_=WHOLE))
    )
    return _told(page.subquery())
