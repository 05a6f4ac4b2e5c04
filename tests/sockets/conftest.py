"""Sockets speak no SQL: one kind of database will do."""

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url
