"""A plain, slow model of the ledger: lists, loops and sums, written from the domain's words alone.

Points are integers of 1/1000. A wallet's rows are what the service must have written; its lots
and holds follow from them. Whatever is asked of a wallet is answered by a copy that has first
written down all that is due, so a question never changes anything.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tests.simulation.calendar import end_of_year_after, later_by
from tests.simulation.records import Hold, Lot, Program, Refused, Row, Takes, split

FAR = datetime.max.replace(tzinfo=UTC)
FLOWS = (
    "credited",
    "transferred_in",
    "transferred_out",
    "redeemed",
    "removed",
    "expired",
    "reversed",
)
T = TypeVar("T")


@dataclass
class Wallet:
    """One member's points in one program."""

    program: Program
    identity: str
    id: str = ""  # the service's name for it
    rows: list[Row] = field(default_factory=list[Row])
    lots: list[Lot] = field(default_factory=list[Lot])
    holds: list[Hold] = field(default_factory=list[Hold])
    frozen: bool = False
    received: bool = False
    last_activity: datetime | None = None

    # ── sums ─────────────────────────────────────────────────────────────────────────────────

    def balance(self, until: datetime = FAR) -> tuple[int, int, int]:
        """Return active, promised and held, summed anew over the rows up to and with an instant."""
        rows = [row for row in self.rows if until is FAR or row.at <= until]
        return (
            sum(row.active for row in rows),
            sum(row.promised for row in rows),
            sum(row.held for row in rows),
        )

    def lifetime(self) -> dict[str, int]:
        return {
            flow: sum(row.flow_change for row in self.rows if row.flow == flow) for flow in FLOWS
        }

    # ── lots ─────────────────────────────────────────────────────────────────────────────────

    def expiry(self, lot: Lot) -> datetime | None:
        """Return when a lot expires, as things stand."""
        if lot.expires_at is not None or self.program.rule != "INACTIVITY":
            return lot.expires_at
        assert self.last_activity is not None
        since = max(self.last_activity, lot.active_at)
        return later_by(since, self.program.count, self.program.unit, self.program.zone)

    def rule_expiry(self, now: datetime, active_at: datetime) -> datetime | None:
        """Return the expiry that a new lot has of its own by the program's rule."""
        rule = self.program
        if rule.rule == "AFTER":
            return later_by(active_at, rule.count, rule.unit, rule.zone)
        if rule.rule == "END_OF_CALENDAR_YEAR":
            return end_of_year_after(now, rule.count, rule.zone)
        return None

    def usable(self) -> list[Lot]:
        """Return the lots that a debit may take from, in the program's order."""
        lots = [lot for lot in self.lots if lot.active and not lot.over and lot.free > 0]

        def order(lot: Lot) -> tuple[float, ...]:
            expiry = self.expiry(lot)
            by_expiry = (
                expiry.timestamp() if expiry else float("inf"),
                lot.active_at.timestamp(),
                lot.number,
            )
            if self.program.by_issuance:
                return (lot.issued_at.timestamp(), *by_expiry)
            return by_expiry

        return sorted(lots, key=order)

    def expiring(self) -> dict[datetime, int]:
        """Return how many usable points expire when."""
        sums: dict[datetime, int] = {}
        for lot in self.usable():
            expiry = self.expiry(lot)
            if expiry is not None:
                sums[expiry] = sums.get(expiry, 0) + lot.free
        return dict(sorted(sums.items()))

    def available(self) -> int:
        return sum(lot.free for lot in self.usable())

    def issue(
        self, points: int, now: datetime, active_at: datetime, expires_at: datetime | None
    ) -> Lot:
        lot = Lot(
            number=len(self.lots),
            issued=points,
            issued_at=now,
            active_at=active_at,
            expires_at=expires_at,
            remaining=points,
            active=active_at <= now,
        )
        self.lots.append(lot)
        return lot

    def choose(self, points: int, lots: Iterable[Lot]) -> Takes:
        """Choose so many points from lots, one lot after another."""
        takes: Takes = []
        for lot in lots:
            part = min(points, lot.free)
            if part:
                takes.append((lot.number, part))
                points -= part
        assert points == 0
        return takes

    def take(self, takes: Takes) -> None:
        for number, part in takes:
            self.lots[number].remaining -= part

    # ── what the clock does ──────────────────────────────────────────────────────────────────

    def due(self) -> Iterator[tuple[datetime, int, int]]:
        """Yield all that will fall due: when, what (activation, release, expiry), which."""
        for lot in self.lots:
            expiry = self.expiry(lot)
            if not lot.active:
                yield lot.active_at, 0, lot.number
            elif not lot.over and expiry is not None:
                yield expiry, 2, lot.number
        for hold in self.holds:
            if hold.status == "OPEN":
                yield hold.expires_at, 1, hold.number

    def catch_up(self, now: datetime) -> None:
        """Write down all that is due by now, in the order of its time."""
        while True:
            at, what, number = min(self.due(), default=(FAR, 0, 0))
            if at is FAR or at > now:
                return
            (self._activate, self._time_out, self._expire)[what](number, at)

    def _activate(self, number: int, at: datetime) -> None:
        lot = self.lots[number]
        lot.active = True
        if lot.remaining:
            row = Row("ACTIVATION", lot.remaining, at, active=lot.remaining, lot=number)
            row.promised = -lot.remaining
            self.rows.append(row)

    def _time_out(self, number: int, at: datetime) -> None:
        self.let_go(self.holds[number], at, "EXPIRED")

    def _expire(self, number: int, at: datetime) -> None:
        """Let the free points of a lot go; what is held of it goes when it is released."""
        lot = self.lots[number]
        lot.over = True
        points = lot.free
        if points:
            lot.remaining -= points
            lot.expired += points
            row = Row("EXPIRY", points, at, active=-points, flow="expired", flow_change=points)
            self.rows.append(row)

    def let_go(self, hold: Hold, at: datetime, status: str) -> Row:
        """Release what a hold still holds; what has expired meanwhile expires at once."""
        row = Row("RELEASE", hold.left, at, active=hold.left, held=-hold.left)
        self.rows.append(row)
        hold.released += hold.left
        hold.status = status
        for number, part in hold.parts:
            self.lots[number].held -= part
        for number, _ in hold.parts:
            if self.lots[number].over:
                self._expire(number, at)
        hold.parts = []
        return row

    # ── what callers do; each at `now`, on a wallet that has caught up ───────────────────────

    def credit(
        self, points: int, now: datetime, active_at: datetime | None, expires_at: datetime | None
    ) -> Row:
        starts = max(now, active_at if active_at is not None else now + self.program.delay)
        expires_at = expires_at or self.rule_expiry(now, starts)
        if expires_at is not None and expires_at <= starts:
            raise Refused("InvalidInput")
        self.must_have_room(points)
        lot = self.issue(points, now, starts, expires_at)
        row = Row("CREDIT", points, now, flow="credited", flow_change=points, lot=lot.number)
        row.active, row.promised = (points, 0) if lot.active else (0, points)
        self.rows.append(row)
        self.last_activity = now
        return row

    def must_have_room(self, points: int) -> None:
        limit = self.program.limit
        if limit is not None and sum(self.balance()) + points > limit:
            raise Refused("BalanceLimit", maxBalance=limit)

    def must_have(self, points: int) -> None:
        if points > self.available():
            raise Refused("InsufficientPoints", available=self.available(), requested=points)

    def debit(self, points: int, now: datetime, flow: str) -> Row:
        self.must_have(points)
        takes = self.choose(points, self.usable())
        self.take(takes)
        row = Row("DEBIT", points, now, active=-points, flow=flow, flow_change=points)
        row.owed = takes
        self.rows.append(row)
        self.last_activity = now
        return row

    def hold(self, points: int, now: datetime, expires_at: datetime) -> Hold:
        self.must_have(points)
        parts = self.choose(points, self.usable())
        for number, part in parts:
            self.lots[number].held += part
        hold = Hold(len(self.holds), points, expires_at, parts)
        self.holds.append(hold)
        self.rows.append(Row("HOLD", points, now, active=-points, held=points))
        return hold

    def capture(self, number: int, points: int | None, now: datetime) -> Row:
        hold = self.holds[number]
        if hold.status != "OPEN":
            raise Refused("HoldClosed")
        points = hold.left if points is None else points
        if points > hold.left:
            raise Refused("ExceedsOriginal", remaining=hold.left)
        takes, hold.parts = split(hold.parts, points)
        for lot, part in takes:
            self.lots[lot].held -= part
        self.take(takes)
        hold.captured += points
        hold.status = "OPEN" if hold.left else "CLOSED"
        row = Row("DEBIT", points, now, held=-points, flow="redeemed", flow_change=points)
        row.owed = takes
        self.rows.append(row)
        self.last_activity = now
        return row

    def release(self, number: int, now: datetime) -> Row:
        if self.holds[number].status != "OPEN":
            raise Refused("HoldClosed")
        return self.let_go(self.holds[number], now, "CLOSED")

    def reverse(
        self, credit: Row, points: int | None, now: datetime, *, clamp: bool, others: bool
    ) -> Row:
        assert credit.lot is not None
        own = self.lots[credit.lot]
        left = max(0, own.issued - own.expired - own.reversed)
        points = left if points is None else points
        if points > left or not left:
            raise Refused("ExceedsOriginal", remaining=left)
        sources = [own] if not own.over else []
        sources += [lot for lot in self.usable() if others and lot is not own]
        there = sum(lot.free for lot in sources)
        if there < points and not (clamp and there):
            raise Refused("InsufficientPoints", available=there, requested=points)
        points = min(points, there)
        takes = self.choose(points, sources)
        self.take(takes)
        own.reversed += points
        row = Row("REVERSAL", points, now, flow="reversed", flow_change=points)
        row.promised = -sum(part for number, part in takes if not self.lots[number].active)
        row.active = -points - row.promised
        self.rows.append(row)
        return row

    def refund(self, debit: Row, points: int | None, now: datetime, grace: timedelta | None) -> Row:
        left = sum(part for _, part in debit.owed)
        points = left if points is None else points
        if points > left or not left:
            raise Refused("ExceedsOriginal", remaining=left)
        self.must_have_room(points)
        last_first, rest = split(debit.owed[::-1], points)
        debit.owed = rest[::-1]
        row = Row("REFUND", points, now, active=points, flow=debit.flow, flow_change=-points)
        self.rows.append(row)
        for number, part in last_first:
            lot = self.lots[number]
            if lot.over and grace is not None:
                self.issue(part, now, now, now + grace)
            else:
                lot.remaining += part
        for number, _ in last_first:
            if self.lots[number].over:
                self._expire(number, now)
        return row


