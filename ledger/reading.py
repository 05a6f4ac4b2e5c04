"""Reading: records by their ids, and what they come to at an instant.

Each function is a fixed number of statements, however much is asked for. Points are in 1/1000.
What is due counts as if it were written; see ledger/due.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from ledger.commands import Owner
from ledger.due import NOW, due_movements, lot_expiry, may_expire_by, total
from ledger.entries import Balance, Entry, entries
from ledger.records import Hold, Member, Program, Wallet
from models.columns import NEVER, WHOLE
from models.dialects import each
from models.sending import read_rows
from models.tables import (
    held_lots,
    holds,
    lots,
    members,
    programs,
    transactions,
    wallets,
)
from models.wallets import is_open, is_promised, is_running

EXPIRING_MAX: Final = 1_000
"""How many instants of expiry are told of one wallet."""

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Owned:
    """A wallet, its program and its member."""

    wallet: Wallet
    program: Program
    member: Member


@dataclass(slots=True)
class Summary:
    """What a program's wallets have now, and what came and went within a span."""

    active: int = 0
    promised: int = 0
    held: int = 0
    credited: int = 0
    redeemed: int = 0
    removed: int = 0
    expired: int = 0
    reversed: int = 0
    credited_by_source: dict[str, int] = field(default_factory=dict[str, int])


# ── records ──────────────────────────────────────────────────────────────────────────────────────

_IDS: Final = each("ids")
_PROGRAMS: Final = select(programs).where(programs.c.id.in_(_IDS))
_PROGRAMS_NAMED: Final = select(programs).where(programs.c.name.in_(_IDS))
_MEMBERS: Final = select(members).where(members.c.id.in_(_IDS))
_MEMBERS_KNOWN_AS: Final = select(members).where(members.c.identity.in_(_IDS))
_WALLETS: Final = select(wallets).where(wallets.c.id.in_(_IDS))
_OWNED: Final[Rows] = (
    select(wallets, programs, members)
    .join(members, members.c.id == wallets.c.member_id)
    .join(programs, programs.c.id == wallets.c.program_id)
    .where(members.c.identity == bindparam("identity"), programs.c.name == bindparam("program"))
)
_HOLDS: Final = select(holds).where(holds.c.id.in_(_IDS))
_ENTRIES: Final = entries(transactions).where(transactions.c.id.in_(_IDS))
_WALLET_WIDTH: Final = len(wallets.columns)
_PROGRAM_WIDTH: Final = len(programs.columns)


def find_programs(connection: Connection, ids: Iterable[str]) -> dict[str, Program]:
    """The programs with these ids, those that there are."""
    return {row[0]: Program(*row) for row in read_rows(connection, _PROGRAMS, {"ids": list(ids)})}


def find_programs_named(connection: Connection, names: Iterable[str]) -> dict[str, Program]:
    """The programs with these names, by name."""
    rows = read_rows(connection, _PROGRAMS_NAMED, {"ids": list(names)})
    return {program.name: program for program in (Program(*row) for row in rows)}


def find_members(connection: Connection, ids: Iterable[str]) -> dict[str, Member]:
    """The members with these ids, those that there are."""
    return {row[0]: Member(*row) for row in read_rows(connection, _MEMBERS, {"ids": list(ids)})}


def find_members_known_as(connection: Connection, identities: Iterable[str]) -> dict[str, Member]:
    """The members with these identities, by identity."""
    rows = read_rows(connection, _MEMBERS_KNOWN_AS, {"ids": list(identities)})
    return {member.identity: member for member in (Member(*row) for row in rows)}


def find_wallets(connection: Connection, ids: Iterable[str]) -> dict[str, Wallet]:
    """The wallets with these ids, as they were last written."""
    return {row[0]: Wallet(*row) for row in read_rows(connection, _WALLETS, {"ids": list(ids)})}


def find_wallet_of(connection: Connection, owner: Owner) -> Wallet | None:
    """The wallet of a member in a program, as it was last written."""
    found = find_owned(connection, owner)
    return found and found.wallet


def find_owned(connection: Connection, owner: Owner) -> Owned | None:
    """The wallet of a member in a program, with both of them: finding it has read them."""
    asked = {"identity": owner.identity, "program": owner.program}
    rows = read_rows(connection, _OWNED, asked)
    if not rows:
        return None
    row = rows[0]
    wallet, rest = row[:_WALLET_WIDTH], row[_WALLET_WIDTH:]
    return Owned(Wallet(*wallet), Program(*rest[:_PROGRAM_WIDTH]), Member(*rest[_PROGRAM_WIDTH:]))


