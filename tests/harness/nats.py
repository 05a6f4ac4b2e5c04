"""NATS servers of the tests' own: from a wheel, with JetStream, on this machine only."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.harness.patience import poll
from tests.harness.postgres import free_port

PROGRAM = Path(sys.executable).with_name("nats-server")
STOP_S_MAX = 30
CLUSTER = 3


@dataclass
class Nats:
    """One server, which may be killed, stopped for a while, and started anew on its own store."""

    folder: Path
    name: str = "one"
    port: int = field(default_factory=free_port)
    monitor: int = field(default_factory=free_port)
    route: int = field(default_factory=free_port)
    routes: tuple[int, ...] = ()
    """The ports of the other servers of its cluster."""

    sync: str = "always"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def configuration(self) -> str:
        """Return its configuration file's text: JSON is one way to write it."""
        told: dict[str, object] = {
            "server_name": self.name,
            "listen": f"127.0.0.1:{self.port}",
            "http": f"127.0.0.1:{self.monitor}",
            "jetstream": {"store_dir": str(self.folder / "store"), "sync_interval": self.sync},
        }
        if self.routes:
            routes = [f"nats://127.0.0.1:{port}" for port in self.routes]
            told["cluster"] = {
                "name": "tuppence",
                "listen": f"127.0.0.1:{self.route}",
                "routes": routes,
            }
        return json.dumps(told)

    def spawn(self) -> None:
        """Start it, and don't wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "nats.conf"
        file.write_text(self.configuration(), encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", file], stdout=log, stderr=log)

    async def start(self) -> None:
        """Start it, and return once JetStream answers."""
        self.spawn()
        assert await poll(self.is_ready), (self.folder / "log").read_text()

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return (await self.ask("healthz")).get("status") == "ok"

    async def ask(self, path: str) -> dict[str, object]:
        """Return what its monitor tells; nothing, while it doesn't answer."""
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"http://127.0.0.1:{self.monitor}/{path}")
        except httpx.TransportError:
            return {}
        told: dict[str, object] = answer.json()
        return told

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP makes it stand still, SIGCONT go on."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`: no goodbye, no flush."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def forget(self) -> None:
        """Lose all that it has stored. It must not be running."""
        shutil.rmtree(self.folder / "store", ignore_errors=True)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()


@asynccontextmanager
async def nats_server(*, sync: str = "always") -> AsyncIterator[Nats]:
    """One server, running until the block ends."""
    with tempfile.TemporaryDirectory(prefix="tuppence-nats-") as folder:
        server = Nats(Path(folder), sync=sync)
        try:
            await server.start()
            yield server
        finally:
            server.end()


@asynccontextmanager
async def nats_cluster(size: int = CLUSTER) -> AsyncIterator[list[Nats]]:
    """Servers that are one cluster, running until the block ends."""
    with tempfile.TemporaryDirectory(prefix="tuppence-nats-") as folder:
        servers = [Nats(Path(folder) / f"n{number}", f"n{number}") for number in range(size)]
        for server in servers:
            server.routes = tuple(each.route for each in servers if each is not server)
        try:
            for server in servers:
                server.spawn()
            for server in servers:
                assert await poll(server.is_ready), (server.folder / "log").read_text()
            yield servers
        finally:
            for server in servers:
                server.end()
