"""docs/benchmarks.json: every figure and ratio, of each section's last measurement."""

import json
import os
import platform
import sqlite3
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import nodes
from benchmarks.figures import Bar, Line, MeasurementError, Picture, Row, Section, Verdict
from benchmarks.peers import POSTGRAPHILE
from benchmarks.rounds import Plan
from tests.harness.postgres import wheel_programs

BOOK = Path("docs/benchmarks.json")
PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "orjson",
    "sqlmodel",
    "sqlalchemy",
    "aiosqlite",
    "asyncpg",
)


def find_machine() -> str:
    """Return what this was measured on."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def find_versions() -> dict[str, str]:
    """Return the versions that the figures depend on."""
    postgres = wheel_programs() / "pginstall/bin/postgres"
    found = {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "PostgreSQL": say_version(postgres).removeprefix("postgres (PostgreSQL) "),
        "Node.js": say_version(nodes.node()).removeprefix("v"),
    }
    found |= {name: version(name) for name in PACKAGES}
    for folder in (nodes.FOLDER, POSTGRAPHILE):
        package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        found |= package["dependencies"]
    return found


def say_version(program: Path) -> str:
    """Return what a program says of its version; nothing if it can't."""
    done = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)
    return done.stdout.strip()


def date_sections(sections: list[Section], plan: Plan) -> None:
    """Write into each section when and how it was measured."""
    for section in sections:
        section.measured = (
            f"{datetime.now(UTC):%Y-%m-%d}, {plan.rounds} rounds of {plan.seconds:g} s"
        )


def merge(sections: list[Section], root: Path) -> list[Section]:
    """Return these sections, and those of the book that weren't measured anew, in their order."""
    kept = read_book(root)
    fresh = {section.title: section for section in sections}
    merged = [fresh.pop(section.title, section) for section in kept]
    return [*merged, *fresh.values()]


def read_book(root: Path) -> list[Section]:
    """Return the sections that the book has; none if there is no book."""
    path = root / BOOK
    if not path.exists():
        return []
    try:
        return [section_of(told) for told in json.loads(path.read_text("utf-8"))["sections"]]
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{BOOK} can't be read ({error!r}): delete it, and measure everything."
        raise MeasurementError(reason) from error


def section_of(told: dict[str, Any]) -> Section:
    """Return a section as the book tells it."""
    told = told | {
        "columns": tuple(told["columns"]),
        "rows": [Row(row["name"], tuple(row["cells"]), row["figures"]) for row in told["rows"]],
        "verdicts": [
            Verdict(**{key: value for key, value in each.items() if key != "is_met"})
            for each in told["verdicts"]
        ],
        "bars": [Bar(**each) for each in told["bars"]],
        "pictures": [picture_of(each) for each in told["pictures"]],
    }
    return Section(**told)


def picture_of(told: dict[str, Any]) -> Picture:
    """Return a picture as the book tells it."""
    lines = [
        Line(line["name"], [(size, value) for size, value in line["points"]])
        for line in told["lines"]
    ]
    return Picture(told["name"], told["title"], told["size"], told["unit"], lines)


def write_book(sections: list[Section], root: Path) -> None:
    """Write the book."""
    told = [asdict(section) for section in sections]
    for section, each in zip(sections, told, strict=True):
        for verdict, said in zip(section.verdicts, each["verdicts"], strict=True):
            said["is_met"] = verdict.is_met
    book = {"machine": find_machine(), "versions": find_versions(), "sections": told}
    text = json.dumps(book, indent=1, ensure_ascii=False)
    (root / BOOK).write_text(text + "\n", encoding="utf-8")
