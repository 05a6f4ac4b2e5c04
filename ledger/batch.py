"""A batch: many commands in one unit of work, each standing or falling alone.

Claim the keys; lay the wallets, lots and holds on the desk; apply the commands one after another in
memory; write the new rows in bulk, the event log last. A fixed number of statements, whatever the
number of commands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from events.audit import Actor, Deed
from ledger import rules
from ledger.actions import MOVES
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
from ledger.desk import Desk
from ledger.draft import Draft, MoreLots, WalletState
from ledger.entries import Entry
from ledger.journal import Journal
from ledger.keys import Effect, Keys, fingerprint
from ledger.records import CouponUse, Detail, Member, Transaction, Wallet, detail_of
from ledger.redemption import credit_of
from ledger.refusals import (
    CouponNotFound,
    HoldNotFound,
    IdempotencyConflict,
    InvalidInput,
    ProgramNotFound,
    Refusal,
    TransactionNotFound,
    WalletFrozen,
    WalletNotFound,
)
from ledger.settlement import settle
from models.ids import new_id, new_ids

Asked = tuple[Command, Actor]
"""A command, and who asks for it: beside it, for it is the same command whoever asks."""

ROWS_MAX: Final = 20_000
"""Once a batch has so many rows to write, the rest of its commands wait for the next."""


@dataclass(slots=True)
class Outcome:
    """What became of a command: a transaction, or a refusal.

    Of a fresh effect the rows come along; of a replayed one, the id of the original transaction,
    and whoever shows it reads its entry. A transfer's transaction is its TRANSFER_OUT, whose
    `related_id` names the other leg.
    """

    transaction_id: str | None = None
    transaction: Transaction | None = None
    detail: Detail | None = None
    wallet: Wallet | None = None
    refusal: Refusal | None = None
    replayed: bool = False
    entry: Entry | None = None


class Deferred(Exception):
    """The command waits for the next batch: more is due, or more lots needed, than one may do."""


def write_batch(connection: Connection, asked: Sequence[Asked], now: int) -> list[Outcome | None]:
    """Apply the commands in their order; None for one that must be given to another batch."""
    return Batch(connection, asked, now).run()


class Batch:
    """One unit of work. `now` is its commands' instant."""

    def __init__(self, connection: Connection, asked: Sequence[Asked], now: int) -> None:
        """Nothing is read yet."""
        self.connection = connection
        self.asked = asked
        self.commands = [command for command, _ in asked]
        self.now = now
        self.desk = Desk(connection, now)
        self.journal = Journal()
        self.keys = Keys(connection, now)

    def run(self) -> list[Outcome | None]:
        """Do all of it, and tell what became of each command."""
        ids = new_ids("txn", len(self.commands))
        prints = [fingerprint(command) for command in self.commands]
        self.keys.claim(self.commands, ids, prints)
        claimed = self.keys.claimed
        self.desk.lay_out([command for command in self.commands if command.key in claimed])
        outcomes = [self._answer(*each) for each in zip(self.asked, ids, prints, strict=True)]
        self.keys.settle()
        self.journal.write(self.connection, self.now)
        return outcomes

    # ── one command ───────────────────────────────────────────────────────────────────────────────

    def _answer(self, asked: Asked, transaction_id: str, printed: str) -> Outcome | None:
        command, actor = asked
        known = self.keys.known.get(command.key)
        if known is not None:
            return _replay(known, printed)
        try:
            outcome = self._apply(command, transaction_id)
        except Deferred:
            return None
        if outcome.refusal is None or outcome.refusal.sticks:
            self.keys.known[command.key] = Effect(printed, outcome.transaction_id, outcome.refusal)
        if outcome.refusal is None:
            self.journal.deeds.append(Deed(actor, MOVES[type(command)], transaction_id))
        return outcome

    def _apply(self, command: Command, transaction_id: str) -> Outcome:
        if len(self.journal.transactions) + len(self.journal.changes) > ROWS_MAX:
            raise Deferred
        while True:
            try:
                return _APPLY[type(command)](self, command, transaction_id)
            except MoreLots as short:
                if not self.desk.read_usable([short.state]):
                    raise Deferred from short

    def _draft(self, state: WalletState, now: int | None = None) -> Draft:
        """A draft in which all that is due is written.

        What is more than a batch may write is written alone, first.
        """
        if state.is_behind:
            raise Deferred
        draft = Draft(state, self.now if now is None else now)
        if not settle(draft):
            self.journal.keep(draft)
            state.is_behind = True
            raise Deferred
        return draft

    def _keep(self, command: Any, row: Transaction, *drafts: Draft) -> Outcome:
        """The command stands: keep its drafts, and what the caller said beside them."""
        for draft in drafts:
            if draft.wallet.id not in self.desk.states:
                self.desk.add(draft.state)
        self.journal.keep(*drafts)
        detail = detail_of(row.id, command)
        if detail:
            self.journal.details.append(detail)
        return Outcome(row.id, row, detail, drafts[0].wallet)

    def _finish(self, command: Any, result: Transaction | Refusal, draft: Draft) -> Outcome:
        if isinstance(result, Refusal):
            return Outcome(refusal=result)
        return self._keep(command, result, draft)

    # ── wallets ───────────────────────────────────────────────────────────────────────────────────

    def _find(self, ref: WalletRef, field: str = "wallet") -> WalletState | Refusal:
        state = self.desk.find(ref)
        if state:
            return state
        if isinstance(ref, Owner) and ref.program not in self.desk.programs_by_name:
            return ProgramNotFound("there is no program of this name.", (field, "owner", "program"))
        return WalletNotFound("there is no such wallet.", (field,))

    def _find_or_open(self, ref: WalletRef, field: str = "wallet") -> WalletState | Refusal:
        """The wallet, or a new one for its owner: the ledger's only once a command has stood."""
        found = self._find(ref, field)
        if not isinstance(found, WalletNotFound) or not isinstance(ref, Owner):
            return found
        program = self.desk.programs_by_name[ref.program]
        member_id = self.desk.member_ids.get(ref.identity) or new_id("mem")
        return WalletState(
            Wallet(new_id("wal"), program.id, member_id, created_at=self.now), program
        )

    def _open_member(self, ref: WalletRef, state: WalletState) -> None:
        """The member of a wallet that a command has just opened."""
        if isinstance(ref, Owner) and ref.identity not in self.desk.member_ids:
            self.desk.member_ids[ref.identity] = state.wallet.member_id
            member = Member(
                state.wallet.member_id, ref.identity, None, None, None, None, "{}", self.now, None
            )
            self.journal.members.append(member)

    def _wallet_of(
        self, transaction_id: str, kind: str
    ) -> tuple[WalletState, Transaction] | Refusal:
        """The wallet of a transaction that a correction names."""
        row = self.desk.referred.get(transaction_id)
        if row is None:
            return TransactionNotFound("there is no such transaction.", ("transactionId",))
        if row.kind != kind:
            message = f"the transaction is a {row.kind}: only a {kind} can be taken back so."
            return InvalidInput(message, ("transactionId",))
        return self.desk.states[row.wallet_id], row

    # ── commands ──────────────────────────────────────────────────────────────────────────────────

    def credit(self, command: Credit, transaction_id: str) -> Outcome:
        """See rules.credit."""
        state = self._find_or_open(command.wallet)
        if isinstance(state, Refusal):
            return Outcome(refusal=state)
        if state.wallet.frozen:
            return _frozen("wallet")
        draft = self._draft(state)
        outcome = self._finish(command, rules.credit(draft, command, transaction_id), draft)
        if not outcome.refusal:
            self._open_member(command.wallet, state)
        return outcome

    def redeem(self, command: RedeemCoupon, transaction_id: str) -> Outcome:
        """See redemption.credit_of and rules.credit."""
        if command.code not in self.desk.offers:
            return Outcome(refusal=CouponNotFound("there is no such coupon.", ("code",)))
        coupon, program = self.desk.offers[command.code]
        owner = Owner(command.identity, program)
        state = self._find_or_open(owner)
        assert isinstance(state, WalletState), "a coupon's program is there"
        if state.wallet.frozen:
            return _frozen("identity")
        draft = self._draft(state)
        used = self.desk.member_uses.get((coupon.id, state.wallet.member_id), 0)
        credit = credit_of(command, coupon, draft.program, used, draft.now)
        if isinstance(credit, Refusal):
            return Outcome(refusal=credit)
        result = rules.credit(draft, credit, transaction_id)
        if isinstance(result, Refusal):  # it names fields of a credit
            return Outcome(refusal=replace(result, path=("code",)))
        self._open_member(owner, state)
        self._count(CouponUse(transaction_id, coupon.id, state.wallet.member_id), 1)
        return self._keep(credit, result, draft)

    def debit(self, command: Debit | PlaceHold, transaction_id: str) -> Outcome:
        """See rules.debit and rules.place_hold."""
        state = self._find(command.wallet)
        if isinstance(state, Refusal):
            return Outcome(refusal=state)
        if state.wallet.frozen:
            return _frozen("wallet")
        draft = self._draft(state)
        if isinstance(command, Debit):
            return self._finish(command, rules.debit(draft, command, transaction_id), draft)
        return self._finish(command, rules.place_hold(draft, command, transaction_id), draft)

    def settle_hold(self, command: CaptureHold | ReleaseHold, transaction_id: str) -> Outcome:
        """See rules.capture_hold and rules.release_hold. A frozen wallet still releases."""
        wallet_id = self.desk.hold_wallets.get(command.hold_id)
        if wallet_id is None:
            return Outcome(refusal=HoldNotFound("there is no such hold.", ("id",)))
        state = self.desk.states[wallet_id]
        if isinstance(command, CaptureHold) and state.wallet.frozen:
            return _frozen("id")
        draft = self._draft(state)
        if isinstance(command, CaptureHold):
            return self._finish(command, rules.capture_hold(draft, command, transaction_id), draft)
        return self._finish(
            command, rules.release_hold(draft, command.hold_id, transaction_id), draft
        )

    def reverse(self, command: ReverseCredit, transaction_id: str) -> Outcome:
        """See rules.reverse_credit."""
        found = self._wallet_of(command.transaction_id, "CREDIT")
        if isinstance(found, Refusal):
            return Outcome(refusal=found)
        state, _ = found
        if state.wallet.frozen:
            return _frozen("transactionId")
        draft = self._draft(state)
        result = rules.reverse_credit(draft, command, transaction_id)
        if isinstance(result, Transaction):
            self._free_use(draft, command.transaction_id, transaction_id)
        return self._finish(command, result, draft)

    def _count(self, use: CouponUse, by: int) -> None:
        self.journal.count(self.desk.count_use(use, by), use)

    def _free_use(self, draft: Draft, credit_id: str, reversal_id: str) -> None:
        """Of a coupon's credit of which nothing is left unreversed, the use stands no more."""
        use, lot = self.desk.uses.get(credit_id), draft.lot_issued_by(credit_id)
        if use is None or lot.reversed < lot.issued:
            return
        use.freed_by = reversal_id
        self._count(use, -1)

    def refund(self, command: RefundDebit, transaction_id: str) -> Outcome:
        """See rules.refund_debit."""
        found = self._wallet_of(command.transaction_id, "DEBIT")
        if isinstance(found, Refusal):
            return Outcome(refusal=found)
        state, debited = found
        if state.wallet.frozen:
            return _frozen("transactionId")
        draft = self._draft(state)
        desk = self.desk
        taken, refunded = desk.taken.get(debited.id, []), desk.refunded.get(debited.id, 0)
        result = rules.refund_debit(draft, command, transaction_id, debited, taken, refunded)
        if isinstance(result, Transaction):
            desk.refunded[debited.id] = refunded + result.points
        return self._finish(command, result, draft)

    def transfer(self, command: Transfer, transaction_id: str) -> Outcome:
        """See rules.transfer."""
        giving = self._find(command.sender, "from")
        getting = (
            self._find_or_open(command.receiver, "to")
            if isinstance(giving, WalletState)
            else giving
        )
        if isinstance(giving, Refusal) or isinstance(getting, Refusal):
            return Outcome(refusal=giving if isinstance(giving, Refusal) else getting)  # type: ignore[arg-type]
        if giving is getting:
            return Outcome(refusal=InvalidInput("a wallet can't transfer to itself.", ("to",)))
        if giving.wallet.program_id != getting.wallet.program_id:
            return Outcome(refusal=InvalidInput("points can't leave their program.", ("to",)))
        for state, field in ((giving, "from"), (getting, "to")):
            if state.wallet.frozen:
                return _frozen(field)
        now = max(self.now, giving.wallet.written_at, getting.wallet.written_at)
        sender, receiver = self._draft(giving, now), self._draft(getting, now)
        result = rules.transfer(sender, receiver, command, transaction_id)
        if isinstance(result, Refusal):
            return Outcome(refusal=result)
        outcome = self._keep(command, result[0], sender, receiver)
        self._open_member(command.receiver, getting)
        if outcome.detail:
            self.journal.details.append(Detail(result[1].id, outcome.detail.description))
        return outcome


_APPLY: Final[dict[type, Callable[[Batch, Any, str], Outcome]]] = {
    Credit: Batch.credit,
    Debit: Batch.debit,
    PlaceHold: Batch.debit,
    CaptureHold: Batch.settle_hold,
    ReleaseHold: Batch.settle_hold,
    ReverseCredit: Batch.reverse,
    RefundDebit: Batch.refund,
    Transfer: Batch.transfer,
    RedeemCoupon: Batch.redeem,
}


def _frozen(field: str) -> Outcome:
    return Outcome(refusal=WalletFrozen("the wallet is frozen: thaw it first.", (field,)))


def _replay(known: Effect, printed: str) -> Outcome:
    if known.fingerprint != printed:
        message = "this key was used before, with other input: use a new key for a new request."
        return Outcome(
            refusal=IdempotencyConflict(message, ("idempotencyKey",), known.transaction_id)
        )
    return Outcome(known.transaction_id, refusal=known.refusal, replayed=True)
