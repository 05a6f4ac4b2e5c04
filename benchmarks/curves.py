"""How credits, debits and reads grow with what is in the database: wallets, and their lots."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from benchmarks import operations
from benchmarks.figures import Row, Section
from benchmarks.growth import Climb, Step, conclude, tell_bend, told
from benchmarks.load import Load
from benchmarks.rounds import (
    COLUMNS,
    CREDIT_MARKER,
    SERIALS_A_LOAD,
    SERIALS_TO_FILL,
    Contender,
    Plan,
    check_nothing_lost,
    fill_wallets,
)
from benchmarks.seeding import WALLET_BYTES, add_wallets, lengthen_all, see_room
from benchmarks.servers import Server, run_load, running

WALLETS = (1_000, 10_000, 100_000, 1_000_000)
ASKED_WALLETS_MAX = 10_000
"""So many of a database's wallets are asked for, evenly spread."""
LOTS = (1, 10, 100, 1_000, 10_000)
LOT_WALLETS = 20
LOT_POINTS = 1_000_000
"""Of each lot, so that small debits never use one up."""
WALLET_MARKER = '"wal_'


def prepared(plan: Plan, folder: Path, name: str) -> Path:
    """Let Tuppence make a database with one wallet, which has one credit."""
    with running("tuppence", folder / name, operations.first_request()) as server:
        fill_wallets(server, 1, 1)
    plan.progress(f"{folder.name}: {name} is prepared")
    return server.database


def load(server: Server, bodies: list[str], marker: str, seconds: float, number: int = 0) -> Load:
    """Return a round of requests, whose keys are its own."""
    return Load(
        server.port, bodies, marker, seconds=seconds, serial_from=number * SERIALS_A_LOAD
    )  # fmt: skip


# ── wallets ──────────────────────────────────────────────────────────────────────────────────────


def measure_wallets(plan: Plan, sizes: tuple[int, ...] = WALLETS) -> Section:
    """Measure credits and reads by how many wallets there are."""
    section = Section(
        "wallets",
        "credits and reads of a wallet's balance by how many wallets the database has, each size a"
        f" service of its own, in turn; up to {ASKED_WALLETS_MAX:,} wallets, evenly spread, are"
        " asked for, by 32 connections. The wallets were written in bulk beforehand.",
        COLUMNS,
    )
    folder = plan.folder / "wallets"
    see_room(plan.folder, sum(sizes) * WALLET_BYTES)
    crediting, reading, each = Climb("credit", []), Climb("read", []), 0.0
    with ExitStack() as stack:
        for size in sizes:
            database = prepared(plan, folder, str(size))
            before = database.stat().st_size
            add_wallets(database, size)
            each = (database.stat().st_size - before) / size
            add_wallet_steps(stack, plan, size, (crediting, reading))
        crediting.run(plan, "wallets")
        reading.run(plan, "wallets")
        for step in crediting.steps:
            check_nothing_lost(step.contender)
    shutil.rmtree(folder)
    levels = (
        "A thousand times the wallets are two more levels of an index, whose pages are in memory."
    )
    pages = "Wallets that lie apart share no page: a credit then writes one of its own, to the log"
    pages += " and again where it belongs."
    notes = [
        tell_bend(crediting, "wallets", f"{levels} {pages}"),
        tell_bend(reading, "wallets", levels),
    ]
    conclude(section, (crediting, reading), "wallets", notes)
    section.rows.append(Row("bytes a wallet", (f"{each:,.0f}",), {"bytes_each": [each]}))
    return section


