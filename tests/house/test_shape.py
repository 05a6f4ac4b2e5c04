"""The shape of code: short files and functions, telling names, one reader of time and settings."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ROOT, all_files, all_python, name_of, storey_python, tree_of

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
SAYS_NOTHING = frozenset(
    (
        *("util", "utils", "helper", "helpers", "common", "core", "base", "misc"),
        *("service", "services", "manager", "managers"),
    )
)
CLOCK = "server/clock.py"
PATIENCE = "tests/harness/patience.py"
SETTINGS = "server/settings.py"
READS_CLOCK = frozenset(
    ["time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"]
)
WAITS_BY_THE_CLOCK = frozenset(("asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for"))
READS_SETTINGS = frozenset(("os.environ", "os.environb", "os.getenv"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def uses(path: Path, forbidden: frozenset[str]) -> Iterator[str]:
    """Where a file reaches for one of the names, as `module.name` or by importing it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            named = {f"{last}.{node.attr}"}
        elif isinstance(node, ast.ImportFrom):
            named = {f"{node.module}.{alias.name}" for alias in node.names}
        else:
            continue
        for name in sorted(named & forbidden):
            yield f"{name_of(path)}:{node.lineno} {name}"


def users(forbidden: frozenset[str], *doors: str) -> list[str]:
    files = [path for path in storey_python() if not name_of(path).startswith(doors)]
    return [use for path in files for use in uses(path, forbidden)]


def test_no_file_is_long() -> None:
    code = [path for path in all_files() if path.suffix in {".py", ".js"}]
    long = {
        name_of(path): lines
        for path in code
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    }

    assert not long, (
        f"over {FILE_LINES_MAX} lines: give a part that has a name its own file: {long}"
    )


def test_no_function_is_long() -> None:
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": length(node)
        for path in all_python()
        for node in functions(tree_of(path))
        if length(node) > FUNCTION_LINES_MAX
    }

    assert not long, f"over {FUNCTION_LINES_MAX} lines: name its steps and call them: {long}"


def test_every_module_has_a_name_that_says_something() -> None:
    modules = [path.relative_to(ROOT).with_suffix("") for path in all_python()]
    vague = [module.as_posix() for module in modules if SAYS_NOTHING & set(module.parts)]

    assert not vague, f"name each by the noun it is about: {vague}"


def test_only_the_clock_reads_the_clock() -> None:
    # Alembic runs a revision by itself: nobody is there to hand it the time.
    readers = users(READS_CLOCK, CLOCK, "models/migrations/versions/")

    assert not readers, f"take `now`, or a clock, as an argument; {CLOCK} reads it: {readers}"


def test_only_the_settings_read_the_environment() -> None:
    readers = users(READS_SETTINGS, SETTINGS)

    assert not readers, (
        f"make it a field of Settings, and hand it in; {SETTINGS} reads it: {readers}"
    )


def test_tests_wait_by_patience_alone() -> None:
    tests = [path for path in all_python() if name_of(path).startswith("tests/")]
    waits = [
        use for path in tests if name_of(path) != PATIENCE for use in uses(path, WAITS_BY_THE_CLOCK)
    ]

    assert not waits, f"a standstill of the machine fails these: `async with patience()`: {waits}"
