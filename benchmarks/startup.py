"""How long `tuppence serve` takes from its start to its first answer."""

import shutil
import time
from pathlib import Path

from benchmarks import operations
from benchmarks.figures import Row, Section, Verdict, median_of
from benchmarks.rounds import PAGE, READ_WALLETS, Plan, fill_wallets
from benchmarks.servers import running

NEW_SECONDS_MAX = 3
EXISTING_SECONDS_MAX = 2


def time_start(folder: Path) -> float:
    """Start the service on the database in `folder` and return the seconds to its first answer."""
    with running("tuppence", folder, operations.first_request()) as server:
        return time.perf_counter() - server.started_at


def measure_startup(plan: Plan) -> Section:
    """Start on a new and on an existing database in turn, after one start to warm up."""
    old, new = plan.folder / "startup-old", plan.folder / "startup-new"
    with running("tuppence", old, operations.first_request()) as server:
        fill_wallets(server, READ_WALLETS, PAGE)
    seconds: dict[str, list[float]] = {"new database": [], "existing database": []}
    for number in range(plan.rounds):
        plan.progress(f"startup {number + 1}/{plan.rounds}")
        seconds["new database"].append(time_start(new))
        shutil.rmtree(new)
        seconds["existing database"].append(time_start(old))
    section = Section(
        "startup",
        "from making the process of `tuppence serve` to the first answered GraphQL request,"
        " which reads the database.",
        ("s", "slowest s"),
    )
    bounds = (NEW_SECONDS_MAX, EXISTING_SECONDS_MAX)
    for (name, taken), bound in zip(seconds.items(), bounds, strict=True):
        section.rows.append(Row(name, (f"{median_of(taken):.2f}", f"{max(taken):.2f}")))
        section.verdicts.append(
            Verdict(f"start, {name}", median_of(taken), bound, "s", at_least=False)
        )
    return section