def add_wallet_steps(stack: ExitStack, plan: Plan, size: int, climbs: tuple[Climb, Climb]) -> None:
    """Start the service of one size, and add what it is asked."""
    folder = plan.folder / "wallets" / str(size)
    server = stack.enter_context(running("tuppence", folder, operations.first_request()))
    members = range(0, size, max(1, size // ASKED_WALLETS_MAX))
    credits_ = [operations.credit(member) for member in members]
    reads = [operations.balance(member) for member in members]
    crediting, reading = climbs
    crediting.steps.append(
        Step(
            size,
            Contender(server, filled=1),
            lambda number: load(server, credits_, CREDIT_MARKER, plan.seconds / 2, number),
        )
    )
    reading.steps.append(
        Step(
            size, Contender(server), lambda _: load(server, reads, WALLET_MARKER, plan.seconds / 2)
        )
    )


# ── lots ─────────────────────────────────────────────────────────────────────────────────────────


def measure_lots(plan: Plan, sizes: tuple[int, ...] = LOTS) -> Section:
    """Measure debits and reads by how many lots a wallet has."""
    section = Section(
        "lots",
        f"by how many lots with points each of {LOT_WALLETS} wallets has, each size a service of"
        " its own, in turn: debits that one lot is enough for, and reads of the balance, by 32"
        f" connections. At last each wallet was asked for half of its points, which takes half of"
        " its lots, one debit after another.",
        COLUMNS,
    )
    folder = plan.folder / "lots"
    debiting, reading = Climb("debit", []), Climb("read", [])
    with ExitStack() as stack:
        for size in sizes:
            add_lot_steps(stack, plan, size, (debiting, reading))
        debiting.run(plan, "lots")
        reading.run(plan, "lots")
        for step in debiting.steps:
            check_nothing_lost(step.contender)
        halves = [(step.size, take_half(plan, step)) for step in debiting.steps]
    shutil.rmtree(folder)
    first = "A debit reads a wallet's first 64 lots in the order of an index, and further ones only"
    first += " while it is short of them: it costs more up to there, and no more after."
    balance = "A wallet's balance is a row, which each transaction keeps up to date."
    notes = [tell_bend(debiting, "lots", first), tell_bend(reading, "lots", balance)]
    conclude(section, (debiting, reading), "lots", notes)
    section.rows += [
        Row(
            f"a debit of half, of {told(size, 'lots')}",
            ("", "", f"{each:,.1f}", "", ""),
            {"p50_ms": [each]},
        )
        for size, each in halves
    ]
    (least, quick), (most, slow) = halves[0], halves[-1]
    section.notes.append(
        f"A debit of half the points takes {quick:,.1f} ms of {told(least, 'lots')} and"
        f" {slow:,.1f} ms of {most:,}: every lot that gives points is a row that changes, and"
        " another that tells of it."
    )
    return section


def add_lot_steps(stack: ExitStack, plan: Plan, size: int, climbs: tuple[Climb, Climb]) -> None:
    """Make a database whose wallets have so many lots, start its service, add what it is asked."""
    folder, first = plan.folder / "lots" / str(size), operations.first_request()
    members = range(LOT_WALLETS)
    with running("tuppence", folder, first) as server:
        for member in members:
            body = operations.credit(member, LOT_POINTS)
            server.ask(body.replace(operations.SERIAL, f"{SERIALS_TO_FILL + member:020}"))
    plan.progress(f"lots: {size:,} in each wallet are written")
    lengthen_all(server.database, size)
    server = stack.enter_context(running("tuppence", folder, first))
    debits = [operations.debit(member, 1) for member in members]
    reads = [operations.balance(member) for member in members]
    debiting, reading = climbs
    debiting.steps.append(
        Step(
            size,
            Contender(server, filled=size * LOT_WALLETS),
            lambda number: load(server, debits, CREDIT_MARKER, plan.seconds / 2, number),
        )
    )
    reading.steps.append(
        Step(
            size, Contender(server), lambda _: load(server, reads, WALLET_MARKER, plan.seconds / 2)
        )
    )


def take_half(plan: Plan, step: Step) -> float:
    """Take half of each wallet's points, one debit after another; return the usual ms."""
    plan.progress(f"lots: half of {step.size:,} are taken")
    points = max(1, step.size // 2) * LOT_POINTS - LOT_POINTS // 2
    bodies = [operations.debit(member, points) for member in range(LOT_WALLETS)]
    asked = Load(
        step.contender.server.port,
        bodies,
        CREDIT_MARKER,
        connections=1,
        seconds=60,
        warm_up_seconds=0,
        requests_max=LOT_WALLETS,
        serial_from=SERIALS_TO_FILL * 2,
    )
    measured = run_load(asked)
    return measured.p50_ms
