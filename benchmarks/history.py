"""Pages of a wallet with a million transactions beside those of one with a thousand."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from benchmarks import operations
from benchmarks.figures import Bar, Row, Section, Verdict, median_of, spread
from benchmarks.load import Load
from benchmarks.rounds import PAGE, READ_MARKER, Plan
from benchmarks.servers import MeasurementError, Server, run_load, running

SMALL, LARGE = 0, 1
"""The members whose wallets are compared."""
SMALL_TRANSACTIONS = 1_000
LARGE_TRANSACTIONS = 1_000_000
OLDEST = 100
CURSOR_STEP = 5
RATIO_MAX = 1.5

FRESH_ID = "substr({0}, 1, length({0}) - 8) || printf('%08d', n)"
"""An id as sortable and as long as the first one's: its last digits say which copy it is."""
FRESH_TRANSACTION = FRESH_ID.format("transaction_id")
COPIES = {
    "transactions": {
        "id": FRESH_ID.format("id"),
        "sequence": "n",
        "active_after": "active_after * n",
        "active_at": "active_at + n",
        "effective_at": "effective_at + n",
        "created_at": "created_at + n",
    },
    "details": {"transaction_id": FRESH_TRANSACTION},
    "lots": {
        "id": FRESH_ID.format("id"),
        "transaction_id": FRESH_TRANSACTION,
        "issued_at": "issued_at + n",
        "active_at": "active_at + n",
        "spendable_sequence": "n",
    },
    "lot_changes": {
        "transaction_id": FRESH_TRANSACTION,
        "lot_id": FRESH_ID.format("lot_id"),
    },
    "idempotency_keys": {
        "key": "key || '-' || n",
        "transaction_id": FRESH_TRANSACTION,
        "created_at": "created_at + n",
    },
    "events": {
        "position": "(SELECT position FROM log_head) + n - 1",
        "id": FRESH_ID.format("id"),
        "transaction_id": FRESH_TRANSACTION,
        "at": "at + n",
    },
}
"""The rows that a credit writes, and how the n-th copy of each differs from the first."""

WALLET = """UPDATE wallets SET sequence = :count, active = active * :count,
    credited = credited * :count, effective_at = effective_at + :count,
    written_at = written_at + :count WHERE id = :wallet"""


def copy_rows(database: sqlite3.Connection, table: str, transaction: str, count: int) -> None:
    """Copy a transaction's row of a table, so that there are `count` of them."""
    changes = COPIES[table]
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changes.get(column, f'"{column}"') for column in columns)
    key = "id" if table == "transactions" else "transaction_id"
    database.execute(
        "WITH RECURSIVE copies (n) AS"
        " (SELECT 2 UNION ALL SELECT n + 1 FROM copies WHERE n < :count)"
        f" INSERT INTO {table} ({names}) SELECT {values} FROM {table}, copies WHERE {key} = :first",
        {"count": count, "first": transaction},
    )


