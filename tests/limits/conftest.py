"""What a request may ask for has nothing to do with the kind of database."""

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url
