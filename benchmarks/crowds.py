"""How credits grow with how many ask at once, and with how many one request asks for."""

import shutil
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from benchmarks import operations
from benchmarks.bare import bare
from benchmarks.figures import Row, Section, median_of
from benchmarks.growth import Climb, Step, conclude, tell_top
from benchmarks.load import Load, Measured
from benchmarks.rounds import (
    COLUMNS,
    CREDIT_MARKER,
    CREDIT_WALLETS,
    SERIALS_A_LOAD,
    Contender,
    Plan,
    check_nothing_lost,
    fill_wallets,
)
from benchmarks.servers import (
    REQUEST_SECONDS_MAX,
    Server,
    allow_open_files,
    running,
)

CONNECTIONS = (1, 4, 16, 64, 256, 1_000)
BATCHES = (1, 10, 100, 1_000)
BATCH_CONNECTIONS = 4
WALLET_MARKER = '"wal_'
METRIC = "tuppence_batch_commands"


def commits_of(server: Server) -> tuple[float, float]:
    """Return how many commits the service tells of in its metrics, and how many commands."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/metrics",
        headers={"Authorization": operations.AUTHORIZATION},
    )
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS_MAX) as answer:  # noqa: S310  (http on 127.0.0.1, and nothing else)
        told = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())
    return float(told[f"{METRIC}_count"]), float(told[f"{METRIC}_sum"])


@dataclass
class Counted(Contender):
    """One of whom it is kept, too, how many commands a commit held in each round."""

    together: list[float] = field(default_factory=list[float])

    def run(self, load: Load) -> Measured:
        """Run one round, and look at the metrics before and after."""
        commits, commands = commits_of(self.server)
        measured = super().run(load)
        commits_after, commands_after = commits_of(self.server)
        self.together.append((commands_after - commands) / max(1, commits_after - commits))
        return measured

    def row(self) -> Row:
        """Return the figures as a line of the table."""
        row = super().row()
        cells = (*row.cells, f"{median_of(self.together):,.1f}")
        return replace(row, cells=cells, figures=row.figures | {"a_commit": self.together})


def see_all_written(contenders: list[Contender]) -> None:
    """See that each credit of several rounds on one service is one row."""
    first, *others = contenders
    whole = Contender(first.server, [*first.rounds], filled=first.filled)
    whole.rounds += [measured for other in others for measured in other.rounds]
    check_nothing_lost(whole)


def measure_connections(plan: Plan, sizes: tuple[int, ...] = CONNECTIONS) -> Section:
    """Measure credits and reads by how many connections ask at once."""
    allow_open_files()
    section = Section(
        "connections",
        "credits and reads of a wallet's balance by how many keep-alive connections ask at once,"
        " each waiting for its answer; one service, the sizes in turn. *A commit* is how many"
        " credits shared one, by the service's own metrics.",
        (*COLUMNS, "a commit"),
    )
    folder = plan.folder / "connections"
    credits_ = [operations.credit(member) for member in range(CREDIT_WALLETS)]
    reads = [operations.balance(member) for member in range(CREDIT_WALLETS)]
    crediting, reading = Climb("credit", []), Climb("read", [])
    with running("tuppence", folder, operations.first_request()) as server:
        filled, seconds = fill_wallets(server, CREDIT_WALLETS, 1), plan.seconds
        for place, size in enumerate(sizes):

            def crediting_load(number: int, size: int = size, place: int = place) -> Load:
                serial = (number * len(sizes) + place) * SERIALS_A_LOAD
                return Load(
                    server.port, credits_, CREDIT_MARKER, connections=size, seconds=seconds,
                    serial_from=serial,
                )  # fmt: skip

            def reading_load(_: int, size: int = size) -> Load:
                return Load(server.port, reads, WALLET_MARKER, connections=size, seconds=seconds)

            given = filled if place == 0 else 0
            crediting.steps.append(Step(size, Counted(server, filled=given), crediting_load))
            reading.steps.append(Step(size, Contender(server), reading_load))
        crediting.run(plan, "connections")
        reading.run(plan, "connections")
        see_all_written([step.contender for step in crediting.steps])
    shutil.rmtree(folder)
    shared = "Credits that are under way together share a commit, and its wait for the disk;"
    bound = "from there on the processor is busy, and who comes more only waits longer."
    alone = "One connection waits for one answer at a time;"
    notes = [
        tell_top(crediting, "connections", f"{shared} {bound}"),
        tell_top(reading, "connections", f"{alone} {bound}"),
    ]
    return conclude(section, (crediting, reading), "connections", notes)


# ── batches ──────────────────────────────────────────────────────────────────────────────────────


def measure_batches(plan: Plan, sizes: tuple[int, ...] = BATCHES) -> Section:
    """Measure credits by how many one request asks for, beside the bare database's commits."""
    section = Section(
        "batches",
        f"credits a second by how many one `creditPointsBatch` has, {BATCH_CONNECTIONS}"
        " connections, beside bare `sqlite3`, which writes the same rows so many to a commit. Times"
        " a request's and a commit's; rates and the processor's time a credit's. Batches of"
        f" different requests share a commit as well; of {BATCH_CONNECTIONS} connections that is at"
        " most so many.",
        COLUMNS,
    )
    folder, first = plan.folder / "batches", operations.first_request()
    asking, writing = Climb("credit", []), Climb("bare sqlite3", [])
    with ExitStack() as stack:
        for size in sizes:
            with running("tuppence", folder / f"bare-{size}", first) as server:
                filled = fill_wallets(server, CREDIT_WALLETS, 1)
            alone = bare("bare sqlite3", server.database, size, filled)
            writing.steps.append(
                Step(size, alone, lambda _: Load(0, [], "", seconds=plan.seconds / 2))
            )
            ours = stack.enter_context(running("tuppence", folder / str(size), first))
            asking.steps.append(batch_step(plan, ours, size))
        asking.run(plan, "batches")
        writing.run(plan, "batches")
        for step in (*asking.steps, *writing.steps):
            check_nothing_lost(step.contender)
    shutil.rmtree(folder)
    why = "What a request and a commit cost is shared by its credits, until a credit's own rows and"
    why += " rules are all that is left."
    notes = [tell_top(asking, "a batch", why)]
    return conclude(section, (asking, writing), "a batch", notes, "credits a batch")


def batch_step(plan: Plan, server: Server, size: int) -> Step:
    """Return the credits of one size of batch, each batch's spread over the wallets."""
    filled = fill_wallets(server, CREDIT_WALLETS, 1)
    bodies = [
        operations.credits_together([(start + at) % CREDIT_WALLETS for at in range(size)])
        for start in range(0, CREDIT_WALLETS, max(1, CREDIT_WALLETS // 10))
    ]

    def batch_load(number: int) -> Load:
        return Load(
            server.port, bodies, CREDIT_MARKER, marker_count=size,
            connections=BATCH_CONNECTIONS, seconds=plan.seconds / 2,
            serial_from=number * SERIALS_A_LOAD,
        )  # fmt: skip

    return Step(size, Contender(server, filled=filled), batch_load, each=size)
