"""The one service that all fuzzing is aimed at, examined after each test."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fuzz.target import ANSWER_S_MAX, SETTINGS, Target, settle
from tests.harness.processes import ServeProcess


@pytest.fixture(scope="session")
def standing_target(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    shutil.copy(migrated_file, folder / migrated_file.name)
    process = ServeProcess(f"sqlite:///{folder / migrated_file.name}", folder, **SETTINGS)
    try:
        asyncio.run(process.start())
        known = asyncio.run(settle(process.url))
        with httpx.Client(timeout=ANSWER_S_MAX, trust_env=False) as http:
            yield Target(process, http, known)
    finally:
        process.end()


@pytest.fixture
def target(standing_target: Target) -> Iterator[Target]:
    """The service, which must be unharmed by whatever a test sends it."""
    yield standing_target
    standing_target.check_unharmed()
