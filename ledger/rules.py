"""Rules: what may happen to points.

Pure: a draft of the wallet and a command give new rows, or a refusal. Each rule is a ladder of
refusals, then the rows. The draft is settled: what is due at `draft.now` is written. A refusal may
leave the draft half written; it is thrown away. Rules of one wallet share a shape; a transfer has
two.
"""

from typing import Final

from ledger.calendar import expiry
from ledger.commands import (
    CaptureHold,
    Credit,
    Debit,
    PlaceHold,
    RefundDebit,
    ReverseCredit,
    Shortfall,
    Transfer,
)
from ledger.draft import LOTS_TAKEN_MAX, Draft
from ledger.points import fits
from ledger.records import HeldLot, Hold, Lot, LotChange, Transaction
from ledger.refusals import (
    BalanceLimit,
    ExceedsOriginal,
    HoldClosed,
    InsufficientPoints,
    InvalidInput,
    Refusal,
)
from ledger.settlement import expire, release
from models.columns import NEVER, POINTS_MAX
from models.ids import new_id

MINUTE_US: Final = 60 * 1_000_000
HOLD_DEFAULT_US: Final = 15 * MINUTE_US
HOLD_MAX_US: Final = 30 * 24 * 60 * MINUTE_US


# ── what several rules refuse ─────────────────────────────────────────────────────────────────────


def _bad_decimals(draft: Draft, points: int | None) -> InvalidInput | None:
    if points is None or fits(points, draft.program):
        return None
    decimals = draft.program.rounding_decimals
    return InvalidInput(
        f"points must have at most {decimals} decimals: program's rounding says so.", ("points",)
    )


def _over_limit(draft: Draft, points: int) -> BalanceLimit | None:
    limit = min(draft.program.max_balance or POINTS_MAX, POINTS_MAX)
    if draft.wallet.total + points <= limit:
        return None
    return BalanceLimit(
        f"the wallet may hold at most {limit / 1000:.15g} points.", ("points",), max_balance=limit
    )


def _too_few(available: int, requested: int) -> InsufficientPoints:
    message = f"the wallet has {available / 1000:.15g} points to give, not {requested / 1000:.15g}."
    return InsufficientPoints(message, ("points",), available=available, requested=requested)


def _exceeds(remaining: int, what: str) -> ExceedsOriginal:
    message = f"of this {what}, {remaining / 1000:.15g} points remain."
    return ExceedsOriginal(message, ("points",), remaining=remaining)


def _choose(
    draft: Draft, points: int, besides: str | None = None
) -> list[tuple[Lot, int]] | InvalidInput:
    pieces = draft.choose(points, besides)
    if len(pieces) > LOTS_TAKEN_MAX:
        message = f"these points lie in more than {LOTS_TAKEN_MAX} lots: take fewer at a time."
        return InvalidInput(message, ("points",))
    return pieces


# ── credit ────────────────────────────────────────────────────────────────────────────────────────


def credit(draft: Draft, command: Credit, id: str) -> Transaction | Refusal:
    """Give points, to be spent at once or, promised, from `active_at` on.

    They expire at the command's `expires_at` or by the program's rule; the row says what holds now.
    """
    active_at = _activation(draft, command)
    expires_at = command.expires_at
    if expires_at is None:
        expires_at = expiry(draft.program, draft.now, active_at)
    if refusal := _bad_decimals(draft, command.points):
        return refusal
    if expires_at <= max(active_at, draft.now):
        field = "activeAt" if command.expires_at is None else "expiresAt"
        return InvalidInput("the points would expire before anyone could spend them.", (field,))
    if refusal := _over_limit(draft, command.points):
        return refusal
    draft.stir()
    is_promised = active_at > draft.now
    row = draft.post(
        "CREDIT",
        command.points,
        id=id,
        active=0 if is_promised else command.points,
        promised=command.points if is_promised else 0,
        flow="credited",
        flow_change=command.points,
        source=command.source,
        campaign_id=command.campaign_id,
        active_at=active_at,
    )
    follows = draft.program.expiry_rule == "INACTIVITY" and command.expires_at is None
    lot = draft.issue(
        row,
        command.points,
        credited=True,
        active_at=active_at,
        expires_at=expires_at,
        follows_activity=follows,
    )
    row.expires_at = draft.expiry_of(lot)
    return row


def _activation(draft: Draft, command: Credit) -> int:
    if command.active_at is not None:
        return max(command.active_at, draft.now)
    return draft.now + (draft.program.activation_delay or 0)


