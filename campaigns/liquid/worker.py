"""The renderer's worker: a process that reads templates and scenes, and writes what they make.

It ends when its input does, so it never outlives the service. The kernel ends it when one message
takes too long, and refuses it memory beyond the bound; what it doesn't survive, nobody else feels.
"""

import os
import resource
import signal
from collections import OrderedDict
from pathlib import Path
from typing import Final

from campaigns.liquid.check import check
from campaigns.liquid.rendering import Parsed, parse_message, render
from campaigns.liquid.sources import Fault
from campaigns.liquid.templates import (
    Outcome,
    RenderError,
    Roots,
    Scene,
    Template,
    TemplateFault,
)
from campaigns.liquid.wire import READY, Frames, framed, pack_answer, unpack_asked

CPU_S_MAX: Final = 0.5
"""Of the processor's time for one message. Its own time: a busy machine makes no template slow."""

MEMORY_BYTES_MAX: Final = 64 * 2**20
"""What it may take beyond what it has when it starts, its cache included."""

KEPT_CHARS_MAX: Final = 200_000
"""Of the messages kept parsed, the latest used: a parsed character takes up to 70 bytes."""

READ_BYTES: Final = 65_536
STATM: Final = Path("/proc/self/statm")

WARM: Final = Template(
    "{{ Event.a | default: 'x' }}", "{% for i in (1..2) %}{{ 'now' | date: '%Y' }}{% endfor %}", "x"
)
NOWHERE: Final = Scene({}, {}, {}, {}, "Europe/Paris", 0)


class Worker:
    """Renders and checks; keeps what it has parsed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Template, Parsed]] = OrderedDict()
        self._kept_chars = 0

    def answer(self, payload: bytes) -> bytes:
        return pack_answer(self._answer(*unpack_asked(payload)))

    def _answer(
        self, key: str | None, message: Template, rest: Scene | Roots
    ) -> Outcome | TemplateFault | None:
        if isinstance(rest, Roots):
            return check(message, rest)
        assert key is not None, "who renders names the version"
        try:
            parsed = self.parsed(key, message)
        except Fault as fault:
            return RenderError(fault.message)
        return render(parsed, rest)

    def parsed(self, key: str, message: Template) -> Parsed:
        kept = self._kept.get(key)
        if kept and kept[0] == message:
            self._kept.move_to_end(key)
            return kept[1]
        if kept:
            self._drop(key)
        parsed = parse_message(message)
        self._kept[key] = message, parsed
        self._kept_chars += _length(message)
        while self._kept_chars > KEPT_CHARS_MAX:
            self._drop(next(iter(self._kept)))
        return parsed

    def _drop(self, key: str) -> None:
        message, _ = self._kept.pop(key)
        self._kept_chars -= _length(message)

    def kept(self) -> list[str]:
        """The versions kept, the latest used last."""
        return list(self._kept)


def _length(message: Template) -> int:
    """In characters; never 0, so that the number of messages is bounded, too."""
    return 100 + len(message.subject or "") + len(message.body) + len(message.html or "")


def bound_memory() -> None:
    """From here on so much more. Without Linux's /proc there is only the bound on time."""
    if STATM.exists():
        now = int(STATM.read_text().split()[0]) * resource.getpagesize()
        limit = now + MEMORY_BYTES_MAX
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def write(payload: bytes) -> None:
    left = memoryview(framed(payload))
    while left:
        left = left[os.write(1, left) :]


def main() -> None:
    # Ctrl-C is for the service, which then ends this process by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker()
    render(parse_message(WARM), NOWHERE)
    bound_memory()
    write(READY)
    frames = Frames()
    while piece := os.read(0, READ_BYTES):
        for payload in frames.take(piece):
            # SIGPROF has no handler: the kernel ends the process, whatever it is doing.
            signal.setitimer(signal.ITIMER_PROF, CPU_S_MAX)
            answer = worker.answer(payload)
            signal.setitimer(signal.ITIMER_PROF, 0)
            write(answer)


if __name__ == "__main__":
    main()
