"""Fixtures of the specification: a service on a real socket, over each database."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import structlog

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres
from tests.harness.processes import tuppence
from tests.harness.servers import Service, running

# What goes wrong is shown with the test that fails; what goes well would be a line a request.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))

MIGRATED = "migrated"
PRISTINE = "pristine"
REUSED = "reused"

Unchanged = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL with one migrated database, which each test's own is a copy of."""
    cluster = Postgres.start()
    try:
        migrate(cluster.create(MIGRATED))
        cluster.create(PRISTINE, template=MIGRATED)
        cluster.create(REUSED, template=MIGRATED)
        cluster.run("CREATE SCHEMA pristine", REUSED)
        cluster.run("CREATE TABLE pristine.programs AS SELECT * FROM programs", REUSED)
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(f"sqlite:///{folder / 'tuppence.db'}")
    return folder / "tuppence.db"


def migrate(database_url: str) -> None:
    done = tuppence("migrate", database_url=database_url)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own, where the kind of database doesn't matter."""
    for part in migrated_file.parent.glob(f"{migrated_file.name}*"):
        shutil.copy(part, tmp_path / part.name)
    return f"sqlite:///{tmp_path / migrated_file.name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database of the test's own, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    # One database serves test after test: emptying it takes a tenth of the time of copying it.
    cluster: Postgres = request.getfixturevalue("postgres")
    cluster.empty(REUSED)
    yield cluster.url(REUSED)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def service(database_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(database_url, clock) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Client:
    return service.client


@pytest.fixture
def unchanged(client: Client) -> Unchanged:
    """Assert that of what a block asks for nothing comes: an `async with` for refusals."""

    @asynccontextmanager
    async def nothing_changes() -> AsyncIterator[None]:
        before = await client.everything()
        yield
        assert await client.everything() == before

    return nothing_changes
