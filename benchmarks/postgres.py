"""Credits on one durable PostgreSQL: Tuppence beside PostGraphile, pgbench, and itself."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final

from benchmarks import operations, peers
from benchmarks.clusters import cluster, count_rows
from benchmarks.figures import Bar, Section, Verdict, median_of
from benchmarks.load import Load, Measured
from benchmarks.rivals import COLUMNS, Rival, race, ratio_of, ratio_row
from benchmarks.rounds import CREDIT_MARKER, CREDIT_WALLETS, SERIALS_A_LOAD, Plan
from benchmarks.servers import MeasurementError, Server, run_load, running
from models.migrations import upgrade
from tests.harness.postgres import Postgres

DATABASE: Final = "tuppence"
CONNECTIONS: Final = 32
WARM_UP_CREDITS: Final = 1_000
"""What each process makes before its first round, for caches and prepared statements."""

POSTGRAPHILE_RATIO_MIN: Final = 3.5
PGBENCH_RATIO_MIN: Final = 4
INSTANCES_RATIO_MIN: Final = 1.2


# ── who credits ───────────────────────────────────────────────────────────────────────────────────


def tuppence_load(server: Server, wallets: int, plan: Plan, connections: int = CONNECTIONS) -> Load:
    """Return a round of credits for one instance."""
    bodies = [operations.credit(member) for member in range(wallets)]
    return Load(
        server.port, bodies, CREDIT_MARKER, connections=connections, seconds=plan.seconds
    )  # fmt: skip


def postgraphile_load(server: Server, wallets: int, plan: Plan, *, loosely: bool = False) -> Load:
    """Return a round of credits for PostGraphile."""
    bodies = [peers.credit(member, loosely=loosely) for member in range(wallets)]
    return Load(
        server.port, bodies, peers.MARKER, connections=CONNECTIONS, seconds=plan.seconds
    )  # fmt: skip


def loaded(name: str, server: Server, load: Load) -> Rival:
    """Return one service, which all connections go to."""
    return Rival(name, lambda serial: run_load(replace(load, serial_from=serial)), [server])


def pgbench(
    name: str, plan: Plan, postgres: Postgres, wallets: int, *, loosely: bool = False
) -> Rival:
    """Return as many connections of pgbench's."""
    return Rival(
        name,
        lambda _: peers.run_pgbench(
            postgres, plan.folder, wallets, plan.seconds, loosely=loosely
        ),
    )  # fmt: skip


