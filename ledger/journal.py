"""The journal: all that a batch has to write, gathered in memory and written in bulk.

The event log comes last.
"""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from events.audit import Deed, entry_rows
from events.log import EventDraft, append
from ledger import statements as sql
from ledger.draft import Draft
from ledger.records import (
    Coupon,
    CouponUse,
    Detail,
    HeldLot,
    Hold,
    Lot,
    LotChange,
    Member,
    Transaction,
    Wallet,
    row_of,
)
from models import tables
from models.dialects import Writing, write_all, write_rows

_EVENTS: Final = {
    "ACTIVATION": "POINTS_CREDITED",
    "DEBIT": "POINTS_DEBITED",
    "EXPIRY": "POINTS_EXPIRED",
    "REVERSAL": "POINTS_REVERSED",
    "REFUND": "POINTS_REFUNDED",
    "HOLD": "POINTS_HELD",
    "RELEASE": "POINTS_RELEASED",
    "TRANSFER_OUT": "POINTS_TRANSFERRED",
    "TRANSFER_IN": "POINTS_TRANSFERRED",
}
_WALLET_STATE: Final = tuple(c.name for c in tables.wallets.columns)[4:-1]
_LOT_STATE: Final = (
    "remaining",
    "held",
    "expired",
    "reversed",
    "activated",
    "spendable_sequence",
    "warned_for",
)
_HOLD_STATE: Final = ("captured", "released", "status")

_member_row, _wallet_row, _lot_row = row_of(Member), row_of(Wallet), row_of(Lot)
_hold_row, _held_row, _detail_row = row_of(Hold), row_of(HeldLot), row_of(Detail)
_transaction_row, _change_row = row_of(Transaction), row_of(LotChange)
_coupon_row, _use_row = row_of(Coupon), row_of(CouponUse)


@dataclass(slots=True)
class Journal:
    """New rows in the order in which they came to be, and changed rows as they last were."""

    members: list[Member] = field(default_factory=list)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    lots: dict[str, Lot] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    held_lots: dict[tuple[str, int], HeldLot] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    changes: list[LotChange] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    uses: dict[str, CouponUse] = field(default_factory=dict)
    events: list[EventDraft] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)

    def keep(self, *drafts: Draft) -> None:
        """Keep what these drafts say, as one; their wallets' states become it."""
        for draft in drafts:
            draft.keep()
            self.wallets[draft.wallet.id] = draft.wallet
            self.lots |= draft.lots
            if draft.holds:
                self.holds |= draft.holds
                for parts in draft.held_lots.values():
                    self.held_lots |= {(part.hold_id, part.ordinal): part for part in parts}
            self.transactions += draft.transactions
            self.changes += draft.changes
            self.events += [event_of(row) for row in draft.transactions]
            if draft.settled:
                self.settled.add(draft.wallet.id)

    def count(self, coupon: Coupon, use: CouponUse) -> None:
        """Keep how a use of a coupon now stands, and what the coupon's uses came to."""
        self.coupons[coupon.id] = coupon
        self.uses[use.transaction_id] = use

    def warn(self, draft: Draft, lot: Lot, at: int) -> None:
        """Tell that a lot expires soon."""
        expiry = draft.expiry_of(lot)
        lot.warned_for = expiry
        self.warned.add(lot.wallet_id)
        told = EventDraft(
            "POINTS_EXPIRING_SOON",
            lot.wallet_id,
            lot.program_id,
            None,
            lot.id,
            lot.free,
            expiry,
            at,
        )
        self.events.append(told)

    def write(self, connection: Connection, now: int) -> None:
        """Write it all, in no more statements than there are kinds of rows."""
        # New ones in one order, whoever opens them: two instances that open the same ones wait for
        # one another's in turn, and never each for the other's.
        people = sorted(self.members, key=lambda member: member.identity)
        owned = sorted(self.wallets.values(), key=lambda one: (one.member_id, one.program_id))
        write_rows(connection, tables.members, list(map(_member_row, people)))
        write_all(
            connection,
            Writing(tables.wallets, list(map(_wallet_row, owned)), _WALLET_STATE),
            Writing(tables.transactions, list(map(_transaction_row, self.transactions))),
            Writing(tables.lots, list(map(_lot_row, self.lots.values())), _LOT_STATE),
            Writing(tables.lot_changes, list(map(_change_row, self.changes))),
            Writing(tables.details, list(map(_detail_row, self.details))),
            Writing(tables.audit_entries, entry_rows(now, self.deeds)),
        )
        self._write_rarer(connection)
        if self.events:
            append(connection, self.events)

    def _write_rarer(self, connection: Connection) -> None:
        """What most batches have none of."""
        write_rows(
            connection, tables.holds, [_hold_row(row) for row in self.holds.values()], *_HOLD_STATE
        )
        write_rows(
            connection,
            tables.held_lots,
            [_held_row(row) for row in self.held_lots.values()],
            "held",
        )
        coupons = [_coupon_row(row) for row in self.coupons.values()]
        write_rows(connection, tables.coupons, coupons, "redeemed")
        uses = [_use_row(row) for row in self.uses.values()]
        write_rows(connection, tables.coupon_uses, uses, "freed_by")
        if self.settled:
            connection.execute(sql.NEXT_DUE, {"ids": sorted(self.settled)})
        if self.warned:
            connection.execute(sql.NEXT_WARNING, {"ids": sorted(self.warned)})


def event_of(row: Transaction) -> EventDraft:
    """The event that tells of a transaction."""
    credited = "POINTS_CREDITED" if row.active_change else "POINTS_PROMISED"
    name = credited if row.kind == "CREDIT" else _EVENTS[row.kind]
    return EventDraft(
        name,
        row.wallet_id,
        row.program_id,
        row.id,
        None,
        row.points,
        row.expires_at,
        row.effective_at,
    )
