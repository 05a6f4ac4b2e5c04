"""A trial: instances on one PostgreSQL under load, whatever is done to them, and the verdict.

async with trying(postgres, folder, Shape(followers=10), seed) as trial:
    await trial.goes_on(50)              # so many more deeds are answered for good
    trial.instances[0].kill()
    await trial.goes_on(50)
    await trial.instances[0].start()
    await trial.ends_well()              # all is answered and heard; nothing is found
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from typing_extensions import override

from tests.faults.callers import Callers
from tests.faults.followers import Followers
from tests.harness.nats import Nats
from tests.harness.patience import poll
from tests.harness.postgres import Postgres
from tests.harness.processes import READY_S_MAX, ServeProcess, tuppence
from tests.histories.checker import check
from tests.histories.hearing import Log
from tests.histories.history import Finding, Follower
from tests.histories.recorder import Recorder, keep

PROGRESS_S_MAX: Final = 60
UP_S_MAX: Final = 120  # a start costs seconds of a core, and others want theirs
DRAIN_S_MAX: Final = 60
STARTS_MAX: Final = 20
SHOWN_MAX: Final = 10
LINE_MAX: Final = 500
TEMPLATE: Final = "migrated"


@dataclass(frozen=True)
class Shape:
    """How large a trial is. `rate` is how many deeds a second all callers ask for together."""

    instances: int = 3
    people: int = 8
    followers: int = 12
    rate: float = 60
    nats: tuple[Nats, ...] = ()


class Instance(ServeProcess):
    """One of the instances; its supervisor starts it again until it runs."""

    async def readiness(self) -> int:
        """The status that `/readyz` answers with."""
        async with httpx.AsyncClient(trust_env=False, timeout=READY_S_MAX) as http:
            return (await http.get(f"{self.origin}/readyz")).status_code

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP makes it stand still, SIGCONT go on."""
        assert self.process is not None
        self.process.send_signal(number)

    @override
    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
        super().end()

    async def revive(self) -> None:
        """Start it, again where it ended because the database wasn't there."""
        for _ in range(STARTS_MAX):
            process = self.process = self.spawn()

            async def is_up(process: Any = process) -> bool:
                return process.poll() is not None or await self.is_ready()

            assert await poll(is_up, UP_S_MAX), f"neither up nor down: {self.log}"
            if process.poll() is None:
                return
        raise AssertionError(f"it doesn't start: {self.log}")


