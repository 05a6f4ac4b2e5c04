"""Clients that write bytes and read none, unless told to, and an application that never stops."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive, Scope, Send

from tests.harness.patience import patience

MESSAGE = "x" * 65_536
MESSAGES_MAX = 1_000
UPGRADE = (
    "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
)

CONTINUATION, TEXT, PING, PONG = 0x0, 0x1, 0x9, 0xA
SHORT_MAX = 125


def frame(opcode: int, data: bytes = b"", *, is_last: bool = True) -> bytes:
    """A frame as a client sends it; the mask is all zeros."""
    size = len(data)
    length = bytes([0x80 | size]) if size <= SHORT_MAX else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 * is_last | opcode]) + length + bytes(4) + data


class Raw:
    """A connection on which nothing is read unless it is asked for."""

    def __init__(self, socket: socket.socket) -> None:
        self.socket = socket
        self.loop = asyncio.get_running_loop()

    async def send(self, data: bytes | str) -> None:
        sent = data.encode() if isinstance(data, str) else data
        await self.loop.sock_sendall(self.socket, sent)

    async def upgrade(self, more: str = "") -> None:
        """Ask for a WebSocket, with these header lines besides."""
        await self.send(f"{UPGRADE}{more}\r\n")

    async def read(self, size_max: int = 65_536) -> bytes:
        async with patience():
            return await self.loop.sock_recv(self.socket, size_max)

    async def head(self) -> str:
        """Read the head of an answer, and nothing after it."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = await self.read(1)
            assert byte, f"ended within the head: {head}"
            head += byte
        return head.decode()


@asynccontextmanager
async def raw(address: str) -> AsyncIterator[Raw]:
    """Connect, with little room for what isn't read."""
    host, port = address.removeprefix("http://").split(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(0)
        await asyncio.get_running_loop().sock_connect(client, (host, int(port)))
        yield Raw(client)


class Torrent:
    """It sends for as long as somebody is there, over HTTP or a WebSocket."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for message in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{message}.complete"})
            return
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            message = {"type": "http.response.body", "body": MESSAGE.encode(), "more_body": True}
        else:
            await send({"type": "websocket.accept"})
            message = {"type": "websocket.send", "text": MESSAGE}
        self.begun.set()
        try:
            # Over HTTP, nobody is told that there is nobody any more.
            for _ in range(MESSAGES_MAX):
                await send(message)
        finally:
            self.ended.set()
