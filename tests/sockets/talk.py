"""A client that says over a socket whatever it is told to, and hears every frame as it is."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.harness.keys import ADMIN
from tests.harness.patience import patience
from tests.harness.servers import Service
from tests.harness.values import Json

PROTOCOLS = ("graphql-transport-ws",)

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-transport-ws",
}

ACK = {"type": "connection_ack"}
ONE = "{ __typename }"
EVENTS = "subscription { pointsCredited { points identity } }"


class Talk:
    """What is said and heard over one socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, message: Json | str | bytes) -> None:
        """Send a message, or a frame of just this text or these bytes."""
        frame = json.dumps(message) if isinstance(message, dict) else message
        await self.socket.send(frame)

    async def introduce(self, token: str = ADMIN, **more: Any) -> None:
        payload = {"authorization": f"Bearer {token}", **more}
        await self.say({"type": "connection_init", "payload": payload})

    async def subscribe(self, id: str, query: str = EVENTS, **more: Any) -> None:
        await self.say({"id": id, "type": "subscribe", "payload": {"query": query, **more}})

    async def complete(self, id: str) -> None:
        await self.say({"id": id, "type": "complete"})

    async def hear(self) -> Json:
        async with patience():
            return json.loads(await self.socket.recv())

    async def error(self, id: str) -> Json:
        """The one error that ends an operation before it has begun."""
        heard = await self.hear()
        assert (heard["type"], heard["id"]) == ("error", id), heard
        [error] = heard["payload"]
        return error

    async def end(self) -> tuple[int, str]:
        """How the service closes the socket, with nothing said before."""
        with pytest.raises(ConnectionClosed) as closed:
            raise AssertionError(f"not closed: {await self.hear()}")
        assert closed.value.rcvd, "the connection was lost, not closed"
        return closed.value.rcvd.code, closed.value.rcvd.reason

    async def is_alive(self) -> bool:
        """Whether a ping is answered, and by what it said, with nothing said before."""
        await self.say({"type": "ping", "payload": {"alive": True}})
        return await self.hear() == {"type": "pong", "payload": {"alive": True}}


@asynccontextmanager
async def talk(
    service: Service, protocols: Sequence[str] | None = PROTOCOLS, **options: Any
) -> AsyncIterator[Talk]:
    """Open a socket and say nothing yet."""
    url, offered = service.client.ws_url, [Subprotocol(each) for each in protocols or ()]
    async with connect(
        url,
        subprotocols=offered or None,
        compression=None,
        proxy=None,
        ping_interval=None,
        **options,
    ) as socket:
        yield Talk(socket)


@asynccontextmanager
async def let_in(service: Service, token: str = ADMIN, **options: Any) -> AsyncIterator[Talk]:
    """Open a socket and be let in."""
    async with talk(service, **options) as client:
        await client.introduce(token)
        assert await client.hear() == ACK
        yield client


async def denied(service: Service, **headers: str) -> tuple[int, Json]:
    """The status and body by which a handshake with these headers is refused."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(service.client.url, headers=UPGRADE | headers)
    return answer.status_code, answer.json()
