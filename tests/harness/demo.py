"""`tuppence demo --fast-clock` as a newcomer runs it: in a terminal, until Ctrl-C."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.client import Client
from tests.harness.patience import poll
from tests.harness.processes import STOP_S_MAX, TUPPENCE, environment

SHOW_S_MAX = 60


@dataclass
class Shown:
    """A fast demo that runs, and what its terminal shows."""

    process: "subprocess.Popen[bytes]"
    screen: Path
    client: Client

    @property
    def text(self) -> str:
        return self.screen.read_text()

    def cards(self, campaign: str, name: str) -> list[str]:
        """The messages of a campaign to a member, as they are shown."""
        return re.findall(rf"╭─ {campaign} → {name} ─.*?╰", self.text, re.DOTALL)

    async def shows(self, campaign: str, name: str) -> bool:
        async def is_so() -> bool:
            assert self.process.poll() is None, self.text
            return bool(self.cards(campaign, name))

        return await poll(is_so, SHOW_S_MAX)


def start(folder: Path, *arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
    with (folder / "screen.txt").open("wb") as screen:
        return subprocess.Popen(
            [TUPPENCE, "demo", "--fast-clock", "--receiver-port", "0", *arguments],
            cwd=folder,
            env=environment(None, TUPPENCE_PORT="0", COLUMNS="160", **settings),
            stdout=screen,
            stderr=screen,
        )


@asynccontextmanager
async def shown(folder: Path, *arguments: str) -> AsyncIterator[Shown]:
    """Run a fast demo until the block ends; it ends by Ctrl-C, as its users end it."""
    process, screen = start(folder, *arguments), folder / "screen.txt"

    async def has_greeted() -> bool:
        assert process.poll() is None, screen.read_text()
        return "Ctrl-C ends it." in screen.read_text()

    try:
        assert await poll(has_greeted, SHOW_S_MAX), screen.read_text()
        [address] = re.findall(r"(http://\S+/graphql)", screen.read_text())
        key = (folder / "data" / "fast-demo" / "admin.key").read_text().strip()
        async with Client.of(address, key) as client:
            yield Shown(process, screen, client)
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, STOP_S_MAX) == 0
        assert "Traceback" not in screen.read_text()
    finally:
        process.kill()
        process.wait()
