"""Absences: whether what must not follow an event did follow it, by what the book says of then.

    gone = find_gone(connection, absence, page, now)      # the ids of the events that it followed

An event's window is [at, at + within), as far as it has passed. What is redeemed at its end comes
too late; what expires at its end is gone by then, as it is to whoever looks at that very instant.
A fixed number of statements, whatever the number of events.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, literal, select

from campaigns.plans import Absence
from events.occurrences import Occurrence
from ledger.due import lot_expiry
from models.columns import WHOLE
from models.dialects import each
from models.tables import events, lot_changes, lots, transactions, wallets
from models.wallets import is_credited

EXPIRY: Final = "EXPIRY"


def find_gone(
    connection: Connection, absence: Absence, page: Sequence[Occurrence], now: int
) -> set[str]:
    """Which of these events, all of one name, don't count: their points, or any, didn't stay."""
    if not page:
        return set()
    if absence.of == "WALLET_UNREDEEMED":
        return _followed_by_debits(connection, absence, page, now)
    return _of_lots_used_up(connection, absence, page, now)


# ── wallets ───────────────────────────────────────────────────────────────────────────────────────


def _followed_by_debits(
    connection: Connection, absence: Absence, page: Sequence[Occurrence], now: int
) -> set[str]:
    asked = {"ids": [one.id for one in page]}
    among: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for wallet_id, sequence, at in connection.execute(_DEBITS_AMONG, asked):
        among[wallet_id].append((sequence, at))
    rows = connection.execute(_DEBIT_AFTER, asked).all()
    after: dict[str, int | None] = {row[0]: row[1] for row in rows}
    gone: set[str] = set()
    for one in page:
        assert one.sequence is not None, f"{one.name} has no row in its wallet"
        # In a wallet, neither sequences nor instants run backwards: the next debit is the first.
        debits = among[one.wallet_id]
        later = bisect_right(debits, one.sequence, key=itemgetter(0))
        at = debits[later][1] if later < len(debits) else after[one.wallet_id]
        if at is not None and at < min(one.at + absence.within, now + 1):
            gone.add(one.id)
    return gone


def _redeems(rows: Any) -> ColumnElement[bool]:
    return and_(rows.c.kind == literal("DEBIT"), rows.c.flow == literal("redeemed"))


_own: Final = transactions.alias("own")
_span: Final = (
    select(
        _own.c.wallet_id,
        func.min(_own.c.sequence).label("first"),
        func.max(_own.c.sequence).label("last"),
    )
    .join_from(events, _own, _own.c.id == events.c.transaction_id)
    .where(events.c.id.in_(each("ids")))
    .group_by(_own.c.wallet_id)
    .subquery("span")
)
_next: Final = transactions.alias("next")
_next_debit: Final = (
    select(_next.c.effective_at)
    .where(_next.c.wallet_id == _span.c.wallet_id, _next.c.sequence > _span.c.last, _redeems(_next))
    .order_by(_next.c.sequence)
    .limit(1)
    .correlate(_span)
    .scalar_subquery()
)
# Two statements for all of a wallet's events: no row is looked at anew for each of them.
_DEBIT_AFTER: Final[Select[*tuple[Any, ...]]] = select(_span.c.wallet_id, _next_debit)
_DEBITS_AMONG: Final[Select[*tuple[Any, ...]]] = (
    select(transactions.c.wallet_id, transactions.c.sequence, transactions.c.effective_at)
    .join_from(_span, transactions, transactions.c.wallet_id == _span.c.wallet_id)
    .where(
        transactions.c.sequence > _span.c.first,
        transactions.c.sequence <= _span.c.last,
        _redeems(transactions),
    )
    .order_by(transactions.c.wallet_id, transactions.c.sequence)
)


# ── credits ───────────────────────────────────────────────────────────────────────────────────────


class Change(NamedTuple):
    """What a transaction took from a lot, or gave back to it."""

    at: int
    kind: str
    points: int


@dataclass(frozen=True, slots=True)
class Tenure:
    """A lot from its beginning to now. `expiry` is as things stand."""

    issued: int
    remaining: int
    follows_activity: bool
    expiry: int
    changes: list[Change]

    def has_at(self, end: int, now: int) -> bool:
        """It still had points at the end of a window, or has them now if that is yet to come."""
        looked_at = min(end, now)
        # A lot that follows activity has no expiry of its own once it is used up: its rows say it.
        if self.expiry <= looked_at and (self.remaining > 0 or not self.follows_activity):
            return False
        left = self.issued + sum(
            change.points
            for change in self.changes
            if change.at < min(end, now + 1) or (change.kind == EXPIRY and change.at <= looked_at)
        )
        return left > 0


def _of_lots_used_up(
    connection: Connection, absence: Absence, page: Sequence[Occurrence], now: int
) -> set[str]:
    tenures = _tenures(connection, page, max(one.at for one in page) + absence.within)
    return {
        one.id
        for one in page
        if not tenures[one.lot_id or one.transaction_id].has_at(one.at + absence.within, now)
    }


def _tenures(connection: Connection, page: Sequence[Occurrence], until: int) -> dict[str, Tenure]:
    """The lots that events are about, by their own ids or their credits', changed until then."""
    by_id = {one.lot_id for one in page if one.lot_id}
    by_credit = {one.transaction_id for one in page if not one.lot_id}
    rows = [
        *(connection.execute(_LOTS_BY_ID, {"ids": sorted(by_id)}) if by_id else ()),
        *(connection.execute(_LOTS_BY_CREDIT, {"ids": sorted(by_credit)}) if by_credit else ()),
    ]
    asked: dict[str, Any] = {
        "lot_ids": sorted({lot_id for _, lot_id, *_ in rows}),
        "wallet_ids": sorted({one.wallet_id for one in page}),
        "since": min((issued_at for _, _, issued_at, *_ in rows), default=until),
        "until": until,
    }
    changes: defaultdict[str, list[Change]] = defaultdict(list)
    for lot_id, at, kind, points in connection.execute(_CHANGES, asked):
        changes[lot_id].append(Change(at, kind, points))
    return {
        key: Tenure(issued, remaining, follows, expiry, changes[lot_id])
        for key, lot_id, _, issued, remaining, follows, expiry in rows
    }


def _lots(key: ColumnElement[str], *which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            key,
            lots.c.id,
            lots.c.issued_at,
            lots.c.issued,
            lots.c.remaining,
            lots.c.follows_activity,
            lot_expiry(lots, wallets),
        )
        .join_from(lots, wallets, wallets.c.id == lots.c.wallet_id)
        .where(key.in_(each("ids")), *which)
    )


_LOTS_BY_ID: Final = _lots(lots.c.id)
_LOTS_BY_CREDIT: Final = _lots(lots.c.transaction_id, is_credited(lots))
_CHANGES: Final[Select[*tuple[Any, ...]]] = (
    select(
        lot_changes.c.lot_id,
        transactions.c.effective_at,
        transactions.c.kind,
        lot_changes.c.remaining_change,
    )
    .join_from(transactions, lot_changes, lot_changes.c.transaction_id == transactions.c.id)
    .where(
        transactions.c.wallet_id.in_(each("wallet_ids")),
        transactions.c.effective_at >= bindparam("since", type_=WHOLE),
        transactions.c.effective_at <= bindparam("until", type_=WHOLE),
        lot_changes.c.lot_id.in_(each("lot_ids")),
        lot_changes.c.remaining_change != literal(0, WHOLE),
    )
)
