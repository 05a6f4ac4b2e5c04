"""A draft: one wallet as a command would leave it, with the rows that say so.

Kept whole, or thrown away whole. Rules write on drafts and never on the state below, so that a
refused command leaves no trace. Pure: no I/O, no clock.
"""

from dataclasses import dataclass, field
from typing import Final

from ledger.calendar import DAY_US, after
from ledger.lots import due_at, expires_at, is_usable, order_of
from ledger.records import (
    HeldLot,
    Hold,
    Lot,
    LotChange,
    Program,
    Transaction,
    Wallet,
    row_of,
)
from models.columns import NEVER
from models.ids import new_id

LOTS_TAKEN_MAX: Final = 5_000
"""How many lots one command may take from."""

_wallet_row, _lot_row, _hold_row, _held_row = (
    row_of(Wallet),
    row_of(Lot),
    row_of(Hold),
    row_of(HeldLot),
)


@dataclass(slots=True)
class WalletState:
    """A wallet as it was read, locked, and as the batch has changed it since.

    `lots` are those read so far. `frontier` holds the last lot of each reading in consumption order
    that stopped at its limit: what lies behind one of them isn't known yet. `is_behind` says that
    more is due than a command may write.
    """

    wallet: Wallet
    program: Program
    lots: dict[str, Lot] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    held_lots: dict[str, list[HeldLot]] = field(default_factory=dict)
    frontier: list[Lot] = field(default_factory=list)
    lots_read: int = 0
    is_behind: bool = False


class MoreLots(Exception):
    """The command needs lots of this wallet that weren't read yet."""

    def __init__(self, state: WalletState) -> None:
        """Say whose."""
        super().__init__(state.wallet.id)
        self.state = state