class Trial:
    """All that takes part, and what was found."""

    def __init__(
        self, folder: Path, postgres: Postgres, database: str, shape: Shape, seed: int
    ) -> None:
        self.folder = folder
        self.postgres = postgres
        self.database = database
        self.database_url = postgres.url(database)
        self.shape = shape
        self.instances = [self.instance(number) for number in range(shape.instances)]
        urls = [each.url for each in self.instances]
        self.people = [f"m{number}" for number in range(shape.people)]
        self.recorder = Recorder()
        self.callers = Callers(urls, self.people, self.recorder, seed, shape.rate)
        self.followers = Followers(urls, self.recorder, seed + 1)
        self._troubled: dict[int, asyncio.Lock] = {}

    def instance(self, number: int) -> Instance:
        folder = self.folder / f"instance-{number}"
        folder.mkdir(parents=True)
        settings = {
            "TUPPENCE_CAMPAIGNS": "off",
            "TUPPENCE_LOG_LEVEL": "warning",
            "TUPPENCE_LIMIT_SOCKETS": "1000",
            "TUPPENCE_NATS_URL": " ".join(each.url for each in self.shape.nats),
        }
        return Instance(self.database_url, folder, **settings)

    def troubled(self, what: object) -> asyncio.Lock:
        """Held while something is done to it: one trouble at a time."""
        return self._troubled.setdefault(id(what), asyncio.Lock())

    # ── its course ───────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        await asyncio.gather(*(each.revive() for each in self.instances))
        await self.callers.start()
        cursor = await self.callers.clients[0].event_cursor()
        whom = [None, *self.people]
        self.followers.start([whom[n % len(whom)] for n in range(self.shape.followers)], cursor)

    async def goes_on(self, deeds: int) -> None:
        """Wait until so many more deeds are answered for good: the service serves."""
        wanted = self.recorder.answered + deeds

        async def is_so() -> bool:
            return self.recorder.answered >= wanted

        assert await poll(is_so, PROGRESS_S_MAX), f"{self.recorder.answered} of {wanted}"

    async def hears_on(self, events: int) -> None:
        """Wait until each who follows everybody has heard of so many more: nothing is stuck."""
        everybody = [each for each in self.followers.followers if each.who is None]
        wanted = [(each, heard_by(each) + events) for each in everybody]

        async def is_so() -> bool:
            return all(heard_by(each) >= count for each, count in wanted)

        heard = {each.name: heard_by(each) for each in everybody}
        assert await poll(is_so, PROGRESS_S_MAX), f"stuck at {heard}"

    async def told_to_come_back(self, times: int) -> None:
        """Wait until callers were told so many more times that nothing was done."""
        wanted = self.recorder.turned_away + times

        async def is_so() -> bool:
            return self.recorder.turned_away >= wanted

        assert await poll(is_so, PROGRESS_S_MAX), f"{self.recorder.turned_away} of {wanted}"

    async def close(self) -> None:
        await self.callers.close()
        await self.followers.close()
        for each in self.instances:
            each.end()

    # ── its end ──────────────────────────────────────────────────────────────────────────────────

    async def ends_well(self) -> None:
        """All is answered, everybody has heard everything, and nothing is found."""
        findings = await self.findings()
        if findings:
            keep(self.recorder.history, self.folder / "history.jsonl")
        told = "\n".join(str(each)[:LINE_MAX] for each in findings[:SHOWN_MAX])
        assert not findings, f"{len(findings)} findings, kept in {self.folder}:\n{told}"

    async def findings(self) -> list[Finding]:
        """What can't have been, and what shouldn't."""
        await self.callers.finish()
        await self.recorder.read_rows(self.database_url)
        await self.drain()
        await self.followers.close()
        checked = await asyncio.to_thread(tuppence, "check", database_url=self.database_url)
        found = check(self.recorder.history)
        if checked.returncode:
            found.append(Finding("tuppence check", checked.stdout + checked.stderr))
        found += [Finding("broken subscription", told) for told in self.followers.told_of_faults]
        return found + [Finding("logged", line) for each in self.instances for line in amiss(each)]

    async def drain(self) -> None:
        """Wait until each follower has heard the last that there is for it, or patience ends.

        Who has not is found by the checker.
        """
        log = Log(self.recorder.history)
        ends = [(each, log.last(each.who)) for each in self.followers.followers]

        async def is_so() -> bool:
            return all(each.last >= end for each, end in ends)

        await poll(is_so, DRAIN_S_MAX)
        for follower, _ in ends:
            follower.drained = True


def heard_by(follower: Follower) -> int:
    """How many events it has heard of."""
    return len({each.position for sub in follower.subscriptions for each in sub.heard})


def amiss(instance: ServeProcess) -> list[str]:
    """The lines of an instance's log that tell of a fault of its own."""
    lines = instance.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if _is_amiss(line)]


def _is_amiss(line: str) -> bool:
    if not line.startswith("{"):
        return line.startswith("Traceback")
    told = json.loads(line)
    return told["level"] in {"error", "critical"} or "exception" in told


@asynccontextmanager
async def trying(postgres: Postgres, folder: Path, shape: Shape, seed: int) -> AsyncIterator[Trial]:
    """A trial on a database of its own, under load until the block ends."""
    name = f"trial_{seed}"
    postgres.create(name, template=TEMPLATE)
    trial = Trial(folder, postgres, name, shape, seed)
    try:
        await trial.start()
        yield trial
    finally:
        await trial.close()
        postgres.drop(name)
