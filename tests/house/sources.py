"""The files of the repository, as the tests of tidiness look at them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STOREYS = ("server", "graph", "campaigns", "access", "ledger", "events", "models")

# What set-up, the tools and a running service leave behind.
LEFT_BEHIND = frozenset(
    (
        ".git",
        ".venv",
        "node_modules",
        "dist",
        "data",
        "results",
        "__pycache__",
        ".pytest_cache",
        ".hypothesis",
        ".ruff_cache",
        ".import_linter_cache",
    )
)


def walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in LEFT_BEHIND:
            continue
        if path.is_dir():
            yield from walk(path)
        else:
            yield path


@cache
def all_files() -> tuple[Path, ...]:
    """Every file that is, or is to be, committed."""
    return tuple(walk(ROOT))


def all_python() -> list[Path]:
    return [path for path in all_files() if path.suffix == ".py"]


def storey_python() -> list[Path]:
    """The Python files of the service itself."""
    return [path for path in all_python() if path.relative_to(ROOT).parts[0] in STOREYS]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))
