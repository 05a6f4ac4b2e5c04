"""Fan-out: an event to so many subscribers of one operation, Tuppence beside Node's graphql-ws."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field

from benchmarks import operations
from benchmarks.audience import Audience, Heard, Turn
from benchmarks.figures import Bar, Line, Picture, Row, Section, Verdict, median_of, ratios, spread
from benchmarks.growth import bend_of
from benchmarks.rounds import CREDIT_WALLETS, Plan, count_transactions, fill_wallets
from benchmarks.servers import STOP_SECONDS_MAX, MeasurementError, Server, allow_open_files, running

SIZES = (100, 1_000, 5_000)
ASKED_AT = (1_000, 5_000)
"""At which sizes something is asked."""
SERVICES = ("tuppence", "graphql-ws")
TOGETHER = 8
"""How many credits are under way where more than one is."""
SETTLE_SECONDS = 1.0
RATIO_MIN = 1.8
KB_MAX = 30
SOCKETS_MORE = 100
COLUMNS = (
    "deliveries/s",
    "range",
    "last client p50 ms",
    "p99 ms",
    "CPU µs each",
    "KB a subscriber",
    "client busy",
)


@dataclass
class Stage:
    """A service with its audience, and what the turns have shown."""

    server: Server
    process: subprocess.Popen[str]
    subscribers: int
    kb_each: float
    filled: int
    turns: dict[int, list[Heard]] = field(default_factory=dict[int, list[Heard]])
    cpu_us: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    def play(self, seconds: float, under_way: int, *, counts: bool = True) -> Heard:
        """Run one turn, see that everyone has heard everything, and keep its figures."""
        before = self.server.cpu_seconds()
        told = ask(self.process, asdict(Turn(seconds, under_way, CREDIT_WALLETS)))
        heard = Heard(**json.loads(told))
        used = self.server.cpu_seconds() - before
        expected = heard.events * self.subscribers
        if heard.failures or heard.deliveries != expected or not expected:
            reason = f"{self.server.name}: {heard.deliveries} of {expected}: {heard.failures}"
            raise MeasurementError(reason)
        self.filled += heard.events
        if counts:
            self.turns.setdefault(under_way, []).append(heard)
            self.cpu_us.setdefault(under_way, []).append(used * 1e6 / heard.deliveries)
        return heard

    def rates(self, under_way: int) -> list[float]:
        """Return the deliveries a second of each turn."""
        return [heard.deliveries / heard.seconds for heard in self.turns[under_way]]

    def row(self, under_way: int) -> Row:
        """Return the figures as a line of the table."""
        turns = self.turns[under_way]
        latencies = sorted(each for heard in turns for each in heard.latencies_ms)
        shares = [heard.client_cpu_share for heard in turns]
        p50, p99 = (latencies[len(latencies) * part // 100] for part in (50, 99))
        cells = (
            f"{median_of(self.rates(under_way)):,.0f}",
            spread(self.rates(under_way)),
            f"{p50:,.1f}",
            f"{p99:,.1f}",
            f"{median_of(self.cpu_us[under_way]):,.1f}",
            f"{self.kb_each:,.1f}",
            f"{max(shares):.0%}",
        )
        figures = {
            "deliveries_per_second": self.rates(under_way),
            "last_p50_ms": [p50],
            "last_p99_ms": [p99],
            "cpu_us": self.cpu_us[under_way],
            "kb_a_subscriber": [self.kb_each],
            "client_cpu_share": shares,
        }
        together = "" if under_way == 1 else f", {under_way} at once"
        return Row(f"{self.subscribers:,}: {self.server.name}{together}", cells, figures)


def ask(process: subprocess.Popen[str], told: dict[str, object]) -> str:
    """Send an audience a line, and return the one that it answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        reason = "The audience has gone."
        raise MeasurementError(reason)
    return answer


