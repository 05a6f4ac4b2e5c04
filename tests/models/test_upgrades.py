"""Upgrades: what an older version has written is there, and goes on being written meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, MetaData, delete, insert, select, update

from ledger.health import audit
from models.database import open_database
from models.migrations import REVISION, upgrade
from server.settings import CannotRun, Settings
from server.upkeep import prepare
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres
from tests.harness.servers import running
from tests.harness.tables import spoil

REVISIONS = [f"{number:04}" for number in range(1, int(REVISION))]
COUNTERS = {"log_head", "campaign_cursor", "delivery_head"}
"""Tables of one row each, which a migration writes, and a service only changes."""
SEEDED = {"programs"}

Columns = dict[str, list[str]]
Rows = dict[str, list[tuple[Any, ...]]]
MakeUrl = Callable[[str], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeUrl]:
    """Empty databases by their names, on one kind of database."""
    if request.param == "sqlite":
        yield lambda name: f"sqlite:///{tmp_path / name}.db"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    made: list[str] = []

    def make(name: str) -> str:
        made.append(f"upgraded_{name}")
        return cluster.create(made[-1])

    yield make
    for name in made:
        cluster.drop(name)


async def in_database(address: str, work: Callable[..., Any], *args: Any) -> Any:
    database = open_database(address)
    try:
        return await database.write(work, *args)
    finally:
        await database.close()


def tables_of(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name != "alembic_version")
    return found


def columns(connection: Connection) -> Columns:
    return {table.name: table.c.keys() for table in tables_of(connection).sorted_tables}


def read(connection: Connection, known: Columns) -> Rows:
    """What is in these tables and columns, in one order."""
    tables = tables_of(connection).tables
    return {
        name: sorted(map(tuple, connection.execute(select(*(tables[name].c[c] for c in told)))))
        for name, told in known.items()
    }


def fill(connection: Connection, rows: Rows, known: Columns) -> None:
    """Write rows as a version does that knows these tables and columns, and no others."""
    for table in tables_of(connection).sorted_tables:
        told = [dict(zip(known[table.name], row, strict=True)) for row in rows.get(table.name, [])]
        if table.name in SEEDED:
            connection.execute(delete(table))
        if told and table.name in COUNTERS:
            connection.execute(update(table).values(told[0]))
        elif told:
            connection.execute(insert(table), told)


async def write_history(client: Client) -> str:
    """Write something of each kind; gives a transaction's id."""
    made = await client.credit("ann", 50, key="order-1", description="coffee")
    await client.credit("bob", 20)
    await client.debit("ann", 5)
    await client.transfer("ann", "bob", 5)
    await client.hold("ann", 3)
    return made.id


async def test_what_an_older_version_wrote_is_there_and_goes_on(
    make_url: MakeUrl, clock: VirtualClock
) -> None:
    url = newest = make_url("newest")
    await asyncio.to_thread(upgrade, newest)
    async with running(newest, clock) as service:
        made = await write_history(service.client)

    for revision in REVISIONS:
        url = make_url(f"from_{revision}")
        await asyncio.to_thread(upgrade, url, revision)
        known = await in_database(url, columns)
        rows = await in_database(newest, read, known)
        await in_database(url, fill, rows, known)

        await asyncio.to_thread(upgrade, url)

        assert await in_database(url, read, known) == rows, f"from {revision}"
        assert (await in_database(url, audit, clock())).violations == []
    async with running(url, clock) as service:
        again = await service.client.credit("ann", 50, key="order-1", description="coffee")
        assert (again.id, again.replayed) == (made, True)


async def test_what_the_version_before_writes_fits_into_the_newest_tables(
    make_url: MakeUrl, clock: VirtualClock
) -> None:
    """So it goes on while instances are replaced one after another."""
    before, source, newest = (make_url(name) for name in ("before", "source", "newest"))
    await asyncio.to_thread(upgrade, before, REVISIONS[-1])
    for url in (source, newest):
        await asyncio.to_thread(upgrade, url)
    async with running(source, clock) as service:
        await write_history(service.client)
    known = await in_database(before, columns)
    rows = await in_database(source, read, known)

    await in_database(newest, fill, rows, known)

    assert await in_database(newest, read, known) == rows
    assert (await in_database(newest, audit, clock())).violations == []


@pytest.mark.parametrize(("revision", "status"), [("9999", 200), ("0001", 503)])
async def test_a_service_goes_on_when_a_newer_one_has_migrated(
    sqlite_url: str, clock: VirtualClock, revision: str, status: int
) -> None:
    async with running(sqlite_url, clock) as service, httpx.AsyncClient(trust_env=False) as http:
        await spoil(
            sqlite_url,
            f"UPDATE alembic_version SET version_num = '{revision}'",
            "ALTER TABLE wallets ADD COLUMN of_a_newer_version TEXT",
        )

        ready = await http.get(f"{service.url}/readyz")
        answer = await service.client.credit("ann", 50)

    assert (ready.status_code, answer.error) == (status, None)


async def test_a_service_does_not_start_on_a_newer_database(
    database_url: str, clock: VirtualClock
) -> None:
    await spoil(database_url, "UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(CannotRun, match="newer Tuppence"):
            await prepare(Settings(database_url=database_url), clock)
    finally:
        await spoil(database_url, f"UPDATE alembic_version SET version_num = '{REVISION}'")
