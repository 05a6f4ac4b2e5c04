"""The writer's statements: what a batch reads, each once for all of its commands.

Built once, when this is imported. Every list of ids is one parameter; wallets are locked in the
order of their ids.
"""

from typing import Any, Final

from sqlalchemy import (
    FromClause,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)

from ledger.calendar import DAY_US
from models.columns import NEVER
from models.dialects import FirstOfEach, each
from models.tables import (
    coupon_uses,
    coupons,
    held_lots,
    holds,
    idempotency_keys,
    lot_changes,
    lots,
    members,
    programs,
    transactions,
    wallets,
)
from models.wallets import is_open, is_promised, is_running

_now: Final = bindparam("now", type_=wallets.c.due_at.type)

KEYS: Final = select(
    idempotency_keys.c.key,
    idempotency_keys.c.fingerprint,
    idempotency_keys.c.transaction_id,
    idempotency_keys.c.refusal,
).where(idempotency_keys.c.key.in_(each("keys")))
FREE_KEYS: Final = idempotency_keys.delete().where(idempotency_keys.c.key.in_(each("keys")))

TRANSACTIONS: Final = select(transactions).where(transactions.c.id.in_(each("ids")))
HOLD_WALLETS: Final = select(holds.c.id, holds.c.wallet_id).where(holds.c.id.in_(each("ids")))
MEMBERS: Final = select(members.c.identity, members.c.id).where(
    members.c.identity.in_(each("identities"))
)
MEMBERS_TO_STAY: Final = MEMBERS.with_for_update(read=True, key_share=True)
"""Locked so that nobody erases them meanwhile."""

OWNERS: Final = (
    select(members.c.identity, members.c.id, wallets.c.id, programs.c.name)
    .outerjoin(wallets, wallets.c.member_id == members.c.id)
    .outerjoin(programs, programs.c.id == wallets.c.program_id)
    .where(members.c.identity.in_(each("identities")))
)
"""The members, each with all their wallets, which are as few as there are programs."""

_WALLETS: Final = select(wallets).where(wallets.c.id.in_(each("ids"))).order_by(wallets.c.id)
WALLETS: Final = _WALLETS.with_for_update()
FREE_WALLETS: Final = _WALLETS.with_for_update(skip_locked=True)
"""Those that nobody else is writing: for the sweeper, which waits for none."""

PROGRAMS: Final = select(programs).where(
    or_(programs.c.id.in_(each("ids")), programs.c.name.in_(each("names")))
)

# ── coupons ───────────────────────────────────────────────────────────────────────────────────────

COUPONS: Final = (
    select(coupons, programs.c.name)
    .join(programs, programs.c.id == coupons.c.program_id)
    .where(or_(coupons.c.code.in_(each("codes")), coupons.c.id.in_(each("ids"))))
    .order_by(coupons.c.id)
    .with_for_update(of=coupons)
)
"""Locked in the order of their ids, before any wallet: whoever counts a use holds its coupon."""

COUPON_USES: Final = select(coupon_uses).where(coupon_uses.c.transaction_id.in_(each("ids")))
MEMBERS_USES: Final = (
    select(coupon_uses.c.coupon_id, coupon_uses.c.member_id, func.count())
    .where(
        coupon_uses.c.coupon_id.in_(each("ids")),
        coupon_uses.c.member_id.in_(each("member_ids")),
        coupon_uses.c.freed_by.is_(None),
    )
    .group_by(coupon_uses.c.coupon_id, coupon_uses.c.member_id)
)
"""How many uses of these coupons stand, by these members."""

# ── lots and holds ────────────────────────────────────────────────────────────────────────────────

LOTS: Final = select(lots).where(lots.c.id.in_(each("ids")))
LOTS_ISSUED_BY: Final = select(lots).where(lots.c.transaction_id.in_(each("ids")))
CHANGES: Final = (
    select(lot_changes)
    .where(lot_changes.c.transaction_id.in_(each("ids")))
    .order_by(lot_changes.c.transaction_id, lot_changes.c.ordinal)
)
REFUNDED: Final = (
    select(transactions.c.related_id, func.sum(transactions.c.points))
    .where(transactions.c.related_id.in_(each("ids")), transactions.c.kind == literal("REFUND"))
    .group_by(transactions.c.related_id)
)
HOLDS: Final = select(holds).where(holds.c.id.in_(each("ids")))
HELD_LOTS: Final = (
    select(held_lots)
    .where(held_lots.c.hold_id.in_(each("ids")))
    .order_by(held_lots.c.hold_id, held_lots.c.ordinal)
)


def _of_wallets(table: Any, condition: Any, *order: str) -> FirstOfEach:
    """For each wallet, the first rows of a table that the condition chooses."""

    def chosen(rows: FromClause) -> tuple[Any, list[Any]]:
        return condition(rows) & (rows.c.wallet_id == wallets.c.id), [
            rows.c[name] for name in order
        ]

    return FirstOfEach(wallets, table, chosen, wallets.c.id.in_(each("ids")))


def _lives(rows: FromClause) -> Any:
    """Fixed in its expiry and not expired."""
    return is_open(rows) & rows.c.follows_activity.is_(false()) & (rows.c.expires_at > _now)


