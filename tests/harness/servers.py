"""The service on a real socket, inside the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from graph.limits import Limits
from server.app import create_app
from server.connections import Config
from server.settings import Settings
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN, admin_key_file
from tests.harness.patience import poll

SWEEPS_MAX = 1_000
CLOSED_TURNS_MAX = 10_000
KEEP_ALIVE_S = 600  # a busy machine must not make the server hang up between two requests


class InLoopServer(uvicorn.Server):
    """A uvicorn server that starts and ends when told, and leaves signals alone."""

    async def open(self) -> str:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup()
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    async def close(self) -> None:
        """End without uvicorn's fixed pause: the clients have hung up already."""
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(CLOSED_TURNS_MAX):
            if not (self.server_state.connections or self.server_state.tasks):
                break
            await asyncio.sleep(0)
        await self.lifespan.shutdown()


@dataclass(frozen=True)
class Service:
    """A running service, its clock, and a first client of it."""

    url: str
    clock: VirtualClock
    client: Client
    app: Any
    server: InLoopServer

    @property
    def inside(self) -> Any:
        return self.app.state.service

    async def following(self, count: int) -> None:
        """Wait until so many follow the feed: a subscription has begun, or has ended."""

        async def is_so() -> bool:
            return self.inside.feed.followers == count

        assert await poll(is_so), f"{self.inside.feed.followers} follow"

    async def changes_followed(self, count: int) -> None:
        """Wait until so many follow what becomes of deliveries."""

        async def is_so() -> bool:
            return self.inside.campaigns.changes.followers == count

        assert await poll(is_so), f"{self.inside.campaigns.changes.followers} follow"

    async def sweep(self) -> int:
        """Write down all that is due by now; return how many rows and warnings that made."""
        written = 0
        for _ in range(SWEEPS_MAX):
            some = await self.inside.ledger.sweep()
            written += some
            if not some:
                return written
        raise AssertionError("sweeping never ends")

    async def plan(self) -> int:
        """Make deliveries of all events, and carry all that is due; return how many were."""
        campaigns = self.inside.campaigns
        while await campaigns.evaluate():
            pass
        return await campaigns.deliver()


@asynccontextmanager
async def running(
    database_url: str,
    clock: VirtualClock,
    *,
    developer_token: str | None = None,
    port: int = 0,
    sweeper: bool = False,
    campaigns: bool = False,
    **settings: Any,
) -> AsyncIterator[Service]:
    """Run the service on a port of its own, or on this one, until the block ends."""
    with admin_key_file() as file:
        chosen = Settings(
            database_url=database_url,
            admin_key_file=str(file),
            sweeper=sweeper,
            campaigns=campaigns,
            **settings,
        )
        app = create_app(chosen, clock, developer_token)
        async with _running(app, clock, chosen.limits, port) as service:
            yield service


@asynccontextmanager
async def _running(
    app: Any, clock: VirtualClock, limits: Limits, port: int
) -> AsyncIterator[Service]:
    server = InLoopServer(
        Config(app, limits, host="127.0.0.1", port=port, timeout_keep_alive=KEEP_ALIVE_S)
    )
    origin = await server.open()
    try:
        async with Client.of(f"{origin}/graphql", ADMIN) as client:
            yield Service(origin, clock, client, app, server)
    finally:
        await server.close()
