"""The service against the model, through random sequences that draw the edges on purpose.

`SIMULATION_EXAMPLES=2000 pytest tests/simulation` looks further, with new chance each time.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import MIGRATED
from tests.harness.postgres import Postgres
from tests.simulation.machine import LedgerMachine

MORE = os.environ.get("SIMULATION_EXAMPLES")
STEPS = 12
EXAMPLES_ON_SQLITE = 40
EXAMPLES_ON_POSTGRESQL = 8


def run_machine(new_database: Callable[[], str], examples: int) -> None:
    machine = type("Machine", (LedgerMachine,), {"new_database": staticmethod(new_database)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(MORE) if MORE else examples,
            stateful_step_count=STEPS,
            derandomize=not MORE,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_ledger_does_what_the_model_does_on_sqlite(migrated_file: Path, tmp_path: Path) -> None:
    files = iter(range(1_000_000))

    def new_database() -> str:
        file = tmp_path / f"{next(files)}.db"
        shutil.copy(migrated_file, file)
        return f"sqlite:///{file}"

    run_machine(new_database, EXAMPLES_ON_SQLITE)


def test_the_ledger_does_what_the_model_does_on_postgresql(postgres: Postgres) -> None:
    names: list[str] = []

    def new_database() -> str:
        if names:
            postgres.drop(names[-1])
        names.append(f"machine_{len(names)}")
        return postgres.create(names[-1], template=MIGRATED)

    run_machine(new_database, EXAMPLES_ON_POSTGRESQL)
    postgres.drop(names[-1])
