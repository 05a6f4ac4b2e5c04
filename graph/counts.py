"""Counts: a counter for Prometheus that is told of by the event loop alone.

prometheus-client's own is told of by any thread: it takes a lock, and looks whether it has labels
and whether the number is none that would count backwards.
"""

from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override


class Counts(Collector):
    """How many things there were so far, by their labels."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self._name = name
        self._meaning = meaning
        self._labels = labels
        self._counts: dict[tuple[str, ...], int] = {}

    def count(self, labels: tuple[str, ...]) -> None:
        """There was one more."""
        self._counts[labels] = self._counts.get(labels, 0) + 1

    @override
    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        yield family
