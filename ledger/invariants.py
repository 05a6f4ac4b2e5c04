"""Invariants: what must be so of the rows as they were written. Points are in 1/1000.

Each has the statement that finds where it isn't so: one, that sees the rows of one instant,
whatever is written meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from ledger.due import NOW, due_movements, lot_expiry, total
from models.columns import NEVER
from models.tables import (
    held_lots,
    holds,
    lot_changes,
    lots,
    transactions,
    wallets,
)
from models.transactions import FLOWS
from models.wallets import is_open, is_promised, is_running

Rows = Select[*tuple[Any, ...]]
Tell = Callable[[Sequence[Any]], list[str]]
Condition = ColumnElement[bool]
Number = ColumnElement[int]


@dataclass(frozen=True, slots=True)
class Invariant:
    """`broken` finds the rows of which it isn't so; `tell` says so of one of them."""

    broken: Rows
    tell: Tell


def never(sentence: str, broken: Rows) -> Invariant:
    """No row is found; the sentence has a place for each column of one that is."""
    return Invariant(broken, lambda row: [sentence.format(*row)])


def equal(
    kind: str, id: ColumnElement[str], joined: FromClause, **pairs: tuple[Number, Number]
) -> Invariant:
    """Of each row, what it says (first) is what other rows come to (second)."""
    both = [side for pair in pairs.values() for side in pair]
    broken = select(id, *both).select_from(joined)
    broken = broken.where(or_(*[said != found for said, found in pairs.values()]))

    def tell(row: Sequence[Any]) -> list[str]:
        sides = zip(pairs, row[1::2], row[2::2], strict=True)
        return [
            f"{kind} {row[0]}: {name.replace('_', ' ')} is {said} and should be {found}."
            for name, said, found in sides
            if said != found
        ]

    return Invariant(broken, tell)


def or_none(column: ColumnElement[Any]) -> Number:
    """The column of an outer join's row, 0 where there is none."""
    return func.coalesce(column, 0)


def sum_if(condition: Condition, column: ColumnElement[Any]) -> Number:
    return total(case((condition, column), else_=0))


_t: Final = transactions.c


def is_kind(*kinds: str) -> Condition:
    return or_(*[_t.kind == literal(kind) for kind in kinds])


# ── a wallet and its transactions ────────────────────────────────────────────────────────────────


def _wallets_add_up() -> Invariant:
    """The changes of a wallet's transactions sum to its balances and lifetime figures."""
    redeems = and_(is_kind("DEBIT"), _t.flow == literal("redeemed"))
    figures: dict[str, Number] = {
        "active": total(_t.active_change),
        "promised": total(_t.promised_change),
        "held": total(_t.held_change),
        **{flow: sum_if(_t.flow == literal(flow), _t.flow_change) for flow in FLOWS},
        "sequence": func.count(),
        "redeemed_sequence": func.max(case((redeems, _t.sequence), else_=0)),
        "effective_at": func.max(_t.effective_at),
        "written_at": func.max(_t.created_at),
    }
    named = [figure.label(name) for name, figure in figures.items()]
    sums = select(_t.wallet_id, *named).group_by(_t.wallet_id).subquery()
    joined = wallets.outerjoin(sums, sums.c.wallet_id == wallets.c.id)
    pairs = {name: (wallets.c[name], or_none(sums.c[name])) for name in figures}
    return equal("wallet", wallets.c.id, joined, **pairs)


def _transactions_follow() -> Invariant:
    """Each row's balances are the running sums; sequences have no gap; time never runs back."""

    def before(column: ColumnElement[Any]) -> Number:
        return func.lag(column, 1, 0).over(partition_by=_t.wallet_id, order_by=_t.sequence)

    sums = ("active", "promised", "held")
    steps = [
        _t[f"{name}_after"] - _t[f"{name}_change"] - before(_t[f"{name}_after"]) for name in sums
    ]
    gap = _t.sequence - before(_t.sequence) - 1
    back = [before(_t[name]) - _t[name] for name in ("effective_at", "created_at")]
    named = [step.label(f"step_{number}") for number, step in enumerate([gap, *steps, *back])]
    rows = select(_t.wallet_id, _t.id, _t.sequence, *named).subquery()
    exact, backwards = rows.columns.values()[3:7], rows.columns.values()[7:]
    broken = select(rows.c.wallet_id, rows.c.id, rows.c.sequence).where(
        or_(*[step != 0 for step in exact], *[step > 0 for step in backwards])
    )
    return never(
        "wallet {}: transaction {} (sequence {}) does not follow on the one before.", broken
    )