def find_transactions(connection: Connection, ids: Iterable[str]) -> dict[str, Entry]:
    """The transactions with these ids, those that there are."""
    return {row[0]: Entry(*row) for row in read_rows(connection, _ENTRIES, {"ids": list(ids)})}


def find_holds(connection: Connection, ids: Iterable[str]) -> dict[str, Hold]:
    """The holds with these ids, as they were last written."""
    return {row[0]: Hold(*row) for row in read_rows(connection, _HOLDS, {"ids": list(ids)})}


# ── balances ─────────────────────────────────────────────────────────────────────────────────────

_due: Final = due_movements(NOW, wallets.c.id.in_(_IDS)).subquery()
_moved: Final = (
    select(
        _due.c.wallet_id,
        *[total(_due.c[name]).label(name) for name in ("active", "promised", "held", "expired")],
    )
    .group_by(_due.c.wallet_id)
    .subquery()
)
_AS_OF: Final[Rows] = (
    select(wallets, _moved)
    .outerjoin(_moved, _moved.c.wallet_id == wallets.c.id)
    .where(wallets.c.id.in_(_IDS))
)


def wallets_as_of(connection: Connection, found: Iterable[Wallet], now: int) -> dict[str, Wallet]:
    """These wallets with what is due at `now` counted as if it were written."""
    by_id = {wallet.id: wallet for wallet in found}
    due = [wallet.id for wallet in by_id.values() if wallet.due_at <= now]
    if due:
        # Read anew, with the movements: what was due when they were read may be written by now.
        rows = read_rows(connection, _AS_OF, {"ids": due, "now": now})
        by_id |= {row[0]: _as_of(row) for row in rows}
    return by_id


def _as_of(row: Sequence[Any]) -> Wallet:
    wallet, moved = Wallet(*row[:_WALLET_WIDTH]), row[_WALLET_WIDTH:]
    if moved[0]:
        wallet.active += moved[1]
        wallet.promised += moved[2]
        wallet.held += moved[3]
        wallet.expired += moved[4]
    return wallet


_before: Final = transactions.alias("before")
_last: Final = transactions.alias("last")
_last_instant: Final = (
    select(func.max(_before.c.effective_at))
    .where(_before.c.wallet_id == wallets.c.id, _before.c.effective_at <= NOW)
    .correlate(wallets)
    .scalar_subquery()
)
_last_sequence: Final = (
    # Not the bare column: SQLite would walk the wallet's sequences down to the instant.
    select(func.max(_last.c.sequence + 0))
    .where(_last.c.wallet_id == wallets.c.id, _last.c.effective_at == _last_instant)
    .correlate(wallets)
    .scalar_subquery()
)
_THEN: Final[Rows] = (
    select(
        wallets.c.id,
        transactions.c.active_after,
        transactions.c.promised_after,
        transactions.c.held_after,
    )
    .join_from(
        wallets,
        transactions,
        and_(transactions.c.wallet_id == wallets.c.id, transactions.c.sequence == _last_sequence),
    )
    .where(wallets.c.id.in_(_IDS))
)


def balances_at(connection: Connection, found: Iterable[Wallet], at: int) -> dict[str, Balance]:
    """What these wallets had at a past instant, or will have at a future one as things stand."""
    by_id = {wallet.id: wallet for wallet in found}
    unmoved = [wallet for wallet in by_id.values() if wallet.effective_at <= at]
    by_id |= wallets_as_of(connection, unmoved, at)
    past = [wallet.id for wallet in by_id.values() if wallet.effective_at > at]
    balances = {
        wallet.id: Balance(wallet.active, wallet.promised, wallet.held)
        if wallet.effective_at <= at
        else Balance()
        for wallet in by_id.values()
    }
    if past:
        rows = read_rows(connection, _THEN, {"ids": past, "now": at})
        balances |= {row[0]: Balance(*row[1:]) for row in rows}
    return balances


# ── what expires ─────────────────────────────────────────────────────────────────────────────────

_UNTIL: Final = bindparam("until", type_=WHOLE)
_expiry: Final = lot_expiry(lots, wallets)


def _expiring(points: ColumnElement[int], lots_of_wallets: FromClause) -> Rows:
    named = (wallets.c.id.label("wallet_id"), points.label("points"), _expiry.label("expires_at"))
    which = (wallets.c.id.in_(_IDS), may_expire_by(lots, _UNTIL), _expiry > NOW, _expiry <= _UNTIL)
    return select(*named).select_from(lots_of_wallets).where(*which)


