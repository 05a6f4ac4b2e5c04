"""Filters: which rows of the ledger's lists are wanted, as conditions on their statements."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, func, or_, select

from ledger.due import NOW, Number, active_as_of
from models.columns import FLAG, NEVER, WHOLE
from models.dialects import each
from models.tables import details, members, programs, transactions, wallets
from models.wallets import is_running
from models.windows import Filter, Shape

Condition = ColumnElement[bool]


# ── wallets ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class WalletFilter(Filter):
    """Wallets by their program's name, their member's identity, and what they have to spend."""

    program_name: str | None = None
    identity: str | None = None
    frozen: bool | None = None
    min_active: int | None = None
    max_active: int | None = None


_program: Final = select(programs.c.id).where(programs.c.name == bindparam("program_name"))
_member: Final = select(members.c.id).where(members.c.identity == bindparam("identity"))
_WALLETS: Final[dict[str, Callable[[FromClause], Condition]]] = {
    "program_name": lambda rows: rows.c.program_id == _program.scalar_subquery(),
    "identity": lambda rows: rows.c.member_id == _member.scalar_subquery(),
    "frozen": lambda rows: rows.c.frozen == bindparam("frozen", type_=FLAG),
    "min_active": lambda rows: active_as_of(rows, NOW) >= bindparam("min_active", type_=WHOLE),
    "max_active": lambda rows: active_as_of(rows, NOW) <= bindparam("max_active", type_=WHOLE),
}


def wallet_conditions(rows: FromClause, shape: Shape) -> list[Condition]:
    """The conditions on an alias of the wallets; `now` is bound with them."""
    return [_WALLETS[name](rows) for name in shape]


# ── transactions ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class TransactionFilter(Filter):
    """Transactions by what they are, whose, and by `since <= effective_at < until`."""

    kinds: Collection[str] | None = None
    sources: Collection[str] | None = None
    since: int | None = None
    until: int | None = None
    min_points: int | None = None
    max_points: int | None = None
    order_id: str | None = None
    campaign_id: str | None = None
    identity: str | None = None


_owned: Final = select(wallets.c.id).where(wallets.c.member_id == _member.scalar_subquery())
_ordered: Final = select(details.c.transaction_id).where(
    details.c.order_id == bindparam("order_id")
)
_SINCE: Final = bindparam("since", type_=WHOLE)
_UNTIL: Final = bindparam("until", type_=WHOLE)
_TRANSACTIONS: Final[dict[str, Callable[[FromClause], Condition]]] = {
    "kinds": lambda rows: rows.c.kind.in_(each("kinds")),
    "sources": lambda rows: rows.c.source.in_(each("sources")),
    "since": lambda rows: rows.c.effective_at >= _SINCE,
    "until": lambda rows: rows.c.effective_at < _UNTIL,
    "min_points": lambda rows: rows.c.points >= bindparam("min_points", type_=WHOLE),
    "max_points": lambda rows: rows.c.points <= bindparam("max_points", type_=WHOLE),
    "order_id": lambda rows: rows.c.id.in_(_ordered.correlate(None)),
    "campaign_id": lambda rows: rows.c.campaign_id == bindparam("campaign_id"),
    "identity": lambda rows: rows.c.wallet_id.in_(_owned),
}


def transaction_conditions(rows: FromClause, shape: Shape) -> list[Condition]:
    """The conditions on an alias of the transactions."""
    return [_TRANSACTIONS[name](rows) for name in shape]


def transaction_conditions_in_wallet(rows: FromClause, shape: Shape) -> list[Condition]:
    """The same, for a list by sequence of the wallets in the statement around it.

    Instants don't run backwards in a wallet: so they bound the sequence, which the index is by,
    and a page of long ago is found as fast as the newest.
    """
    bounds = {
        "since": lambda: rows.c.sequence >= _first_sequence_from(_SINCE),
        "until": lambda: rows.c.sequence < func.coalesce(_first_sequence_from(_UNTIL), NEVER),
    }
    return [bounds[name]() if name in bounds else _TRANSACTIONS[name](rows) for name in shape]


def _first_sequence_from(instant: Number) -> Number:
    """The sequence of the wallet's first row that holds from an instant on; NULL if none does."""
    late, first = transactions.alias(), transactions.alias()
    soonest = (
        select(func.min(late.c.effective_at))
        .where(late.c.wallet_id == wallets.c.id, late.c.effective_at >= instant)
        .correlate(wallets)
    )
    of_then = and_(
        first.c.wallet_id == wallets.c.id, first.c.effective_at == soonest.scalar_subquery()
    )
    # Not the bare column: SQLite would walk the wallet's sequences up to the instant.
    lowest = select(func.min(first.c.sequence + 0)).where(of_then).correlate(wallets)
    return lowest.scalar_subquery()


# ── holds ────────────────────────────────────────────────────────────────────────────────────────


def hold_conditions(rows: FromClause, status: str | None) -> list[Condition]:
    """Holds of a status at `now`: one whose time has run out is EXPIRED, written or not."""
    if status is None:
        return []
    if status == "OPEN":
        return [is_running(rows), rows.c.expires_at > NOW]
    as_written = rows.c.status == bindparam("status")
    if status == "EXPIRED":
        return [or_(as_written, and_(is_running(rows), rows.c.expires_at <= NOW))]
    return [as_written]
