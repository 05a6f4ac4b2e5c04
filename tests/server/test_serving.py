"""Serving: who has stopped reading is let go of; stopping waits for nobody for ever."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from server import serving
from server.listening import listen, origin
from server.serving import Server, Socket
from tests.harness.servers import InLoopServer

WAIT_S_MAX = 20
PING_S = 0.05
MESSAGE = "x" * 65_536
UPGRADE = (
    "GET / HTTP/1.1\r\nHost: tuppence\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Torrent:
    """An application that sends for as long as somebody is there."""

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


async def test_a_client_that_does_not_read_is_let_go_of() -> None:
    torrent = Torrent()
    config = uvicorn.Config(
        torrent,
        port=0,
        ws=Socket,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
    )
    server = InLoopServer(config)
    address = await server.open()
    try:
        async with deaf_client(address):
            await asyncio.wait_for(torrent.ended.wait(), WAIT_S_MAX)
            assert not server.server_state.connections
    finally:
        await server.close()


async def test_stopping_waits_for_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "STOP_S_MAX", PING_S)
    torrent = Torrent()
    config = uvicorn.Config(
        torrent, ws=Socket, ws_ping_interval=None, lifespan="on", log_config=None
    )
    server = Server(config)
    with listen("127.0.0.1", 0) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with deaf_client(origin(listener)):
            await asyncio.wait_for(torrent.begun.wait(), WAIT_S_MAX)

            server.should_exit = True
            await asyncio.wait_for(running, WAIT_S_MAX)

    assert torrent.ended.is_set()
