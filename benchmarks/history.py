"""Pages of long histories and of short ones, and credits to wallets that have them."""

import shutil
from contextlib import ExitStack
from dataclasses import replace
from typing import cast

from benchmarks import operations
from benchmarks.figures import Bar, Row, Section, Verdict, median_of, ratios
from benchmarks.growth import Climb, Step, conclude, median_p50, tell_bend
from benchmarks.load import Load
from benchmarks.rounds import (
    COLUMNS,
    CREDIT_MARKER,
    PAGE,
    READ_MARKER,
    SERIALS_A_LOAD,
    Contender,
    Plan,
    check_nothing_lost,
    fill_wallets,
)
from benchmarks.seeding import TRANSACTION_BYTES, lengthen, see_room
from benchmarks.servers import MeasurementError, Server, running

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
OLDEST = 100
CURSOR_STEP = 5
RATIO_MAX = 1.5
KINDS = ("first page", "deep page")


def wallet_of(server: Server) -> str:
    """Make the first credit of member 0's wallet; return its id."""
    fill_wallets(server, 1, 1)
    told = cast("dict[str, dict[str, str]]", server.ask(operations.balance(0)))
    return told["wallet"]["id"]


def deep_bodies(server: Server, count: int) -> list[str]:
    """Return reads of pages among the oldest transactions, each by a cursor of its own."""
    answer = server.ask(operations.oldest(0, OLDEST))
    wallet = cast("dict[str, dict[str, list[dict[str, object]]]]", answer["wallet"])
    edges = wallet["transactions"]["edges"]
    sequences = [cast("dict[str, int]", edge["node"])["sequence"] for edge in edges]
    if sequences != list(range(OLDEST, 0, -1)):
        reason = f"The oldest of {count:,} transactions are not what was asked for."
        raise MeasurementError(reason)
    cursors = [str(edge["cursor"]) for edge in edges[: OLDEST - PAGE : CURSOR_STEP]]
    return [operations.read(0, PAGE, cursor) for cursor in cursors]


def open_size(stack: ExitStack, plan: Plan, size: int) -> tuple[Server, float]:
    """Run a service whose wallet has so many transactions; return how many bytes one takes, too."""
    folder, first = plan.folder / "history" / str(size), operations.first_request()
    with running("tuppence", folder, first) as server:
        wallet = wallet_of(server)
    before = server.database.stat().st_size
    plan.progress(f"history: {size:,} transactions are written")
    lengthen(server.database, wallet, size)
    each = (server.database.stat().st_size - before) / size
    return stack.enter_context(running("tuppence", folder, first)), each


def add_steps(plan: Plan, server: Server, size: int, climbs: list[Climb]) -> None:
    """Add what the service of one size is asked: both kinds of pages, and credits."""

    def page_load(bodies: list[str]) -> Load:
        return Load(
            server.port, bodies, READ_MARKER, marker_count=PAGE, connections=1,
            seconds=plan.seconds / 2,
        )  # fmt: skip

    newest, deep = page_load([operations.read(0, PAGE)]), page_load(deep_bodies(server, size))
    credit = Load(
        server.port, [operations.credit(0)], CREDIT_MARKER, seconds=plan.seconds / 2
    )  # fmt: skip
    loads = (
        lambda _: newest,
        lambda _: deep,
        lambda number: replace(credit, serial_from=number * SERIALS_A_LOAD),
    )
    for climb, load_for in zip(climbs, loads, strict=True):
        climb.steps.append(Step(size, Contender(server, filled=size), load_for))


def judge_pages(section: Section, climb: Climb) -> None:
    """Add how the largest size's latency compares with the smallest's, and what is asked of it."""
    first, last = climb.steps[0], climb.steps[-1]
    p50s = [[each.p50_ms for each in step.contender.rounds] for step in (last, first)]
    each = ratios(*p50s)
    sizes = f"{last.size:,} ÷ {first.size:,}"
    told = (f"{median_of(each):.2f} ×", f"{min(each):.2f}-{max(each):.2f}")
    blank = ("",) * (len(COLUMNS) - len(told))
    section.rows.append(Row(f"{climb.name}, p50, {sizes}", (*told, *blank), {"ratio": each}))
    name = f"history: {climb.name}, {sizes} transactions"
    section.verdicts.append(Verdict(name, median_of(each), RATIO_MAX, "×", at_least=False))
    section.bars += [
        Bar(f"{climb.name} of {step.size:,}", p50, f"{p50:.2f} ms")
        for step in (first, last)
        if (p50 := median_p50(step.contender))
    ]


def measure_history(plan: Plan, sizes: tuple[int, ...] = SIZES) -> Section:
    """Measure pages and credits by how many transactions there are."""
    section = Section(
        "history",
        f"pages of {PAGE} transactions, every field, on one connection, by how many transactions"
        f" the wallet has; the deep pages are among its {OLDEST} oldest, by cursor. Then credits to"
        " the same wallet by 32 connections: it has as many lots with points as transactions (at"
        " the start of the rounds). Each size is a service of its own, in turn; the rows were"
        " written in bulk beforehand.",
        COLUMNS,
    )
    see_room(plan.folder, sum(sizes) * TRANSACTION_BYTES)
    climbs = [Climb(name, []) for name in (*KINDS, "credit")]
    each = 0.0
    with ExitStack() as stack:
        for size in sizes:
            server, each = open_size(stack, plan, size)
            add_steps(plan, server, size, climbs)
        for climb in climbs:
            climb.run(plan, "history")
        for step in climbs[-1].steps:
            check_nothing_lost(step.contender)
    shutil.rmtree(plan.folder / "history")
    keyset = "A page begins at its cursor's place in an index: what lies before is not read."
    rows = "A credit touches its wallet's row, and no other lot or transaction of it."
    notes = [
        tell_bend(climb, "transactions", why)
        for climb, why in zip(climbs, (keyset, keyset, rows), strict=True)
    ]
    conclude(section, climbs, "transactions", notes)
    section.rows.append(
        Row("bytes a transaction", (f"{each:,.0f}",), {"bytes_each": [each]})
    )  # fmt: skip
    for climb in climbs[:2]:
        judge_pages(section, climb)
    return section
