"""The sweep: writing what is due in wallets that nobody asks for, and telling what expires soon."""

from typing import Final

from sqlalchemy import Connection

from ledger import statements as sql
from ledger.desk import Desk
from ledger.draft import Draft
from ledger.journal import Journal
from ledger.records import Lot
from ledger.settlement import DUE_ROWS_MAX, settle

WALLETS_MAX: Final = 250
"""How many wallets one sweep takes, those first that have been due the longest."""

WARNINGS_MAX: Final = 200
"""How many lots of one wallet one sweep tells of; the rest are the next one's."""


def sweep(connection: Connection, now: int) -> int:
    """Write up to DUE_ROWS_MAX due rows, oldest wallets first, and the warnings that are due.

    A wallet that somebody else is writing is left to them, or to the next sweep. Gives the number
    of rows and warnings.
    """
    asked = {"now": now, "limit": WALLETS_MAX}
    due = [row[0] for row in connection.execute(sql.DUE_WALLETS, asked)]
    warned = [row[0] for row in connection.execute(sql.WARNING_WALLETS, asked)]
    if not due and not warned:
        return 0
    desk, journal = Desk(connection, now), Journal()
    desk.lock_free(due + warned)
    for wallet_id in due:
        if wallet_id in desk.states:
            _write_due(desk, journal, wallet_id)
    _warn(desk, journal, [wallet_id for wallet_id in warned if wallet_id in desk.states])
    journal.write(connection, now)
    return len(journal.events)


def _write_due(desk: Desk, journal: Journal, wallet_id: str) -> None:
    room = DUE_ROWS_MAX - len(journal.transactions)
    if room > 0:
        draft = Draft(desk.states[wallet_id], desk.now)
        settle(draft, room)
        journal.keep(draft)


def _warn(desk: Desk, journal: Journal, wallet_ids: list[str]) -> None:
    """Tell of each lot that expires soon and has not been told of.

    Only once what is due of its wallet is written.
    """
    settled = [
        wallet_id for wallet_id in wallet_ids if desk.states[wallet_id].wallet.due_at > desk.now
    ]
    statement = sql.UNTOLD_LOTS.on(desk.connection)
    asked = {"ids": settled, "now": desk.now, "limit": WARNINGS_MAX}
    found: dict[str, list[Lot]] = {wallet_id: [] for wallet_id in settled}
    for row in desk.connection.execute(statement, asked):
        lot = Lot(*row)
        found[lot.wallet_id].append(lot)
    for wallet_id, lots in found.items():
        if len(journal.events) >= DUE_ROWS_MAX:
            return  # their turn is the next sweep's
        draft = Draft(desk.states[wallet_id], desk.now)
        for lot in lots:
            draft.state.lots.setdefault(lot.id, lot)
            told = draft.lot(lot.id)
            at = draft.warning_of(told)
            if at <= draft.now:
                journal.warn(draft, told, at)
        journal.keep(draft)
        journal.warned.add(wallet_id)
