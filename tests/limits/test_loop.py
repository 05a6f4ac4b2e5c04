"""The event loop: nothing that a client sends keeps it from everyone else.

The one place where time is measured, since a stall is nothing else: not by the clock, which tells
of other processes too, but by the processor's time that the loop's own thread spends between two of
its rounds. The promise is 100 ms. Here the loop's thread does the client's work as well, which may
take as long to read ten megabytes; shared processors may take twice the time for the same work.
"""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import thread_time

import pytest

from server.serving import GC_THRESHOLDS
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service, running
from tests.limits import worst

STALL_S_MAX = 0.4
STATUSES = {200, 400}
WALLETS = 100
BATCHES = 10
TIMES = 3  # the least of them is the request's own: a collection of garbage may fall on any


class Probe:
    """What the loop's longest round took, since it was last asked; what came before isn't its."""

    def __init__(self) -> None:
        self._longest_s = 0.0
        self._since = thread_time()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0)
            self._end_round()

    def take(self) -> float:
        self._end_round()
        longest_s, self._longest_s = self._longest_s, 0.0
        return longest_s

    def _end_round(self) -> None:
        now = thread_time()
        self._longest_s = max(self._longest_s, now - self._since)
        self._since = now


@pytest.fixture
async def probe() -> AsyncIterator[Probe]:
    probe = Probe()
    running = asyncio.create_task(probe.run())
    yield probe
    running.cancel()


@contextmanager
def frozen() -> Iterator[None]:
    """As `tuppence serve` does once it has started: what there is isn't collected any more."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(*GC_THRESHOLDS)
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture
async def full(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    """A service with a hundred wallets of a hundred transactions."""
    async with running(sqlite_url, clock) as service:
        for number in range(BATCHES):
            batch = worst.batch(1_000, f"batch-{number}", WALLETS)
            await service.client.execute(worst.BATCH, input=batch)
        with frozen():
            yield service


async def test_no_request_stalls_the_loop(full: Service, probe: Probe) -> None:
    stalls: dict[str, list[float]] = {}
    for attempt in range(TIMES):
        for name, body in worst.bodies(attempt).items():
            probe.take()
            await send(full.client, body)
            stalls.setdefault(name, []).append(probe.take())

    assert {name: min(each) for name, each in stalls.items() if min(each) > STALL_S_MAX} == {}


async def test_several_long_answers_at_once_share_the_loop(full: Service, probe: Probe) -> None:
    bodies = [json.dumps({"query": text}).encode() for text in worst.ANSWERS.values()]
    probe.take()

    await asyncio.gather(*(send(full.client, body) for body in bodies))

    assert probe.take() < STALL_S_MAX


async def send(client: Client, body: bytes) -> None:
    """Send it, and drop the answer as it comes: to put it together is no work of the service's."""
    headers = {"content-type": "application/json"}
    async with client.http.stream("POST", client.url, content=body, headers=headers) as response:
        assert response.status_code in STATUSES
        async for part in response.aiter_raw():
            assert b"INTERNAL" not in part
