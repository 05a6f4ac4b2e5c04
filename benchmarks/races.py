"""Credits and reads: Tuppence beside its peers on SQLite, and beside the bare database."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from benchmarks import operations
from benchmarks.bare import bare
from benchmarks.figures import Bar, Section, Verdict, median_of, ratios
from benchmarks.rounds import (
    COLUMNS,
    CREDIT_WALLETS,
    PAGE,
    READ_WALLETS,
    SERIALS_A_LOAD,
    Contender,
    Plan,
    check_nothing_lost,
    compare_rates,
    credit_load,
    fill_wallets,
    open_all,
    race,
    ratio_row,
    read_load,
)
from benchmarks.servers import running

CREDITING = ("tuppence", "mercurius", "mercurius, grouped", "yoga", "naive")
HOT = ("tuppence", "mercurius", "mercurius, grouped")
READING = ("tuppence", "mercurius", "yoga", "naive")
BATCH = 100
BARE = "bare sqlite3"
CLIENT = "client and stub"
CLIENT_SHARE_MAX = 0.9
P99_RATIO_MAX = 0.3

CREDITS_AT_LEAST = {
    "mercurius": 2.5,
    "mercurius, grouped": 0.9,
    "naive": 60,
    BARE: 0.35,
}
READS_AT_LEAST = {"mercurius": 1.0}

PEERS = (
    " *mercurius* is Mercurius with its compiler (`jit`) and better-sqlite3, a commit for each"
    " credit, as its users write it; *grouped* is the same with one commit for all credits that"
    " came in one turn of its loop; *yoga* is graphql-yoga and better-sqlite3 (all in"
    " `benchmarks/node/`); *naive* is Strawberry, SQLModel's AsyncSession and aiosqlite"
    " (`benchmarks/naive/`)."
)


def open_bare(plan: Plan, folder: Path) -> Contender:
    """Let Tuppence open the wallets in a database, and leave it to the bare writer."""
    with running("tuppence", folder, operations.first_request()) as server:
        filled = fill_wallets(server, CREDIT_WALLETS, 1)
    plan.progress("credits: the bare database has its wallets")
    return bare(BARE, server.database, BATCH, filled)


def conclude(section: Section, contenders: list[Contender], at_least: dict[str, float]) -> None:
    """Add the figures of a race to its section, and the ratios to what is asked."""
    ours, *others = contenders
    busiest = max(measured.client_cpu_share for measured in ours.rounds)
    if busiest > CLIENT_SHARE_MAX:
        section.explanation += " **The client was the bottleneck: the rate is too low.**"
    section.rows += [contender.row() for contender in contenders]
    for other in others:
        each, name = compare_rates(ours, other), f"ours ÷ {other.server.name}"
        section.rows.append(ratio_row(name, each))
        bound = at_least.get(other.server.name)
        if bound is not None:
            told = f"{section.title}: {name}"
            section.verdicts.append(Verdict(told, median_of(each), bound, "×", at_least=True))
    section.bars = [
        Bar(contender.server.name, contender.per_second, f"{contender.per_second:,.0f}/s")
        for contender in contenders
    ]


def conclude_p99(section: Section, ours: Contender, mercurius: Contender) -> None:
    """Add how the slowest hundredths of the two compare, and what is asked of them."""
    each, name = ratios(ours.p99s, mercurius.p99s), "p99, ours ÷ mercurius"
    section.rows.append(ratio_row(name, each))
    told = f"{section.title}: {name}"
    section.verdicts.append(Verdict(told, median_of(each), P99_RATIO_MAX, "×", at_least=False))


def measure_credits(plan: Plan) -> Section:
    """Race credits over many wallets."""
    section = Section(
        "credits",
        f"`creditPoints` over {CREDIT_WALLETS} wallets opened beforehand, 32 keep-alive"
        " connections; SQLite in WAL with `synchronous=FULL`. Every acknowledged credit was found"
        f" in the ledger afterwards. *{BARE}* writes the same rows into Tuppence's own tables,"
        f" {BATCH} credits a commit, by"
        f" Python's `sqlite3`, without requests, rules or answers. *{CLIENT}* is the load client"
        " against a server that answers every request at once with the same bytes: what no figure"
        " here could exceed." + PEERS,
        COLUMNS,
    )
    folder = plan.folder / "credits"
    with ExitStack() as stack:
        contenders = open_all(stack, folder, CREDITING)
        for contender in contenders:
            contender.filled = fill_wallets(contender.server, CREDIT_WALLETS, 1)
        contenders.append(open_bare(plan, folder / "bare"))
        stub = Contender(stack.enter_context(running("stub", folder, operations.first_request())))
        race(
            plan,
            "credits",
            lambda server, number: credit_load(server, number * SERIALS_A_LOAD, plan.seconds),
            [*contenders, stub],
        )
        for contender in contenders:
            check_nothing_lost(contender)
    stub.server = stub.server.named(CLIENT)
    conclude(section, contenders, CREDITS_AT_LEAST)
    section.rows.insert(len(contenders), stub.row())
    conclude_p99(section, contenders[0], contenders[1])
    shutil.rmtree(folder)
    return section


def measure_hot(plan: Plan) -> Section:
    """Race credits to one wallet."""
    section = Section(
        "one hot wallet",
        "the same with all credits to one wallet; on PostgreSQL see there." + PEERS,
        COLUMNS,
    )
    with ExitStack() as stack:
        contenders = open_all(stack, plan.folder / "hot", HOT)
        for contender in contenders:
            contender.filled = fill_wallets(contender.server, 1, 1)
        race(
            plan,
            "one hot wallet",
            lambda server, number: credit_load(
                server, number * SERIALS_A_LOAD, plan.seconds, wallets=1
            ),
            contenders,
        )
        for contender in contenders:
            check_nothing_lost(contender)
    conclude(section, contenders, {})
    shutil.rmtree(plan.folder / "hot")
    return section


def measure_reads(plan: Plan) -> Section:
    """Race reads."""
    section = Section(
        "reads",
        f"a wallet with its newest {PAGE} transactions, every field; {READ_WALLETS} wallets,"
        " 32 keep-alive connections." + PEERS,
        COLUMNS,
    )
    with ExitStack() as stack:
        contenders = open_all(stack, plan.folder / "reads", READING)
        for contender in contenders:
            plan.progress(f"reads: {contender.server.name} is given its transactions")
            fill_wallets(contender.server, READ_WALLETS, PAGE)
        race(plan, "reads", lambda server, _: read_load(server, plan.seconds), contenders)
    conclude(section, contenders, READS_AT_LEAST)
    shutil.rmtree(plan.folder / "reads")
    return section
