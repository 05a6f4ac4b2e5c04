"""A connection without a network: what ours writes over it must be what uvicorn's writes."""

import asyncio
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.server import ServerState

from graph.limits import Limits
from server.connections import Config

DATE = (b"date", b"Sat, 28 Nov 2026 12:00:00 GMT")


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_closed = False

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    @override
    def close(self) -> None:
        self.is_closed = True

    @override
    def is_closing(self) -> bool:
        return self.is_closed

    @override
    def pause_reading(self) -> None: ...

    @override
    def resume_reading(self) -> None: ...

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        places = {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}
        return places.get(name, default)


async def said_by(
    config: uvicorn.Config, *requests: bytes | tuple[bytes, ...]
) -> tuple[bytes, bool]:
    """What goes over the wire for these requests, and whether the connection ends.

    A request in parts comes by several reads.
    """
    config.load()
    state = ServerState()
    state.default_headers = [DATE]
    open_protocol: Any = config.http_protocol_class
    protocol = open_protocol(config=config, server_state=state, app_state={})
    wire = Wire()
    protocol.connection_made(wire)
    for request in requests:
        *parts, last = request if isinstance(request, tuple) else (request,)
        for part in parts:
            protocol.data_received(part)
            await asyncio.sleep(0)
        protocol.data_received(last)
        while state.tasks:
            await asyncio.gather(*state.tasks, return_exceptions=True)
            await asyncio.sleep(0)
    said = wire.sent, wire.is_closed
    protocol.connection_lost(None)
    return said


async def compare_apps(one: ASGIApp, other: ASGIApp, *requests: bytes) -> bytes:
    """What ours says of the one, which must be what uvicorn says of the other."""
    plain = uvicorn.Config(cast("Any", other), http="httptools", log_config=None)
    said = await said_by(Config(one, Limits()), *requests)
    assert said == await said_by(plain, *requests)
    return said[0]
