"""Pages: the ledger's lists, cut by windows.

Each function is a fixed number of statements; those of many owners give each owner's page of the
same window.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    or_,
    select,
    tuple_,
)

from ledger.due import NOW, lot_expiry
from ledger.entries import OF_TRANSACTION, Entry, entries
from ledger.filters import (
    Shape,
    TransactionFilter,
    WalletFilter,
    hold_conditions,
    transaction_conditions,
    transaction_conditions_in_wallet,
    wallet_conditions,
)
from ledger.reading import find_wallets
from ledger.records import Hold, Program, Wallet
from models.columns import TEXT, WHOLE
from models.dialects import Around, FirstOfEach, each
from models.sending import read_rows
from models.tables import holds, lots, members, programs, transactions, wallets
from models.wallets import is_credited
from models.windows import LIMIT, Cut, Page, Position, Window

R = TypeVar("R")
Rows = Select[*tuple[Any, ...]]


def _pages(
    window: Window, owners: Iterable[str], found: Iterable[tuple[str, Position, R]]
) -> dict[str, Page[R]]:
    """Each owner's page of what a statement found of all of them, in no order."""
    of_owner: defaultdict[str, list[tuple[Position, R]]] = defaultdict(list)
    for owner, position, record in found:
        of_owner[owner].append((position, record))
    for rows in of_owner.values():
        rows.sort(key=lambda row: row[0], reverse=window.cut.forward)
    return {owner: window.page(of_owner[owner]) for owner in owners}


# ── programs and wallets ─────────────────────────────────────────────────────────────────────────


def page_programs(connection: Connection, window: Window) -> Page[Program]:
    """All programs."""
    rows = read_rows(connection, _programs(window.cut), window.params)
    return window.page([((row[0],), Program(*row)) for row in rows])


def page_wallets(
    connection: Connection, window: Window, filter: WalletFilter, now: int
) -> Page[Wallet]:
    """The wallets that the filter wants, as they were last written."""
    asked = filter.params | window.params | {"now": now}
    rows = read_rows(connection, _wallets(filter.shape, window.cut), asked)
    return window.page([((row[0],), Wallet(*row)) for row in rows])


def page_wallets_of_programs(
    connection: Connection, program_ids: Sequence[str], window: Window
) -> dict[str, Page[Wallet]]:
    """The wallets of each of these programs."""
    asked = {"ids": program_ids} | window.params
    statement = _wallets_of(programs, "program_id", window.cut).on(connection)
    rows = [Wallet(*row) for row in read_rows(connection, statement, asked)]
    return _pages(window, program_ids, [(row.program_id, (row.id,), row) for row in rows])


def page_wallets_of_members(
    connection: Connection, member_ids: Sequence[str], window: Window
) -> dict[str, Page[Wallet]]:
    """The wallets of each of these members."""
    asked = {"ids": member_ids} | window.params
    statement = _wallets_of(members, "member_id", window.cut).on(connection)
    rows = [Wallet(*row) for row in read_rows(connection, statement, asked)]
    return _pages(window, member_ids, [(row.member_id, (row.id,), row) for row in rows])


@cache
def _programs(cut: Cut) -> Rows:
    key = [programs.c.id]
    listed = select(programs).where(*cut.bounds(key)).order_by(*cut.order(key))
    return listed.limit(LIMIT)


@cache
def _wallets(shape: Shape, cut: Cut) -> Rows:
    rows = wallets.alias("listed_wallets")
    key = [rows.c.id]
    conditions = [*wallet_conditions(rows, shape), *cut.bounds(key)]
    return select(rows).where(*conditions).order_by(*cut.order(key)).limit(LIMIT)


@cache
def _wallets_of(owners: Table, owner_id: str, cut: Cut) -> FirstOfEach:
    def chosen(rows: FromClause) -> tuple[Any, list[Any]]:
        key = [rows.c.id]
        return and_(rows.c[owner_id] == owners.c.id, *cut.bounds(key)), cut.order(key)

    return FirstOfEach(owners, wallets, chosen, owners.c.id.in_(each("ids")))


