"""The service answers alike whether it compiles operations or not, and writes down the same."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given

from graph.schema import schema
from tests.compiled.chance import SEEDS, chance_of, examples, progress
from tests.compiled.sides import is_valid
from tests.compiled.twins import SCALARS, Answer, Twins, body_of, names_of, twins
from tests.compiled.writing import Asked, Chances, Writer

pytestmark = pytest.mark.filterwarnings(
    # Of an answer that is given up, some was not yet begun: it is so on either side.
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    # Within a named tuple's `__new__` Python can't even say so.
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

QUESTIONS = 100
DEEDS = 80
"""Each is asked four times, of either service."""
NEARLY_PERCENT_MAX = 1
MOSTLY = 0.85
NEARLY_ALWAYS = 0.95
COMPILED_PERCENT_MIN = 45
"""Of all that is asked: the rest is asked for the first time, or of bad variables."""
CHANCES = Chances(alias=12, directive=5, fragment=12, variable=60, spoilt=8, argument=45)
POWERLESS = "a key without rights"
SELDOM = ("eraseMember", "freezeWallet", "createChannel", "sendTestMessage")
"""Deeds after which little is left to do, or that write to others."""
KEPT_APART = ("nodes", "ledgerHealth")

OWN = ["node", "member", "wallet", "wallets", "transaction", "transactions", "pointsCreditedEvents"]
CALLERS = {
    "an administrator": None,
    "a key that reads": [*OWN, "program", "programs", "creditedNotRedeemed", "eventCursor"],
    "a member": OWN,
    POWERLESS: ["campaigns", "campaign", "channels", "deliveries", "eventSchemas"],
}
"""Who asks, and what they mostly ask for; at times something else."""
DOERS = ("an administrator", "a key that credits", "a member")


class Pair:
    """The twins, and the event loop that they run in."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.asked = 0
        self.nearly = 0
        """So often, of several that failed in one place, another was told."""
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.twins: Twins = self.runner.run(self.stack.enter_async_context(twins(file, folder)))

    def close(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def ask(self, caller: str, asked: Asked) -> None:
        """Ask both: what was asked before is compiled."""
        for variables in asked.all_variables:
            body = body_of(asked, variables)
            compiled, executed = self.runner.run(self.twins.ask(caller, body))
            self.asked += 1
            if compiled != executed:
                assert compiled.is_nearly(executed), difference(caller, body, compiled, executed)
                self.nearly += 1

    def writer(self, chance: Random, budget: int) -> Writer:
        names = names_of(self.twins.known)
        return Writer(schema.graphql, chance, SCALARS, CHANCES, names, fields_budget=budget)


@pytest.fixture
def pair(migrated_file: Path, tmp_path: Path) -> Iterator[Pair]:
    for part in migrated_file.parent.glob(f"{migrated_file.name}*"):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    both = Pair(tmp_path / migrated_file.name, tmp_path)
    yield both
    both.close()


def test_a_question_is_answered_alike(pair: Pair) -> None:
    assert schema.graphql.query_type
    every = [name for name in schema.graphql.query_type.fields if name not in KEPT_APART]
    with progress("questions") as counting:

        @examples(QUESTIONS)
        @given(SEEDS)
        def compare(seed: int) -> None:
            chance = chance_of(seed)
            caller, mostly = chance.choice([*CALLERS.items()])
            roots = mostly if mostly and chance.random() < MOSTLY else every
            asked = pair.writer(chance, 40).operation("query", roots)
            valid = is_valid(schema, asked.document)
            counting.note(is_valid=valid)
            if valid:
                pair.ask(caller, again(asked))

        compare()
    check_compiled(pair)


def test_a_deed_is_done_alike(pair: Pair) -> None:
    assert schema.graphql.mutation_type
    every = [*schema.graphql.mutation_type.fields]
    mostly = [name for name in every if name not in SELDOM]
    with progress("deeds") as counting:

        @examples(DEEDS)
        @given(SEEDS)
        def compare(seed: int) -> None:
            chance = chance_of(seed)
            roots = chance.sample(mostly if chance.random() < NEARLY_ALWAYS else every, 2)
            asked = pair.writer(chance, 30).operation("mutation", roots)
            valid = is_valid(schema, asked.document)
            counting.note(is_valid=valid)
            if valid:
                pair.ask(POWERLESS, Asked(asked.document, asked.variables, asked.name))  # as new
                pair.ask(chance.choice(DOERS), asked)

        compare()
    check_compiled(pair)
    for (table, one), other in zip(
        pair.twins.compiled.rows().items(), pair.twins.executed.rows().values(), strict=True
    ):
        assert one == other, table


def again(asked: Asked) -> Asked:
    """To be asked with its first variables twice."""
    return replace(asked, more=(asked.variables, *asked.more))


def check_compiled(pair: Pair) -> None:
    """Assert that one of them did compile, and the other didn't."""
    assert pair.nearly <= 1 + pair.asked * NEARLY_PERCENT_MAX // 100
    ways = pair.runner.run(pair.twins.compiled_share())
    assert 100 * ways["compiled"] / sum(ways.values()) >= COMPILED_PERCENT_MIN, ways


def difference(caller: str, body: str, compiled: Answer, executed: Answer) -> str:
    told = [f"{caller} asks {body}"]
    for part in ("status", "headers", "data", "errors", "more"):
        one, other = getattr(compiled, part), getattr(executed, part)
        if one != other:
            told += [f"{part}, compiled: {one}", f"{part}, executed: {other}"]
    return "\n".join(told)
