"""Measure Tuppence: `make bench`, or `python -m benchmarks` for its options."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.book import BOOK
from benchmarks.campaigns import measure_campaigns
from benchmarks.crowds import measure_batches, measure_connections
from benchmarks.curves import LOTS, WALLETS, measure_lots, measure_wallets
from benchmarks.estimate import estimate
from benchmarks.fanout import SIZES as FANOUT_SIZES
from benchmarks.fanout import measure_fanout
from benchmarks.figures import Section
from benchmarks.guard import measure_guard
from benchmarks.history import SIZES as HISTORIES
from benchmarks.history import measure_history
from benchmarks.instances import measure_instances
from benchmarks.postgres import measure_postgres
from benchmarks.races import measure_credits, measure_hot, measure_reads
from benchmarks.report import PAGE, print_section, write_page
from benchmarks.rounds import Plan
from benchmarks.servers import MeasurementError
from benchmarks.startup import measure_startup
from benchmarks.subscribers import SUBSCRIBERS, measure_subscribers

ROOT = Path(__file__).parent.parent
CONSOLE_WIDTH_MIN = 160
QUICK_LESS = 2
"""So many of a curve's largest sizes are left out where it is to be quick."""
ENDED = 128 + signal.SIGTERM
"""Told to end, it first ends the services that it has started."""
QUICK_ROUNDS, QUICK_SECONDS, QUICK_PART = 2, 1.0, 10
ALL = (
    "credits,hot,reads,postgres,fanout,history,wallets,lots,connections,batches,"
    "guard,subscribers,startup,campaigns,instances"
)


def shorten(sizes: tuple[int, ...], *, quick: bool) -> tuple[int, ...]:
    """Return the sizes of a curve to measure."""
    return sizes[:-QUICK_LESS] if quick else sizes


def choose(only: str, *, quick: bool) -> list[Callable[[Plan], Section]]:
    """Return the measurements that were asked for, in their usual order."""
    part = QUICK_PART if quick else 1
    known: dict[str, Callable[[Plan], Section]] = {
        "credits": measure_credits,
        "hot": measure_hot,
        "reads": measure_reads,
        "postgres": measure_postgres,
        "fanout": lambda plan: measure_fanout(plan, FANOUT_SIZES[:-1] if quick else FANOUT_SIZES),
        "history": lambda plan: measure_history(plan, shorten(HISTORIES, quick=quick)),
        "wallets": lambda plan: measure_wallets(plan, shorten(WALLETS, quick=quick)),
        "lots": lambda plan: measure_lots(plan, shorten(LOTS, quick=quick)),
        "connections": measure_connections,
        "batches": measure_batches,
        "guard": measure_guard,
        "subscribers": lambda plan: measure_subscribers(plan, SUBSCRIBERS // part),
        "startup": measure_startup,
        "campaigns": lambda plan: measure_campaigns(plan, part),
        "instances": measure_instances,
    }
    wanted = only.split(",")
    unknown = set(wanted) - known.keys()
    if unknown:
        message = f"--only knows {ALL}; not {', '.join(sorted(unknown))}"
        raise typer.BadParameter(message)
    return [measure for name, measure in known.items() if name in wanted]


def say(progress: str) -> None:
    """Tell how far it has got, where there is no terminal to show it on."""
    print(progress, file=sys.stderr, flush=True)


def bench(
    only: Annotated[str, typer.Option(help="Which to measure, with commas between.")] = ALL,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="How many rounds of each.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.2, max=60, help="How long a round is.")] = 3.0,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Two short rounds, small sizes.")] = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help=f"Write {PAGE}.")] = False,
) -> None:
    """Measure Tuppence beside its peers, and show the figures."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))
    if quick:
        rounds, seconds = QUICK_ROUNDS, QUICK_SECONDS
    console = Console()
    console.width = max(console.width, CONSOLE_WIDTH_MIN)
    with (
        tempfile.TemporaryDirectory(prefix="tuppence-bench-") as folder,
        console.status("starting") as status,
    ):
        progress = status.update if console.is_terminal else say
        plan = Plan(Path(folder), rounds, seconds, progress)
        measured = [measure_one(measure, plan, console) for measure in choose(only, quick=quick)]
    sections = [section for section in measured if section is not None]
    if paper := estimate(sections):
        print_section(console, paper)
    if write_docs:
        write_page(sections, plan, ROOT)
        console.print(f"{PAGE}, its pictures and {BOOK} are written.")
    if len(sections) < len(measured):
        raise typer.Exit(1)


def measure_one(measure: Callable[[Plan], Section], plan: Plan, console: Console) -> Section | None:
    """Run one measurement and show it; if its figures can't be had, say why: others may be."""
    try:
        section = measure(plan)
    except (MeasurementError, subprocess.SubprocessError) as error:
        console.print(str(error), style="red", markup=False)
        return None
    print_section(console, section)
    return section


if __name__ == "__main__":
    typer.run(bench)
