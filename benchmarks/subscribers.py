"""What a thousand idle subscribers cost in memory, alike ones and ones with filters."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict

from benchmarks import operations
from benchmarks.figures import Row, Section, Verdict
from benchmarks.rounds import Plan
from benchmarks.servers import STOP_SECONDS_MAX, MeasurementError, Server, allow_open_files, running
from benchmarks.watch import Watch

SUBSCRIBERS = 1_000
WARM_UP_SUBSCRIBERS = 10
SOCKETS = "2000"
"""Everyone has the same key: it may hold as many sockets."""
SETTLE_SECONDS = 2.0
"""The watch's ends are given this long to be served and swept before memory is read."""
MEGABYTES_MAX = 30
MEMBER = 7


@contextmanager
def watching(watch: Watch) -> Generator[subprocess.Popen[str]]:
    """Run subscribers in a process of their own; they are handed over once all are subscribed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.watch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(watch)))
        process.stdin.close()
        if process.stdout.readline().strip() != "subscribed":
            reason = "Not everyone could subscribe."
            raise MeasurementError(reason)
        time.sleep(SETTLE_SECONDS)
        yield process
    finally:
        process.kill()
        process.wait(STOP_SECONDS_MAX)
        process.stdout.close()


def credit_once(server: Server, serial: int) -> None:
    """Credit the member whom someone watches."""
    server.ask(operations.credit(MEMBER).replace(operations.SERIAL, f"{serial:020}"))


def check_served(process: subprocess.Popen[str], expected: int) -> None:
    """See that the event came to everyone whom it concerns, and to nobody else."""
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    if told["failures"] or told["received"] != expected:
        reason = f"{told['received']} of {expected} were served: {told['failures']}"
        raise MeasurementError(reason)


def watch_once(server: Server, watch: Watch) -> int:
    """Return the memory, in KB, while the subscribers are there; see that they are served."""
    with watching(watch) as process:
        resident_kb = server.resident_kb()
        credit_once(server, serial=watch.subscribers)
        check_served(process, watch.events)
    time.sleep(SETTLE_SECONDS)
    return resident_kb


def watch_of(server: Server, count: int, *, own: bool) -> Watch:
    """Return the audience: of a credit hears the one whose it is, or everyone."""
    return Watch(server.port, count, own, events=1 if own else count)


def measure_kind(plan: Plan, count: int, *, own: bool) -> tuple[int, int]:
    """Return the memory before and with the subscribers, in KB."""
    folder, first = plan.folder / f"own-{own}", operations.first_request()
    with running("tuppence", folder, first, TUPPENCE_LIMIT_SOCKETS=SOCKETS) as server:
        watch_once(server, watch_of(server, WARM_UP_SUBSCRIBERS, own=own))
        before = server.resident_kb()
        return before, watch_once(server, watch_of(server, count, own=own))


def measure_subscribers(plan: Plan, count: int = SUBSCRIBERS) -> Section:
    """Measure both kinds of audience, each on a fresh service."""
    allow_open_files()
    section = Section(
        "subscribers",
        f"{count:,} idle WebSockets, one `pointsCredited` subscription each; resident memory before"
        " and with them. Afterwards one credit was made, and everyone concerned heard of it.",
        ("MB before", "MB with them", "MB more", "KB each"),
    )
    for own, name in ((False, "all watch everything"), (True, "each watches its own member")):
        plan.progress(f"subscribers: {name}")
        before, after = measure_kind(plan, count, own=own)
        more = after - before
        cells = (before / 1024, after / 1024, more / 1024, more / count)
        section.rows.append(Row(name, tuple(f"{cell:,.1f}" for cell in cells)))
        bound = MEGABYTES_MAX * count / SUBSCRIBERS
        section.verdicts.append(
            Verdict(f"{count:,} subscribers, {name}", more / 1024, bound, "MB", at_least=False)
        )
    return section
