"""Faults: what is told beside the data, with a code for programs.

    BAD_REQUEST BAD_CURSOR LIMIT_EXCEEDED    the request can't be answered as it is
    UNAUTHENTICATED FORBIDDEN                the caller may not ask it
    RATE_LIMITED OVERLOADED UNAVAILABLE      nothing was done: ask again later
    OUTCOME_UNKNOWN                          ask again with the same key
    INTERNAL                                 our fault, masked

Of a fault of ours the caller gets an id, and the log has the traceback under it. A caller's mistake
is a line in the log and never a traceback.
"""

import logging
import secrets
from collections.abc import Sequence
from typing import Final

from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from ledger import Overloaded
from models.database import OutcomeUnknown, Unavailable

log = logging.getLogger("tuppence.graph")


class RequestError(GraphQLError):
    """A request that is refused as a whole, or one field of it, with a code for programs."""

    def __init__(self, code: str, message: str, **more: object) -> None:
        super().__init__(message, extensions={"code": code, **more})


class BadRequest(RequestError):
    """An argument has a value that it can't have."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__("BAD_REQUEST", f"{argument}: {message}", argument=argument)


class BadCursor(RequestError):
    """A cursor is garbage, of another list, or beyond the list's end."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__("BAD_CURSOR", f"{argument}: {message}", argument=argument)


class LimitExceeded(RequestError):
    """An argument asks for more than one request may have."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__("LIMIT_EXCEEDED", f"{argument}: {message}", argument=argument)


class Forbidden(RequestError):
    """The caller lacks a scope, or is a member and asks for more than their own."""

    def __init__(self, scopes: Sequence[str]) -> None:
        needed = " and ".join(scopes)
        super().__init__("FORBIDDEN", f"this needs a key with {needed}", scopes=[*scopes])


_MISTAKES: Final = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)
_FAULTS: Final[dict[type[Exception], tuple[str, str, bool]]] = {
    Overloaded: ("OVERLOADED", "too much is under way: nothing was done, try again soon", True),
    RecursionError: ("LIMIT_EXCEEDED", "this is nested too deeply", False),
    Unavailable: ("UNAVAILABLE", "the database can't be reached: nothing was done", True),
    OutcomeUnknown: (
        "OUTCOME_UNKNOWN",
        "the connection was lost at the commit: ask again with the same key to learn the outcome",
        True,
    ),
}


def told(error: GraphQLError) -> GraphQLError:
    """An error as the caller hears of it: with a code, and nothing of our inside."""
    code = (error.extensions or {}).get("code")
    if code:
        log.info("%s at %s", code, _place(error))
        return error
    cause = _cause(error)
    if isinstance(cause, (GraphQLError, *_MISTAKES)):
        log.info("BAD_REQUEST at %s", _place(error))
        return _with_code(error, error.message, "BAD_REQUEST")
    for kind, (code, message, retryable) in _FAULTS.items():
        if isinstance(cause, kind):
            log.warning("%s at %s: %s", code, _place(error), cause)
            return _with_code(error, message, code, retryable=retryable)
    fault_id = secrets.token_hex(8)
    log.error("INTERNAL %s at %s", fault_id, _place(error), exc_info=cause)
    message = f"something went wrong here; it is in the log as {fault_id}"
    return _with_code(error, message, "INTERNAL", id=fault_id)


def _cause(error: GraphQLError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _place(error: GraphQLError) -> str:
    return ".".join(str(step) for step in error.path or ()) or "the request"


def _with_code(error: GraphQLError, message: str, code: str, **more: object) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **more},
    )
