"""The desk: what a batch has read, locked, and keeps in memory while its commands are applied.

A fixed number of statements, whatever the number of commands: references first (which wallets do
they concern?), then coupons, then the wallets, each locked in the order of their ids, then the lots
and holds that the commands need.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from ledger import statements as sql
from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    Owner,
    PlaceHold,
    RedeemCoupon,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Transfer,
    WalletRef,
)
from ledger.draft import LOTS_TAKEN_MAX, WalletState
from ledger.lots import order_of
from ledger.records import (
    Coupon,
    CouponUse,
    HeldLot,
    Hold,
    Lot,
    LotChange,
    Program,
    Transaction,
    Wallet,
)
from ledger.settlement import DUE_ROWS_MAX
from models.dialects import FirstOfEach
from models.sending import read_rows

LOT_READS: Final = (64, 640, LOTS_TAKEN_MAX + 2)
"""How many lots of a wallet are read first, and how many more while a command is short of them."""


@dataclass(slots=True)
class Desk:
    """What is on the desk.

    Wallets and members that the batch opens are added as their first command is kept. `offers` are
    the coupons to redeem by their codes, each with its program's name; `uses` are those of credits
    that are to be reversed; `member_uses` count those that stand, by coupon and member.
    """

    connection: Connection
    now: int
    programs: dict[str, Program] = field(default_factory=dict)
    programs_by_name: dict[str, Program] = field(default_factory=dict)
    member_ids: dict[str, str] = field(default_factory=dict)
    states: dict[str, WalletState] = field(default_factory=dict)
    owned: dict[tuple[str, str], WalletState] = field(default_factory=dict)
    referred: dict[str, Transaction] = field(default_factory=dict)
    hold_wallets: dict[str, str] = field(default_factory=dict)
    taken: dict[str, list[LotChange]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    offers: dict[str, tuple[Coupon, str]] = field(default_factory=dict)
    uses: dict[str, CouponUse] = field(default_factory=dict)
    member_uses: dict[tuple[str, str], int] = field(default_factory=dict)

    def find(self, ref: WalletRef) -> WalletState | None:
        """The wallet that a reference names, if there is one."""
        if not isinstance(ref, Owner):
            return self.states.get(ref)
        program = self.programs_by_name.get(ref.program)
        member_id = self.member_ids.get(ref.identity)
        return self.owned.get((program.id, member_id)) if program and member_id else None

    def add(self, state: WalletState) -> None:
        """Put a wallet on the desk."""
        self.states[state.wallet.id] = state
        self.owned[state.wallet.program_id, state.wallet.member_id] = state

    def count_use(self, use: CouponUse, by: int) -> Coupon:
        """Count a use that stands, or stands no more, of its member and of its coupon."""
        coupon = self.coupons[use.coupon_id]
        coupon.redeemed += by
        counted = use.coupon_id, use.member_id
        self.member_uses[counted] = self.member_uses.get(counted, 0) + by
        return coupon

    # ── reading ───────────────────────────────────────────────────────────────────────────────────

    def lay_out(self, commands: Iterable[Command]) -> None:
        """Read all that the commands need."""
        asked = list(commands)
        self._read_references(asked)
        self._read_coupons([one.code for one in asked if isinstance(one, RedeemCoupon)])
        self._read_wallets(self._refs(asked))
        self._read_member_uses()
        self.read_due()
        self._read_referred_lots(asked)
        self._read_holds(
            [one.hold_id for one in asked if isinstance(one, CaptureHold | ReleaseHold)]
        )
        self.read_usable(
            [state for state in map(self.find, _givers(asked, self.referred)) if state]
        )

    def lock_free(self, wallet_ids: list[str]) -> None:
        """Read these wallets and what is due of them, but for those that others are writing."""
        self._read_wallets(set(wallet_ids), sql.FREE_WALLETS)
        self.read_due()

    def _all(self, statement: Any, **parameters: Any) -> list[Any]:
        return list(read_rows(self.connection, statement, {**parameters, "now": self.now}))

    def _read_references(self, asked: list[Command]) -> None:
        transaction_ids = [
            one.transaction_id for one in asked if isinstance(one, ReverseCredit | RefundDebit)
        ]
        if transaction_ids:
            rows = self._all(sql.TRANSACTIONS, ids=transaction_ids)
            self.referred = {row[0]: Transaction(*row) for row in rows}
        hold_ids = [one.hold_id for one in asked if isinstance(one, CaptureHold | ReleaseHold)]
        if hold_ids:
            self.hold_wallets = {
                row[0]: row[1] for row in self._all(sql.HOLD_WALLETS, ids=hold_ids)
            }

    def _read_coupons(self, codes: list[str]) -> None:
        """Lock the coupons that are to be redeemed, or may have a use to be freed."""
        given = [row.id for row in self.referred.values() if row.source == "CASHBACK_COUPON"]
        if given:
            rows = self._all(sql.COUPON_USES, ids=given)
            self.uses = {row[0]: CouponUse(*row) for row in rows}
        used = [use.coupon_id for use in self.uses.values()]
        if not codes and not used:
            return
        for *row, program in self._all(sql.COUPONS, codes=codes, ids=used):
            coupon = Coupon(*row)
            self.coupons[coupon.id] = coupon
            self.offers[coupon.code] = coupon, program

    def _read_member_uses(self) -> None:
        """Count what the members have used of the coupons on the desk, which are locked."""
        if self.coupons and self.member_ids:
            asked = {"ids": list(self.coupons), "member_ids": list(self.member_ids.values())}
            for coupon_id, member_id, uses in self._all(sql.MEMBERS_USES, **asked):
                self.member_uses[coupon_id, member_id] = uses

    def _refs(self, asked: list[Command]) -> set[WalletRef]:
        refs: set[WalletRef] = set()
        for one in asked:
            if isinstance(one, Credit | Debit | PlaceHold):
                refs.add(one.wallet)
            elif isinstance(one, Transfer):
                refs |= {one.sender, one.receiver}
            elif isinstance(one, RedeemCoupon) and one.code in self.offers:
                refs.add(Owner(one.identity, self.offers[one.code][1]))
        return refs

    def _read_wallets(self, refs: set[WalletRef], locked: Any = sql.WALLETS) -> None:
        owners = [ref for ref in refs if isinstance(ref, Owner)]
        wallet_ids = [ref for ref in refs if isinstance(ref, str)]
        wallet_ids += [row.wallet_id for row in self.referred.values()] + list(
            self.hold_wallets.values()
        )
        names = sorted({owner.program for owner in owners})
        wallet_ids += self._read_owners(owners, names) if owners else []
        rows = self._all(locked, ids=sorted(set(wallet_ids))) if wallet_ids else []
        found = [Wallet(*row) for row in rows]
        self._read_programs(names, sorted({wallet.program_id for wallet in found}))
        for wallet in found:
            self.add(WalletState(wallet, self.programs[wallet.program_id]))

    def _read_owners(self, owners: list[Owner], names: list[str]) -> list[str]:
        """Find the members, and the ids of the wallets that they own.

        One who is to get a first wallet is read again and locked: whoever erases a member freezes
        the wallets that there are.
        """
        identities = sorted({owner.identity for owner in owners})
        found = self._all(sql.OWNERS, identities=identities)
        self.member_ids = {identity: member_id for identity, member_id, *_ in found}
        owned = {
            (identity, name): wallet_id for identity, _, wallet_id, name in found if name in names
        }
        newcomers = {
            owner.identity
            for owner in owners
            if owner.identity in self.member_ids and (owner.identity, owner.program) not in owned
        }
        if newcomers:
            for identity in newcomers:
                del self.member_ids[identity]
            self.member_ids |= dict(self._all(sql.MEMBERS_TO_STAY, identities=sorted(newcomers)))
        return list(owned.values())

    def _read_programs(self, names: list[str], program_ids: list[str]) -> None:
        for row in self._all(sql.PROGRAMS, names=names, ids=program_ids):
            program = Program(*row)
            self.programs[program.id] = self.programs_by_name[program.name] = program

    def read_due(self) -> None:
        """Read the lots and holds that are due, of every wallet that may have some."""
        behind = [
            state
            for state in self.states.values()
            if state.wallet.due_at <= max(self.now, state.wallet.written_at)
        ]
        if not behind:
            return
        asked = {
            "ids": [state.wallet.id for state in behind],
            "now": max(self.now, *(state.wallet.written_at for state in behind)),
            "limit": DUE_ROWS_MAX + 1,
        }
        for lots in sql.DUE_LOTS:
            self._add_lots(read_rows(self.connection, lots.on(self.connection), asked))
        holds = read_rows(self.connection, sql.DUE_HOLDS.on(self.connection), asked)
        self._read_holds([row[0] for row in holds])

    def _read_holds(self, hold_ids: list[str]) -> None:
        known = {hold_id for state in self.states.values() for hold_id in state.holds}
        missing = [hold_id for hold_id in hold_ids if hold_id not in known]
        if not missing:
            return
        parts: dict[str, list[HeldLot]] = {}
        for row in self._all(sql.HELD_LOTS, ids=missing):
            parts.setdefault(row[0], []).append(HeldLot(*row))
        for row in self._all(sql.HOLDS, ids=missing):
            hold = Hold(*row)
            state = self.states[hold.wallet_id]
            state.holds[hold.id] = hold
            state.held_lots[hold.id] = parts.get(hold.id, [])
        self._add_lots(
            self._all(sql.LOTS, ids=[part.lot_id for held in parts.values() for part in held])
        )

    def _read_referred_lots(self, asked: list[Command]) -> None:
        reversals = [one.transaction_id for one in asked if isinstance(one, ReverseCredit)]
        if reversals:
            self._add_lots(self._all(sql.LOTS_ISSUED_BY, ids=reversals))
        refunds = [one.transaction_id for one in asked if isinstance(one, RefundDebit)]
        if not refunds:
            return
        for row in self._all(sql.CHANGES, ids=refunds):
            change = LotChange(*row)
            self.taken.setdefault(change.transaction_id, []).append(change)
        self.refunded = {row[0]: int(row[1]) for row in self._all(sql.REFUNDED, ids=refunds)}
        lot_ids = [change.lot_id for changes in self.taken.values() for change in changes]
        self._add_lots(self._all(sql.LOTS, ids=lot_ids))

    def read_usable(self, states: list[WalletState]) -> bool:
        """Read the wallets' next lots in consumption order.

        False if a wallet has had its last reading.
        """
        states = list({state.wallet.id: state for state in states}.values())
        level = {LOT_READS.index(state.lots_read) + 1 if state.lots_read else 0 for state in states}
        if not states or max(level) >= len(LOT_READS):
            return not states
        limit = LOT_READS[max(level)]
        for state in states:
            state.lots_read = limit
            state.frontier = []
        by_issuance = [
            state for state in states if state.program.consumption == "EARLIEST_ISSUANCE"
        ]
        by_expiry = [state for state in states if state.program.consumption != "EARLIEST_ISSUANCE"]
        moving = [state for state in by_expiry if state.program.expiry_rule == "INACTIVITY"]
        self._read_stream(sql.USABLE_BY_ISSUANCE, by_issuance, limit)
        self._read_stream(sql.USABLE_BY_EXPIRY, by_expiry, limit)
        self._read_stream(sql.USABLE_BY_ACTIVITY, moving, limit)
        return True

    def _read_stream(
        self, first_of_each: FirstOfEach, states: list[WalletState], limit: int
    ) -> None:
        if not states:
            return
        ids = [state.wallet.id for state in states]
        found: dict[str, list[Lot]] = {}
        for lot in self._add_lots(
            self._all(first_of_each.on(self.connection), ids=ids, limit=limit)
        ):
            found.setdefault(lot.wallet_id, []).append(lot)
        for state in states:
            lots = found.get(state.wallet.id, [])
            if len(lots) == limit:
                state.frontier.append(max(lots, key=order_of(state.program, state.wallet)))

    def _add_lots(self, rows: Iterable[Any]) -> list[Lot]:
        """Put lots on the desk; one that is there stays as the batch has changed it."""
        lots = [Lot(*row) for row in rows]
        return [self.states[lot.wallet_id].lots.setdefault(lot.id, lot) for lot in lots]


def _givers(asked: list[Command], referred: dict[str, Transaction]) -> list[WalletRef]:
    """The wallets whose lots are to be used up in their program's order."""
    givers: dict[WalletRef, None] = {}
    for one in asked:
        if isinstance(one, Debit | PlaceHold):
            givers[one.wallet] = None
        elif isinstance(one, Transfer):
            givers[one.sender] = None
        elif (
            isinstance(one, ReverseCredit)
            and one.from_other_lots
            and one.transaction_id in referred
        ):
            givers[referred[one.transaction_id].wallet_id] = None
    return list(givers)
