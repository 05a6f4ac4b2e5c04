"""How cost grows with a size: the same asked at each size, in turn within each round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchmarks.figures import Line, Picture, Row, Section, median_of, ratios
from benchmarks.load import Load, Measured
from benchmarks.rounds import Contender, Plan, ratio_row

NEAR = 0.9
"""What has so much of the most is as good as there."""
HARDLY_MORE = 1.25
"""The machine's moods come to as much between two sizes."""


@dataclass
class Step:
    """One size, and what its rounds have shown."""

    size: int
    contender: Contender
    load_for: Callable[[int], Load]
    """The load of a round by its number."""
    each: int = 1
    """How many operations one request has."""

    def take_turn(self, number: int) -> Measured:
        """Run one round; its figures are an operation's, not a request's."""
        contender = self.contender
        measured = contender.run(self.load_for(number))
        if self.each > 1:
            measured = replace(
                measured,
                operations=measured.operations * self.each,
                operations_all=measured.operations_all * self.each,
            )
            contender.rounds[-1] = measured
            contender.cpu_us[-1] /= self.each
        return measured


@dataclass
class Climb:
    """One operation at all sizes, from the smallest to the largest."""

    name: str
    steps: list[Step]

    def run(self, plan: Plan, what: str) -> None:
        """Run the rounds, the sizes in turn; each is the first as often as the last."""
        for number in range(plan.rounds):
            for step in self.steps if number % 2 == 0 else reversed(self.steps):
                measured = step.take_turn(number)
                plan.progress(
                    f"{what} {number + 1}/{plan.rounds} {self.name}, {step.size:,}:"
                    f" {measured.per_second:,.0f}/s"
                )

    def rows(self, unit: str) -> list[Row]:
        """Return a line of the table for each size, and how the largest compares."""
        rows = [
            replace(step.contender.row(), name=f"{self.name}, {told(step.size, unit)}")
            for step in self.steps
        ]
        first, last = self.steps[0], self.steps[-1]
        name = f"{self.name}, {last.size:,} ÷ {first.size:,}"
        rows.append(ratio_row(name, ratios(last.contender.rates, first.contender.rates)))
        return rows

    def line_of(self, figure: Callable[[Contender], float]) -> Line:
        """Return one figure as a line of a curve."""
        return Line(self.name, [(step.size, figure(step.contender)) for step in self.steps])

    def cpu_growth(self) -> float:
        """Return how many times the processor's time of the smallest size the largest takes."""
        first, last = self.steps[0].contender, self.steps[-1].contender
        return median_of(ratios(last.cpu_us, first.cpu_us))


def median_p50(contender: Contender) -> float:
    """Return the usual latency, in milliseconds."""
    return median_of([measured.p50_ms for measured in contender.rounds])


def median_cpu(contender: Contender) -> float:
    """Return the usual process time of an operation, in microseconds."""
    return median_of(contender.cpu_us)


def pictures_of(name: str, size: str, climbs: Sequence[Climb]) -> list[Picture]:
    """Return the curves of rates and of latencies."""
    rates = [climb.line_of(lambda contender: contender.per_second) for climb in climbs]
    latencies = [climb.line_of(median_p50) for climb in climbs]
    return [
        Picture(f"{name}-rate", f"{name}: operations a second", size, "/s", rates),
        Picture(f"{name}-latency", f"{name}: p50 latency in ms", size, "ms", latencies),
    ]


def told(size: float, unit: str) -> str:
    """Return a size with its unit."""
    return f"{size:,.0f} {unit.removesuffix('s') if size == 1 else unit}"


def top_of(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the first size that has nearly the most of a curve, and how much it has."""
    most = max(value for _, value in points)
    return next((size, value) for size, value in points if value >= NEAR * most)


def bend_of(points: Sequence[tuple[float, float]]) -> float:
    """Return the largest size at which an operation costs hardly more than at the smallest."""
    first = points[0][1]
    return max(size for size, value in points if value <= HARDLY_MORE * first)


def tell_top(climb: Climb, unit: str, why: str) -> str:
    """Tell where a curve of rates stops rising, and with `why` what stops it."""
    size, value = top_of(climb.line_of(lambda contender: contender.per_second).points)
    first, last = climb.steps[0], climb.steps[-1]
    return (
        f"*Knee of {climb.name}s*: at {told(size, unit)}, {value:,.0f} a second, the rate has nine"
        f" tenths of its most. One takes {climb.cpu_growth():.2f} × the processor's time at"
        f" {told(last.size, unit)} that it takes at {first.size:,}. {why}"
    )


def tell_bend(climb: Climb, unit: str, why: str) -> str:
    """Tell from where on one costs more, by the processor's time, and with `why` for what."""
    bend = bend_of(climb.line_of(median_cpu).points)
    first, last = climb.steps[0], climb.steps[-1]
    growth = (
        f"at {told(last.size, unit)} one takes {climb.cpu_growth():.2f} × the processor's time that"
        f" it takes at {first.size:,}"
    )
    if bend == last.size:
        return f"*No knee of {climb.name}s*: {growth}. {why}"
    return (
        f"*Knee of {climb.name}s*: until {told(bend, unit)} one takes no more than a quarter more;"
        f" {growth}. {why}"
    )


def conclude(
    section: Section, climbs: Sequence[Climb], unit: str, notes: Sequence[str], axis: str = ""
) -> Section:
    """Add the rows, the curves, and what is to be said of them."""
    for climb in climbs:
        section.rows += climb.rows(unit)
    section.pictures += pictures_of(section.title, axis or unit, climbs)
    section.notes += notes
    return section
