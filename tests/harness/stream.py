"""A subscriber over its own WebSocket, speaking graphql-transport-ws."""

import json
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.harness import values
from tests.harness.keys import ADMIN
from tests.harness.patience import patience
from tests.harness.values import Json, PointsCredited

FRAMES_MAX = 1024
PROTOCOL = Subprotocol("graphql-transport-ws")


class Stream:
    """One subscription. A wait has a bound, which only a failing test ever reaches."""

    def __init__(
        self,
        url: str,
        document: str,
        variables: Json,
        *,
        token: str = ADMIN,
        frames_max: int | None = None,
    ) -> None:
        self.url = url
        self.token = token
        self.payload = {"query": document, "variables": values.wire(variables)}
        self.frames_max = frames_max or FRAMES_MAX
        self.socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        # A frame more than `frames_max` stays in the socket: a subscriber that has stopped reading.
        self.socket = await connect(
            self.url,
            subprotocols=[PROTOCOL],
            compression=None,
            proxy=None,
            max_queue=self.frames_max,
            ping_interval=None,
        )
        await self.send(
            {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}
        )
        assert (await self.receive())["type"] == "connection_ack"
        await self.send({"id": "1", "type": "subscribe", "payload": self.payload})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.socket is not None
        await self.socket.close()

    async def send(self, message: Json) -> None:
        assert self.socket is not None
        await self.socket.send(json.dumps(message))

    async def receive(self) -> Json:
        """Return the next message that is not the protocol's own ping or pong."""
        assert self.socket is not None
        async with patience():
            while True:
                message: Json = json.loads(await self.socket.recv(), parse_float=Decimal)
                if message["type"] == "ping":
                    await self.send({"type": "pong"})
                elif message["type"] != "pong":
                    return message

    async def next_data(self) -> Json:
        message = await self.receive()
        assert message["type"] == "next", message
        assert not message["payload"].get("errors"), message
        data: Any = message["payload"]["data"]
        return data

    async def next(self) -> PointsCredited:
        return values.event((await self.next_data())["pointsCredited"])

    async def take(self, count: int) -> list[PointsCredited]:
        return [await self.next() for _ in range(count)]

    async def take_until(self, transaction_id: str) -> list[PointsCredited]:
        """Return every event up to and with that of the transaction: a marker the test set."""
        taken = [await self.next()]
        while taken[-1].transaction_id != transaction_id:
            taken.append(await self.next())
        return taken

    async def refused(self) -> list[Json]:
        """Return the errors of a subscription that must be refused."""
        message = await self.receive()
        if message["type"] == "next":
            errors: list[Json] = message["payload"].get("errors", [])
            assert errors, message
            return errors
        assert message["type"] == "error", message
        return message["payload"]

    async def is_silent_before(self, marker_id: str) -> None:
        """Assert that the marker's event comes next: nothing came before it."""
        event = await self.next()
        assert event.transaction_id == marker_id, event