def _transactions_are_of_their_kind() -> Invariant:
    """A row's changes are those of its kind, and its lifetime figure moves by their sum."""
    points, active, promised, held = _t.points, _t.active_change, _t.promised_change, _t.held_change
    shapes = (
        and_(is_kind("CREDIT"), active + promised == points, active * promised == 0, held == 0),
        and_(is_kind("ACTIVATION"), active == points, promised == -points, held == 0),
        and_(is_kind("DEBIT"), active + held == -points, active * held == 0, promised == 0),
        and_(
            is_kind("REVERSAL"), active + promised == -points, active <= 0, promised <= 0, held == 0
        ),
        and_(is_kind("EXPIRY", "TRANSFER_OUT"), active == -points, promised == 0, held == 0),
        and_(is_kind("REFUND", "TRANSFER_IN"), active == points, promised == 0, held == 0),
        and_(is_kind("HOLD"), active == -points, promised == 0, held == points),
        and_(is_kind("RELEASE"), active == points, promised == 0, held == -points),
    )
    comes_in = _t.flow.in_(("credited", "transferred_in"))
    flow = case((_t.flow.is_(None), 0), (comes_in, _t.flow_change), else_=-_t.flow_change)
    right = and_(or_(*shapes), flow == active + promised + held, _t.effective_at <= _t.created_at)
    broken = select(_t.id, _t.kind, points, active, promised, held).where(not_(right))
    return never("transaction {}: a {} of {} points can't change {} / {} / {}.", broken)


# ── lots ─────────────────────────────────────────────────────────────────────────────────────────


def _wallets_are_their_lots() -> Invariant:
    """A wallet's balances are the sums of the remainders of its lots."""
    active = lots.c.activated == true()
    sums = (
        select(
            lots.c.wallet_id,
            sum_if(active, lots.c.remaining - lots.c.held).label("active"),
            sum_if(not_(active), lots.c.remaining).label("promised"),
            total(lots.c.held).label("held"),
        )
        .group_by(lots.c.wallet_id)
        .subquery()
    )
    joined = wallets.outerjoin(sums, sums.c.wallet_id == wallets.c.id)
    pairs = {
        f"{name}_in_lots": (or_none(sums.c[name]), wallets.c[name])
        for name in ("active", "promised", "held")
    }
    return equal("wallet", wallets.c.id, joined, **pairs)


def _lots_add_up() -> Invariant:
    """What left a lot, and what it has held, is what the transactions that name it took."""
    change = lot_changes.c
    taken = (
        select(
            change.lot_id,
            total(change.remaining_change).label("remaining"),
            total(change.held_change).label("held"),
            sum_if(is_kind("EXPIRY"), -change.remaining_change).label("expired"),
        )
        .join(transactions, _t.id == change.transaction_id)
        .group_by(change.lot_id)
        .subquery()
    )
    by_holds = (
        select(held_lots.c.lot_id, total(held_lots.c.held).label("held"))
        .group_by(held_lots.c.lot_id)
        .subquery()
    )
    joined = lots.outerjoin(taken, taken.c.lot_id == lots.c.id)
    joined = joined.outerjoin(by_holds, by_holds.c.lot_id == lots.c.id)
    return equal(
        "lot",
        lots.c.id,
        joined,
        remaining=(lots.c.remaining, lots.c.issued + or_none(taken.c.remaining)),
        held=(lots.c.held, or_none(taken.c.held)),
        held_by_holds=(or_none(by_holds.c.held), lots.c.held),
        expired=(lots.c.expired, or_none(taken.c.expired)),
    )


