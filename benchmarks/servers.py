"""The services under measurement, each a process on 127.0.0.1 with its own database."""

import json
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from benchmarks import nodes, operations
from benchmarks.figures import MeasurementError
from benchmarks.load import GRACE_SECONDS, Load, Measured

READY_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15
POLL_SECONDS = 0.005
REQUEST_SECONDS_MAX = 30
OPEN_FILES = 8192
SYSTEM_FIELDS = slice(11, 13)
"""User and system time, counted from the field after the command's name, in /proc/<pid>/stat."""
BIN = Path(sys.executable).parent
LOG_CHARACTERS_MAX = 2000


@dataclass(frozen=True)
class Server:
    """A service that is running."""

    name: str
    port: int
    pid: int
    database: Path
    started_at: float
    """By `time.perf_counter`, just before its process was made."""

    def named(self, name: str) -> Self:
        """Return the same by another name."""
        return replace(self, name=name)

    def cpu_seconds(self) -> float:
        """Return the process time that the service has used until now, all its threads."""
        told = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        ticks = sum(int(field) for field in told.split()[SYSTEM_FIELDS])
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_kb(self) -> int:
        """Return the memory that the service holds."""
        return self.memory_kb("VmRSS:")

    def peak_kb(self) -> int:
        """Return the most memory that the service has held."""
        return self.memory_kb("VmHWM:")

    def memory_kb(self, which: str) -> int:
        """Return one of the kernel's figures of its memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(which):
                return int(line.split()[1])
        reason = f"{self.name} tells no memory."
        raise MeasurementError(reason)

    def ask(self, body: str) -> dict[str, object]:
        """Send one request and return its data; an answer with errors is a fault."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=body.encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": operations.AUTHORIZATION,
            },
        )
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS_MAX) as answer:  # noqa: S310  (http on 127.0.0.1, and nothing else)
            told = json.load(answer)
        if "errors" in told:
            reason = f"{self.name} answered {told['errors']}"
            raise MeasurementError(reason)
        return told["data"]


def command_for(name: str, port: int, database: Path) -> list[str]:
    """Return how a service is started, those in Python by uvicorn on uvloop and httptools."""
    if name in nodes.SERVICES:
        return nodes.command_for(name, port, database)
    if name == "tuppence":
        return [str(BIN / "tuppence"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    if name == "unguarded":
        return [sys.executable, "-m", "benchmarks.unguarded", str(port)]
    if name == "stub":
        return [sys.executable, "-m", "benchmarks.stub", str(port)]
    module = [sys.executable, "-m", "uvicorn", "benchmarks.naive.app:app"]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    how = ["--loop", "uvloop", "--http", "httptools", "--ws", "websockets-sansio"]
    quiet = [
        "--no-access-log",
        "--no-server-header",
        "--no-proxy-headers",
        "--log-level",
        "warning",
    ]
    return [*module, *where, *how, *quiet]


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def allow_open_files() -> None:
    """Let this process and those it starts hold a socket for each subscriber."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@contextmanager
def running(name: str, folder: Path, body: str, **settings: str) -> Generator[Server]:
    """Run a service on the database in `folder`; it is handed over once it has answered `body`.

    It is as it ships, but for `settings`: variables of its environment.
    """
    folder.mkdir(parents=True, exist_ok=True)
    database, key, port = folder / f"{name}.db", folder / "admin.key", free_port()
    key.touch(0o600)
    key.write_text(operations.KEY, encoding="utf-8")
    environment = os.environ | {
        "TUPPENCE_DATABASE_URL": f"sqlite:///{database}",
        "TUPPENCE_ADMIN_KEY_FILE": str(key),
        "NAIVE_DATABASE": str(database),
        "NODE_ENV": "production",
        **settings,
    }
    command = command_for(name, port, database)
    if not Path(command[0]).exists():
        reason = f"There is no {command[0]}: run `make setup` first."
        raise MeasurementError(reason)
    with (folder / f"{name}.log").open("ab") as log:
        started_at = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        server = Server(name, port, process.pid, database, started_at)
        wait_for_answer(server, process, body, folder / f"{name}.log")
        yield server
    finally:
        stop(process)


def wait_for_answer(server: Server, process: subprocess.Popen[bytes], body: str, log: Path) -> None:
    """Return as soon as the service has answered a request."""
    last: Exception | None = None
    while time.perf_counter() < server.started_at + READY_SECONDS_MAX:
        if process.poll() is not None:
            break
        try:
            server.ask(body)
        except (urllib.error.URLError, ConnectionError) as error:
            last = error
            time.sleep(POLL_SECONDS)
        else:
            return
    told = log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS_MAX:]
    reason = f"{server.name} did not come up: {last}\n{told}"
    raise MeasurementError(reason)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a service: politely, and if that takes too long, at once."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS_MAX)


def run_load(load: Load) -> Measured:
    """Run a load in a process of its own and return what it measured; any failure is a fault."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=load.warm_up_seconds + load.seconds + 2 * GRACE_SECONDS,
    )
    measured = Measured(**json.loads(done.stdout))
    if measured.failed:
        reason = f"{measured.failed} requests failed: {measured.failures}"
        raise MeasurementError(reason)
    if not measured.operations:
        reason = "No request was answered in time."
        raise MeasurementError(reason)
    return measured