# ── debit ─────────────────────────────────────────────────────────────────────────────────────────


def debit(draft: Draft, command: Debit, id: str) -> Transaction | Refusal:
    """Take points, never more than the wallet has to spend; lots go in the program's order."""
    if refusal := _bad_decimals(draft, command.points):
        return refusal
    if command.points > draft.wallet.active:
        return _too_few(draft.wallet.active, command.points)
    pieces = _choose(draft, command.points)
    if isinstance(pieces, Refusal):
        return pieces
    row = draft.post(
        "DEBIT",
        command.points,
        id=id,
        active=-command.points,
        flow="removed" if command.manual else "redeemed",
        flow_change=command.points,
        source="MANUAL" if command.manual else "API",
    )
    for lot, points in pieces:
        draft.change(row, lot.id, remaining=-points)
    if not command.manual:
        draft.wallet.redeemed_sequence = row.sequence
    draft.stir()
    return row


# ── holds ─────────────────────────────────────────────────────────────────────────────────────────


def place_hold(draft: Draft, command: PlaceHold, id: str) -> Transaction | Refusal:
    """Set points aside out of named lots; what is held doesn't expire while it is."""
    expires_at = draft.now + HOLD_DEFAULT_US if command.expires_at is None else command.expires_at
    if refusal := _bad_decimals(draft, command.points):
        return refusal
    if not draft.now < expires_at <= draft.now + HOLD_MAX_US:
        return InvalidInput("expiresAt must be in the future, by 30 days at most.", ("expiresAt",))
    if command.points > draft.wallet.active:
        return _too_few(draft.wallet.active, command.points)
    pieces = _choose(draft, command.points)
    if isinstance(pieces, Refusal):
        return pieces
    hold = Hold(
        new_id("hld"), draft.wallet.id, id, command.points, 0, 0, "OPEN", expires_at, draft.now
    )
    row = draft.post(
        "HOLD", command.points, id=id, active=-command.points, held=command.points, hold_id=hold.id
    )
    for lot, points in pieces:
        draft.change(row, lot.id, held=points)
    draft.holds[hold.id] = hold
    draft.held_lots[hold.id] = [
        HeldLot(hold.id, ordinal, lot.id, n) for ordinal, (lot, n) in enumerate(pieces)
    ]
    draft.wallet.due_at = min(draft.wallet.due_at, expires_at)
    return row


def capture_hold(draft: Draft, command: CaptureHold, id: str) -> Transaction | Refusal:
    """Redeem points out of a hold, in the order in which it took lots. What remains stays held."""
    hold = draft.hold(command.hold_id)
    points = hold.left if command.points is None else command.points
    if hold.status != "OPEN":
        return HoldClosed("the hold is closed: place another.", ("id",))
    if refusal := _bad_decimals(draft, points):
        return refusal
    if points > hold.left:
        return _exceeds(hold.left, "hold")
    row = draft.post(
        "DEBIT",
        points,
        id=id,
        held=-points,
        flow="redeemed",
        flow_change=points,
        source="API",
        hold_id=hold.id,
    )
    hold.captured += points
    hold.status = "CLOSED" if hold.left == 0 else "OPEN"
    for part in draft.held_lots[hold.id]:
        taken = min(points, part.held)
        if taken:
            draft.change(row, part.lot_id, remaining=-taken, held=-taken)
            part.held -= taken
            points -= taken
    draft.wallet.redeemed_sequence = row.sequence
    draft.stir()
    return row


def release_hold(draft: Draft, hold_id: str, id: str) -> Transaction | Refusal:
    """Give back what a hold has left; what expired meanwhile expires at once."""
    hold = draft.hold(hold_id)
    if hold.status != "OPEN":
        return HoldClosed("the hold is closed: nothing is left to release.", ("id",))
    written = len(draft.transactions)
    too_late = list(release(draft, hold, "CLOSED", id=id))
    for due in sorted(too_late):
        expire(draft, draft.lot(due.id))
    return draft.transactions[written]


# ── corrections ───────────────────────────────────────────────────────────────────────────────────


