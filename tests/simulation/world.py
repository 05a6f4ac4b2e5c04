"""The service and the model side by side: each deed is done in both, and the answers compared."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, groupby
from typing import Any, TypeVar

from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.servers import Service, running
from tests.harness.values import Answer, Json, Points
from tests.simulation.model import FLOWS, Wallet, as_of, tried
from tests.simulation.records import Program, Refused, Row

T = TypeVar("T")
START = datetime(2026, 12, 28, 20, 0, tzinfo=UTC)
TICK = timedelta(milliseconds=1)
NOT_STICKY = {"InvalidInput", "WalletNotFound", "ProgramNotFound"}
PROGRAMS = {
    program.name: program
    for program in (
        Program("Never"),
        Program("Days", "AFTER", 3, "DAY", zone="Asia/Kolkata"),
        Program("Months", "AFTER", 1, "MONTH", delay=timedelta(days=2), zone="Pacific/Kiritimati"),
        Program("Year", "END_OF_CALENDAR_YEAR", 0, zone="Asia/Tokyo"),
        Program("Idle", "INACTIVITY", 5, "DAY"),
        Program("Fifo", "AFTER", 10, "DAY", by_issuance=True),
        Program("Capped", limit=90_000),
    )
}

Call = Callable[[str, int | None], Awaitable[Answer]]


@dataclass(frozen=True)
class Asked:
    """A deed as it was asked for, and the first answer to it."""

    key: str
    call: Call
    points: int | None
    answer: Answer


@dataclass(frozen=True)
class Made:
    """A row or a hold that a deed made: whose, which in the model, and its id in the service."""

    wallet: Wallet
    number: int
    id: str


@dataclass
class Memory:
    """What was made, for later deeds to act on."""

    wallets: dict[tuple[str, str], Wallet] = field(default_factory=dict[tuple[str, str], Wallet])
    all_wallets: list[Wallet] = field(default_factory=list[Wallet])
    credits: list[Made] = field(default_factory=list[Made])
    debits: list[Made] = field(default_factory=list[Made])
    holds: list[Made] = field(default_factory=list[Made])
    asked: list[Asked] = field(default_factory=list[Asked])


def wire_points(milli: int | None) -> Points | None:
    return None if milli is None else Decimal(milli) / 1_000


def milli(points: Points) -> int:
    exact = points * 1_000
    assert exact == int(exact), points
    return int(exact)


class World:
    """One service on a database of its own, in an event loop of its own, beside its model."""

    def __init__(self, database_url: str) -> None:
        self.runner = asyncio.Runner()
        self.clock = VirtualClock(START)
        self.stack = AsyncExitStack()
        self.memory = Memory()
        self.service: Service = self.run(
            self.stack.enter_async_context(running(database_url, self.clock))
        )
        self.client: Client = self.service.client
        self.deeds = 0
        self.at_odds = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def close(self) -> None:
        try:
            self.run(self.stack.aclose())
        finally:
            self.runner.close()

    @property
    def now(self) -> datetime:
        return self.clock.now

    # ── doing ────────────────────────────────────────────────────────────────────────────────

    def make_program(self, program: Program) -> None:
        expiry: Json = {"rule": program.rule}
        if program.rule != "NEVER":
            expiry["count"] = program.count
        if program.rule in {"AFTER", "INACTIVITY"}:
            expiry["unit"] = program.unit
        more: Json = {"max_balance": wire_points(program.limit)} if program.limit else {}
        if program.delay:
            more["activation_delay"] = program.delay
        if program.by_issuance:
            more["consumption"] = "EARLIEST_ISSUANCE"
        making = self.client.create_program(
            program.name,
            expiry=expiry,
            time_zone=program.zone,
            rounding={"decimals": program.decimals},
            **more,
        )
        assert self.run(making).error is None

    def wallet(self, who: str, program: str) -> Wallet:
        """Return the wallet, or one that isn't opened yet."""
        found = self.memory.wallets.get((who, program))
        return found or Wallet(PROGRAMS[program], who)

    def act(
        self,
        wallets: list[Wallet],
        deed: Callable[[list[Wallet]], T],
        call: Call,
        points: int | None = None,
        *,
        even_frozen: bool = False,
    ) -> tuple[T | None, Answer]:
        """Do a deed in the model and in the service, compare, and move on a little."""
        self.deeds += 1
        key = f"deed-{self.deeds}"
        done, refusal = None, None
        try:
            done = tried(wallets, self.now, deed, even_frozen=even_frozen)
        except Refused as no:
            refusal = no
        with self.comparing():
            answer = self.run(_answer(call(key, points)))
            assert answer.replayed is False
            assert_agreed(answer, refusal)
            self.see(wallets)
            for wallet in wallets if refusal is None else ():
                self.look_at_balances(wallet)
        if answer.error not in NOT_STICKY:
            self.memory.asked.append(Asked(key, call, points, answer))
        self.clock.set(self.now + TICK)
        return done, answer

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Note while a comparison has not come to its end: after a difference, no audit."""
        self.at_odds = True
        yield
        self.at_odds = False

    def remember(self, wallet: Wallet, wallet_id: str) -> None:
        """Note a wallet that has been opened."""
        if not wallet.id:
            wallet.id = wallet_id
            self.memory.wallets[wallet.identity, wallet.program.name] = wallet
            self.memory.all_wallets.append(wallet)
        assert wallet.id == wallet_id

    def made(self, wallet: Wallet, row: Row, transaction_id: str) -> Made:
        numbers = [number for number, each in enumerate(wallet.rows) if each is row]
        return Made(wallet, numbers[0], transaction_id)

    def open_holds(self) -> list[Made]:
        """Return the holds that can still be captured."""
        return [
            made
            for made in self.memory.holds
            if as_of(made.wallet, self.now).holds[made.number].status == "OPEN"
        ]

    def owed_debits(self) -> list[Made]:
        """Return the debits that can still be refunded."""
        return [made for made in self.memory.debits if made.wallet.rows[made.number].owed]

    def sweep(self) -> None:
        self.run(self.service.sweep())
        for wallet in self.memory.all_wallets:
            wallet.catch_up(self.now)

    def ask_again(self, asked: Asked) -> None:
        """Ask the very same once more: the same answer, and nothing happens."""
        first = asked.answer
        with self.comparing():
            answer = self.run(_answer(asked.call(asked.key, asked.points)))
            assert answer.replayed is True
            assert (answer.error, answer.details) == (first.error, first.details)
            rows = (answer.transaction, answer.sent, answer.received)
            assert rows == (first.transaction, first.sent, first.received)

    def ask_otherwise(self, asked: Asked) -> None:
        """Use a key for another amount: a conflict, and nothing happens."""
        with self.comparing():
            answer = self.run(_answer(asked.call(asked.key, (asked.points or 0) + 1)))
            assert answer.error == "IdempotencyConflict", answer.raw

    # ── comparing ────────────────────────────────────────────────────────────────────────────

    def see(self, wallets: Iterable[Wallet]) -> None:
        """Compare the balances and lifetimes as they are now."""
        for wallet in wallets:
            if not wallet.id:
                continue
            shown, model = self.run(self.client.wallet(wallet.id)), as_of(wallet, self.now)
            balance = shown.balance
            assert tuple(map(milli, (balance.active, balance.promised, balance.held))) == (
                model.balance()
            )
            lifetime = {flow: milli(getattr(shown.lifetime, flow)) for flow in FLOWS}
            assert lifetime == model.lifetime()
            assert sum(model.balance()) == milli(shown.lifetime.total)
            assert (shown.status == "FROZEN") == model.frozen

    def look(self, wallet: Wallet) -> None:
        """Compare the written rows, holds, expiries, and balances past and to come."""
        with self.comparing():
            self.see([wallet])
            self.look_at_rows(wallet)
            self.look_at_holds(wallet)
            self.look_at_balances(wallet)

    def look_at_holds(self, wallet: Wallet) -> None:
        """Compare the holds; and what expires, where promises and holds leave no doubt."""
        model = as_of(wallet, self.now)
        holds = self.run(self.client.holds(wallet.id, first=100)).nodes[::-1]
        assert [
            (milli(hold.points), milli(hold.captured), milli(hold.released), hold.status)
            for hold in holds
        ] == [(hold.points, hold.captured, hold.released, hold.status) for hold in model.holds]
        _, promised, held = model.balance()
        if not promised and not held:
            shown = self.run(self.client.expiring(wallet.id))
            assert [(at, milli(points)) for at, points in shown] == list(model.expiring().items())

    def look_at_rows(self, wallet: Wallet) -> None:
        shown = self.run(self.client.history(wallet.id))
        assert [row.sequence for row in shown] == list(range(1, len(shown) + 1))
        for part in ("active", "promised", "held"):
            sums = accumulate(getattr(row.change, part) for row in shown)
            assert list(sums) == [getattr(row.balance_after, part) for row in shown]
        served = [(row.effective_at, row.kind, milli(row.points)) for row in shown]
        assert by_instant(served) == by_instant(
            (row.at, row.kind, row.points) for row in wallet.rows
        )

    def instants(self, wallet: Wallet) -> list[datetime]:
        """Return the edges of a wallet's life: its last rows' instants, and what is to come."""
        past = sorted({row.at for row in as_of(wallet, self.now).rows})[-3:]
        to_come = sorted(at for at, *_ in as_of(wallet, self.now).due())[:9]
        edges = [at for at in past + to_come if at.year < 9_000]
        return [edge for at in edges for edge in (at - MICROSECOND, at)]

    def look_at_balances(self, wallet: Wallet) -> None:
        instants = self.instants(wallet) if wallet.id else []
        if not instants:
            return
        for at, shown in zip(
            instants, self.run(self.client.balances(wallet.id, instants)), strict=True
        ):
            expected = as_of(wallet, max(at, self.now)).balance(until=at)
            assert (milli(shown.active), milli(shown.promised), milli(shown.held)) == expected, at

    def look_at_program(self, name: str) -> None:
        shown = self.run(self.client.summary(name))
        wallets = [
            as_of(wallet, self.now)
            for wallet in self.memory.all_wallets
            if wallet.program.name == name
        ]
        balances = [wallet.balance() for wallet in wallets]
        totals = [sum(balance[part] for balance in balances) for part in range(3)]
        assert [milli(each) for each in (shown.active, shown.promised, shown.held)] == totals
        for flow in ("credited", "redeemed", "removed", "expired", "reversed"):
            total = sum(wallet.lifetime()[flow] for wallet in wallets)
            assert milli(getattr(shown, flow)) == total, flow

    def audit(self) -> None:
        """Write down all that is due, and compare everything."""
        self.sweep()
        for wallet in self.memory.all_wallets:
            self.look(wallet)
        health = self.run(self.client.health())
        assert health.violations == []
        assert health.wallets == len(self.memory.all_wallets)
        assert health.transactions == sum(len(each.rows) for each in self.memory.all_wallets)


async def _answer(asking: Awaitable[Answer]) -> Answer:
    return await asking


def assert_agreed(answer: Answer, refusal: Refused | None) -> None:
    if refusal is None:
        assert answer.error is None, answer.raw
        return
    assert answer.error in refusal.names, (answer.raw, refusal.names)
    if len(refusal.names) == 1 and refusal.details:
        assert {name: milli(points) for name, points in answer.details.items()} == refusal.details


def by_instant(rows: Iterable[tuple[datetime, str, int]]) -> list[tuple[datetime, Counter[str]]]:
    """Sum the points of each kind at each instant: at one instant, lots have no order."""
    grouped: list[tuple[datetime, Counter[str]]] = []
    for at, group in groupby(rows, key=lambda row: row[0]):
        points: Counter[str] = Counter()
        for _, kind, amount in group:
            points[kind] += amount
        grouped.append((at, points))
    return grouped
