"""Only models/ knows which database it is."""

import ast

import pytest

from tests.house.sources import ROOT

DRIVERS = {"sqlite3", "aiosqlite", "asyncpg"}
STOREYS = ("access", "campaigns", "ledger", "events", "graph", "server")
KEEPERS = {
    "server/upkeep.py": "copies an embedded file by its own library",
    "server/serving.py": "warns of the library's version",
}


def told_apart(source: str) -> list[str]:
    """What in a module depends on the database: a driver that it imports, a dialect it asks for."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in DRIVERS]
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in DRIVERS:
            found.append(str(node.module))
        if isinstance(node, ast.Attribute) and node.attr == "dialect":
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("storey", STOREYS)
def test_no_storey_above_the_tables_tells_databases_apart(storey: str) -> None:
    modules = {str(path.relative_to(ROOT)): path for path in (ROOT / storey).rglob("*.py")}

    found = {
        name: told_apart(path.read_text()) for name, path in modules.items() if name not in KEEPERS
    }

    assert {name: what for name, what in found.items() if what} == {}, (
        "move what differs by database to models/database.py or models/dialects.py"
    )


def test_the_check_sees_what_it_is_for() -> None:
    assert told_apart("import sqlite3\nif connection.dialect.name: ...") == [
        "sqlite3",
        "connection.dialect",
    ]
