"""An application that sends without end, and a client that reads none of it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive, Scope, Send

MESSAGE = "x" * 65_536
UPGRADE = (
    "GET / HTTP/1.1\r\nHost: tuppence\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


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
        await send({"type": "websocket.accept"})
        self.begun.set()
        try:
            while True:
                await send({"type": "websocket.send", "text": MESSAGE})
        finally:
            self.ended.set()


@asynccontextmanager
async def deaf_client(address: str) -> AsyncIterator[None]:
    """A client that opens a WebSocket and never reads a byte of it."""
    host, port = address.removeprefix("http://").split(":")
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(0)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, (host, int(port)))
        await loop.sock_sendall(client, UPGRADE.encode())
        yield
