"""Metrics: what the service is like, in numbers, for Prometheus at `/metrics`.

Operations count themselves (graph/telemetry.py); what lies below is asked when somebody looks, or
tells by a call that it was handed. Each service has a registry of its own: many run in one process
of the tests, and none hears of another.
"""

import asyncio
import time
from contextlib import suppress
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from events.feed import Feed
from events.nats import Nats
from ledger import Ledger
from models.database import DatabaseError

COMMANDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
POSITION_S_MAX: Final = 2.0
"""How long the log may take to say where it ends; without it, the feed's lag is not told."""

disable_created_metrics()  # they tell when each series was begun, and double what is sent


class Metrics:
    """One service's registry, with what its lower storeys tell."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._swept_at = time.monotonic()
        self._commands = Histogram(
            "tuppence_batch_commands",
            "How many commands one commit held.",
            buckets=COMMANDS,
            registry=self.registry,
        )
        self._commits = Histogram(
            "tuppence_commit_seconds",
            "How long one unit of work took, from BEGIN until it was on the disk.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._lag = Gauge(
            "tuppence_feed_lag_events",
            "How many positions of the log those who follow it have yet to be told of.",
            registry=self.registry,
        )
        self._words = Counter(
            "tuppence_nats_words",
            "How often other instances were told that there are new events, or told of theirs.",
            ["way"],
            registry=self.registry,
        )
        build = Info("tuppence_build", "What runs here.", registry=self.registry)
        build.info({"version": version("tuppence")})
        ProcessCollector(registry=self.registry)

    def note_commit(self, commands: int, seconds: float) -> None:
        """A unit of work was committed."""
        self._commits.observe(seconds)
        if commands:
            self._commands.observe(commands)

    def note_sweep(self) -> None:
        """A sweep succeeded."""
        self._swept_at = time.monotonic()

    def watch(self, ledger: Ledger, feed: Feed, *, sweeper: bool) -> None:
        """Tell of these, as they are whenever somebody looks."""
        backlog = Gauge(
            "tuppence_backlog_commands",
            "How many commands wait to be written.",
            registry=self.registry,
        )
        backlog.set_function(lambda: ledger.backlog)
        subscribers = Gauge(
            "tuppence_subscribers", "How many follow the log live.", registry=self.registry
        )
        subscribers.set_function(lambda: feed.followers)
        if sweeper:
            age = Gauge(
                "tuppence_sweeper_age_seconds",
                "How long ago what falls due was last looked for, and written.",
                registry=self.registry,
            )
            age.set_function(lambda: time.monotonic() - self._swept_at)

    def note_word(self, way: str) -> None:
        """Word of the log's end was told to other instances, or heard of one."""
        self._words.labels(way).inc()

    def watch_nats(self, nats: Nats) -> None:
        """Tell whether NATS is there."""
        connected = Gauge(
            "tuppence_nats_connected", "Whether NATS is there: 1, or 0.", registry=self.registry
        )
        connected.set_function(lambda: nats.connected)

    async def render(self, feed: Feed) -> bytes:
        """All of it, as Prometheus reads it."""
        await self._measure_lag(feed)
        return generate_latest(self.registry)

    async def _measure_lag(self, feed: Feed) -> None:
        read_to = feed.read_to
        lag = 0.0 if read_to is None else float("nan")
        if read_to is not None:
            with suppress(DatabaseError, TimeoutError):
                async with asyncio.timeout(POSITION_S_MAX):
                    lag = max(0, await feed.position() - read_to)
        self._lag.set(lag)
