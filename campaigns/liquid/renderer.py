"""The renderer: templates are rendered and checked by a process of its own, and never here.

A template that takes too long, or too much memory, costs that process at most: its message fails,
and whatever else was asked for is asked of the next one.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from campaigns.liquid.bounds import SOURCE_CHARS_MAX
from campaigns.liquid.templates import (
    Outcome,
    Part,
    RenderError,
    Roots,
    Scene,
    Template,
    TemplateFault,
)
from campaigns.liquid.wire import (
    READY,
    Frames,
    framed,
    pack_check,
    pack_render,
    unpack_fault,
    unpack_outcome,
)

IN_FLIGHT_MAX: Final = 64
"""Messages handed to the worker at once; who comes later waits."""

STANDSTILL_S: Final = 5.0
"""A worker that answers nothing for so long, though it takes no time, is ended, too."""

START_S_MAX: Final = 20.0
STARTS_MAX: Final = 3
"""Failed starts in a row, until those who wait are told."""

DEATHS_MAX: Final = 2
"""Workers that may end for no reason of ours under one message; then the message is the reason."""

READ_BYTES: Final = 65_536
ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    "from campaigns.liquid.worker import main; main()"
)

TOO_LONG: Final = "took too long"
CLOSED: Final = "the renderer is closed"
ENDED: Final = "the process that rendered it ended"


class RendererUnavailable(Exception):
    """There is no worker, and none can be started. Not the template's fault: ask again later."""


class _Job:
    """What is asked of the worker. `deaths`: how many workers ended under it."""

    __slots__ = ("answer", "deaths", "frame", "stands_still")

    def __init__(self, payload: bytes) -> None:
        self.frame = framed(payload)
        self.answer: asyncio.Future[bytes | str] = asyncio.get_running_loop().create_future()
        self.deaths = 0
        self.stands_still = False

    def settle(self, answer: bytes | str) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class Renderer:
    """Owns the worker: starts it when it is first needed, and anew when it has ended.

    Answers come in the order of asking; the first of those who wait is the one under way.
    """

    def __init__(self) -> None:
        self._jobs: deque[_Job] = deque()
        self._room = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._process: Process | None = None  # that is ready
        self._latest: Process | None = None  # that was started
        self._task: asyncio.Task[None] | None = None
        self._failed_starts = 0
        self._closed = False

    async def start(self) -> None:
        """Start the worker and wait until it is ready. Raises RendererUnavailable."""
        await self._ask(pack_check(Template(None, "x"), Roots({})))

    async def close(self) -> None:
        """End the worker. Who still waits, or asks later, gets RendererUnavailable."""
        self._closed = True
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await _end(self._latest)

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process else None

    async def render(self, key: str, message: Template, scene: Scene) -> Outcome:
        """Make a message of its templates. `key` names the version, which is kept parsed.

        Whatever the template does is an outcome. Raises RendererUnavailable.
        """
        try:
            payload = pack_render(key, message, scene)
        except TypeError as error:
            return RenderError(f"can't be handed to a template: {error}")
        answer = await self._ask(payload)
        return RenderError(answer) if isinstance(answer, str) else unpack_outcome(answer)

    async def check(self, message: Template, roots: Roots) -> TemplateFault | None:
        """Check a message as `campaigns.liquid.check` does. Raises RendererUnavailable."""
        if fault := _too_long(message):
            return fault
        try:
            payload = pack_check(message, roots)
        except TypeError as error:
            return TemplateFault(f"not readable: {error}", "body", 1, 1)
        answer = await self._ask(payload)
        if isinstance(answer, str):
            return TemplateFault(f"the message {answer} to render: make it simpler", "body", 1, 1)
        return unpack_fault(answer)

    async def _ask(self, payload: bytes) -> bytes | str:
        """Give the worker's answer, or why there is none."""
        async with self._room:
            if self._closed:
                raise RendererUnavailable(CLOSED)
            job = _Job(payload)
            self._jobs.append(job)
            if self._ready.is_set():
                self._send(job)
            self._wanted.set()
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name="renderer")
            return await job.answer

    def _send(self, job: _Job) -> None:
        pipe = self._process.stdin if self._process else None
        if pipe and not pipe.is_closing():
            pipe.write(job.frame)

    async def _run(self) -> None:
        """Have a worker while there is something to do; another when one ends."""
        try:
            while True:
                await self._wanted.wait()
                process = await self._start()
                if process:
                    await self._work_with(process)
                if not self._jobs:
                    self._wanted.clear()
        finally:
            self._give_up(CLOSED)

    async def _start(self) -> Process | None:
        """Start a worker, and return it when it is ready."""
        try:
            async with asyncio.timeout(START_S_MAX):
                # Isolated, and without an environment: it has no settings and no secrets.
                self._latest = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-c", PROGRAM),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=DEVNULL,
                    env={},
                    start_new_session=True,
                )
                assert self._latest.stdout
                if await self._latest.stdout.readexactly(len(framed(READY))) == framed(READY):
                    self._failed_starts = 0
                    return self._latest
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        await _end(self._latest)
        self._failed_starts += 1
        if self._failed_starts >= STARTS_MAX:
            self._failed_starts = 0
            self._give_up("no process can be started for it")
        return None

    async def _work_with(self, process: Process) -> None:
        """Send what waits, and hand out the answers, until the worker ends."""
        self._process = process
        self._ready.set()
        watch = asyncio.create_task(self._watch(process), name="renderer's watch")
        try:
            for job in self._jobs:
                self._send(job)
            assert process.stdout
            frames = Frames()
            while piece := await process.stdout.read(READ_BYTES):
                for payload in frames.take(piece):
                    self._jobs.popleft().settle(payload)
            self._bury(await process.wait())
        finally:
            self._ready.clear()
            self._process = None
            watch.cancel()

    def _bury(self, code: int | None) -> None:
        """A worker has ended: the message under way fails, if it was that message's fault."""
        if not self._jobs:
            return
        job = self._jobs[0]
        job.deaths += 1
        if code == -signal.SIGPROF or job.stands_still:
            self._jobs.popleft().settle(TOO_LONG)
        elif job.deaths >= DEATHS_MAX:
            self._jobs.popleft().settle(ENDED)

    async def _watch(self, process: Process) -> None:
        """End a worker that stands still: at two looks the same message is under way."""
        seen: _Job | None = None
        while True:
            await asyncio.sleep(STANDSTILL_S)
            under_way = self._jobs[0] if self._jobs else None
            if under_way and under_way is seen:
                under_way.stands_still = True
                await _end(process)
            seen = under_way

    def _give_up(self, reason: str) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            if not job.answer.done():
                job.answer.set_exception(RendererUnavailable(reason))


async def _end(process: Process | None) -> None:
    """End a process, and wait until it has.

    Not by its own `kill`: that asks whether it has ended, and takes the answer away from asyncio.
    """
    if process and process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


def _too_long(message: Template) -> TemplateFault | None:
    """What is far too long isn't even sent."""
    sources: tuple[tuple[Part, str | None], ...] = (
        ("subject", message.subject),
        ("body", message.body),
        ("html", message.html),
    )
    for part, source in sources:
        if source and len(source) > SOURCE_CHARS_MAX:
            said = f"a template has {SOURCE_CHARS_MAX} characters at most"
            return TemplateFault(said, part, 1, 1)
    return None
