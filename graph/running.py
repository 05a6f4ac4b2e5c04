"""Running: an operation's result, by its compiled function where there is one.

What is asked for a second time is compiled: see graph/compiled. All else is Strawberry's: what is
asked once, what takes long and so is made in turns, and what isn't covered. Which way an operation
went is counted.
"""

from collections.abc import Awaitable
from collections.abc import Set as AbstractSet
from typing import Any, Final

from graphql import ExecutionResult as Result
from graphql import OperationType
from graphql.pyutils import Path
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType as Kind

from graph.compiled import Compiler, NotCovered, Place, Run
from graph.context import Context
from graph.documents import Asked, Operation, Prepared, prepare_apart, prepare_at_once
from graph.execution import too_late
from graph.schema import schema
from graph.telemetry import note_operation, reach

RUNS_BEFORE: Final = 1
"""How often an operation runs before it is compiled: what is asked once isn't worth it."""

COMPILED: Final = "compiled"


async def run(
    text: str,
    variables: dict[str, Any] | None,
    name: str | None,
    context: Context,
    allowed: AbstractSet[Kind],
    extensions: dict[str, Any] | None = None,
) -> ExecutionResult:
    """An operation's result. Raises what Strawberry does for one that is none, or not allowed.

    It is prepared first, if it isn't yet.
    """
    asked = Asked(text, name, variables or {}, context)
    prepared = context.prepared
    if prepared is None:
        prepared = prepare_at_once(schema.graphql, asked)
        prepared = prepared or await prepare_apart(schema.graphql, asked)
        context.prepared = prepared
    way = _way(prepared, context, allowed)
    if way == COMPILED:
        assert prepared.operation, "it is compiled"
        try:
            result = _begin(prepared.operation, asked)
        except NotCovered as uncovered:
            way = uncovered.reason
        else:
            context.service.telemetry.note_execution(COMPILED)
            finished = result if isinstance(result, Result) else await result
            return _told(finished, prepared.operation, context)
    context.service.telemetry.note_execution(way)
    return await schema.execute(
        text,
        variable_values=variables,
        context_value=context,
        operation_name=name,
        allowed_operation_types=allowed,
        operation_extensions=extensions,
    )


def _way(prepared: Prepared, context: Context, allowed: AbstractSet[Kind]) -> str:
    """How an operation is executed: compiled, or why not."""
    operation = prepared.operation
    if operation is None or prepared.kind not in allowed:
        return "refused"
    if not context.service.compiled:
        return "off"
    if prepared.is_long:
        return "long"
    operation.runs += 1
    return COMPILED if operation.runs > RUNS_BEFORE else "new"


def _begin(operation: Operation, asked: Asked) -> Result | Awaitable[Result]:
    """Run it. Raises NotCovered where it has to be executed otherwise, before it is begun."""
    compiled = operation.compiled
    if compiled is None:
        compiled = operation.compiled = _compiler.operation(operation.document, operation.name)
    begin = compiled.prepare(asked.variables, asked.context)
    note_operation(operation.title)
    reach("prepare")
    return begin()


def _told(result: Result, operation: Operation, context: Context) -> ExecutionResult:
    if result.errors:
        is_mutation = operation.nodes[0].operation is OperationType.MUTATION
        result.errors[:] = schema.tell(result.errors, context.request_id, is_mutation=is_mutation)
    return ExecutionResult(result.data, result.errors)


async def in_time(run: Run, place: Place, value: Awaitable[Any], path: Path) -> Any:
    """What a root field comes to: all of an operation's have its time together."""
    context = run.context
    assert isinstance(context, Context), "it is ours"
    try:
        with context.service.deadlines.until(context.ends_at):
            return await value
    except TimeoutError:
        seconds = context.service.limits.execution_seconds
        return run.fail(place, too_late(run.executor.operation, seconds), path)


_compiler: Final = Compiler(schema, in_time)
