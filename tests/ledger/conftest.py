"""Fixtures of the ledger's own tests."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def tmp_sqlite(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own, where the other would show nothing more."""
    for part in migrated_file.parent.glob(f"{migrated_file.name}*"):
        shutil.copy(part, tmp_path / part.name)
    return f"sqlite:///{tmp_path / migrated_file.name}"
