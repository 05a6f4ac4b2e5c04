"""Operations: one of them run, its answers as JSON, whoever they are for.

An answer knows nothing of the socket and the id that it is sent under, so that it need be made and
encoded only once for all who asked the same.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final, Literal, NamedTuple

import orjson
from graphql import GraphQLError
from strawberry.http import process_result
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from graph.context import Context
from graph.courses import Begun, Event
from graph.documents import Asked, prepare
from graph.faults import told
from graph.messages import Subscribe
from graph.running import run
from graph.schema import schema

ANSWERED: Final = frozenset({OperationType.QUERY, OperationType.MUTATION})
INCREMENTAL: Final = "@defer and @stream are not offered"


class Answer(NamedTuple):
    """A result (`next`), or what is wrong with the operation as a whole (`error`): its last."""

    kind: Literal["next", "error"]
    payload: bytes


async def run_operation(asked: Subscribe, context: Context) -> AsyncGenerator[Answer]:
    """Each result, as long as there are any; or, once, what is wrong. Raises nothing of its own.

    Where it is a subscription that follows a course, there is none: it is `context.begun`.
    """
    text, variables, name = asked.query, asked.variables, asked.operation_name
    try:
        wanted = Asked(text, name, variables or {}, context)
        prepared = context.prepared = await prepare(schema.graphql, wanted)
        if prepared.kind in ANSWERED:
            result = await run(text, variables, name, context, ANSWERED)
            yield _answer(result, context.request_id)
            return
        stream = await schema.stream(
            text, variable_values=variables, context_value=context, operation_name=name
        )
        async with aclosing(stream) as results:
            async for result in results:
                answer = _answer(result, context.request_id)
                yield answer
                if answer.kind == "error":
                    return
    except Exception as error:  # noqa: BLE001 - it is told, masked, with its traceback in the log
        yield fault(error, context)


async def answer_to(event: Event, begun: Begun, context: Context) -> Answer:
    """The answer to one event of a course. Raises nothing of its own."""
    try:
        # What was loaded for another event isn't true of this one, and others may be under way.
        executor = begun.executor.build_for(begun.course.shape(event), begun, context.again())
        result = executor.execute_operation()
        if executor.is_awaitable(result):
            result = await result
    except Exception as error:  # noqa: BLE001 - as above
        return fault(error, context)
    errors = [told(error, context.request_id) for error in result.errors or ()]
    return _answer(ExecutionResult(data=result.data, errors=errors or None), context.request_id)


def fault(error: Exception, context: Context) -> Answer:
    """It can't be gone on with: it is told, masked, with its traceback in the log."""
    return refusal(told(GraphQLError("", original_error=error), context.request_id))


def refusal(*errors: GraphQLError) -> Answer:
    """The operation is not run, or not any further."""
    return Answer("error", orjson.dumps([error.formatted for error in errors]))


def _answer(result: Any, request_id: str) -> Answer:
    if not isinstance(result, ExecutionResult):
        return refusal(told(GraphQLError(INCREMENTAL), request_id))
    if isinstance(result, PreExecutionError) or _is_of_nothing(result):
        return refusal(*result.errors or ())
    return Answer("next", orjson.dumps(process_result(result)))


def _is_of_nothing(result: ExecutionResult) -> bool:
    """Nothing was begun: a variable that can't be read, or a stream that broke."""
    errors = result.errors or ()
    return result.data is None and all(error.path is None for error in errors)