def reverse_credit(draft: Draft, command: ReverseCredit, id: str) -> Transaction | Refusal:
    """Take back a credit: what its own lot still has, then, only if asked, other lots.

    Never what is held.
    """
    own = draft.lot_issued_by(command.transaction_id)
    asked = own.reversible if command.points is None else command.points
    if refusal := _bad_decimals(draft, asked):
        return refusal
    if asked > own.reversible or own.reversible == 0:
        return _exceeds(own.reversible, "credit")
    others = (
        draft.wallet.active - (own.free if own.activated else 0) if command.from_other_lots else 0
    )
    points = min(asked, own.free + others)
    if points == 0 or (points < asked and command.shortfall is Shortfall.REJECT):
        return _too_few(own.free + others, asked)
    from_own = min(points, own.free)
    pieces = _choose(draft, points - from_own, besides=own.id)
    if isinstance(pieces, Refusal):
        return pieces
    promised = 0 if own.activated else from_own
    row = draft.post(
        "REVERSAL",
        points,
        id=id,
        active=promised - points,
        promised=-promised,
        flow="reversed",
        flow_change=points,
        related_id=command.transaction_id,
    )
    own.reversed += points
    if from_own:
        draft.change(row, own.id, remaining=-from_own)
    for lot, taken in pieces:
        draft.change(row, lot.id, remaining=-taken)
    return row


def refund_debit(
    draft: Draft,
    command: RefundDebit,
    id: str,
    debited: Transaction,
    taken: list[LotChange],
    refunded: int,
) -> Transaction | Refusal:
    """Give back a debit into the lots it took from, last taken first.

    `taken` are the debit's changes in the order of taking, `refunded` what was given back of it
    before. What has expired meanwhile expires again at once or, with `grace`, forms one new lot.
    """
    left = debited.points - refunded
    points = left if command.points is None else command.points
    if refusal := _bad_decimals(draft, points):
        return refusal
    if points > left or left == 0:
        return _exceeds(left, "debit")
    if refusal := _over_limit(draft, points):
        return refusal
    flow = "removed" if debited.flow == "removed" else "redeemed"
    row = draft.post(
        "REFUND",
        points,
        id=id,
        active=points,
        flow=flow,
        flow_change=-points,
        related_id=debited.id,
    )
    too_late: list[tuple[int, str]] = []
    saved = 0
    for lot_id, piece in _last_taken_first(taken, refunded, points):
        expired_at = draft.expiry_of(draft.lot(lot_id))
        if expired_at <= draft.now and command.grace:
            saved += piece
            continue
        draft.change(row, lot_id, remaining=piece)
        if expired_at <= draft.now:
            too_late.append((expired_at, lot_id))
    if saved:
        draft.issue(
            row, saved, active_at=draft.now, expires_at=min(draft.now + (command.grace or 0), NEVER)
        )
    for _, lot_id in sorted(too_late):
        expire(draft, draft.lot(lot_id))
    return row


def _last_taken_first(taken: list[LotChange], skip: int, points: int) -> list[tuple[str, int]]:
    pieces: list[tuple[str, int]] = []
    for change in reversed(taken):
        there = -change.remaining_change
        skipped = min(skip, there)
        skip -= skipped
        piece = min(points, there - skipped)
        points -= piece
        if piece:
            pieces.append((change.lot_id, piece))
    return pieces


# ── transfer ──────────────────────────────────────────────────────────────────────────────────────


def transfer(
    sender: Draft,
    receiver: Draft,
    command: Transfer,
    id: str,
) -> tuple[Transaction, Transaction] | Refusal:
    """Move points between two wallets of one program. The lots keep their expiry and their age."""
    if refusal := _bad_decimals(sender, command.points):
        return refusal
    if command.points > sender.wallet.active:
        return _too_few(sender.wallet.active, command.points)
    if refusal := _over_limit(receiver, command.points):
        return refusal
    pieces = _choose(sender, command.points)
    if isinstance(pieces, Refusal):
        return pieces
    moved = [(lot, points, sender.expiry_of(lot)) for lot, points in pieces]
    sent = sender.post(
        "TRANSFER_OUT",
        command.points,
        id=id,
        active=-command.points,
        flow="transferred_out",
        flow_change=command.points,
    )
    received = receiver.post(
        "TRANSFER_IN",
        command.points,
        active=command.points,
        flow="transferred_in",
        flow_change=command.points,
        related_id=sent.id,
    )
    sent.related_id = received.id
    sender.stir()
    receiver.stir()
    for lot, points, expires_at in moved:
        sender.change(sent, lot.id, remaining=-points)
        receiver.issue(
            received,
            points,
            issued_at=lot.issued_at,
            active_at=lot.active_at,
            expires_at=expires_at,
            follows_activity=lot.follows_activity,
        )
    return sent, received