def halves(name: str, servers: list[Server], plan: Plan) -> Rival:
    """Return two clients at once, each with half of the connections, each with its server."""
    loads = [tuppence_load(each, CREDIT_WALLETS, plan, CONNECTIONS // 2) for each in servers]

    def run(serial: int) -> Measured:
        with ThreadPoolExecutor(len(loads)) as threads:
            places = range(serial, serial + SERIALS_A_LOAD, SERIALS_A_LOAD // len(loads))
            given = [replace(load, serial_from=at) for load, at in zip(loads, places, strict=True)]
            return whole_of(list(threads.map(run_load, given)))

    return Rival(name, run, list({server.pid: server for server in servers}.values()))


def whole_of(parts: list[Measured]) -> Measured:
    """Return what loads that ran at once come to."""
    return Measured(
        operations=sum(each.operations for each in parts),
        seconds=median_of([each.seconds for each in parts]),
        operations_all=sum(each.operations_all for each in parts),
        p50_ms=median_of([each.p50_ms for each in parts]),
        p99_ms=max(each.p99_ms for each in parts),
        client_cpu_share=max(each.client_cpu_share for each in parts),
        client_cpu_seconds=sum(each.client_cpu_seconds for each in parts),
    )


@contextmanager
def instance(plan: Plan, postgres: Postgres, name: str, **settings: str) -> Generator[Server]:
    """Run `tuppence serve` as it ships, on the cluster."""
    url, folder = postgres.url(DATABASE), plan.folder / f"postgres-{name}"
    first = operations.first_request()
    with running("tuppence", folder, first, TUPPENCE_DATABASE_URL=url, **settings) as server:
        yield server


def warm_up(load: Load, serial: int) -> int:
    """Let a process make some credits; return how many."""
    given = replace(load, seconds=60, warm_up_seconds=0, requests_max=WARM_UP_CREDITS)
    return run_load(replace(given, serial_from=serial)).operations_all


# ── the races ─────────────────────────────────────────────────────────────────────────────────────


def race_peers(plan: Plan, postgres: Postgres, section: Section) -> None:
    """Race one instance beside its peers: over many wallets, and on one."""
    peers.prepare(postgres)
    with (
        instance(plan, postgres, "one") as ours,
        peers.postgraphile(postgres, plan.folder) as theirs,
    ):
        made = warm_up(tuppence_load(ours, CREDIT_WALLETS, plan), 10**18)
        peers_made = warm_up(postgraphile_load(theirs, CREDIT_WALLETS, plan), 10**18)
        many, hot = (rivals_on(plan, postgres, ours, theirs, n) for n in (CREDIT_WALLETS, 1))
        many += [
            loaded(
                "PostGraphile, loosely",
                theirs,
                postgraphile_load(theirs, CREDIT_WALLETS, plan, loosely=True),
            ),
            pgbench("pgbench, loosely", plan, postgres, CREDIT_WALLETS, loosely=True),
        ]
        serial = race(plan, postgres, "postgres", many, 0)
        race(plan, postgres, "postgres, one wallet", hot, serial)
    check_nothing_lost(postgres, DATABASE, [many[0], hot[0]], made)
    check_nothing_lost(postgres, peers.DATABASE, [*many[1:], *hot[1:]], peers_made)
    told = [*many, *hot]
    section.rows += [rival.row() for rival in told]
    section.rows += [ratio_row(each[0], other) for each in (many, hot) for other in each[1:]]
    section.verdicts += [
        verdict("ours ÷ PostGraphile", many[0], many[1], POSTGRAPHILE_RATIO_MIN),
        verdict("one wallet, ours ÷ pgbench", hot[0], hot[2], PGBENCH_RATIO_MIN),
    ]
    rates = [(rival.name, median_of(rival.rates)) for rival in (*many[:3], *hot)]
    section.bars += [Bar(name, rate, f"{rate:,.0f}/s") for name, rate in rates]


def rivals_on(
    plan: Plan, postgres: Postgres, ours: Server, theirs: Server, wallets: int
) -> list[Rival]:
    """Return ours, PostGraphile and pgbench, on so many wallets."""
    place = "one wallet, " if wallets == 1 else ""
    return [
        loaded(f"{place}tuppence", ours, tuppence_load(ours, wallets, plan)),
        loaded(f"{place}PostGraphile", theirs, postgraphile_load(theirs, wallets, plan)),
        pgbench(f"{place}pgbench", plan, postgres, wallets),
    ]


def race_instances(plan: Plan, postgres: Postgres, section: Section) -> None:
    """Race two instances beside one, which then has the database for itself."""
    before = count_rows(postgres, DATABASE, "transactions")
    with instance(plan, postgres, "one") as one:
        made = warm_up(tuppence_load(one, CREDIT_WALLETS, plan), 2 * 10**18)
        alone, both = halves("one instance", [one, one], plan), None
        serial = 10**17
        for number in range(plan.rounds):
            alone_first = number % 2 == 0
            if alone_first:
                serial = race(replace(plan, rounds=1), postgres, "postgres", [alone], serial)
            with instance(plan, postgres, "two") as two:
                made += warm_up(
                    tuppence_load(two, CREDIT_WALLETS, plan), (3 + number) * 10**18
                )  # fmt: skip
                turn = halves("two instances", [one, two], plan)
                if both is None:
                    both = turn
                both.run, both.services = turn.run, turn.services
                serial = race(replace(plan, rounds=1), postgres, "postgres", [both], serial)
            if not alone_first:
                serial = race(replace(plan, rounds=1), postgres, "postgres", [alone], serial)
    assert both is not None
    check_nothing_lost(postgres, DATABASE, [alone, both], before + made)
    section.rows += [alone.row(), both.row(), ratio_row(both, alone)]
    section.verdicts.append(
        verdict("two instances ÷ one", both, alone, INSTANCES_RATIO_MIN)
    )  # fmt: skip


def verdict(name: str, one: Rival, other: Rival, bound: float) -> Verdict:
    """Return how two compare, beside what is asked."""
    return Verdict(f"PostgreSQL: {name}", ratio_of(one, other), bound, "×", at_least=True)


def check_nothing_lost(postgres: Postgres, database: str, rivals: list[Rival], made: int) -> None:
    """See that each acknowledged credit is one row: none lost, none twice."""
    acknowledged = made + sum(rival.acknowledged for rival in rivals)
    for table in ("transactions", "events", "idempotency_keys"):
        written = count_rows(postgres, database, table)
        if written != acknowledged:
            reason = f"{database}: {acknowledged} acknowledged, {written} in {table}."
            raise MeasurementError(reason)


def measure_postgres(plan: Plan) -> Section:
    """Race credits on PostgreSQL."""
    section = Section(
        "PostgreSQL",
        f"`creditPoints` over {CREDIT_WALLETS} wallets and on one, {CONNECTIONS} connections, all"
        " on one PostgreSQL 18 with `fsync`, `synchronous_commit` and `full_page_writes` on."
        " PostGraphile 5 and pgbench call one function in plpgsql, which does a credit's work with"
        " its promises (`benchmarks/postgraphile/schema.sql`): key, locked wallet, transaction,"
        " lot, details, and an event at a dense position in the order of commits; *loosely* is the"
        " same with positions from a sequence, with gaps and in no order. Times are a credit's;"
        " *processors busy* is what all processes took, of the machine's. Of two instances each has"
        " half of the connections. Every acknowledged credit was found afterwards.",
        COLUMNS,
    )
    with ExitStack() as stack:
        postgres = stack.enter_context(cluster())
        upgrade(postgres.create(DATABASE))
        race_peers(plan, postgres, section)
        race_instances(plan, postgres, section)
    return section
