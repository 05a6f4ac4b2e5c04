"""What was measured, ready to be told: rows of figures, and what is asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


class MeasurementError(Exception):
    """A figure cannot be had, and why."""


@dataclass(frozen=True)
class Row:
    """One line of a table: who, and the figures by column."""

    name: str
    cells: tuple[str, ...]
    figures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """The same as numbers, one of each round, for whoever wants to reckon with them."""


@dataclass(frozen=True)
class Verdict:
    """One figure beside what is asked of it."""

    name: str
    value: float
    bound: float
    unit: str
    at_least: bool
    """Whether the bound is a floor; otherwise it is a ceiling."""

    @property
    def is_met(self) -> bool:
        """Return whether the figure is as good as asked."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def asked(self) -> str:
        """Return the bound as it is told."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}".strip()

    @property
    def told(self) -> str:
        """Return the figure as it is told."""
        return f"{self.value:,.{2 if self.value < 10 else 1}f} {self.unit}".strip()


@dataclass(frozen=True)
class Bar:
    """One bar of the plot."""

    name: str
    value: float
    label: str


@dataclass(frozen=True)
class Line:
    """One line of a curve: its name, and how much there was at each size."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Picture:
    """How something grows with a size, which the axis shows by its powers of ten."""

    name: str
    title: str
    size: str
    unit: str
    lines: list[Line]


@dataclass
class Section:
    """The outcome of one measurement."""

    title: str
    explanation: str
    columns: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list[Picture])
    notes: list[str] = field(default_factory=list[str])
    """What the figures mean, in paragraphs."""

    measured: str = ""
    """When, and in how many rounds of what length."""

    def row(self, name: str) -> Row | None:
        """Return the line of the table with this name."""
        return next((row for row in self.rows if row.name == name), None)


def median_of(values: Sequence[float]) -> float:
    """Return the median; of nothing, zero."""
    return median(values) if values else 0.0


def ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """Return how the figures of two compare, round by round."""
    return [one / other for one, other in zip(ones, others, strict=True)]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Return the lowest and the highest value."""
    return f"{min(values):,.{digits}f}-{max(values):,.{digits}f}"
