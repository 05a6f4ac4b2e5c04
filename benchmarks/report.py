"""What is told: tables on the terminal, and docs/benchmarks.md with its picture."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Section, Verdict
from benchmarks.plot import draw
from benchmarks.rounds import Plan

PAGE = Path("docs/benchmarks.md")
PICTURE = Path("docs/images/benchmark.svg")
PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "sqlmodel",
    "sqlalchemy",
    "aiosqlite",
)
HOW = (
    "Both services are alive, each on a new database of its own, and take turns within each round."
    " Client and services share the machine: only the ratios carry over to another."
)
NAIVE = (
    "The naive service (`benchmarks/naive/`) is Strawberry, SQLModel's AsyncSession and aiosqlite"
    " as most would write it: the same tables, payload and durability, the same uvicorn, and a lock"
    " around its writes."
)
BUSY = (
    "*Range* is the lowest and the highest round; *CPU* is the service's process time an operation;"
    " *client busy* is the load client's share of one processor: well below 100 %, it was not the"
    " limit."
)


def print_section(console: Console, section: Section) -> None:
    """Show a section's table, and its figures beside what is asked."""
    table = Table(title=section.title, title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    for column in section.columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in section.rows:
        table.add_row(row.name, *row.cells)
    console.print(table)
    for verdict in section.verdicts:
        colour = "green" if verdict.is_met else "red"
        console.print(f"  {verdict.name}: [{colour}]{verdict.told}[/] (asked: {verdict.asked})")
    console.print()


def find_machine() -> str:
    """Return what this was measured on."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def find_versions() -> str:
    """Return the versions that the figures depend on."""
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    first = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return ", ".join([*first, *packages])


def table_lines(section: Section) -> list[str]:
    """Return a section's table in Markdown."""
    head = "| | " + " | ".join(section.columns) + " |"
    rule = "|---|" + "---:|" * len(section.columns)
    rows = [f"| {row.name} | " + " | ".join(row.cells) + " |" for row in section.rows]
    return [head, rule, *rows]


def verdict_lines(verdicts: list[Verdict]) -> list[str]:
    """Return the figures beside what is asked of them, in Markdown."""
    lines = ["| | measured | asked | |", "|---|---:|---:|---|"]
    for verdict in verdicts:
        met = "met" if verdict.is_met else "**missed**"
        lines.append(f"| {verdict.name} | {verdict.told} | {verdict.asked} | {met} |")
    return lines


def write_page(sections: list[Section], plan: Plan, root: Path) -> None:
    """Write the page and its picture."""
    picture = root / PICTURE
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(draw(sections), encoding="utf-8")
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench ARGS=--write-docs`; a part: `make bench ARGS='--only reads'`.",
        "",
        f"![The figures as bars]({PICTURE.relative_to(PAGE.parent)})",
        "",
        *verdict_lines(verdicts),
        "",
        f"- Measured on {datetime.now(UTC):%Y-%m-%d}: {find_machine()}.",
        f"- {find_versions()}.",
        f"- Medians of {plan.rounds} rounds of {plan.seconds:g} s. {HOW}",
        f"- {NAIVE}",
        f"- {BUSY}",
    ]
    for section in sections:
        explanation = section.explanation
        lines += ["", f"## {section.title}", "", explanation[:1].upper() + explanation[1:], ""]
        lines += table_lines(section)
    page = root / PAGE
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