def _follows(rows: FromClause) -> Any:
    """Following the wallet's activity and not expired."""
    alive = or_(wallets.c.activity_expires_at > _now, rows.c.expires_at > _now)
    return is_open(rows) & rows.c.follows_activity.is_(true()) & alive


def _usable(rows: FromClause) -> Any:
    moved = rows.c.follows_activity.is_(true()) & (wallets.c.activity_expires_at > _now)
    return is_open(rows) & or_(rows.c.expires_at > _now, moved)


def _expired(rows: FromClause) -> Any:
    return is_open(rows) & rows.c.follows_activity.is_(false()) & (rows.c.expires_at <= _now)


def _lapsed(rows: FromClause) -> Any:
    late = (rows.c.expires_at <= _now) & (wallets.c.activity_expires_at <= _now)
    return is_open(rows) & rows.c.follows_activity.is_(true()) & late


_BY_EXPIRY: Final = ("expires_at", "active_at", "id")

USABLE_BY_EXPIRY: Final = _of_wallets(lots, _lives, *_BY_EXPIRY)
USABLE_BY_ACTIVITY: Final = _of_wallets(lots, _follows, *_BY_EXPIRY)
USABLE_BY_ISSUANCE: Final = _of_wallets(lots, _usable, "issued_at", *_BY_EXPIRY)

DUE_LOTS: Final = (
    _of_wallets(lots, lambda rows: is_promised(rows) & (rows.c.active_at <= _now), "active_at"),
    _of_wallets(lots, _expired, *_BY_EXPIRY),
    _of_wallets(lots, _lapsed, *_BY_EXPIRY),
)
DUE_HOLDS: Final = _of_wallets(
    holds, lambda rows: is_running(rows) & (rows.c.expires_at <= _now), "expires_at"
)

# ── the sweeper's ─────────────────────────────────────────────────────────────────────────────────

DUE_WALLETS: Final = (
    select(wallets.c.id)
    .where(wallets.c.due_at <= _now)
    .order_by(wallets.c.due_at)
    .limit(bindparam("limit"))
)
WARNING_WALLETS: Final = (
    select(wallets.c.id)
    .where(wallets.c.warning_at <= _now)
    .order_by(wallets.c.warning_at)
    .limit(bindparam("limit"))
)


def _soonest(*instants: Any) -> Any:
    """The earliest of some instants of the wallet, NEVER if there is none."""
    # Correlated by hand: an instant that is an expression of the wallet would scan all wallets.
    found = union_all(*(select(instant).correlate(wallets) for instant in instants)).subquery()
    return select(func.coalesce(func.min(found.c[0]), NEVER)).scalar_subquery()


def _first(column: Any, *where: Any) -> Any:
    """The least of a column over the wallet's rows."""
    least = select(func.min(column)).where(column.table.c.wallet_id == wallets.c.id, *where)
    return least.correlate(wallets).scalar_subquery()


def _moved(expiry: Any) -> Any:
    """An expiry that the wallet's activity moves."""
    return case(
        (expiry < wallets.c.activity_expires_at, wallets.c.activity_expires_at), else_=expiry
    )


_FIXED: Final = is_open(lots) & lots.c.follows_activity.is_(false())
_MOVING: Final = is_open(lots) & lots.c.follows_activity.is_(true())
_SPAN: Final = (
    select(programs.c.expiring_soon_days * DAY_US)
    .where(programs.c.id == wallets.c.program_id)
    .correlate(wallets)
    .scalar_subquery()
)

NEXT_DUE: Final = (
    update(wallets)
    .where(wallets.c.id.in_(each("ids")))
    .values(
        due_at=_soonest(
            _first(lots.c.active_at, is_promised(lots)),
            _first(lots.c.expires_at, _FIXED),
            _moved(_first(lots.c.expires_at, _MOVING)),
            _first(holds.c.expires_at, is_running(holds)),
        )
    )
)
"""Set `due_at` anew from all lots and holds: for wallets that were due, once that is written."""

_UNTOLD_FIXED: Final = (
    _FIXED & (lots.c.expires_at < NEVER) & (lots.c.warned_for < lots.c.expires_at)
)
_UNTOLD_MOVING: Final = _MOVING & (lots.c.warned_for < _moved(lots.c.expires_at))

NEXT_WARNING: Final = (
    update(wallets)
    .where(wallets.c.id.in_(each("ids")))
    .values(
        warning_at=_soonest(
            _first(lots.c.expires_at, _UNTOLD_FIXED) - _SPAN,
            _moved(_first(lots.c.expires_at, _UNTOLD_MOVING)) - _SPAN,
        )
    )
)
"""Set `warning_at` anew: for wallets that were warned."""


def _untold(rows: FromClause) -> Any:
    expiry = case(
        (
            rows.c.follows_activity.is_(true())
            & (rows.c.expires_at < wallets.c.activity_expires_at),
            _ACTIVITY,
        ),
        else_=rows.c.expires_at,
    )
    return is_open(rows) & (rows.c.warned_for < expiry) & (expiry <= _now + _SPAN)


_ACTIVITY: Final = wallets.c.activity_expires_at
UNTOLD_LOTS: Final = _of_wallets(lots, _untold, *_BY_EXPIRY)
