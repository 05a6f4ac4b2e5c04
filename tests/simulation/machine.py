"""What anybody may do at any time, drawing the edges on purpose, in the service and the model."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from tests.harness.clock import MICROSECOND
from tests.simulation import coupons, model
from tests.simulation.deeds import deed, spell
from tests.simulation.model import Wallet
from tests.simulation.records import Row
from tests.simulation.world import PROGRAMS, Made, World, wire_points

T = TypeVar("T")


def measured(edge: str, there: int, some: int) -> int:
    """Return an amount: the very balance, 1/1000 more, the least there is, or just some."""
    return {"all": there, "over": there + 1, "least": 1, "some": some}[edge]


def pick(made: list[T], number: int, likely: list[T] | None = None) -> T | None:
    """Pick one of the likely, where there are any, and now and then one of all."""
    if likely and number % 5:
        return likely[number % len(likely)]
    return made[number % len(made)] if made else None


class LedgerMachine(RuleBasedStateMachine):
    """Whatever anybody asks for, whenever: the service does what the model does."""

    databases: ClassVar[Iterator[str]]  # a fresh one for each example

    def __init__(self) -> None:
        super().__init__()
        self.world = World(next(self.databases))
        self.programs: list[str] = []
        self.coupons: list[coupons.Coupon] = []

    def teardown(self) -> None:
        try:
            if self.programs and not self.world.at_odds:
                self.world.audit()
                for name in self.programs:
                    self.world.look_at_program(name)
                for coupon in self.coupons:
                    coupons.look_at(self.world, coupon)
        finally:
            self.world.close()

    @initialize(
        names=st.lists(st.sampled_from(sorted(PROGRAMS)), min_size=2, max_size=2, unique=True),
        seed=st.integers(0, 2**32),
        length=st.integers(0, 120),
    )
    def begin(self, names: list[str], seed: int, length: int) -> None:
        """Open two programs and some wallets, and let there have been some life in them."""
        self.programs = names
        for slot, name in enumerate(names):
            self.world.make_program(PROGRAMS[name])
            self.coupons.append(coupons.offer(self.world, name))
            for who in ("ann", "bob"):
                self.give(who, slot, 45_000 - 15_000 * slot)
                # What is issued later expires sooner, so that the order of consumption shows.
                for hours in () if PROGRAMS[name].limit else (100, 24):
                    lasts = self.world.now + timedelta(hours=hours) + PROGRAMS[name].delay
                    self.give(who, slot, 10_000, expires_at=lasts)
        self.a_busy_spell(seed, length)

    def wallet_of(self, who: str, slot: int) -> Wallet:
        return self.world.wallet(who, self.programs[slot])

    def open_wallet(self, number: int) -> Wallet:
        wallet = pick(self.world.memory.all_wallets, number)
        assert wallet is not None
        return wallet

    def a_busy_spell(self, seed: int, length: int) -> None:
        """Let many things happen: the rules alone are too few to meet each other."""
        for name, arguments in spell(seed, length):
            getattr(self, name)(**arguments)

    # ── time ─────────────────────────────────────────────────────────────────────────────────

    @deed("time_passes")
    def time_passes(self, minutes: int) -> None:
        self.world.clock.advance(minutes=minutes)

    @deed("something_is_about_to_fall_due")
    def something_is_about_to_fall_due(self, offset: int) -> None:
        """Go to the next activation, release or expiry, or to the microsecond beside it."""
        now = self.world.now
        coming: list[datetime] = [
            at
            for wallet in self.world.memory.all_wallets
            for at, *_ in model.as_of(wallet, now).due()
            if at + offset * MICROSECOND > now and at.year < 9_000
        ]
        if coming:
            self.world.clock.set(min(coming) + offset * MICROSECOND)

    @deed("sweep")
    def sweep(self) -> None:
        self.world.sweep()

    # ── credits ──────────────────────────────────────────────────────────────────────────────

    @deed("credit")
    def credit(
        self,
        who: str,
        slot: int,
        points: int,
        promise: int | None,
        lasts: int | None,
        source: str,
    ) -> None:
        wallet = self.wallet_of(who, slot)
        now = self.world.now
        active_at = None if promise is None else now + timedelta(hours=promise)
        starts = max(now, active_at or now + wallet.program.delay)
        own = lasts is not None and wallet.program.limit is None
        expires_at = starts + timedelta(hours=lasts or 0) if own else None
        self.give(who, slot, points, active_at, expires_at, source)

    def give(
        self,
        who: str,
        slot: int,
        points: int,
        active_at: datetime | None = None,
        expires_at: datetime | None = None,
        source: str = "API",
    ) -> None:
        world, wallet = self.world, self.wallet_of(who, slot)
        row, answer = world.act(
            [wallet],
            lambda wallets: wallets[0].credit(points, world.now, active_at, expires_at),
            lambda key, amount: world.client.credit(
                who,
                wire_points(amount) or 0,
                key=key,
                program=wallet.program.name,
                active_at=active_at,
                expires_at=expires_at,
                source=source,
            ),
            points,
        )
        if row is not None:
            world.remember(wallet, answer.posted.wallet_id)
            world.memory.credits.append(world.made(wallet, row, answer.id))
            world.see([wallet])

    @deed("redeem")
    def redeem(self, who: str, slot: int) -> None:
        coupons.redeem(self.world, self.coupons[slot], self.wallet_of(who, slot))

    # ── spending ─────────────────────────────────────────────────────────────────────────────

    @deed("debit")
    def debit(self, number: int, edge: str, some: int, *, manual: bool) -> None:
        world, wallet = self.world, self.open_wallet(number)
        points = measured(edge, model.as_of(wallet, world.now).available(), some) or some
        flow = "removed" if manual else "redeemed"

        row, answer = world.act(
            [wallet],
            lambda wallets: wallets[0].debit(points, world.now, flow),
            lambda key, amount: world.client.debit(
                wallet.id, wire_points(amount) or 0, key=key, manual=manual
            ),
            points,
        )
        if row is not None:
            world.memory.debits.append(world.made(wallet, row, answer.id))

    @deed("hold")
    def hold(self, number: int, edge: str, some: int, lasts: str) -> None:
        world, wallet = self.world, self.open_wallet(number)
        shown = model.as_of(wallet, world.now)
        points = measured(edge, shown.available(), some) or some
        expires_at = self.end_of_hold(shown, lasts)
        given = None if lasts == "default" else expires_at

        hold, answer = world.act(
            [wallet],
            lambda wallets: wallets[0].hold(points, world.now, expires_at),
            lambda key, amount: world.client.hold(
                wallet.id, wire_points(amount) or 0, key=key, expires_at=given
            ),
            points,
        )
        if hold is not None:
            assert answer.held.expires_at == expires_at
            world.memory.holds.append(Made(wallet, hold.number, answer.held.id))

    def end_of_hold(self, wallet: Wallet, lasts: str) -> datetime:
        """Return when a hold times out: at a lot's very expiry, a little later, or anyhow."""
        now = self.world.now
        longest = now + timedelta(days=30)
        simple = {
            "default": now + timedelta(minutes=15),
            "hour": now + timedelta(hours=1),
            "longest": longest,
        }
        if lasts in simple:
            return simple[lasts]
        expiries = [at for at in wallet.expiring() if at <= longest - timedelta(hours=2)]
        first = min(expiries, default=now + timedelta(hours=2))
        return first if lasts == "lot" else first + timedelta(hours=1)

    # ── holds ────────────────────────────────────────────────────────────────────────────────

    @deed("capture")
    def capture(self, number: int, edge: str, some: int, *, rest: bool) -> None:
        world, made = self.world, pick(self.world.memory.holds, number, self.world.open_holds())
        if made is None:
            return
        wallet = made.wallet
        left = model.as_of(wallet, world.now).holds[made.number].left
        points = None if rest else measured(edge, left, some) or 1

        row, answer = world.act(
            [wallet],
            lambda wallets: wallets[0].capture(made.number, points, world.now),
            lambda key, amount: world.client.capture(
                made.id, key=key, **({} if amount is None else {"points": wire_points(amount)})
            ),
            points,
        )
        if row is not None:
            world.memory.debits.append(world.made(wallet, row, answer.id))

    @deed("release")
    def release(self, number: int) -> None:
        world, made = self.world, pick(self.world.memory.holds, number, self.world.open_holds())
        if made is None:
            return
        wallet = made.wallet
        status = model.as_of(wallet, world.now).holds[made.number].status

        _, answer = world.act(
            [wallet],
            lambda wallets: wallets[0].release(made.number, world.now),
            lambda key, _: world.client.release(made.id, key=key),
            even_frozen=True,
        )
        assert (answer.error is None) == (status == "OPEN")

    # ── taking back ──────────────────────────────────────────────────────────────────────────

    @deed("reverse")
    def reverse(
        self, number: int, edge: str, some: int, *, all_: bool, clamp: bool, others: bool
    ) -> None:
        world, made = self.world, pick(self.world.memory.credits, number)
        if made is None:
            return
        wallet = made.wallet
        if wallet.received:
            return  # which of two lots that expire together goes first is nobody's promise
        lot = wallet.lots[self.row(made).lot or 0]
        points = None if all_ else measured(edge, lot.free or lot.issued, some)

        world.act(
            [wallet],
            lambda wallets: wallets[0].reverse(
                wallets[0].rows[made.number], points, world.now, clamp=clamp, others=others
            ),
            lambda key, amount: world.client.reverse(
                made.id,
                key=key,
                shortfall="CLAMP" if clamp else "REJECT",
                from_other_lots=others,
                **({} if amount is None else {"points": wire_points(amount)}),
            ),
            points,
        )

    @deed("refund")
    def refund(self, number: int, edge: str, some: int, *, all_: bool, grace: int | None) -> None:
        world, made = self.world, pick(self.world.memory.debits, number, self.world.owed_debits())
        if made is None:
            return
        wallet = made.wallet
        left = sum(part for _, part in self.row(made).owed)
        points = None if all_ else measured(edge, left, some) or 1
        span = None if grace is None or wallet.program.by_issuance else timedelta(hours=grace)

        world.act(
            [wallet],
            lambda wallets: wallets[0].refund(
                wallets[0].rows[made.number], points, world.now, span
            ),
            lambda key, amount: world.client.refund(
                made.id,
                key=key,
                grace=span,
                **({} if amount is None else {"points": wire_points(amount)}),
            ),
            points,
        )

    def row(self, made: Made) -> Row:
        return made.wallet.rows[made.number]

    # ── moving, freezing, forgetting ─────────────────────────────────────────────────────────

    @deed("transfer")
    def transfer(self, who: str, to: str, slot: int, edge: str, some: int) -> None:
        world = self.world
        sender, receiver = self.wallet_of(who, slot), self.wallet_of(to, slot)
        if who == to or not sender.id or sender.program.by_issuance:
            return
        points = measured(edge, model.as_of(sender, world.now).available(), some) or some

        done, answer = world.act(
            [sender, receiver],
            lambda wallets: model.transfer(wallets[0], wallets[1], points, world.now),
            lambda key, amount: world.client.transfer(
                sender.identity,
                to,
                wire_points(amount) or 0,
                key=key,
                program=sender.program.name,
            ),
            points,
        )
        if done is not None:
            assert answer.received is not None
            world.remember(receiver, answer.received.wallet_id)
            world.see([receiver])

    @deed("freeze_or_thaw")
    def freeze_or_thaw(self, who: str, slot: int, *, frozen: bool) -> None:
        world, wallet = self.world, self.wallet_of(who, slot)
        if wallet.id:
            answer = world.run(world.client.freeze(wallet.id, frozen=frozen))
            assert answer.error is None
            wallet.frozen = frozen
            world.see([wallet])

    @deed("erase")
    def erase(self, who: str, seldom: int) -> None:
        wallets = self.world.memory.wallets
        own = [key for key in wallets if key[0] == who]
        if own and not seldom:
            assert self.world.run(self.world.client.erase_member(who)).error is None
            for key in own:
                wallets.pop(key).frozen = True

    # ── asking again ─────────────────────────────────────────────────────────────────────────

    @deed("ask_again")
    def ask_again(self, number: int, *, otherwise: bool) -> None:
        asked = pick(self.world.memory.asked, number)
        if asked is None:
            return
        if not otherwise:
            self.world.ask_again(asked)
        elif asked.points is not None:
            self.world.ask_otherwise(asked)
        self.world.see(self.world.memory.all_wallets[-2:])

    @deed("look_closely")
    def look_closely(self, number: int) -> None:
        self.world.look(self.open_wallet(number))