@contextmanager
def seated(
    server: Server, subscribers: int, serial_from: int
) -> Generator[tuple[subprocess.Popen[str], int]]:
    """Run an audience; it is handed over once all hear, with how many credits that took."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.audience"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        told = ask(process, asdict(Audience(server.port, subscribers, serial_from))).strip()
        if not told.isdecimal():
            reason = f"{server.name}: not everyone could subscribe: {told}"
            raise MeasurementError(reason)
        yield process, int(told)
    finally:
        process.kill()
        process.communicate(timeout=STOP_SECONDS_MAX)


def open_stage(stack: ExitStack, plan: Plan, name: str, subscribers: int) -> Stage:
    """Start a service, seat its audience, and weigh it."""
    folder = plan.folder / f"fanout-{subscribers}"
    sockets = str(subscribers + SOCKETS_MORE)
    server = stack.enter_context(
        running(name, folder, operations.first_request(), TUPPENCE_LIMIT_SOCKETS=sockets)
    )
    filled = fill_wallets(server, CREDIT_WALLETS, 1)
    with seated(server, SOCKETS_MORE // 2, 10**17) as (few, made):
        warm_up = Stage(server, few, SOCKETS_MORE // 2, 0, filled + made)
        warm_up.play(plan.seconds / 2, 1, counts=False)
    time.sleep(SETTLE_SECONDS)
    before = server.resident_kb()
    plan.progress(f"fan-out: {subscribers:,} subscribe at {name}")
    process, made = stack.enter_context(seated(server, subscribers, 0))
    time.sleep(SETTLE_SECONDS)
    each = (server.resident_kb() - before) / subscribers
    return Stage(server, process, subscribers, each, warm_up.filled + made)


def measure_size(plan: Plan, subscribers: int) -> list[Stage]:
    """Race the services at one size, in turn."""
    with ExitStack() as stack:
        stages = [open_stage(stack, plan, name, subscribers) for name in SERVICES]
        for stage in stages:
            stage.play(plan.seconds / 3, 1, counts=False)
        for number in range(plan.rounds):
            for stage in stages if number % 2 == 0 else reversed(stages):
                for under_way in (1, TOGETHER):
                    heard = stage.play(plan.seconds, under_way)
                    rate = heard.deliveries / heard.seconds
                    plan.progress(
                        f"fan-out {number + 1}/{plan.rounds} {subscribers:,} at"
                        f" {stage.server.name}: {rate:,.0f}/s"
                    )
        for stage in stages:
            check_written(stage)
    shutil.rmtree(plan.folder / f"fanout-{subscribers}")
    return stages


def check_written(stage: Stage) -> None:
    """See that each credit is in the ledger, and no other."""
    written = count_transactions(stage.server)
    if written != stage.filled:
        reason = f"{stage.server.name}: {stage.filled} heard of, {written} written."
        raise MeasurementError(reason)


def conclude(section: Section, stages: list[Stage]) -> None:
    """Add the figures of one size, and what is asked of them."""
    ours, theirs = stages
    count = ours.subscribers
    for under_way in (1, TOGETHER):
        section.rows += [stage.row(under_way) for stage in stages]
    for under_way in (1, TOGETHER):
        each = ratios(ours.rates(under_way), theirs.rates(under_way))
        together = "" if under_way == 1 else f", {under_way} at once"
        name = f"{count:,}: ours ÷ {theirs.server.name}{together}"
        told = (f"{median_of(each):.2f} ×", spread(each, 2), *[""] * (len(COLUMNS) - 2))
        section.rows.append(Row(name, told, {"ratio": each}))
        if under_way == 1 and count in ASKED_AT:
            asked = f"fan-out to {count:,}: ours ÷ {theirs.server.name}"
            verdict = Verdict(asked, median_of(each), RATIO_MIN, "×", at_least=True)
            section.verdicts.append(verdict)
    if count in ASKED_AT:
        weighed = f"fan-out to {count:,}: memory a subscriber"
        section.verdicts.append(Verdict(weighed, ours.kb_each, KB_MAX, "KB", at_least=False))
    section.bars += [
        Bar(f"{count:,}: {stage.server.name}", rate := median_of(stage.rates(1)), f"{rate:,.0f}/s")
        for stage in stages
    ]


def measure_fanout(plan: Plan, sizes: tuple[int, ...] = SIZES) -> Section:
    """Measure at each size, each on fresh services."""
    allow_open_files()
    section = Section(
        "fan-out",
        "one event at a time to all subscribers of `pointsCredited`, who have the same operation"
        " and variables, each on a WebSocket: the next credit is made when everyone has heard of"
        f" the last one (and with {TOGETHER} credits under way). *Last client* is from sending the"
        " credit until the last subscriber has its event, the commit included. Every delivery was"
        " counted, and every credit found in the ledger. *graphql-ws* is Node's `graphql-ws` on"
        " `ws`, beside graphql-yoga and better-sqlite3 (`benchmarks/node/yoga.mjs`). Memory is what"
        " the service holds more with the audience than before.",
        COLUMNS,
    )
    measured = [measure_size(plan, subscribers) for subscribers in sizes]
    for stages in measured:
        conclude(section, stages)
    section.pictures += [
        picture("rate", "deliveries a second", "/s", measured, lambda stage: stage.rates(1)),
        picture("cpu", "CPU µs a delivery", "µs", measured, lambda stage: stage.cpu_us[1]),
    ]
    section.notes.append(tell_knee([stages[0] for stages in measured]))
    return section


def picture(
    name: str,
    title: str,
    unit: str,
    measured: list[list[Stage]],
    figures: Callable[[Stage], list[float]],
) -> Picture:
    """Return one figure of each service by the number of subscribers."""
    lines = [
        Line(
            services[0].server.name,
            [(stage.subscribers, median_of(figures(stage))) for stage in services],
        )
        for services in zip(*measured, strict=True)
    ]
    return Picture(f"fan-out-{name}", f"fan-out: {title}", "subscribers", unit, lines)


def tell_knee(stages: list[Stage]) -> str:
    """Tell from where on a delivery costs more, or that it doesn't."""
    cpu = [(stage.subscribers, median_of(stage.cpu_us[1])) for stage in stages]
    (least, first), (most, last) = cpu[0], cpu[-1]
    bend = bend_of(cpu)
    told = (
        f"A delivery takes {first:,.1f} µs of the processor at {least:,} subscribers, {last:,.1f}"
        f" at {most:,}: what an event costs once, a commit and an execution, all share who hear"
        " of it; what each costs by itself is a frame written to a socket."
    )
    if bend == most:
        return f"*No knee of deliveries*. {told}"
    return f"*Knee of deliveries*: until {bend:,.0f} subscribers one takes no more. {told}"
