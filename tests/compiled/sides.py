"""The two sides: an operation run compiled, and the same run by the executor.

What came of each is all that can be told from outside: the answer with the order of its keys, its
errors in their order, what was raised, and what the resolvers did, from beginning to end: what was
awaited, what was cancelled, and what went on after the answer.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable
from typing import Any, Final

from graphql import DocumentNode, ExecutionResult, GraphQLError, parse, specified_rules, validate
from graphql.execution import execute
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from graph.compiled import Compiler, NotCovered, Operation
from tests.compiled.world import World
from tests.compiled.writing import Asked

ADDRESS: Final = re.compile(r"0x[0-9a-f]+")
RULES: Final = (*specified_rules, OneOfInputValidationRule, MaybeNullValidationRule)
ROOT: Final = {"root": "value"}

Variables = Mapping[str, Any] | None
Run = Callable[[World], Any]
"""Begins an operation: gives its result, or what is to be awaited for it."""


@dataclass(frozen=True)
class Told:
    """What came of an operation."""

    data: str
    errors: tuple[str, ...]
    journal: tuple[str, ...]
    raised: str = ""


def told(result: ExecutionResult, world: World) -> Told:
    errors = tuple(map(told_error, result.errors or ()))
    # `repr` tells 1 from True and 1.0, and one order of keys from another.
    return Told(plain(result.data), errors, noted(world))


def told_error(error: GraphQLError) -> str:
    cause = error.original_error
    parts = [error.message, error.path, error.locations, error.extensions, type(cause).__name__]
    return plain(parts)


def noted(world: World) -> tuple[str, ...]:
    return tuple(ADDRESS.sub("0x", line) for line in world.journal)


def plain(value: object) -> str:
    return ADDRESS.sub("0x", repr(value))


class Sides:
    """A schema's two sides, in an event loop of their own."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.compiler = Compiler(schema)
        self.compiled = 0
        self.fallen: dict[str, int] = {}
        """Operations that weren't compiled, by the reason."""
        self._runner = asyncio.Runner()
        self._trouble: list[str] = []

    def close(self) -> None:
        self._runner.close()

    # ── one side ────────────────────────────────────────────────────────────────────────────────

    def executed(self, asked: Asked, variables: Variables) -> Run:
        """As Strawberry has it executed."""
        return lambda world: execute(
            self.schema._schema,  # noqa: SLF001
            parsed(asked.document),
            root_value=ROOT,
            context_value=world,
            variable_values=dict(variables or {}),
            operation_name=asked.name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
            executor_class=self.schema.execution_context_class,
            operation_extensions={},
        )

    def operation(self, asked: Asked) -> Operation:
        return self.compiler.operation(parsed(asked.document), asked.name)

    def run(self, run: Run, world: World) -> Told:
        """What comes of it, once nothing of it is left."""
        return self._runner.run(self._run(run, world))

    async def _run(self, run: Run, world: World) -> Told:
        trouble: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, what: trouble.append(f"{what['message']}"))
        try:
            result = run(world)
            if isawaitable(result):
                result = await self._awaited(result, world)
            await world.conduct()
        except NotCovered:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other must raise it, too
            await world.conduct()
            return Told("", (), noted(world), f"{type(error).__name__}: {error}")
        world.journal += trouble
        return told(result, world)

    async def _awaited(self, result: Awaitable[Any], world: World) -> Any:
        answer = asyncio.ensure_future(result)
        conductor = asyncio.ensure_future(world.conduct())
        await asyncio.wait((answer, conductor), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            conductor.result()
            assert answer.done(), "it waits for nothing"
        await conductor
        return answer.result()

    # ── both ────────────────────────────────────────────────────────────────────────────────────

    def compare(self, asked: Asked, seed: int, odds: int) -> None:
        """Assert that both tell the same, of each run. What isn't compiled is counted.

        It is compiled once for all its runs, as it is where it is kept.
        """
        operation = self.operation(asked)
        for variables in asked.all_variables:
            right = self.run(self.executed(asked, variables), World(seed, odds))
            try:
                compiled = self.run(running(operation, variables), World(seed, odds))
            except NotCovered as error:
                self.fallen[error.reason] = self.fallen.get(error.reason, 0) + 1
                continue
            self.compiled += 1
            assert compiled == right, difference(asked, variables, (seed, odds), compiled, right)


def running(operation: Operation, variables: Variables) -> Run:
    return lambda world: operation.run(variables, world, ROOT)


@lru_cache(64)
def parsed(document: str) -> DocumentNode:
    return parse(document)


def is_valid(schema: Schema, document: str) -> bool:
    """Whether it is, by graphql-core's rules and Strawberry's."""
    try:
        return not validate(schema._schema, parsed(document), RULES, max_errors=1)  # noqa: SLF001
    except GraphQLError:  # raised by a scalar of the zoo's own, in a literal
        return False


def difference(
    asked: Asked, variables: Variables, world: tuple[int, int], compiled: Told, right: Told
) -> str:
    """What is to be read of two sides that differ."""
    lines = [f"seed and odds {world}, {asked.name}, {variables!r}", asked.document]
    for part in ("data", "errors", "journal", "raised"):
        one, other = getattr(compiled, part), getattr(right, part)
        if one != other:
            lines += [f"{part}, compiled: {one}", f"{part}, executed: {other}"]
    return "\n".join(lines)
