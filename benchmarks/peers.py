"""Those beside whom credits on PostgreSQL are measured: PostGraphile, and bare pgbench.

PostGraphile is fetched by npm into benchmarks/postgraphile/, by the hashes of its lock file, when
it is measured. Both call the same function (benchmarks/postgraphile/schema.sql).
"""

import json
import os
import resource
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import operations
from benchmarks.load import Load, Measured
from benchmarks.nodes import node
from benchmarks.servers import MeasurementError, Server, free_port, stop, wait_for_answer
from graph.page.prepare import install
from tests.harness.postgres import USER, Postgres

POSTGRAPHILE: Final = Path(__file__).resolve().parent / "postgraphile"
CONNECTIONS: Final = 32
GRACE_SECONDS: Final = 30
MICROSECONDS: Final = 1e6
DATABASE: Final = "peers"

SCRIPT: Final = """\\set member random(0, {last})
SELECT {function}('member-' || lpad((:member)::text, 5, '0'), 12, gen_random_uuid()::text,
    'Twelve points for an order of the autumn collection', '{order}', '{metadata}');
"""
CREDIT: Final = """mutation Credit($input: {input}!) {{
  {field}(input: $input) {{
    result {{ id walletId sequence kind points activeChange activeAfter source createdAt }}
  }}
}}"""
FIRST_REQUEST: Final = '{"query":"{ __typename }"}'
MARKER: Final = '"sequence"'


def prepare(postgres: Postgres) -> None:
    """Fetch PostGraphile, unless it is there, and make the peers' database."""
    if not (POSTGRAPHILE / "node_modules/postgraphile").exists() and install(POSTGRAPHILE):
        reason = "PostGraphile could not be fetched."
        raise MeasurementError(reason)
    postgres.create(DATABASE)
    postgres.run((POSTGRAPHILE / "schema.sql").read_text(encoding="utf-8"), DATABASE)


@contextmanager
def postgraphile(postgres: Postgres, folder: Path) -> Generator[Server]:
    """Run PostGraphile on the peers' database."""
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": postgres.url(DATABASE),
        "NODE_ENV": "production",
        "GRAPHILE_ENV": "production",
    }
    program = POSTGRAPHILE / "node_modules/postgraphile/dist/cli-run.js"
    command = [node(), program, "--port", str(port), "--host", "127.0.0.1"]
    log_file = folder / "postgraphile.log"
    with log_file.open("ab") as log:
        started_at = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=POSTGRAPHILE, env=environment, stdout=log, stderr=log
        )
    try:
        server = Server("PostGraphile", port, process.pid, log_file, started_at)
        wait_for_answer(server, process, FIRST_REQUEST, log_file)
        yield server
    finally:
        stop(process)


def credit(member: int, *, loosely: bool) -> str:
    """Return the same credit as `operations.credit`, as PostGraphile is asked for it."""
    told = json.loads(operations.credit(member))["variables"]["input"]
    field = "creditPointsLoosely" if loosely else "creditPoints"
    document = CREDIT.format(field=field, input=f"{field[0].upper()}{field[1:]}Input")
    asked = {
        "identity": told["wallet"]["owner"]["identity"],
        "points": str(told["points"]),
        "idempotencyKey": told["idempotencyKey"],
        "description": told["description"],
        "orderTold": told["order"],
        "metadata": told["metadata"],
    }
    return operations.body(document, "Credit", input=asked)


def credit_load(port: int, wallets: int, load: Load, *, loosely: bool) -> Load:
    """Return a round of credits for PostGraphile, else like `load`."""
    bodies = [credit(member, loosely=loosely) for member in range(wallets)]
    return Load(
        port, bodies, MARKER, connections=load.connections, seconds=load.seconds,
        serial_from=load.serial_from,
    )  # fmt: skip


def run_pgbench(
    postgres: Postgres, folder: Path, wallets: int, seconds: float, *, loosely: bool
) -> Measured:
    """Let pgbench credit for a while; what it did in its warm-up isn't in the rates."""
    load = Load(0, [], "", connections=CONNECTIONS, seconds=seconds)
    script, log = folder / "credit.sql", folder / f"pgbench-{time.monotonic_ns()}"
    script.write_text(script_for(wallets, loosely=loosely), encoding="utf-8")
    whole = round(load.warm_up_seconds + seconds + 1)
    command = [
        postgres.programs / "pgbench", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", USER,
        "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1", "-T", str(whole), "-f", script,
        "-l", f"--log-prefix={log}", DATABASE,
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=whole + GRACE_SECONDS
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise MeasurementError(done.stderr)
    told = [line.split() for path in folder.glob(f"{log.name}.*") for line in open_lines(path)]
    measured = read_log(told, load)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    measured.client_cpu_seconds, measured.client_cpu_share = used, used / whole
    return measured


def open_lines(path: Path) -> list[str]:
    """Return the lines of a log of pgbench's."""
    return path.read_text(encoding="utf-8").splitlines()


def script_for(wallets: int, *, loosely: bool) -> str:
    """Return what pgbench runs, again and again."""
    told = json.loads(operations.credit(0))["variables"]["input"]
    function = "credit_points_loosely" if loosely else "credit_points"
    order, metadata = json.dumps(told["order"]), json.dumps(told["metadata"])
    return SCRIPT.format(last=wallets - 1, function=function, order=order, metadata=metadata)


def read_log(lines: list[list[str]], load: Load) -> Measured:
    """Return the figures of a log: a line has client, number, microseconds, script, and the end."""
    ends = sorted((int(line[4]) + int(line[5]) / MICROSECONDS, int(line[2])) for line in lines)
    measure_from = ends[0][0] - ends[0][1] / MICROSECONDS + load.warm_up_seconds
    until = measure_from + load.seconds
    latencies = sorted(took for at, took in ends if measure_from <= at <= until)
    return Measured(
        len(latencies),
        load.seconds,
        len(ends),
        latencies[len(latencies) // 2] / 1000,
        latencies[len(latencies) * 99 // 100] / 1000,
    )
