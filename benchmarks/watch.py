"""Subscribers: idle WebSockets, each with one subscription, in a process of their own.

`python -m benchmarks.watch` takes a `Watch` as JSON on its input, prints `subscribed` when all are,
then counts the events that come, and prints that number once there are as many as expected, or the
time is over.
"""

import asyncio
import json
import sys
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks import operations
from benchmarks.servers import allow_open_files

OPENING_AT_ONCE = 32
OPENING_SECONDS_MAX = 120
WATCHING_SECONDS_MAX = 60


@dataclass(frozen=True)
class Watch:
    """How many subscribers there are, and whether each watches its own member only."""

    port: int
    subscribers: int
    own: bool
    events: int
    """How many deliveries to wait for."""


class Audience:
    """The subscribers, and what they have received."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.received = 0
        self.failures: list[str] = []
        self.served = asyncio.Event()
        self.opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def subscribe(self, number: int) -> ClientConnection:
        """Open a socket and a subscription on it; return when the server has read both."""
        url = f"ws://127.0.0.1:{self.watch.port}/graphql"
        async with self.opening:
            socket = await connect(
                url, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None
            )
            shown = {"authorization": operations.AUTHORIZATION}
            await socket.send(json.dumps({"type": "connection_init", "payload": shown}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            wanted = {"identity": f"member-{number:05}"} if self.watch.own else None
            payload = json.loads(operations.body(operations.WATCH, "Watch", filter=wanted))
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            await socket.send('{"type":"ping"}')
            assert json.loads(await socket.recv())["type"] == "pong"
        return socket

    async def listen(self, socket: ClientConnection) -> None:
        """Count what arrives on a socket."""
        async for message in socket:
            told = json.loads(message)
            if told["type"] == "next" and "errors" not in told["payload"]:
                self.received += 1
            elif told["type"] in {"next", "error", "complete"}:
                self.failures.append(str(message))
            if self.received >= self.watch.events or self.failures:
                self.served.set()


async def run_watch(watch: Watch) -> None:
    """Subscribe, say so, and count."""
    audience = Audience(watch)
    async with asyncio.timeout(OPENING_SECONDS_MAX):
        numbers = range(watch.subscribers)
        sockets = await asyncio.gather(*[audience.subscribe(number) for number in numbers])
    listeners = [asyncio.create_task(audience.listen(socket)) for socket in sockets]
    print("subscribed", flush=True)
    try:
        async with asyncio.timeout(WATCHING_SECONDS_MAX):
            await audience.served.wait()
    except TimeoutError:
        audience.failures.append("the time was over")
    told = {"received": audience.received, "failures": audience.failures[:3]}
    print(json.dumps(told), flush=True)
    for listener in listeners:
        listener.cancel()
    for socket in sockets:
        socket.transport.abort()


def main() -> None:
    """Watch as the input tells."""
    allow_open_files()
    asyncio.run(run_watch(Watch(**json.load(sys.stdin))))


if __name__ == "__main__":
    main()
