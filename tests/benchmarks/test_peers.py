"""The peers that Tuppence is measured beside do its work: the same answers, and the same rows."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks import nodes, operations
from benchmarks.bare import Writing, run_writing
from benchmarks.servers import Server, running
from tests.harness.processes import tuppence

PEERS = ["mercurius", "mercurius, grouped", "yoga", "naive"]
NAMED_BY_EACH = {"id", "cursor", "startCursor", "endCursor", "message"}
TABLES = ("members", "wallets", "transactions", "lots", "idempotency_keys", "events")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ours")
    with running("tuppence", folder, operations.first_request()) as server:
        yield server


@pytest.fixture(scope="module", params=PEERS)
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    if request.param in nodes.SERVICES and not nodes.is_installed():
        pytest.skip("benchmarks/node has no packages: `make test` fetches them")
    with ExitStack() as stack:
        folder, first = tmp_path_factory.mktemp("peer"), operations.first_request()
        yield stack.enter_context(running(request.param, folder, first))


def shape(told: Any, name: str = "") -> Any:
    """An answer without what each service names for itself: ids, cursors, instants, wording."""
    if isinstance(told, dict):
        return {key: shape(value, key) for key, value in told.items()}
    if isinstance(told, list):
        return [shape(each, name) for each in told]
    own = name in NAMED_BY_EACH or name.endswith("At")
    return type(told).__name__ if own and name != "identity" else told


def credit(member: int, serial: int, **changes: object) -> str:
    told = json.loads(operations.credit(member).replace(operations.SERIAL, f"{serial:020}"))
    told["variables"]["input"] |= changes
    return json.dumps(told)


ASKED = {
    "a wallet that is not there": operations.read(5, 20),
    "a credit that opens a wallet": credit(5, 1),
    "a second credit": credit(5, 2, points=40, source="MANUAL"),
    "a credit without words": credit(5, 3, description=None, order=None, metadata=None),
    "a credit of another wallet": credit(6, 4),
    "a replay": credit(5, 2, points=40, source="MANUAL"),
    "a key used for something else": credit(5, 2, points=7),
    "no points at all": credit(5, 8, points=0),
    "a program that is not there": credit(
        5, 9, wallet={"owner": {"identity": "member-00005", "program": "Stars"}}
    ),
    "a wallet's id that is not there": credit(5, 10, wallet={"id": f"wal_{'0' * 26}"}),
    "a wallet with all of its history": operations.read(5, 20),
    "its newest page": operations.read(5, 2),
    "another wallet": operations.read(6, 20),
}


def ask_all(server: Server) -> dict[str, Any]:
    return {name: shape(server.ask(body)) for name, body in ASKED.items()}


def count_rows(server: Server, tables: tuple[str, ...]) -> dict[str, int]:
    with closing(sqlite3.connect(server.database)) as database:
        return {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in tables
        }


@pytest.fixture(scope="module")
def expected(ours: Server) -> dict[str, Any]:
    return ask_all(ours)


def test_a_peer_gives_the_same_answers_and_writes_the_same_rows(
    ours: Server, expected: dict[str, Any], peer: Server
) -> None:
    told = ask_all(peer)

    assert told.keys() == expected.keys()
    for name, answer in told.items():
        assert answer == expected[name], name
    assert count_rows(peer, TABLES) == count_rows(ours, TABLES)
    with closing(sqlite3.connect(peer.database)) as database:
        assert database.execute("SELECT position FROM events ORDER BY position").fetchall() == [
            (1,),
            (2,),
            (3,),
            (4,),
        ]
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_bare_database_has_whole_credits(tmp_path: Path) -> None:
    with running("tuppence", tmp_path, operations.first_request()) as server:
        for member in range(4):
            server.ask(credit(member, member))
    writing = Writing(str(server.database), 6, 0.2, 0.0, 0)

    measured = run_writing(writing)

    made = 4 + measured.operations_all
    assert measured.operations_all > 0
    assert set(count_rows(server, TABLES[2:]).values()) == {made}
    checked = tuppence("check", database_url=f"sqlite:///{server.database}")
    assert checked.returncode == 0, checked.stdout + checked.stderr
