"""Durations: a histogram for Prometheus that is told of by the event loop alone.

prometheus-client's own is told of by any thread: it takes two locks, looks at one bound after
another, and costs four times as much. An operation tells of six durations.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from typing_extensions import override


class Durations(Collector):
    """Seconds, of things of a kind, by their phases.

    `bounds` ascend; what is longer than the last of them is counted all the same.
    """

    def __init__(self, name: str, meaning: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._meaning = meaning
        self._bounds = bounds
        self._series: dict[tuple[str, str], _Series] = {}
        self._of_kind: defaultdict[str, dict[str, _Series]] = defaultdict(dict)

    def observe(self, kind: str, phases: Iterable[tuple[str, float]]) -> None:
        """Something of this kind is over, whose phases took so long."""
        known, bounds = self._of_kind[kind], self._bounds
        for phase, seconds in phases:
            series = known.get(phase) or self._begin(kind, phase)
            series.counts[bisect_left(bounds, seconds)] += 1
            series.seconds += seconds

    def _begin(self, kind: str, phase: str) -> "_Series":
        series = _Series(len(self._bounds) + 1)
        self._series[kind, phase] = self._of_kind[kind][phase] = series
        return series

    @override
    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._meaning, labels=("kind", "phase"))
        ends = [floatToGoString(bound) for bound in (*self._bounds, float("inf"))]
        for labels, series in self._series.items():
            buckets = [*zip(ends, accumulate(series.counts), strict=True)]
            family.add_metric(labels, buckets, series.seconds)
        yield family


class _Series:
    """How many there were between one bound and the next, and how long they took in all."""

    __slots__ = ("counts", "seconds")

    def __init__(self, size: int) -> None:
        self.counts = [0] * size
        self.seconds = 0.0
