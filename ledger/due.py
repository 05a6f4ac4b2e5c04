"""What is due: the movements that the clock has made and nobody has written down yet.

Time is part of the balance. Every read that counts points adds these movements, in the same
statement as the rows that they move, so that it shows what it would show had they been written.
"""

from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from models.columns import WHOLE
from models.tables import held_lots, holds, lots, wallets
from models.wallets import is_open, is_promised, is_running

Number = ColumnElement[int]
Movement = Select[*tuple[Any, ...]]
Movements = CompoundSelect[*tuple[Any, ...]]

NOW: Final[BindParameter[int]] = bindparam("now", type_=WHOLE)
"""The instant at which a statement looks, bound as `now`."""

_NONE: Final[Number] = literal_column("0", WHOLE)


def total(column: ColumnElement[Any]) -> Number:
    """The sum of a column, 0 over no rows; cast, for PostgreSQL sums integers to decimals."""
    return func.coalesce(cast(func.sum(column), WHOLE), _NONE)


def later(one: Number, other: Number) -> Number:
    """The later of two instants."""
    return case((one > other, one), else_=other)


def lot_expiry(lots: FromClause, wallets: FromClause) -> Number:
    """When a lot expires as things stand: its own instant, or its wallet's activity's.

    Never before the lot's own `expires_at`.
    """
    follows = and_(lots.c.follows_activity == true(), lots.c.expires_at > wallets.c.lapsed_at)
    prolonged = later(lots.c.expires_at, wallets.c.activity_expires_at)
    return case((follows, prolonged), else_=lots.c.expires_at)


def may_expire_by(lots: FromClause, instant: Number) -> ColumnElement[bool]:
    """What an index can tell of the lots that expire by an instant: it leaves out none of them."""
    return and_(lots.c.follows_activity.in_([false(), true()]), lots.c.expires_at <= instant)


def due_movements(now: BindParameter[int], *which: ColumnElement[bool]) -> Movements:
    """Every movement that is due at `now` and not written: one row for each lot, or hold and lot.

    The columns are wallet_id, program_id, the signed changes to active, promised, held and
    expired, and `at`, the instant from which they hold. `which` chooses among the wallets.
    """
    return union_all(*_movements(now, *which))


def active_as_of(listed: FromClause, now: BindParameter[int]) -> Number:
    """The points that a wallet, a row of an alias of the table, has to spend at `now`."""
    movements = _movements(now, wallets.c.id == listed.c.id)
    due = union_all(*[movement.correlate(listed) for movement in movements]).subquery()
    moved = select(total(due.c.active)).scalar_subquery()
    return case((listed.c.due_at <= now, listed.c.active + moved), else_=listed.c.active)


def _movements(now: BindParameter[int], *which: ColumnElement[bool]) -> list[Movement]:
    due = (wallets.c.due_at <= now, *which)
    return [_activations(now, *due), _expiries(now, *due), _releases(now, *due)]


def _activations(now: BindParameter[int], *which: ColumnElement[bool]) -> Movement:
    points, expiry = lots.c.remaining, lot_expiry(lots, wallets)
    lasts = expiry > now
    return (
        _movement(
            active=case((lasts, points), else_=_NONE),
            promised=-points,
            held=_NONE,
            expired=case((lasts, _NONE), else_=points),
            at=case((lasts, lots.c.active_at), else_=expiry),
        )
        .join_from(wallets, lots, lots.c.wallet_id == wallets.c.id)
        .where(*which, is_promised(lots), lots.c.active_at <= now)
    )


def _expiries(now: BindParameter[int], *which: ColumnElement[bool]) -> Movement:
    points, expiry = lots.c.remaining - lots.c.held, lot_expiry(lots, wallets)
    return (
        _movement(active=-points, promised=_NONE, held=_NONE, expired=points, at=expiry)
        .join_from(wallets, lots, lots.c.wallet_id == wallets.c.id)
        .where(*which, is_open(lots), may_expire_by(lots, now), expiry <= now)
    )


def _releases(now: BindParameter[int], *which: ColumnElement[bool]) -> Movement:
    points, expiry = held_lots.c.held, lot_expiry(lots, wallets)
    lasts = expiry > now
    return (
        _movement(
            active=case((lasts, points), else_=_NONE),
            promised=_NONE,
            held=-points,
            expired=case((lasts, _NONE), else_=points),
            at=case((lasts, holds.c.expires_at), else_=later(expiry, holds.c.expires_at)),
        )
        .join_from(wallets, holds, holds.c.wallet_id == wallets.c.id)
        .join(held_lots, held_lots.c.hold_id == holds.c.id)
        .join(lots, lots.c.id == held_lots.c.lot_id)
        .where(*which, is_running(holds), holds.c.expires_at <= now, points > 0)
    )


def _movement(**columns: Number) -> Movement:
    named = [column.label(name) for name, column in columns.items()]
    return select(wallets.c.id.label("wallet_id"), wallets.c.program_id, *named)
