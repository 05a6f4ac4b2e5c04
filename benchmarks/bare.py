"""The limit: a credit's rows into Tuppence's own tables, by `sqlite3` alone.

`python -m benchmarks.bare` takes a `Writing` as JSON on its input, and prints a `Measured`. There
is no request, rule, right or answer: only the rows, as Tuppence wrote each wallet's first ones, so
many credits to a unit of work, as durable.
"""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import MeasurementError
from benchmarks.load import GRACE_SECONDS, Load, Measured
from benchmarks.rounds import Contender
from benchmarks.servers import Server

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536")
CHANGES: dict[str, tuple[str, ...]] = {
    "transactions": ("id", "sequence", "active_after"),
    "details": ("transaction_id",),
    "lots": ("id", "transaction_id", "spendable_sequence"),
    "idempotency_keys": ("key", "transaction_id"),
    "events": ("id", "transaction_id", "position"),
    "audit_entries": ("id", "subject_id"),
}
"""The tables that a credit writes a row into, and what differs between a wallet's credits."""

WALLETS = "SELECT id, active, sequence FROM wallets WHERE id IN (SELECT value FROM json_each(?))"
WALLET = """UPDATE wallets SET active = ?, credited = credited + ?, sequence = ? WHERE id = ?"""
HEAD = "UPDATE log_head SET position = position + ? RETURNING position"
PLACES = 10
"""How many of an id's characters tell its credit: digits, so that ids are in order of time."""


@dataclass(frozen=True)
class Writing:
    """Where to write, how many credits together, and for how long."""

    database: str
    batch: int
    seconds: float
    warm_up_seconds: float
    serial_from: int


class Rows:
    """The rows of credits to come, each like its wallet's first."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.inserts: dict[str, str] = {}
        self.columns: dict[str, list[int]] = {}
        self.first: dict[str, dict[str, list[Any]]] = {}
        query = "SELECT id, wallet_id, points FROM transactions WHERE sequence = 1 ORDER BY id"
        transactions = database.execute(query).fetchall()
        self.points = {wallet: points for _, wallet, points in transactions}
        self.wallets = list(self.points)
        self.newest = str(transactions[-1][0]).partition("_")[2][:-PLACES]
        for table, changes in CHANGES.items():
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            marks = ", ".join("?" * len(names))
            self.inserts[table] = f"INSERT INTO {table} VALUES ({marks})"
            self.columns[table] = [names.index(column) for column in changes]
            self.first[table] = dict(self.read_first(table, transactions))

    def read_first(
        self, table: str, transactions: list[tuple[str, str, int]]
    ) -> Iterator[tuple[str, list[Any]]]:
        """Yield each wallet and the row that its first credit wrote into a table."""
        keys = {"transactions": "id", "audit_entries": "subject_id"}
        key = keys.get(table, "transaction_id")
        for transaction, wallet, _ in transactions:
            query = f"SELECT * FROM {table} WHERE {key} = ?"
            yield wallet, list(self.database.execute(query, (transaction,)).fetchone())

    def row(self, table: str, wallet: str, *values: object) -> list[Any]:
        """Return a row like the wallet's first, with these values in what differs."""
        row = self.first[table][wallet].copy()
        for column, value in zip(self.columns[table], values, strict=True):
            row[column] = value
        return row

    def write(self, serial: int, count: int) -> None:
        """Write so many credits, to the wallets in turn, as one unit of work."""
        execute, turns = self.database.execute, range(serial, serial + count)
        credited = [self.wallets[number % len(self.wallets)] for number in turns]
        execute("BEGIN IMMEDIATE")
        told = execute(WALLETS, (json.dumps(credited),))
        balances = {wallet: [active, sequence] for wallet, active, sequence in told}
        ((head,),) = execute(HEAD, (count,)).fetchall()
        made: dict[str, list[list[Any]]] = {table: [] for table in CHANGES}
        given = dict.fromkeys(balances, 0)
        for position, (number, wallet) in enumerate(
            zip(turns, credited, strict=True), head - count + 1
        ):
            balance, points = balances[wallet], self.points[wallet]
            balance[0] += points
            balance[1] += 1
            given[wallet] += points
            place = f"{self.newest}{number:0{PLACES}}"
            transaction = "txn_" + place
            values = {
                "transactions": (transaction, balance[1], balance[0]),
                "details": (transaction,),
                "lots": ("lot_" + place, transaction, balance[1]),
                "idempotency_keys": (f"bare-{number:020}", transaction),
                "events": ("evt_" + place, transaction, position),
                "audit_entries": ("aud_" + place, transaction),
            }
            for table, told_apart in values.items():
                made[table].append(self.row(table, wallet, *told_apart))
        for table, rows in made.items():
            self.database.executemany(self.inserts[table], rows)
        changed = [(*balances[wallet], given[wallet], wallet) for wallet in balances]
        self.database.executemany(
            WALLET,
            [(active, points, sequence, wallet) for active, sequence, points, wallet in changed],
        )
        execute("COMMIT")


def run_writing(writing: Writing) -> Measured:
    """Write for as long as told, and return what was measured."""
    with closing(sqlite3.connect(writing.database, isolation_level=None)) as database:
        for pragma in PRAGMAS:
            database.execute(f"PRAGMA {pragma}")
        rows = Rows(database)
        serial, latencies = writing.serial_from, list[float]()
        cpu = time.process_time()
        measure_from = time.perf_counter() + writing.warm_up_seconds
        until = measure_from + writing.seconds
        while (began := time.perf_counter()) < until:
            rows.write(serial, writing.batch)
            serial += writing.batch
            if measure_from <= (ended := time.perf_counter()) <= until:
                latencies.append(ended - began)
        cpu = time.process_time() - cpu
    latencies.sort()
    return Measured(
        len(latencies) * writing.batch,
        writing.seconds,
        serial - writing.serial_from,
        latencies[len(latencies) // 2] * 1000,
        latencies[len(latencies) * 99 // 100] * 1000,
        client_cpu_seconds=cpu,
    )


@dataclass
class Bare(Contender):
    """The bare database in the race; its database is one that Tuppence has opened wallets in."""

    batch: int = 100

    def run(self, load: Load) -> Measured:
        """Run one round: its time and serial are the load's, and nothing else of it."""
        writing = Writing(
            str(self.server.database),
            self.batch,
            load.seconds,
            load.warm_up_seconds,
            len(self.rounds) * 10 ** (PLACES - 2),
        )
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bare"],
            input=json.dumps(asdict(writing)),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=load.warm_up_seconds + load.seconds + GRACE_SECONDS,
        )
        told = json.loads(done.stdout)
        self.peak_kb = told.pop("peak_kb")
        measured = Measured(**told)
        if not measured.operations:
            reason = "Bare sqlite3 wrote no batch in time."
            raise MeasurementError(reason)
        self.rounds.append(measured)
        self.cpu_us.append(measured.client_cpu_seconds * 1e6 / measured.operations_all)
        return measured


def bare(name: str, database: Path, batch: int, filled: int) -> Bare:
    """Return the bare database as a contender."""
    return Bare(Server(name, 0, 0, database, 0.0), batch=batch, filled=filled)


def main() -> None:
    """Write as the input tells."""
    measured = run_writing(Writing(**json.load(sys.stdin)))
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    json.dump(asdict(measured) | {"peak_kb": peak}, sys.stdout)


if __name__ == "__main__":
    main()