_own_lots: Final = wallets.join(lots, lots.c.wallet_id == wallets.c.id)
_lots_held: Final = (
    wallets.join(holds, holds.c.wallet_id == wallets.c.id)
    .join(held_lots, held_lots.c.hold_id == holds.c.id)
    .join(lots, lots.c.id == held_lots.c.lot_id)
)
_pieces: Final = union_all(
    _expiring(lots.c.remaining - lots.c.held, _own_lots).where(is_open(lots)),
    _expiring(lots.c.remaining, _own_lots).where(is_promised(lots), lots.c.active_at <= NOW),
    _expiring(held_lots.c.held, _lots_held).where(
        is_running(holds), holds.c.expires_at <= NOW, held_lots.c.held > 0
    ),
).subquery()
_by_instant: Final = (
    select(
        _pieces.c.wallet_id,
        total(_pieces.c.points).label("points"),
        _pieces.c.expires_at,
        func.row_number()
        .over(partition_by=_pieces.c.wallet_id, order_by=_pieces.c.expires_at)
        .label("rank"),
    )
    .group_by(_pieces.c.wallet_id, _pieces.c.expires_at)
    .subquery()
)
_EXPIRING: Final = (
    select(_by_instant.c.wallet_id, _by_instant.c.points, _by_instant.c.expires_at)
    .where(_by_instant.c.rank <= EXPIRING_MAX)
    .order_by(_by_instant.c.wallet_id, _by_instant.c.expires_at)
)


def expiring(
    connection: Connection, wallet_ids: Iterable[str], now: int, until: int
) -> dict[str, list[tuple[int, int]]]:
    """The points that can be spent now and expire by `until`, with when: the soonest first."""
    found: dict[str, list[tuple[int, int]]] = {wallet_id: [] for wallet_id in wallet_ids}
    asked = {"ids": list(found), "now": now, "until": min(until, NEVER - 1)}
    for wallet_id, points, expires_at in read_rows(connection, _EXPIRING, asked):
        found[wallet_id].append((points, expires_at))
    return found


# ── a program's summary ──────────────────────────────────────────────────────────────────────────

_PROGRAM: Final = bindparam("program_id")
_SINCE: Final = bindparam("since", type_=WHOLE)
_NOTHING: Final = literal_column("0", WHOLE)
_SUMMARIZED: Final = ("credited", "redeemed", "removed", "expired", "reversed")
_due_of_program: Final = due_movements(NOW, wallets.c.program_id == _PROGRAM).subquery()
_expired_within: Final = case(
    (
        and_(_due_of_program.c.at >= _SINCE, _due_of_program.c.at < _UNTIL),
        _due_of_program.c.expired,
    ),
    else_=_NOTHING,
)
_SUMMARY: Final[CompoundSelect[*tuple[Any, ...]]] = union_all(
    select(
        transactions.c.flow,
        transactions.c.source,
        total(transactions.c.flow_change),
        *[_NOTHING.label(name) for name in ("active", "promised", "held")],
    )
    .where(
        transactions.c.program_id == _PROGRAM,
        transactions.c.effective_at >= _SINCE,
        transactions.c.effective_at < _UNTIL,
        transactions.c.flow.is_not(None),
    )
    .group_by(transactions.c.flow, transactions.c.source),
    select(
        null(),
        null(),
        _NOTHING,
        *[total(wallets.c[name]) for name in ("active", "promised", "held")],
    ).where(wallets.c.program_id == _PROGRAM),
    select(
        literal_column("'expired'"),
        null(),
        total(_expired_within),
        *[total(_due_of_program.c[name]) for name in ("active", "promised", "held")],
    ),
)


def summarize(
    connection: Connection, program_id: str, now: int, since: int | None, until: int | None
) -> Summary:
    """A program's points: balances now, and what came and went from `since` on and before `until`.

    One statement, so that what it tells is of one instant.
    """
    span = {"since": 0 if since is None else since, "until": NEVER if until is None else until}
    rows = read_rows(connection, _SUMMARY, {"program_id": program_id, "now": now} | span)
    summary = Summary()
    for flow, source, points, active, promised, held in rows:
        summary.active += active
        summary.promised += promised
        summary.held += held
        if flow in _SUMMARIZED:
            setattr(summary, flow, getattr(summary, flow) + points)
        if flow == "credited":
            summary.credited_by_source[source] = points
    return summary
