"""What all defences together cost: Tuppence as it ships beside itself without its guard."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Row, Section, Verdict, median_of, ratios, spread
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
PAIRS = 4
"""How often both are started anew: where a process has its code and data makes a few hundredths."""

TURN_PART = 1 / 3
"""How long a turn is, of the others' rounds: the machine's moods last longer."""

SECONDS_MIN = 0.5

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


def compare_rounds(title: str, guarded: Contender, unguarded: Contender) -> tuple[Row, Verdict]:
    """Return the ratios of the two as a line of the table, and the rates' beside what is asked."""
    rates = ratios(
        [measured.per_second for measured in guarded.rounds],
        [measured.per_second for measured in unguarded.rounds],
    )
    cpu = ratios(guarded.cpu_us, unguarded.cpu_us)
    told = (
        f"{median_of(rates):.2f} ×",
        spread(rates, 2),
        "",
        "",
        f"{median_of(cpu):.2f} ×",
        "",
        "",
    )
    name = f"{title}: guard on ÷ off"
    verdict = Verdict(name, median_of(rates), RATIO_MIN, "×", at_least=True)
    return Row(f"{title}, on ÷ off", told, {"ratio": rates, "cpu_ratio": cpu}), verdict


def race_pair(
    plan: Plan, folder: Path, title: str, given: tuple[int, int], load_for: "LoadFor"
) -> list[Contender]:
    """Start the two, give them wallets with so many transactions each, and race them."""
    with ExitStack() as stack:
        pair = open_all(stack, folder, NAMES)
        for contender in pair:
            contender.filled = fill_wallets(contender.server, *given)
        race(plan, title, load_for, pair)
        if "credits" in title:
            for contender in pair:
                check_nothing_lost(contender)
            check_audited(*pair)
    return pair


def compare(
    section: Section, plan: Plan, title: str, given: tuple[int, int], load_for: "LoadFor"
) -> None:
    """Race pair after pair, and add what came of it to the section."""
    pairs = [
        race_pair(
            plan,
            plan.folder / f"guard-{title}-{number}",
            f"guard {number + 1}/{PAIRS}: {title}",
            given,
            load_for,
        )
        for number in range(PAIRS)
    ]
    on, off = (joined(each) for each in zip(*pairs, strict=True))
    for contender, name in ((on, "on"), (off, "off")):
        section.rows.append(replace(contender.row(), name=f"{title}, {name}"))
    row, verdict = compare_rounds(title, on, off)
    section.rows.append(row)
    section.verdicts.append(verdict)


def joined(contenders: Sequence[Contender]) -> Contender:
    """Return one with the rounds of them all."""
    return Contender(
        contenders[0].server,
        [each for contender in contenders for each in contender.rounds],
        [each for contender in contenders for each in contender.cpu_us],
        peak_kb=max(contender.peak_kb for contender in contenders),
    )


LoadFor = Callable[[Server, int], Load]


def measure_guard(plan: Plan) -> Section:
    """Measure credits and reads with everything on, beside the same with everything off."""
    plan = replace(plan, seconds=max(TURN_PART * plan.seconds, SECONDS_MIN))
    section = Section(
        "guard",
        "the same credits and reads with keys, rights, rates, limits, audit trail, logs, metrics"
        " and gate on, as they ship, and off (`benchmarks/unguarded.py`; the product has no such"
        f" switch). {PAIRS} times both were started anew, for {plan.rounds} rounds in turn each;"
        " the ratio is the median of the rounds' own.",
        COLUMNS,
    )
    compare(
        section,
        plan,
        "credits",
        (CREDIT_WALLETS, 1),
        lambda server, number: credit_load(server, number * SERIALS_A_LOAD, plan.seconds),
    )
    compare(
        section,
        plan,
        "reads",
        (READ_WALLETS, PAGE),
        lambda server, _: read_load(server, plan.seconds),
    )
    return section
