"""Faults: what is told beside the data, with a code for programs.

    BAD_REQUEST BAD_CURSOR LIMIT_EXCEEDED    the request can't be answered as it is
    UNAUTHENTICATED FORBIDDEN                the caller may not ask it
    RATE_LIMITED OVERLOADED UNAVAILABLE      nothing was done: ask again later
    OUTCOME_UNKNOWN                          it may be done: ask again with the same key
    INTERNAL                                 our fault, masked

Of a fault of ours the caller gets the request's id, and the log has the traceback under it. A
caller's mistake is a line in the log and never a traceback.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

import structlog
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from access.principal import ProviderDown
from access.rates import RateLimited
from campaigns.liquid import RendererUnavailable
from graph.telemetry import note_code
from ledger import Overloaded
from models.database import DatabaseError, OutcomeUnknown, Unavailable

MESSAGE_MAX: Final = 1_000
"""A message may repeat what was sent, which may be long."""

REASON_MAX: Final = 200
"""How much of why it can't be done is logged."""

log = structlog.get_logger()

STATUSES: Final[dict[str, HTTPStatus]] = {
    "BAD_REQUEST": HTTPStatus.BAD_REQUEST,
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
    "FORBIDDEN": HTTPStatus.FORBIDDEN,
    "LIMIT_EXCEEDED": HTTPStatus.BAD_REQUEST,
    "RATE_LIMITED": HTTPStatus.TOO_MANY_REQUESTS,
    "OVERLOADED": HTTPStatus.SERVICE_UNAVAILABLE,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "OUTCOME_UNKNOWN": HTTPStatus.SERVICE_UNAVAILABLE,
    "INTERNAL": HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""Of a request that was never begun."""


class Refused(Exception):
    """A request that is refused before it is begun: the answer's status, and its one error."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "BAD_REQUEST",
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """`more` stands in the error's extensions, beside the code."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}
        self.more = more or {}


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
    """More is asked for than may be. `limit` is one of graph.limits, or an argument of a field."""

    def __init__(self, limit: str, value: float, message: str) -> None:
        super().__init__("LIMIT_EXCEEDED", f"{limit}: {message}", limit=limit, value=value)


class Forbidden(RequestError):
    """The caller lacks a scope, or is a member and asks for more than their own."""

    def __init__(self, scopes: Sequence[str]) -> None:
        needed = " and ".join(scopes)
        super().__init__("FORBIDDEN", f"this needs a key with {needed}", scopes=[*scopes])


class Untold(Exception):
    """It is done, as far as that goes, and what came of it can't be read."""


_MISTAKES: Final = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)


class _Fault(NamedTuple):
    """What a caller hears of an exception."""

    code: str
    message: str
    more: dict[str, object]


_FAULTS: Final[dict[type[Exception], _Fault]] = {
    Overloaded: _Fault(
        "OVERLOADED",
        "too much is under way: nothing was done, try again soon",
        {"retryable": True},
    ),
    RecursionError: _Fault("LIMIT_EXCEEDED", "this is nested too deeply", {"retryable": False}),
    Unavailable: _Fault(
        "UNAVAILABLE",
        "the database doesn't answer, or not in time: nothing was done, try again soon",
        {"retryable": True},
    ),
    RendererUnavailable: _Fault(
        "UNAVAILABLE", "messages can't be rendered just now: try again soon", {"retryable": True}
    ),
    OutcomeUnknown: _Fault(
        "OUTCOME_UNKNOWN",
        "the connection was lost at the commit: ask again with the same key to learn the outcome",
        {"retryable": True},
    ),
    Untold: _Fault(
        "OUTCOME_UNKNOWN",
        "it may be done, but can't be read now: ask again with the same key to learn the outcome",
        {"retryable": True},
    ),
}


def told(error: GraphQLError, request_id: str, *, is_done: bool = False) -> GraphQLError:
    """An error as the caller hears of it: with a code, and nothing of our inside.

    `is_done`: it was met when a mutation had done its work, and its answer was being made.
    """
    code = (error.extensions or {}).get("code")
    if code:
        note_code(code, _limit_in(error.extensions))
        return error
    cause = _cause(error)
    if isinstance(cause, (GraphQLError, *_MISTAKES)):
        note_code("BAD_REQUEST")
        return _with_code(error, _short(error.message), "BAD_REQUEST")
    if is_done and isinstance(cause, DatabaseError):
        cause = Untold(str(cause))
    fault = _fault(cause, request_id)
    return _with_code(error, fault.message, fault.code, **fault.more)


def refusal_of(error: Exception, request_id: str) -> Refused:
    """A request's refusal, whatever kept it from being begun. The log gets none of its words."""
    match error:
        case Refused():
            refused = error
        case RateLimited():
            refused = Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                str(error),
                "RATE_LIMITED",
                headers={"Retry-After": str(error.retry_after_s)},
                more={
                    "limit": error.limit,
                    "value": error.value,
                    "retryAfter": error.retry_after_s,
                },
            )
        case ProviderDown():
            refused = Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                str(error),
                "UNAVAILABLE",
                headers={"Retry-After": str(error.retry_after_s)},
                more={"retryable": True},
            )
        case _:
            code, message, more = _fault(error, request_id)
            return Refused(STATUSES[code], message, code, more=more)
    note_code(refused.code, _limit_in(refused.more))
    return refused


def _fault(cause: BaseException, request_id: str) -> _Fault:
    """What the caller hears of an exception, and the log more of it."""
    for kind, fault in _FAULTS.items():
        if isinstance(cause, kind):
            note_code(fault.code)
            # The reason is the driver's or our own, and never a caller's: see models/database.py.
            log.warning("it can't be done now", code=fault.code, reason=str(cause)[:REASON_MAX])
            return fault
    note_code("INTERNAL")
    log.error("something went wrong", code="INTERNAL", exc_info=cause)
    message = f"something went wrong here; it is in the log as {request_id}"
    return _Fault("INTERNAL", message, {"id": request_id})


def _cause(error: GraphQLError) -> BaseException:
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _short(message: str) -> str:
    return message if len(message) <= MESSAGE_MAX else message[:MESSAGE_MAX] + "…"


def _limit_in(extensions: Mapping[str, object] | None) -> str:
    """Which limit or rate it was, if it was one."""
    return str((extensions or {}).get("limit", ""))


def _with_code(error: GraphQLError, message: str, code: str, **more: object) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **more},
    )
