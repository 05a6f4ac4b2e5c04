"""What all defences together cost: Tuppence as it ships beside itself without its guard."""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace

from benchmarks.figures import Row, Section, Verdict, median_of, spread
from benchmarks.load import Load
from benchmarks.rounds import (
    COLUMNS,
    CREDIT_WALLETS,
    PAGE,
    READ_WALLETS,
    SERIALS_A_LOAD,
    Contender,
    Plan,
    check_nothing_lost,
    credit_load,
    fill_wallets,
    open_all,
    race,
    read_load,
)
from benchmarks.servers import MeasurementError, Server

NAMES = ("tuppence", "unguarded")
ROUNDS = 3
"""For each of the others' rounds: a tenth is told from the machine's moods by many."""

RATIO_MIN = 0.9


def count_audited(server: Server) -> int:
    """Return how many credits the audit trail tells of."""
    query = "SELECT count(*) FROM audit_entries WHERE action = 'creditPoints'"
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchone()[0]


def check_audited(guarded: Contender, unguarded: Contender) -> None:
    """See that the one wrote down who made each credit, and the other nobody."""
    made = guarded.filled + sum(measured.operations_all for measured in guarded.rounds)
    told = [count_audited(guarded.server), count_audited(unguarded.server)]
    if told != [made, 0]:
        reason = f"Of {made} credits and of none, the audit trails tell of {told}."
        raise MeasurementError(reason)


def ratios(on: list[float], off: list[float]) -> list[float]:
    """Return how the figures of the two compare, round by round."""
    return [one / other for one, other in zip(on, off, strict=True)]


def compare_rounds(title: str, guarded: Contender, unguarded: Contender) -> tuple[Row, Verdict]:
    """Return the ratios of the two as a line of the table, and the rates' beside what is asked."""
    rates = ratios(
        [measured.per_second for measured in guarded.rounds],
        [measured.per_second for measured in unguarded.rounds],
    )
    cpu = ratios(guarded.cpu_us, unguarded.cpu_us)
    told = (f"{median_of(rates):.2f} ×", spread(rates, 2), "", "", f"{median_of(cpu):.2f} ×", "")
    name = f"{title}: guard on ÷ off"
    verdict = Verdict(name, median_of(rates), RATIO_MIN, "×", at_least=True)
    return Row(f"{title}, on ÷ off", told), verdict


def compare(
    section: Section, plan: Plan, title: str, wallets: int, transactions: int, load_for: "LoadFor"
) -> None:
    """Race the two, and add what came of it to the section."""
    with ExitStack() as stack:
        contenders = open_all(stack, plan.folder / f"guard-{title}", NAMES)
        for contender in contenders:
            contender.filled = fill_wallets(contender.server, wallets, transactions)
        race(plan, f"guard: {title}", load_for, contenders)
        if title == "credits":
            for contender in contenders:
                check_nothing_lost(contender)
            check_audited(*contenders)
    for contender, name in zip(contenders, ("on", "off"), strict=True):
        section.rows.append(replace(contender.row(), name=f"{title}, {name}"))
    row, verdict = compare_rounds(title, *contenders)
    section.rows.append(row)
    section.verdicts.append(verdict)


LoadFor = Callable[[Server, int], Load]


def measure_guard(plan: Plan) -> Section:
    """Measure credits and reads with everything on, beside the same with everything off."""
    plan = replace(plan, rounds=ROUNDS * plan.rounds)
    section = Section(
        "guard",
        "the same credits and reads with keys, rights, rates, limits, audit trail, logs, metrics"
        " and gate on, as they ship, and off (`benchmarks/unguarded.py`; the product has no such"
        f" switch). {plan.rounds} rounds in turn; the ratio is the median of the rounds' own.",
        COLUMNS,
    )
    compare(
        section,
        plan,
        "credits",
        CREDIT_WALLETS,
        1,
        lambda server, number: credit_load(server, number * SERIALS_A_LOAD, plan.seconds),
    )
    compare(
        section,
        plan,
        "reads",
        READ_WALLETS,
        PAGE,
        lambda server, _: read_load(server, plan.seconds),
    )
    return section