def _transactions_are_in_lots() -> Invariant:
    """What a transaction changes, it took from lots, gave back to them, or issued as lots."""
    change = lot_changes.c
    taken = (
        select(
            change.transaction_id,
            total(change.remaining_change).label("all"),
            total(change.held_change).label("held"),
        )
        .group_by(change.transaction_id)
        .subquery()
    )
    issued = (
        select(lots.c.transaction_id, total(lots.c.issued).label("points"))
        .group_by(lots.c.transaction_id)
        .subquery()
    )
    joined = transactions.outerjoin(taken, taken.c.transaction_id == _t.id)
    joined = joined.outerjoin(issued, issued.c.transaction_id == _t.id)
    return equal(
        "transaction",
        _t.id,
        joined,
        change_in_lots=(
            or_none(taken.c.all) + or_none(issued.c.points),
            _t.active_change + _t.promised_change + _t.held_change,
        ),
        held_change_in_lots=(or_none(taken.c.held), _t.held_change),
    )


def _takes_only_what_is_usable() -> Invariant:
    """No debit, hold or transfer took from a lot that had expired or wasn't active yet.

    A lot that lapsed no longer tells when it would have expired before: it is passed over.
    """
    expiry, change = lot_expiry(lots, wallets), lot_changes.c
    lapsed = and_(lots.c.follows_activity == true(), lots.c.expires_at <= wallets.c.lapsed_at)
    early, late = _t.effective_at < lots.c.active_at, _t.effective_at >= expiry
    broken = (
        select(_t.id, _t.kind, lots.c.id)
        .join(lot_changes, change.transaction_id == _t.id)
        .join(lots, lots.c.id == change.lot_id)
        .join(wallets, wallets.c.id == lots.c.wallet_id)
        .where(
            is_kind("DEBIT", "HOLD", "TRANSFER_OUT"),
            _t.active_change < 0,
            or_(early, and_(late, not_(lapsed))),
        )
    )
    return never("transaction {}: this {} took from lot {}, which was not usable.", broken)


def _nothing_falls_due_unnoticed() -> Invariant:
    """A wallet's `due_at` is never later than what falls due in it."""
    w = wallets.c
    of_wallet = lots.c.wallet_id == w.id
    expiry = lot_expiry(lots, wallets)
    promised = select(lots.c.active_at).where(of_wallet, is_promised(lots))
    running = select(holds.c.expires_at).where(holds.c.wallet_id == w.id, is_running(holds))
    spendable = select(expiry).where(of_wallet, is_open(lots), expiry < NEVER)
    sooner = or_(
        promised.where(lots.c.active_at < w.due_at).correlate(wallets).exists(),
        running.where(holds.c.expires_at < w.due_at).correlate(wallets).exists(),
        spendable.where(expiry < w.due_at).correlate(wallets).exists(),
    )
    broken = select(w.id, w.due_at).where(sooner)
    return never("wallet {}: something falls due before {}, its due_at.", broken)


def _what_is_due_is_there() -> Invariant:
    """What is due at `now` takes no more than there is."""
    due = due_movements(NOW).subquery()
    names = ("active", "promised", "held")
    sums = [total(due.c[name]).label(name) for name in names]
    moved = select(due.c.wallet_id, *sums).group_by(due.c.wallet_id).subquery()
    left = [wallets.c[name] + moved.c[name] for name in names]
    broken = select(wallets.c.id, *left).join(moved, moved.c.wallet_id == wallets.c.id)
    broken = broken.where(or_(*[balance < 0 for balance in left]))
    return never("wallet {}: what is due would leave {} / {} / {}.", broken)


OF_BALANCES: Final = (
    _wallets_add_up(),
    _transactions_follow(),
    _transactions_are_of_their_kind(),
    _wallets_are_their_lots(),
    _lots_add_up(),
    _transactions_are_in_lots(),
    _takes_only_what_is_usable(),
    _nothing_falls_due_unnoticed(),
    _what_is_due_is_there(),
)