# ── transactions ─────────────────────────────────────────────────────────────────────────────────


def page_transactions(
    connection: Connection, window: Window, filter: TransactionFilter
) -> Page[Entry]:
    """The transactions that the filter wants, of all wallets."""
    asked = filter.params | window.params
    rows = read_rows(connection, _transactions(filter.shape, window.cut), asked)
    return window.page([((row[0],), Entry(*row)) for row in rows])


def page_transactions_of_wallets(
    connection: Connection, wallet_ids: Sequence[str], window: Window, filter: TransactionFilter
) -> dict[str, Page[Entry]]:
    """The transactions that the filter wants, of each of these wallets, by sequence."""
    asked = filter.params | window.params
    if len(wallet_ids) == 1:
        return {
            wallet_ids[0]: _page_of_wallet(connection, wallet_ids[0], window, filter.shape, asked)
        }
    asked["ids"] = wallet_ids
    statement = _transactions_of_wallets(filter.shape, window.cut).on(connection)
    found = [Entry(*row) for row in read_rows(connection, statement, asked)]
    return _pages(window, wallet_ids, [(row.wallet_id, (row.sequence,), row) for row in found])


def _page_of_wallet(
    connection: Connection, wallet_id: str, window: Window, shape: Shape, asked: dict[str, Any]
) -> Page[Entry]:
    """Of one wallet: nearly always it is one, and then its index is gone along, and no more."""
    asked["id"] = wallet_id
    rows = read_rows(connection, _transactions_of_wallet(shape, window.cut), asked)
    found = [Entry(*row) for row in rows]
    found.sort(key=attrgetter("sequence"), reverse=window.cut.forward)
    return window.page([((entry.sequence,), entry) for entry in found])


@cache
def _transactions(shape: Shape, cut: Cut) -> Rows:
    key = [transactions.c.id]
    conditions = [*transaction_conditions(transactions, shape), *cut.bounds(key)]
    # A member has few rows: find them by the wallets, and let no index of everyone's ids serve.
    sorted_by = [transactions.c.id.concat("")] if "identity" in shape else key
    found = entries(transactions).where(*conditions)
    return found.order_by(*cut.order(sorted_by)).limit(LIMIT)


def _in_wallet(
    rows: FromClause, wallet_id: ColumnElement[str], shape: Shape, cut: Cut
) -> tuple[ColumnElement[bool], list[Any]]:
    """Which transactions of a wallet, and in which order."""
    key = [rows.c.sequence]
    conditions = [*transaction_conditions_in_wallet(rows, shape), *cut.bounds(key)]
    # An order has few rows: find them by it, and let no index of the wallet's rows serve.
    owner = rows.c.wallet_id.concat("") if "order_id" in shape else rows.c.wallet_id
    return and_(owner == wallet_id, *conditions), cut.order(key)


@cache
def _transactions_of_wallet(shape: Shape, cut: Cut) -> Rows:
    which, order = _in_wallet(transactions, bindparam("id", type_=TEXT), shape, cut)
    told = [transactions.c[name] for name in OF_TRANSACTION]
    return entries(select(*told).where(which).order_by(*order).limit(LIMIT).subquery())


@cache
def _transactions_of_wallets(shape: Shape, cut: Cut) -> Around:
    def chosen(rows: FromClause) -> tuple[Any, list[Any]]:
        return _in_wallet(rows, wallets.c.id, shape, cut)

    which = wallets.c.id.in_(each("ids"))
    first = FirstOfEach(wallets, transactions, chosen, which, columns=OF_TRANSACTION)
    return Around(first, entries)


# ── holds ────────────────────────────────────────────────────────────────────────────────────────


