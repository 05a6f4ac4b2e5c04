"""Rivals on one PostgreSQL: who credits, round by round in turn, and where the time went."""

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.clusters import cpu_seconds
from benchmarks.figures import Row, median_of, ratios, spread
from benchmarks.load import Measured
from benchmarks.rounds import SERIALS_A_LOAD, Plan
from benchmarks.servers import Server
from tests.harness.postgres import Postgres

COLUMNS = (
    "per second",
    "range",
    "p50 ms",
    "p99 ms",
    "service CPU µs",
    "PostgreSQL CPU µs",
    "client CPU µs",
    "service peak MB",
    "processors busy",
)


@dataclass(frozen=True)
class Spent:
    """The processor's time of one round, in seconds, by whose it is."""

    services: float
    postgres: float
    client: float

    @property
    def whole(self) -> float:
        """Return everyone's."""
        return self.services + self.postgres + self.client


@dataclass
class Rival:
    """Someone who credits, and what the rounds have shown.

    `run` is one round, whose keys begin at a serial number; `services` are the processes that it
    has besides PostgreSQL's and the client's.
    """

    name: str
    run: Callable[[int], Measured]
    services: list[Server] = field(default_factory=list)
    rounds: list[Measured] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    peak_kb: int = 0
    """The most memory that its services have held."""

    def take_turn(self, postgres: Postgres, serial: int) -> Measured:
        """Run one round and keep its figures."""
        services, cluster = self.service_seconds(), cpu_seconds(postgres)
        measured = self.run(serial)
        services, cluster = self.service_seconds() - services, cpu_seconds(postgres) - cluster
        self.peak_kb = sum(server.peak_kb() for server in self.services)
        self.rounds.append(measured)
        self.spent.append(Spent(services, cluster, measured.client_cpu_seconds))
        return measured

    def service_seconds(self) -> float:
        """Return the process time that its services have used until now."""
        return sum(server.cpu_seconds() for server in self.services)

    @property
    def rates(self) -> list[float]:
        """Return the rate of each round."""
        return [measured.per_second for measured in self.rounds]

    @property
    def acknowledged(self) -> int:
        """Return how many credits were answered."""
        return sum(measured.operations_all for measured in self.rounds)

    def row(self) -> Row:
        """Return the figures as a line of the table."""
        turns = list(zip(self.rounds, self.spent, strict=True))
        busy = [spent.whole / turn.operations_all * turn.per_second for turn, spent in turns]

        def a_credit(whose: Callable[[Spent], float]) -> str:
            each = median_of([whose(spent) * 1e6 / turn.operations_all for turn, spent in turns])
            return f"{each:,.0f}"

        cells = (
            f"{median_of(self.rates):,.0f}",
            spread(self.rates),
            f"{median_of([turn.p50_ms for turn in self.rounds]):,.1f}",
            f"{median_of([turn.p99_ms for turn in self.rounds]):,.1f}",
            a_credit(lambda spent: spent.services) if self.services else "",
            a_credit(lambda spent: spent.postgres),
            a_credit(lambda spent: spent.client),
            f"{self.peak_kb / 1024:,.0f}" if self.services else "",
            f"{median_of(busy):.2f}",
        )
        return Row(self.name, cells, self.figures())

    def figures(self) -> dict[str, list[float]]:
        """Return the figures as numbers, one of each round."""
        turns = list(zip(self.rounds, self.spent, strict=True))
        return {
            "per_second": self.rates,
            "p50_ms": [turn.p50_ms for turn in self.rounds],
            "p99_ms": [turn.p99_ms for turn in self.rounds],
            "service_cpu_us": [each.services * 1e6 / turn.operations_all for turn, each in turns],
            "postgres_cpu_us": [each.postgres * 1e6 / turn.operations_all for turn, each in turns],
            "peak_mb": [self.peak_kb / 1024],
            "client_cpu_us": [each.client * 1e6 / turn.operations_all for turn, each in turns],
        }


def race(plan: Plan, postgres: Postgres, title: str, rivals: list[Rival], serial: int) -> int:
    """Run the rounds, the rivals in turn within each; each is the first as often as the last.

    Each round has its own keys, from a serial number on; return where the next race may begin.
    """
    for number in range(plan.rounds):
        for rival in rivals if number % 2 == 0 else reversed(rivals):
            measured = rival.take_turn(postgres, serial)
            serial += SERIALS_A_LOAD
            plan.progress(
                f"{title} {number + 1}/{plan.rounds} {rival.name}: {measured.per_second:,.0f}/s"
            )
    return serial


def ratio_of(one: Rival, other: Rival) -> float:
    """Return how the rates of two compare: the median of the rounds' own ratios."""
    return median_of(ratios(one.rates, other.rates))


def ratio_row(one: Rival, other: Rival) -> Row:
    """Return how the rates of two compare, as a line of the table."""
    each = ratios(one.rates, other.rates)
    cells = (f"{median_of(each):.2f} ×", spread(each, 2))
    return Row(
        f"{one.name} ÷ {other.name}", (*cells, *[""] * (len(COLUMNS) - len(cells))), {"ratio": each}
    )
