"""A PostgreSQL that may be killed: with fsync on, and none but these tests' own."""

from collections.abc import Iterator

import pytest

from tests.conftest import migrate
from tests.faults.trial import TEMPLATE
from tests.harness.postgres import Postgres


@pytest.fixture(scope="module")
def careful_postgres() -> Iterator[Postgres]:
    """A cluster that survives being killed, with one migrated database to copy."""
    cluster = Postgres.start(careful=True)
    try:
        migrate(cluster.create(TEMPLATE))
        yield cluster
    finally:
        cluster.stop()
