"""The demo as a newcomer runs it: `tuppence demo --fast-clock` or `receive`, until Ctrl-C."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.client import Client
from tests.harness.patience import poll
from tests.harness.processes import STOP_S_MAX, TUPPENCE, environment

SHOW_S_MAX = 60


@dataclass
class Terminal:
    """A command that runs, and what its terminal shows."""

    process: "subprocess.Popen[bytes]"
    screen: Path

    @property
    def text(self) -> str:
        return self.screen.read_text()

    async def says(self, pattern: str) -> bool:
        """Wait until it shows what fits the pattern; say whether it did."""

        async def is_so() -> bool:
            assert self.process.poll() is None, self.text
            return re.search(pattern, self.text) is not None

        return await poll(is_so, SHOW_S_MAX)

    def cards(self, campaign: str, name: str) -> list[str]:
        """The messages of a campaign to a member, as they are shown."""
        return re.findall(rf"{title(campaign, name)}.*?╰", self.text, re.DOTALL)

    async def shows(self, campaign: str, name: str) -> bool:
        """Wait until there is such a message; say whether there is."""
        return await self.says(title(campaign, name))

    async def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.process.wait, STOP_S_MAX)


def title(campaign: str, name: str) -> str:
    return rf"╭─ {campaign} → {name} ─"


@contextmanager
def terminal(
    folder: Path, *arguments: str, database_url: str | None = None, **settings: str
) -> Iterator[Terminal]:
    """Run a command in a folder until the block ends, if it hasn't by then."""
    file = folder / f"{arguments[0]}.txt"
    with file.open("wb") as screen:
        process = subprocess.Popen(
            [TUPPENCE, *arguments],
            cwd=folder,
            env=environment(database_url, COLUMNS="160", **settings),
            stdout=screen,
            stderr=screen,
        )
    try:
        yield Terminal(process, file)
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def fast_demo(folder: Path, *arguments: str) -> AsyncIterator[tuple[Terminal, Client]]:
    """Run a fast demo until the block ends, and be a client of it; it ends by Ctrl-C."""
    asked = ("demo", "--fast-clock", "--receiver-port", "0", *arguments)
    with terminal(folder, *asked, TUPPENCE_PORT="0") as demo:
        assert await demo.says("Ctrl-C ends it."), demo.text
        [address] = re.findall(r"(http://\S+/graphql)", demo.text)
        key = (folder / "data" / "fast-demo" / "admin.key").read_text().strip()
        async with Client.of(address, key) as client:
            yield demo, client
        assert await demo.interrupt() == 0
        assert "Traceback" not in demo.text