def page_holds_of_wallets(
    connection: Connection, wallet_ids: Sequence[str], window: Window, status: str | None, now: int
) -> dict[str, Page[Hold]]:
    """The holds of each of these wallets that have a status at `now`, as they were last written."""
    asked = {"ids": wallet_ids, "status": status, "now": now} | window.params
    statement = _holds_of_wallets(status, window.cut).on(connection)
    rows = [Hold(*row) for row in read_rows(connection, statement, asked)]
    return _pages(window, wallet_ids, [(row.wallet_id, (row.id,), row) for row in rows])


@cache
def _holds_of_wallets(status: str | None, cut: Cut) -> FirstOfEach:
    def chosen(rows: FromClause) -> tuple[Any, list[Any]]:
        key = [rows.c.id]
        conditions = [*hold_conditions(rows, status), *cut.bounds(key)]
        return and_(rows.c.wallet_id == wallets.c.id, *conditions), cut.order(key)

    return FirstOfEach(wallets, holds, chosen, wallets.c.id.in_(each("ids")))


# ── credited, not redeemed ───────────────────────────────────────────────────────────────────────


def page_credited_not_redeemed(
    connection: Connection,
    window: Window,
    program_id: str | None,
    since: int,
    min_points: int,
    now: int,
) -> Page[Wallet]:
    """Wallets whose newest credit of so many points, spendable since, waits to be redeemed.

    It still has points in its lot, and no redeeming debit came after it became spendable. The
    newest such credit comes first; `program_id` left out, of all programs.
    """
    asked = {"program_id": program_id, "since": since, "min_points": min_points, "now": now}
    statement = _waiting(program_id is None, window.cut).on(connection)
    found = read_rows(connection, statement, asked | window.params)
    page = window.page([((row[1], row[2]), row[0]) for row in found])
    records = find_wallets(connection, {wallet_id for _, wallet_id in page.items})
    items = [(position, records[wallet_id]) for position, wallet_id in page.items]
    return Page(items, page.has_next, page.has_previous)


@cache
def _waiting(of_all: bool, cut: Cut) -> Around:  # noqa: FBT001 - part of the statement's shape
    """Each program's first, by index; of them the first."""

    def chosen(rows: FromClause) -> tuple[Any, list[Any]]:
        key = [rows.c.active_at, rows.c.id]
        conditions = [_is_waiting(rows), ~_has_newer(rows), *cut.bounds(key)]
        return and_(rows.c.program_id == programs.c.id, *conditions), cut.order(key)

    def around(rows: FromClause) -> Rows:
        key = [rows.c.active_at, rows.c.id]
        return select(rows.c.wallet_id, *key).order_by(*cut.order(key)).limit(LIMIT)

    which = [] if of_all else [programs.c.id == bindparam("program_id")]
    return Around(FirstOfEach(programs, lots, chosen, *which), around)


_MIN_POINTS: Final = bindparam("min_points", type_=WHOLE)


def _is_waiting(rows: FromClause) -> ColumnElement[bool]:
    """A credit's lot that has been spendable since, with points in it and no redemption after it.

    One that is promised and due has none: a debit would have written its activation first.
    """
    undebited = or_(
        rows.c.spendable_sequence.is_(None), wallets.c.redeemed_sequence < rows.c.spendable_sequence
    )
    unspent = exists().where(
        wallets.c.id == rows.c.wallet_id, undebited, lot_expiry(rows, wallets) > NOW
    )
    return and_(
        is_credited(rows),
        rows.c.active_at.between(bindparam("since", type_=WHOLE), NOW),
        rows.c.issued >= _MIN_POINTS,
        rows.c.remaining > 0,
        unspent.correlate(rows),
    )


def _has_newer(rows: FromClause) -> ColumnElement[bool]:
    """The wallet has a newer credit of so many points, spendable too."""
    newer = lots.alias()
    is_newer = tuple_(newer.c.active_at, newer.c.id) > tuple_(rows.c.active_at, rows.c.id)
    return (
        exists()
        .where(
            newer.c.wallet_id == rows.c.wallet_id,
            is_credited(newer),
            newer.c.active_at <= NOW,
            newer.c.issued >= _MIN_POINTS,
            is_newer,
        )
        .correlate(rows)
    )
