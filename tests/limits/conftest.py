"""What a request may ask for has nothing to do with the kind of database."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def swept() -> Iterator[None]:
    """What is given up within the test is collected with it, and tells nobody in another test.

    Of a list that is given up, some was not yet begun: nobody waits for that, as it should be.
    """
    yield
    gc.collect()
