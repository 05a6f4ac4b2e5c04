"""An audience: subscribers of one operation, and the credits that they hear of, in one process.

`python -m benchmarks.audience` takes an `Audience` as JSON on a line of its input, subscribes,
makes credits until everyone has heard of one, and says how many. Each further line is a `Turn`,
answered with a line that has a `Heard`. It does next to nothing for a delivery: it counts frames,
and looks for an error in them.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

from benchmarks import operations
from benchmarks.load import Load, build_requests
from benchmarks.servers import allow_open_files

OPENING_AT_ONCE = 32
OPENING_SECONDS_MAX = 180
ROLL_CALLS_MAX = 100
QUIET_SECONDS = 0.5
"""Once nothing was heard for so long, all has been heard."""
HEARING_SECONDS_MAX = 60
"""How long an event may take to reach everyone."""
FAILURES_TOLD_MAX = 3
FAILURE_CHARACTERS_MAX = 300
HEAD_END = b"\r\n\r\n"
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
SHORT, TWO_BYTES = 125, 126
MASKED, NO_MASK = 0x80, bytes(4)
"""A client's frames are masked; by zeros the bytes stay as they are."""


@dataclass(frozen=True)
class Audience:
    """Where the service is, and how many subscribe."""

    port: int
    subscribers: int
    serial_from: int


@dataclass(frozen=True)
class Turn:
    """Credits for a while, so many under way at a time: one is over when everyone has heard."""

    seconds: float
    under_way: int
    wallets: int


@dataclass
class Heard:
    """What came of a turn."""

    events: int = 0
    deliveries: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list[float])
    """From sending a credit until the last subscriber had its event."""
    client_cpu_share: float = 0.0
    failures: list[str] = field(default_factory=list[str])


def frame(opcode: int, payload: bytes) -> bytes:
    """Return a client's frame."""
    if len(payload) <= SHORT:
        return bytes((opcode, MASKED | len(payload))) + NO_MASK + payload
    size = len(payload).to_bytes(2, "big")
    return bytes((opcode, MASKED | TWO_BYTES)) + size + NO_MASK + payload


def head_of(received: bytes) -> tuple[int, int] | None:
    """Return where a frame's payload begins and how long it is; None while that isn't there."""
    if len(received) < 2:
        return None
    length = received[1]
    if length <= SHORT:
        return 2, length
    begins = 4 if length == TWO_BYTES else 10
    if len(received) < begins:
        return None
    return begins, int.from_bytes(received[2:begins], "big")


class Hall:
    """All subscribers together: what they have heard, and who waits for them."""

    def __init__(self) -> None:
        self.heard = 0
        self.live = 0
        """How many have heard of something: a subscription is answered by its first event alone."""
        self.wanted = 0
        self.waiter: asyncio.Future[None] | None = None
        self.failures: list[str] = []

    def count(self) -> None:
        """One of them has an event."""
        self.heard += 1
        if self.heard >= self.wanted and self.waiter is not None:
            self.wake()

    def fail(self, why: str) -> None:
        """Keep what went wrong, and let nobody wait any longer."""
        self.failures.append(why[:FAILURE_CHARACTERS_MAX])
        self.wake()

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def wait(self, wanted: int) -> None:
        """Return once so many deliveries have come in all."""
        self.wanted = wanted
        if self.heard < wanted and not self.failures:
            self.waiter = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(HEARING_SECONDS_MAX):
                await self.waiter
            self.waiter = None


