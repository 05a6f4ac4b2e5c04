"""The load: keep-alive connections that each send a request, wait for its answer, send the next.

It runs in a process of its own (`python -m benchmarks.load`, a `Load` as JSON on its input, a
`Measured` on its output) and does next to nothing for a request: the bytes are built beforehand,
the serial number apart, and an answer is checked by its status, by the absence of `"errors"` and by
counting a marker. The client's own process time is reported, so that a client that has become the
bottleneck is seen.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from benchmarks.operations import AUTHORIZATION, SERIAL

GRACE_SECONDS = 30
"""How long past its time a load may take before it is given up."""
FAILURES_TOLD_MAX = 3
FAILURE_CHARACTERS_MAX = 600
STATUS = slice(9, 12)
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(frozen=True)
class Load:
    """What to send, how, and for how long; whichever of count and time comes first ends it."""

    port: int
    bodies: list[str]
    marker: str
    """What an answer must hold …"""
    marker_count: int = 1
    """… this many times."""
    connections: int = 32
    seconds: float = 3.0
    warm_up_seconds: float = 0.5
    requests_max: int = 1_000_000
    serial_from: int = 0


@dataclass
class Measured:
    """What came of a load. `operations` and the latencies are without the warm-up."""

    operations: int = 0
    seconds: float = 0.0
    operations_all: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    client_cpu_share: float = 0.0
    client_cpu_seconds: float = 0.0
    failed: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Return the rate."""
        return self.operations / self.seconds if self.seconds else 0.0


def build_requests(load: Load) -> Iterator[bytes]:
    """Yield the load's requests, at most `requests_max`, each body in turn, each serial once."""
    prepared: list[list[bytes]] = []
    for body in load.bodies:
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
            "Content-Type: application/json\r\nAccept: application/json\r\n"
            f"Authorization: {AUTHORIZATION}\r\n"
            f"Content-Length: {len(body.encode())}\r\n\r\n"
        )
        prepared.append((head + body).encode().split(SERIAL.encode()))
    turns = itertools.islice(itertools.cycle(prepared), load.requests_max)
    for serial, parts in enumerate(turns, load.serial_from):
        yield parts[0] if len(parts) == 1 else (b"%020d" % serial).join(parts)


class Stopwatch:
    """Hands out the requests of a load until its time is over, and keeps what came back."""

    def __init__(self, load: Load) -> None:
        """Start the clock: the warm-up begins now."""
        self.load = load
        self.requests = build_requests(load)
        self.marker = load.marker.encode()
        self.measured = Measured()
        self.latencies: list[float] = []
        self.measure_from = time.perf_counter() + load.warm_up_seconds
        self.end_at = self.measure_from + load.seconds
        self.last_at = self.measure_from

    def next_request(self, now: float) -> bytes | None:
        """Return what to send next, or None when time or count is up."""
        return None if now >= self.end_at else next(self.requests, None)

    def record(self, sent_at: float, now: float, status: bytes, body: bytes) -> None:
        """Count an answer, and keep its latency if it came within the measured time.

        When its request was sent does not matter: leaving out those of the warm-up would take a
        request a connection from the rate, which a slow service feels and a fast one doesn't.
        """
        self.measured.operations_all += 1
        well = status == b"200" and b'"errors"' not in body
        if not well or body.count(self.marker) != self.load.marker_count:
            self.fail(f"{status.decode()} {body.decode(errors='replace')}")
        elif self.measure_from <= now <= self.end_at:
            self.latencies.append(now - sent_at)
            self.last_at = now

    def fail(self, why: str) -> None:
        """Count a failure, and keep the first few for the report."""
        self.measured.failed += 1
        if len(self.measured.failures) < FAILURES_TOLD_MAX:
            self.measured.failures.append(why[:FAILURE_CHARACTERS_MAX])

    def finish(self) -> Measured:
        """Return the figures."""
        latencies = sorted(self.latencies)
        measured = self.measured
        measured.operations = len(latencies)
        ran_out = measured.operations_all >= self.load.requests_max
        measured.seconds = (self.last_at if ran_out else self.end_at) - self.measure_from
        if latencies:
            measured.p50_ms = latencies[len(latencies) // 2] * 1000
            measured.p99_ms = latencies[len(latencies) * 99 // 100] * 1000
        return measured


class Connection(asyncio.Protocol):
    """One keep-alive connection: a request under way at any time, until there is none to send."""

    def __init__(self, stopwatch: Stopwatch, closed: asyncio.Future[None]) -> None:
        """Take the requests from `stopwatch`; settle `closed` at the end."""
        self.stopwatch = stopwatch
        self.closed = closed
        self.received = b""
        self.sent_at = 0.0
        self.waiting = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport = cast("asyncio.Transport", transport)
        self.send(time.perf_counter())

    def send(self, now: float) -> None:
        """Send the next request, or hang up."""
        assert self.transport is not None
        request = self.stopwatch.next_request(now)
        self.waiting = request is not None
        if request is None:
            self.transport.close()
        else:
            self.sent_at = now
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take in a part of an answer; once it is whole, record it and send the next request."""
        received = self.received = self.received + data
        head_end = received.find(HEAD_END)
        if head_end < 0:
            return
        head = received[:head_end].lower()
        length_at = head.find(LENGTH)
        if length_at < 0:
            self.hang_up(f"an answer without a length: {received!r}")
            return
        length = int(head[length_at + len(LENGTH) :].split(b"\r\n", 1)[0])
        body_at = head_end + len(HEAD_END)
        if len(received) < body_at + length:
            return
        now = time.perf_counter()
        self.received = b""
        self.stopwatch.record(self.sent_at, now, received[STATUS], received[body_at:])
        self.send(now)

    def hang_up(self, why: str) -> None:
        """Give up this connection."""
        assert self.transport is not None
        self.waiting = False
        self.stopwatch.fail(why)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle the connection; an answer that never came is a failure."""
        if self.waiting:
            self.stopwatch.fail(f"the connection was closed before the answer: {exc!r}")
        if not self.closed.done():
            self.closed.set_result(None)


async def run_load(load: Load) -> Measured:
    """Run a load to its end and return what was measured."""
    loop = asyncio.get_running_loop()
    wall, cpu = time.perf_counter(), time.process_time()
    stopwatch = Stopwatch(load)
    async with asyncio.timeout(load.warm_up_seconds + load.seconds + GRACE_SECONDS):
        ends = [loop.create_future() for _ in range(load.connections)]
        for end in ends:
            await loop.create_connection(
                lambda end=end: Connection(stopwatch, end), "127.0.0.1", load.port
            )
        await asyncio.gather(*ends)
    measured = stopwatch.finish()
    measured.client_cpu_seconds = time.process_time() - cpu
    measured.client_cpu_share = measured.client_cpu_seconds / (time.perf_counter() - wall)
    return measured


def main() -> None:
    """Run the load that the input tells."""
    load = Load(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(run_load(load))), sys.stdout)


if __name__ == "__main__":
    main()
