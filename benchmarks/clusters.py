"""A PostgreSQL of the benchmark's own: durable, on this machine only, and its processor's time."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.servers import SYSTEM_FIELDS, MeasurementError
from tests.harness.postgres import (
    UNPRIVILEGED,
    Postgres,
    as_unprivileged,
    free_port,
    initialise,
    reachable_programs,
)

# What is acknowledged is on the disk: the same for all who are measured.
OPTIONS: Final = (
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=256MB",
    "max_connections=200",
    "max_wal_size=4GB",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "log_min_messages=fatal",
)
PARENT_FIELD: Final = 1
CHILDREN_FIELDS: Final = slice(13, 15)
"""User and system time of children that have ended, like SYSTEM_FIELDS in /proc/<pid>/stat."""


@contextmanager
def cluster() -> Generator[Postgres]:
    """Run a durable PostgreSQL until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="tuppence-bench-postgres-"))
    if as_unprivileged():
        shutil.chown(folder, UNPRIVILEGED)
    programs, port = reachable_programs(folder), free_port()
    initialise(programs, folder)
    settings = [part for option in OPTIONS for part in ("-c", option)]
    command = [programs / "postgres", "-D", folder / "data", "-p", str(port), *settings]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **as_unprivileged())
    postgres = Postgres(folder, programs, port, process)
    try:
        postgres.wait_until_ready()
        yield postgres
    finally:
        postgres.stop()


def cpu_seconds(postgres: Postgres) -> float:
    """Return the process time that the cluster has used until now, all its processes."""
    ticks = sum(map(int, fields_of(postgres.process.pid)[CHILDREN_FIELDS]))
    ticks += sum(map(int, fields_of(postgres.process.pid)[SYSTEM_FIELDS]))
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = fields_of(int(folder.name))
            if fields and int(fields[PARENT_FIELD]) == postgres.process.pid:
                ticks += sum(map(int, fields[SYSTEM_FIELDS]))
    return ticks / os.sysconf("SC_CLK_TCK")


def fields_of(pid: int) -> list[str]:
    """Return a process's fields from that after its name; none if it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return told.rpartition(")")[2].split()


def count_rows(postgres: Postgres, database: str, table: str) -> int:
    """Return how many rows a table holds."""
    server = ["-h", "127.0.0.1", "-p", str(postgres.port), "-U", "tuppence", "-d", database]
    query = ["-X", "-A", "-t", "-c", f"SELECT count(*) FROM {table}"]
    command = [postgres.programs / "psql", *server, *query]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise MeasurementError(done.stderr)
    return int(done.stdout)
