"""The service as its users run it: `tuppence` in a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.harness.keys import ADMIN
from tests.harness.patience import poll
from tests.harness.postgres import free_port

TUPPENCE = Path(sys.executable).with_name("tuppence")
RUN_S_MAX = 120
READY_S_MAX = 30
STOP_S_MAX = 30


def environment(database_url: str | None, **more: str) -> dict[str, str]:
    """Return this process's environment without settings of Tuppence but those given."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TUPPENCE_")}
    if database_url is not None:
        mine["TUPPENCE_DATABASE_URL"] = database_url
    return mine | more


def tuppence(
    *arguments: str, database_url: str | None = None, cwd: Path | None = None, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run one command of the CLI to its end."""
    return subprocess.run(
        [TUPPENCE, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(database_url, **more),
        timeout=RUN_S_MAX,
    )


class ServeProcess:
    """`tuppence serve`, started, killed and started again on one port and database.

    `arguments` are of its command line, `settings` variables of its environment.
    """

    def __init__(self, database_url: str, cwd: Path, *arguments: str, **settings: str) -> None:
        self.database_url = database_url
        self.cwd = cwd
        self.arguments = arguments
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/graphql"
        self.log = cwd / "serve.log"
        self.key_file = cwd / "admin.key"
        self.key_file.touch(0o600)
        self.key_file.write_text(ADMIN, encoding="utf-8")
        self.settings = {"TUPPENCE_ADMIN_KEY_FILE": str(self.key_file)} | settings
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start, and return once it says it is ready."""
        self.process = self.spawn()
        ready = await poll(self.is_ready, READY_S_MAX)
        assert ready, f"not ready:\n{self.log.read_text()}"

    def spawn(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [
                    TUPPENCE,
                    "serve",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                    *self.arguments,
                ],
                cwd=self.cwd,
                env=environment(self.database_url, **self.settings),
                stdout=log,
                stderr=log,
            )

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"ended:\n{self.log.read_text()}"
        try:
            # To make a client takes long: first see whether anybody listens.
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"{self.origin}/readyz")
        except (OSError, httpx.TransportError):
            return False
        return answer.status_code == httpx.codes.OK

    def kill(self) -> None:
        """`kill -9`: no goodbye, no flush."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(STOP_S_MAX)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()


@asynccontextmanager
async def serving(
    database_url: str, cwd: Path, *arguments: str, **settings: str
) -> AsyncIterator[ServeProcess]:
    """Run `tuppence serve` until the block ends, however it ends."""
    process = ServeProcess(database_url, cwd, *arguments, **settings)
    try:
        await process.start()
        yield process
    finally:
        process.end()
