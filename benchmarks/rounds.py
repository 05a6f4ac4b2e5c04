"""Services beside each other, round by round in turn: who runs, and what the rounds have shown."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import operations
from benchmarks.figures import Row, median_of, ratios, spread
from benchmarks.load import Load, Measured
from benchmarks.servers import MeasurementError, Server, run_load, running

CREDIT_WALLETS = 100
READ_WALLETS = 32
PAGE = 20
SERIALS_A_LOAD = 10**9
SERIALS_TO_FILL = 10**18
FILL_SECONDS_MAX = 120
CREDIT_MARKER = '"txn_'
READ_MARKER = '"sequence"'
NAMES = ("tuppence", "naive")
COLUMNS = (
    "per second",
    "range",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "peak MB",
    "client busy",
)

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How long and how often to measure, and where the databases may lie."""

    folder: Path
    rounds: int
    seconds: float
    progress: Progress


@dataclass
class Contender:
    """A service in the race and what its rounds have shown."""

    server: Server
    rounds: list[Measured] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    filled: int = 0
    """How many transactions it was given beforehand."""
    peak_kb: int = 0

    def run(self, load: Load) -> Measured:
        """Run one round and keep its figures."""
        before = self.server.cpu_seconds()
        measured = run_load(load)
        used = self.server.cpu_seconds() - before
        self.rounds.append(measured)
        self.cpu_us.append(used * 1e6 / measured.operations_all)
        self.peak_kb = self.server.peak_kb()
        return measured

    @property
    def rates(self) -> list[float]:
        """Return the rate of each round."""
        return [measured.per_second for measured in self.rounds]

    @property
    def p99s(self) -> list[float]:
        """Return the slowest hundredth of each round, in milliseconds."""
        return [measured.p99_ms for measured in self.rounds]

    @property
    def per_second(self) -> float:
        """Return the median of the rates."""
        return median_of(self.rates)

    def row(self) -> Row:
        """Return the figures as a line of the table."""
        p50s = [measured.p50_ms for measured in self.rounds]
        shares = [measured.client_cpu_share for measured in self.rounds]
        cells = (
            f"{self.per_second:,.0f}",
            spread(self.rates),
            f"{median_of(p50s):,.1f}",
            f"{median_of(self.p99s):,.1f}",
            f"{median_of(self.cpu_us):,.0f}",
            f"{self.peak_kb / 1024:,.0f}",
            f"{max(shares):.0%}",
        )
        figures = {
            "per_second": self.rates,
            "p50_ms": p50s,
            "p99_ms": self.p99s,
            "cpu_us": self.cpu_us,
            "peak_mb": [self.peak_kb / 1024],
            "client_cpu_share": shares,
        }
        return Row(self.server.name, cells, figures)


def ratio_row(name: str, each: list[float]) -> Row:
    """Return the rounds' ratios of one figure as a line of the table."""
    cells = (f"{median_of(each):.2f} ×", spread(each, 2), *[""] * (len(COLUMNS) - 2))
    return Row(name, cells, {"ratio": each})


def compare_rates(one: Contender, other: Contender) -> list[float]:
    """Return how the rates of two compare, round by round."""
    return ratios(one.rates, other.rates)


def credit_load(
    server: Server, serial_from: int, seconds: float, wallets: int = CREDIT_WALLETS
) -> Load:
    """Return a round of credits, spread over the wallets."""
    bodies = [operations.credit(member) for member in range(wallets)]
    return Load(server.port, bodies, CREDIT_MARKER, seconds=seconds, serial_from=serial_from)


def read_load(server: Server, seconds: float) -> Load:
    """Return a round of reads: a wallet and its newest 20 transactions."""
    bodies = [operations.read(member, PAGE) for member in range(READ_WALLETS)]
    return Load(server.port, bodies, READ_MARKER, marker_count=PAGE, seconds=seconds)


def fill_wallets(server: Server, wallets: int, transactions: int) -> int:
    """Open some wallets and give each its transactions; return how many were made."""
    bodies = [operations.credit(member) for member in range(wallets)]
    count = wallets * transactions
    load = Load(
        server.port,
        bodies,
        CREDIT_MARKER,
        seconds=FILL_SECONDS_MAX,
        warm_up_seconds=0,
        requests_max=count,
        serial_from=SERIALS_TO_FILL,
    )
    measured = run_load(load)
    if measured.operations_all != count:
        reason = f"{server.name} made {measured.operations_all} of {count} credits in time."
        raise MeasurementError(reason)
    return count


def race(
    plan: Plan, title: str, load_for: Callable[[Server, int], Load], contenders: list[Contender]
) -> None:
    """Run the rounds, the services in turn within each; each is the first as often as the last."""
    for number in range(plan.rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            measured = contender.run(load_for(contender.server, number))
            plan.progress(
                f"{title} {number + 1}/{plan.rounds} {contender.server.name}: "
                f"{measured.per_second:,.0f}/s"
            )


def count_transactions(server: Server) -> int:
    """Return how many rows the ledger holds."""
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM transactions").fetchone()[0]


def check_nothing_lost(contender: Contender) -> None:
    """See that each acknowledged credit is one row: none lost, none twice."""
    acknowledged = contender.filled + sum(measured.operations_all for measured in contender.rounds)
    written = count_transactions(contender.server)
    if written != acknowledged:
        reason = f"{contender.server.name}: {acknowledged} acknowledged, {written} written."
        raise MeasurementError(reason)


def open_all(stack: ExitStack, folder: Path, names: Sequence[str] = NAMES) -> list[Contender]:
    """Start the services, each on a new database."""
    first = operations.first_request()
    return [Contender(stack.enter_context(running(name, folder, first))) for name in names]
