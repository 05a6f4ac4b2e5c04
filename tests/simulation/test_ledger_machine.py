"""The service against the model, through random sequences that draw the edges on purpose.

`SIMULATION_EXAMPLES=2000 pytest tests/simulation` looks further, with new chance each time.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import MIGRATED
from tests.harness.postgres import Postgres
from tests.simulation.machine import LedgerMachine

MORE = os.environ.get("SIMULATION_EXAMPLES")
STEPS = 15
EXAMPLES_ON_SQLITE = 25
EXAMPLES_ON_POSTGRESQL = 5


def run_machine(databases: Iterator[str], examples: int) -> None:
    run_state_machine_as_test(
        type("Machine", (LedgerMachine,), {"databases": databases}),
        settings=settings(
            max_examples=int(MORE) if MORE else examples,
            stateful_step_count=STEPS,
            derandomize=not MORE,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


def files(migrated_file: Path, folder: Path) -> Iterator[str]:
    for number in count():
        file = folder / f"{number}.db"
        shutil.copy(migrated_file, file)
        yield f"sqlite:///{file}"


def copies(postgres: Postgres) -> Generator[str]:
    """Create one database after another; the one before goes."""
    for number in count():
        name = f"machine_{number}"
        try:
            yield postgres.create(name, template=MIGRATED)
        finally:
            postgres.drop(name)


def test_the_ledger_does_what_the_model_does_on_sqlite(migrated_file: Path, tmp_path: Path) -> None:
    run_machine(files(migrated_file, tmp_path), EXAMPLES_ON_SQLITE)


def test_the_ledger_does_what_the_model_does_on_postgresql(postgres: Postgres) -> None:
    with closing(copies(postgres)) as databases:
        run_machine(databases, EXAMPLES_ON_POSTGRESQL)
