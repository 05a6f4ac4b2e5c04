"""Standing: whether what a delivery waits for the absence of has happened, by the ledger's rows.

What is looked at is the ledger itself and not its events: points that were spent a moment ago, or
that expired by the clock and nobody has written so, count at once.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, literal, null, or_, select

from ledger.due import NOW, lot_expiry
from models.columns import WHOLE
from models.dialects import each
from models.tables import deliveries, lots, wallets

_ZERO: Final = literal(0, WHOLE)
_redeemed_since: Final = and_(
    deliveries.c.sequence.is_not(None), wallets.c.redeemed_sequence > deliveries.c.sequence
)
# What the clock has expired is gone first; of what is gone otherwise, any redemption counts.
_credit_gone: Final[ColumnElement[Any]] = case(
    (and_(lots.c.remaining > _ZERO, lot_expiry(lots, wallets) > NOW), null()),
    (or_(lots.c.remaining > _ZERO, lots.c.expired > _ZERO), literal("CREDIT_EXPIRED")),
    (lots.c.reversed >= lots.c.issued, literal("CREDIT_REVERSED")),
    else_=literal("CREDIT_REDEEMED"),
)
_EXCLUDED: Final[ColumnElement[Any]] = case(
    (
        deliveries.c.absence == literal("WALLET_UNREDEEMED"),
        case((_redeemed_since, literal("WALLET_REDEEMED")), else_=null()),
    ),
    (lots.c.id.is_(None), null()),
    else_=_credit_gone,
)
_STANDING: Final[Select[*tuple[Any, ...]]] = (
    select(deliveries.c.id, _EXCLUDED)
    .join_from(deliveries, wallets, wallets.c.id == deliveries.c.wallet_id)
    .outerjoin(lots, lots.c.id == deliveries.c.lot_id)
    .where(deliveries.c.absence.is_not(None))
)
_BY_ID: Final = _STANDING.where(deliveries.c.id.in_(each("ids")))
_OPEN_OF_WALLETS: Final = _STANDING.where(
    deliveries.c.wallet_id.in_(each("ids")),
    deliveries.c.due_at.is_not(None),
    deliveries.c.status != literal("SENDING"),
)


def find_excluded(connection: Connection, delivery_ids: Iterable[str], now: int) -> dict[str, str]:
    """Why deliveries must not be sent any more, of those of which that is so."""
    return _excluded(connection, _BY_ID, delivery_ids, now)


def find_excluded_of_wallets(
    connection: Connection, wallet_ids: Iterable[str], now: int
) -> dict[str, str]:
    """The same of all deliveries that wait on these wallets."""
    return _excluded(connection, _OPEN_OF_WALLETS, wallet_ids, now)


def _excluded(
    connection: Connection, statement: Select[*tuple[Any, ...]], ids: Iterable[str], now: int
) -> dict[str, str]:
    rows = connection.execute(statement, {"ids": list(ids), "now": now})
    return {delivery_id: reason for delivery_id, reason in rows if reason is not None}