def lengthen(path: Path, wallet: str, count: int) -> None:
    """Make of a wallet's one credit `count` of them, every table as if each had been made."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")
        query = "SELECT id FROM transactions WHERE wallet_id = ?"
        ((transaction,),) = database.execute(query, (wallet,)).fetchall()
        for table in COPIES:
            copy_rows(database, table, transaction, count)
        database.execute(WALLET, {"count": count, "wallet": wallet})
        database.execute("UPDATE log_head SET position = position + ?", (count - 1,))
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass
class Depth:
    """One kind of page of one wallet, and what its rounds have shown."""

    name: str
    bodies: list[str]
    p50_ms: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def run(self, server: Server, seconds: float) -> None:
        """Read the page over and over, one connection waiting for each answer."""
        load = Load(
            server.port,
            self.bodies,
            READ_MARKER,
            marker_count=PAGE,
            connections=1,
            seconds=seconds,
        )
        before = server.cpu_seconds()
        measured = run_load(load)
        self.p50_ms.append(measured.p50_ms)
        self.cpu_us.append((server.cpu_seconds() - before) * 1e6 / measured.operations_all)

    def row(self) -> Row:
        """Return the figures as a line of the table."""
        cells = (
            f"{median_of(self.p50_ms):.2f}",
            spread(self.p50_ms, 2),
            f"{median_of(self.cpu_us):,.0f}",
        )
        return Row(self.name, cells)


def open_wallets(server: Server) -> dict[int, str]:
    """Make the first credit of each wallet; return their ids."""
    ids: dict[int, str] = {}
    for member in (SMALL, LARGE):
        told = operations.credit(member).replace(operations.SERIAL, f"{member:020}")
        payload = cast("dict[str, dict[str, dict[str, str]]]", server.ask(told))
        ids[member] = payload["creditPoints"]["wallet"]["id"]
    return ids


def deep_bodies(server: Server, member: int, count: int) -> list[str]:
    """Return reads of pages among the oldest transactions, each by a cursor of its own."""
    answer = server.ask(operations.oldest(member, OLDEST))
    wallet = cast("dict[str, dict[str, list[dict[str, object]]]]", answer["wallet"])
    edges = wallet["transactions"]["edges"]
    sequences = [cast("dict[str, int]", edge["node"])["sequence"] for edge in edges]
    if sequences != list(range(OLDEST, 0, -1)):
        reason = f"The oldest of {count:,} transactions are not what was asked for."
        raise MeasurementError(reason)
    cursors = [str(edge["cursor"]) for edge in edges[: OLDEST - PAGE : CURSOR_STEP]]
    return [operations.read(member, PAGE, cursor) for cursor in cursors]


def depths_of(server: Server, sizes: dict[int, int]) -> list[Depth]:
    """Return the pages to compare: the newest and the oldest of each wallet."""
    depths: list[Depth] = []
    for member, count in sizes.items():
        newest = [operations.read(member, PAGE)]
        depths.append(Depth(f"first page of {count:,}", newest))
        depths.append(Depth(f"deep page of {count:,}", deep_bodies(server, member, count)))
    return depths


def conclude(depths: list[Depth], sizes: dict[int, int]) -> Section:
    """Return the section, with the ratio of each kind of page."""
    section = Section(
        "history",
        f"a page of {PAGE} transactions, every field, one connection; the deep pages are among the"
        f" {OLDEST} oldest rows, by cursor. Median latency.",
        ("p50 ms", "range", "CPU µs"),
        [depth.row() for depth in depths],
    )
    first, deep, large_first, large_deep = (median_of(depth.p50_ms) for depth in depths)
    ratio = f"{sizes[LARGE]:,} ÷ {sizes[SMALL]:,} transactions"
    section.verdicts = [
        Verdict(f"first page, {ratio}", large_first / first, RATIO_MAX, "×", at_least=False),
        Verdict(f"deep page, {ratio}", large_deep / deep, RATIO_MAX, "×", at_least=False),
    ]
    section.bars = [
        Bar(depth.name, median_of(depth.p50_ms), f"{median_of(depth.p50_ms):.2f} ms")
        for depth in depths
    ]
    return section


def measure_history(plan: Plan, large: int = LARGE_TRANSACTIONS) -> Section:
    """Measure the pages, the wallets in turn within each round."""
    folder, first = plan.folder / "history", operations.first_request()
    sizes = {SMALL: SMALL_TRANSACTIONS, LARGE: large}
    with running("tuppence", folder, first) as server:
        ids = open_wallets(server)
        database = server.database
    for member, count in sizes.items():
        plan.progress(f"history: {count:,} transactions are written")
        lengthen(database, ids[member], count)
    with running("tuppence", folder, first) as server:
        depths = depths_of(server, sizes)
        for number in range(plan.rounds):
            for depth in depths:
                plan.progress(f"history {number + 1}/{plan.rounds}: {depth.name}")
                depth.run(server, plan.seconds / 2)
    return conclude(depths, sizes)