class Subscriber(asyncio.Protocol):
    """One socket: it subscribes, step by step, then counts."""

    def __init__(self, hall: Hall, ready: asyncio.Future[None], port: int) -> None:
        self.hall = hall
        self.ready = ready
        self.port = port
        self.received = b""
        self.transport: asyncio.Transport | None = None
        self.upgraded = False
        self.is_live = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the protocol."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def send(self, told: dict[str, object]) -> None:
        assert self.transport is not None
        self.transport.write(frame(TEXT, json.dumps(told).encode()))

    def data_received(self, data: bytes) -> None:
        """Take in what came, frame by frame."""
        received = self.received + data if self.received else data
        if not self.upgraded:
            head, found, received = received.partition(HEAD_END)
            if not found:
                self.received = head
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.hall.fail(head.decode(errors="replace"))
                return
            self.upgraded = True
            shown = {"authorization": operations.AUTHORIZATION}
            self.send({"type": "connection_init", "payload": shown})
        while (place := head_of(received)) and len(received) >= sum(place):
            begins, length = place
            self.take(received[0], received[begins : begins + length])
            received = received[begins + length :]
        self.received = received

    def take(self, opcode: int, payload: bytes) -> None:
        """Count an event; answer a ping; go on with subscribing."""
        if opcode == PING:
            assert self.transport is not None
            self.transport.write(frame(PONG, payload))
        elif b'"next"' in payload and b'"errors"' not in payload:
            if not self.is_live:
                self.is_live = True
                self.hall.live += 1
            self.hall.count()
        elif b'"connection_ack"' in payload:
            asked = json.loads(operations.body(operations.WATCH, "Watch", filter=None))
            self.send({"id": "1", "type": "subscribe", "payload": asked})
            self.send({"type": "ping"})
        elif b'"pong"' in payload:
            if not self.ready.done():
                self.ready.set_result(None)
        elif b'"ping"' in payload:
            self.send({"type": "pong"})
        elif opcode != PONG:
            self.hall.fail(payload.decode(errors="replace"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.hall.fail(f"a socket was closed: {exc!r}")


class Creditor(asyncio.Protocol):
    """The connection that credits are made on; answers come in the order of requests."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall

    def data_received(self, data: bytes) -> None:
        """Look whether a credit was refused; what was made is seen by its event."""
        if b'"errors"' in data or b'"refusals":[{' in data:
            self.hall.fail(data.decode(errors="replace"))


class Performance:
    """The audience in its hall, and the credits that it hears of."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.hall = Hall()
        self.serial = audience.serial_from

    async def open(self) -> None:
        """Return when everyone has subscribed."""
        opening = asyncio.Semaphore(OPENING_AT_ONCE)
        loop, port = asyncio.get_running_loop(), self.audience.port

        async def subscribe() -> None:
            ready: asyncio.Future[None] = loop.create_future()
            async with opening:
                await loop.create_connection(
                    lambda: Subscriber(self.hall, ready, port), "127.0.0.1", port
                )
                await ready

        async with asyncio.timeout(OPENING_SECONDS_MAX):
            await asyncio.gather(*[subscribe() for _ in range(self.audience.subscribers)])

    async def connect(self, count: int) -> list[asyncio.Transport]:
        """Open the connections that credits are made on: idle ones are closed by the service."""
        loop, port = asyncio.get_running_loop(), self.audience.port
        opened = [
            await loop.create_connection(lambda: Creditor(self.hall), "127.0.0.1", port)
            for _ in range(count)
        ]
        return [transport for transport, _ in opened]

    async def call_roll(self) -> int:
        """Make credits until everyone has heard of one, and all is quiet; return how many."""
        bodies = [operations.credit(0)]
        requests = build_requests(Load(self.audience.port, bodies, "", serial_from=self.serial))
        made, hall = 0, self.hall
        while hall.live < self.audience.subscribers and made < ROLL_CALLS_MAX:
            [connection] = await self.connect(1)
            connection.write(next(requests))
            made, before = made + 1, -1
            while hall.heard != before and not hall.failures:
                before = hall.heard
                await asyncio.sleep(QUIET_SECONDS)
            connection.close()
        if hall.live < self.audience.subscribers:
            hall.fail(f"{hall.live} of {self.audience.subscribers} hear of anything")
        self.serial += made
        return made

    async def play(self, turn: Turn) -> Heard:
        """Make credits for a while; each is over when everyone has heard of it."""
        heard, hall = Heard(), self.hall
        bodies = [operations.credit(member) for member in range(turn.wallets)]
        requests = build_requests(Load(self.audience.port, bodies, "", serial_from=self.serial))
        connections = await self.connect(turn.under_way)
        cpu, began, before = time.process_time(), time.perf_counter(), hall.heard
        sent: list[float] = []
        while not hall.failures:
            most = heard.events + turn.under_way
            while len(sent) < most and time.perf_counter() < began + turn.seconds:
                transport = connections[len(sent) % turn.under_way]
                sent.append(time.perf_counter())
                transport.write(next(requests))
            if heard.events == len(sent):
                break
            await hall.wait(before + (heard.events + 1) * self.audience.subscribers)
            heard.latencies_ms.append((time.perf_counter() - sent[heard.events]) * 1000)
            heard.events += 1
        heard.seconds = time.perf_counter() - began
        heard.deliveries = hall.heard - before
        heard.client_cpu_share = (time.process_time() - cpu) / heard.seconds
        heard.failures = hall.failures[:FAILURES_TOLD_MAX]
        self.serial += len(sent)
        for transport in connections:
            transport.close()
        return heard


async def perform() -> None:
    """Do as the lines of the input tell, until there are no more."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    performance = Performance(Audience(**json.loads(await lines.readline())))
    await performance.open()
    made = await performance.call_roll()
    failures = performance.hall.failures
    print(json.dumps(failures[:FAILURES_TOLD_MAX]) if failures else made, flush=True)
    while line := await lines.readline():
        print(json.dumps(asdict(await performance.play(Turn(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    allow_open_files()
    uvloop.run(perform())
