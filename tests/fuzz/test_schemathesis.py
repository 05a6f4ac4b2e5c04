"""Schemathesis over the live schema: whatever is asked, by whomever, it is answered.

`FUZZ_EXAMPLES=200 pytest tests/fuzz` looks further, with new chance each time.
"""

from random import Random
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from tests.fuzz.documents import tame
from tests.fuzz.scalars import scalars
from tests.fuzz.target import (
    ADMINISTRATOR,
    CALLERS,
    MEMBER,
    NOBODY,
    READER,
    Target,
    check_answer,
    examples,
)
from tests.harness.keys import ADMIN

EXAMPLES = {ADMINISTRATOR: 8, READER: 3, MEMBER: 3, NOBODY: 1}
"""For each field of Query and Mutation, and each caller."""


@pytest.fixture(scope="session")
def operations(standing_target: Target) -> list[Any]:
    """What can be asked, as the service itself tells it."""
    for name, values in scalars(standing_target.known.all).items():
        schemathesis.graphql.scalar(name, values)
    schema = schemathesis.graphql.from_url(
        standing_target.url,
        config=SchemathesisConfig(),
        headers={"authorization": f"Bearer {ADMIN}"},
    )
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def fuzz(target: Target, operation: Any, token: str | None, count: int) -> None:
    @examples(count)
    @given(operation.as_strategy(), st.randoms(use_true_random=False))
    def asks(case: Any, chance: Random) -> None:
        check_answer(target.ask(tame(case.body, target.known, chance), token))

    asks()


@pytest.mark.parametrize("caller", CALLERS)
def test_no_document_of_the_schema_is_answered_with_a_fault(
    target: Target, operations: list[Any], caller: str
) -> None:
    for operation in operations:
        fuzz(target, operation, target.tokens[caller], EXAMPLES[caller])
