"""Credits and reads through Tuppence beside the naive service, round by round in turn."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import operations
from benchmarks.figures import Bar, Row, Section, Verdict, median_of, spread
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
CLIENT_SHARE_MAX = 0.9
NAMES = ("tuppence", "naive")
COLUMNS = (
    "per second",
    "range",
    "p50 ms",
    "p99 ms",
    "CPU µs",
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

    def run(self, load: Load) -> Measured:
        """Run one round and keep its figures."""
        before = self.server.cpu_seconds()
        measured = run_load(load)
        used = self.server.cpu_seconds() - before
        self.rounds.append(measured)
        self.cpu_us.append(used * 1e6 / measured.operations_all)
        return measured

    @property
    def per_second(self) -> float:
        """Return the median of the rates."""
        return median_of([measured.per_second for measured in self.rounds])

    def row(self) -> Row:
        """Return the figures as a line of the table."""
        rates = [measured.per_second for measured in self.rounds]
        cells = (
            f"{self.per_second:,.0f}",
            spread(rates),
            f"{median_of([measured.p50_ms for measured in self.rounds]):,.1f}",
            f"{median_of([measured.p99_ms for measured in self.rounds]):,.1f}",
            f"{median_of(self.cpu_us):,.0f}",
            f"{max(measured.client_cpu_share for measured in self.rounds):.0%}",
        )
        return Row(self.server.name, cells)


def credit_load(server: Server, serial_from: int, seconds: float) -> Load:
    """Return a round of credits, spread over the wallets."""
    bodies = [operations.credit(member) for member in range(CREDIT_WALLETS)]
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


def conclude(section: Section, contenders: list[Contender], ratio_min: float) -> Section:
    """Add the figures of a race to its section, and the ratio to what is asked."""
    ours, naive = contenders
    busiest = max(measured.client_cpu_share for measured in ours.rounds)
    if busiest > CLIENT_SHARE_MAX:
        section.explanation += " **The client was the bottleneck: the rate is too low.**"
    section.rows = [contender.row() for contender in contenders]
    ratio = ours.per_second / naive.per_second
    section.verdicts.append(
        Verdict(f"{section.title}: ours ÷ naive", ratio, ratio_min, "×", at_least=True)
    )
    section.bars = [
        Bar(contender.server.name, contender.per_second, f"{contender.per_second:,.0f}/s")
        for contender in contenders
    ]
    return section


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


def measure_credits(plan: Plan) -> Section:
    """Race credits."""
    section = Section(
        "credits",
        f"`creditPoints` over {CREDIT_WALLETS} wallets opened beforehand, 32 keep-alive"
        " connections; SQLite in WAL with `synchronous=FULL`."
        " Every acknowledged credit was found in the ledger afterwards.",
        COLUMNS,
    )
    with ExitStack() as stack:
        contenders = open_all(stack, plan.folder / "credits")
        for contender in contenders:
            contender.filled = fill_wallets(contender.server, CREDIT_WALLETS, 1)
        race(
            plan,
            "credits",
            lambda server, number: credit_load(server, number * SERIALS_A_LOAD, plan.seconds),
            contenders,
        )
        for contender in contenders:
            check_nothing_lost(contender)
    return conclude(section, contenders, ratio_min=10)


def measure_reads(plan: Plan) -> Section:
    """Race reads."""
    section = Section(
        "reads",
        f"a wallet with its newest {PAGE} transactions, every field; {READ_WALLETS} wallets,"
        " 32 keep-alive connections.",
        COLUMNS,
    )
    with ExitStack() as stack:
        contenders = open_all(stack, plan.folder / "reads")
        for contender in contenders:
            plan.progress(f"reads: {contender.server.name} is given its transactions")
            fill_wallets(contender.server, READ_WALLETS, PAGE)
        race(plan, "reads", lambda server, _: read_load(server, plan.seconds), contenders)
    return conclude(section, contenders, ratio_min=5)