def transfer(sender: Wallet, receiver: Wallet, points: int, now: datetime) -> tuple[Row, Row]:
    """Move points between two wallets that have caught up; lots keep their expiry."""
    refusals: list[Refused] = []
    for check in (lambda: sender.must_have(points), lambda: receiver.must_have_room(points)):
        try:
            check()
        except Refused as refusal:
            refusals.append(refusal)
    if refusals:
        refusals[0].names = {name for refusal in refusals for name in refusal.names}
        raise refusals[0]
    takes = sender.choose(points, sender.usable())
    sender.take(takes)
    for number, part in takes:
        receiver.issue(part, now, now, sender.lots[number].expires_at)
    sent = Row("TRANSFER_OUT", points, now, active=-points)
    sent.flow, sent.flow_change = "transferred_out", points
    received = Row("TRANSFER_IN", points, now, active=points)
    received.flow, received.flow_change = "transferred_in", points
    for wallet, row in ((sender, sent), (receiver, received)):
        wallet.rows.append(row)
        wallet.last_activity = now
    receiver.received = True
    return sent, received


def as_of(wallet: Wallet, at: datetime) -> Wallet:
    """Return the wallet as the clock alone leaves it at an instant that has not passed."""
    shown = copy.deepcopy(wallet)
    shown.catch_up(at)
    return shown


def tried(
    wallets: list[Wallet],
    now: datetime,
    deed: Callable[[list[Wallet]], T],
    *,
    even_frozen: bool = False,
) -> T:
    """Do a deed on copies that have caught up, and keep them only if it is not refused."""
    copies = [as_of(wallet, now) for wallet in wallets]
    frozen = any(wallet.frozen for wallet in wallets) and not even_frozen
    try:
        done = deed(copies)
    except Refused as refusal:
        if frozen:
            refusal.names.add("WalletFrozen")
        raise
    if frozen:
        raise Refused("WalletFrozen")
    for wallet, changed in zip(wallets, copies, strict=True):
        wallet.__dict__.update(changed.__dict__)
    return done