class Draft:
    """One wallet on the desk.

    `now` is the command's instant: never before what the wallet has already written.
    """

    __slots__ = (
        "changes",
        "held_lots",
        "holds",
        "lots",
        "now",
        "program",
        "settled",
        "state",
        "transactions",
        "wallet",
    )

    def __init__(self, state: WalletState, now: int) -> None:
        """Start from the state as it is."""
        self.state = state
        self.settled = False
        self.program = state.program
        self.wallet = Wallet(*_wallet_row(state.wallet))
        self.now = max(now, state.wallet.written_at)
        self.lots: dict[str, Lot] = {}
        self.holds: dict[str, Hold] = {}
        self.held_lots: dict[str, list[HeldLot]] = {}
        self.transactions: list[Transaction] = []
        self.changes: list[LotChange] = []

    # ── looking ───────────────────────────────────────────────────────────────────────────────────

    def lot(self, lot_id: str) -> Lot:
        """The lot, to be changed."""
        if lot_id not in self.lots:
            self.lots[lot_id] = Lot(*_lot_row(self.state.lots[lot_id]))
        return self.lots[lot_id]

    def known_lots(self) -> list[Lot]:
        """Every lot that was read or issued so far."""
        return list((self.state.lots | self.lots).values())

    def lot_issued_by(self, transaction_id: str) -> Lot:
        """The lot that this credit issued, to be changed."""
        return self.lot(
            next(lot.id for lot in self.known_lots() if lot.transaction_id == transaction_id)
        )

    def expiry_of(self, lot: Lot) -> int:
        """When the lot expires, as the draft stands."""
        return expires_at(lot, self.wallet)

    def hold(self, hold_id: str) -> Hold:
        """The hold, to be changed."""
        if hold_id not in self.holds:
            self.holds[hold_id] = Hold(*_hold_row(self.state.holds[hold_id]))
            self.held_lots[hold_id] = [
                HeldLot(*_held_row(part)) for part in self.state.held_lots[hold_id]
            ]
        return self.holds[hold_id]

    def known_holds(self) -> list[Hold]:
        """Every hold that was read or placed so far."""
        return list((self.state.holds | self.holds).values())

    def choose(self, points: int, besides: str | None = None) -> list[tuple[Lot, int]]:
        """Which lots give how many of the points, in the program's order.

        At most one lot more than may be taken. The wallet's balance must cover the points.
        `besides` names a lot to pass over. Raises MoreLots.
        """
        order = order_of(self.program, self.wallet)
        usable = [
            lot
            for lot in self.known_lots()
            if lot.id != besides and is_usable(lot, self.wallet, self.now)
        ]
        horizon = min(map(order, self.state.frontier), default=None)
        pieces: list[tuple[Lot, int]] = []
        for lot in sorted(usable, key=order):
            if points == 0 or len(pieces) > LOTS_TAKEN_MAX:
                return pieces
            if horizon is not None and order(lot) > horizon:
                raise MoreLots(self.state)
            pieces.append((lot, min(points, lot.free)))
            points -= pieces[-1][1]
        if points and horizon is not None:
            raise MoreLots(self.state)
        assert points == 0, (
            f"wallet {self.wallet.id} has fewer points in its lots than in its balance"
        )
        return pieces

    # ── writing ───────────────────────────────────────────────────────────────────────────────────

    def post(  # noqa: PLR0913 - what a row says; all but two by name, and optional
        self,
        kind: str,
        points: int,
        *,
        id: str | None = None,
        active: int = 0,
        promised: int = 0,
        held: int = 0,
        flow: str | None = None,
        flow_change: int = 0,
        at: int | None = None,
        source: str | None = None,
        campaign_id: str | None = None,
        active_at: int | None = None,
        expires_at: int | None = None,
        related_id: str | None = None,
        hold_id: str | None = None,
    ) -> Transaction:
        """Write the wallet's next row.

        It has its signed changes, the balances after it, and the lifetime figure it moves.
        """
        wallet = self.wallet
        wallet.active += active
        wallet.promised += promised
        wallet.held += held
        if flow:
            setattr(wallet, flow, getattr(wallet, flow) + flow_change)
        wallet.sequence += 1
        wallet.effective_at = self.now if at is None else max(at, wallet.effective_at)
        wallet.written_at = self.now
        row = Transaction(
            id=id or new_id("txn"),
            wallet_id=wallet.id,
            program_id=wallet.program_id,
            sequence=wallet.sequence,
            kind=kind,
            points=points,
            active_change=active,
            promised_change=promised,
            held_change=held,
            active_after=wallet.active,
            promised_after=wallet.promised,
            held_after=wallet.held,
            flow=flow,
            flow_change=flow_change,
            source=source,
            campaign_id=campaign_id,
            active_at=active_at,
            expires_at=expires_at,
            related_id=related_id,
            hold_id=hold_id,
            effective_at=wallet.effective_at,
            created_at=self.now,
        )
        self.transactions.append(row)
        return row

    def change(self, row: Transaction, lot_id: str, *, remaining: int = 0, held: int = 0) -> Lot:
        """Take from a lot, give back to it, or set some of it aside, in the name of a row."""
        lot = self.lot(lot_id)
        lot.remaining += remaining
        lot.held += held
        last = self.changes[-1] if self.changes else None
        ordinal = last.ordinal + 1 if last and last.transaction_id == row.id else 0
        self.changes.append(LotChange(row.id, ordinal, lot_id, remaining, held))
        self.watch(lot)
        return lot

    def issue(  # noqa: PLR0913 - what a lot says; all but two by name
        self,
        row: Transaction,
        points: int,
        *,
        active_at: int,
        expires_at: int,
        issued_at: int | None = None,
        credited: bool = False,
        follows_activity: bool = False,
    ) -> Lot:
        """A new lot in this wallet, in the name of a row."""
        activated = active_at <= self.now
        lot = Lot(
            id=new_id("lot"),
            wallet_id=self.wallet.id,
            program_id=self.wallet.program_id,
            transaction_id=row.id,
            credited=credited,
            issued=points,
            remaining=points,
            held=0,
            expired=0,
            reversed=0,
            issued_at=self.now if issued_at is None else issued_at,
            active_at=active_at,
            expires_at=expires_at,
            follows_activity=follows_activity,
            activated=activated,
            spendable_sequence=row.sequence if activated else None,
            warned_for=0,
        )
        self.lots[lot.id] = lot
        self.watch(lot)
        return lot

    def watch(self, lot: Lot) -> None:
        """Keep `due_at` and `warning_at` no later than what the lot brings."""
        self.wallet.due_at = min(self.wallet.due_at, due_at(lot, self.wallet))
        self.wallet.warning_at = min(self.wallet.warning_at, self.warning_of(lot))

    def warning_of(self, lot: Lot) -> int:
        """When it is to be told that the lot expires soon; NEVER if it isn't, or was told."""
        expiry, days = self.expiry_of(lot), self.program.expiring_soon_days
        if days == 0 or lot.free == 0 or expiry == NEVER or lot.warned_for >= expiry:
            return NEVER
        return max(expiry - days * DAY_US, lot.active_at)

    def stir(self) -> None:
        """Record activity: it starts the time anew for lots that follow it and haven't lapsed."""
        if self.program.expiry_rule != "INACTIVITY":
            return
        if self.wallet.activity_expires_at <= self.now:
            self.wallet.lapsed_at = self.now
        count, unit = self.program.expiry_count, self.program.expiry_unit
        expiry = after(self.now, count or 0, unit or "DAY", self.program.time_zone)
        self.wallet.activity_expires_at = expiry
        if days := self.program.expiring_soon_days:  # a new start warns anew
            self.wallet.warning_at = min(self.wallet.warning_at, expiry - days * DAY_US)

    def keep(self) -> None:
        """Make the draft the wallet's state."""
        state = self.state
        state.wallet = self.wallet
        state.lots.update(self.lots)
        state.holds.update(self.holds)
        state.held_lots.update(self.held_lots)
