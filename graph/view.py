"""View: GraphQL at one address, over HTTP and WebSocket.

Every answer but the page is JSON, with errors as GraphQL clients read them.
"""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final

from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from access.principal import Principal, Unauthenticated
from graph import graphiql
from graph.answers import Answer, answer, manner_for, refusal
from graph.context import Context, Service
from graph.faults import Refused, refusal_of, told
from graph.head import Head, head_of
from graph.lines import new_request_id
from graph.loaders import Loaders
from graph.requests import Incoming, read_at_once, read_request
from graph.running import run
from graph.sockets import Sockets
from graph.telemetry import Trace

ALLOWED: Final = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}

CHALLENGE: Final = 'Bearer realm="tuppence"'
REFUSED_CHALLENGE: Final = f'{CHALLENGE}, error="invalid_token"'

NO_METHOD: Final = "GraphQL goes by POST, or by GET to read"
NO_MUTATION: Final = "a mutation goes by POST: a GET only reads"
NO_SUBSCRIPTION: Final = (
    "subscriptions go over a WebSocket at this address, by graphql-transport-ws"
)


def graphql_app(service: Service) -> ASGIApp:
    """The API and its page, as an ASGI application."""
    return View(service)


class View:
    """POST of JSON, GET of queries and of the page; WebSocket by graphql-transport-ws."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._sockets = Sockets(service, self._new_context)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket":
            return self._sockets(scope, receive, send)
        incoming = Incoming(scope, head_of(scope), receive)
        if self._service.graphiql and wants_page(incoming):
            return self._show_page(incoming, send)
        return self._respond(incoming, send)

    async def _show_page(self, incoming: Incoming, send: Send) -> None:
        request = Request(incoming.scope)
        page = await graphiql.page(request, self._service.door.developer_token)
        await page(incoming.scope, incoming.receive, send)

    async def _respond(self, incoming: Incoming, send: Send) -> None:
        """Answer a request, whatever it is and whatever becomes of it."""
        request_id = incoming.scope["state"].get("request_id") or new_request_id()
        try:
            with self._service.telemetry.trace("http", request_id, incoming.head) as trace:
                try:
                    response = await self._execute(incoming, trace)
                except ClientDisconnect:
                    raise
                except Exception as error:  # noqa: BLE001 - it is told in the log, and masked
                    response = _refuse(error, incoming.head, trace.request_id)
                trace.status = response.status_code
        except ClientDisconnect:  # whoever has hung up hears nothing, and is no error
            return
        await response(incoming.scope, incoming.receive, send)

    async def _execute(self, incoming: Incoming, trace: Trace) -> Answer:
        """Execute an operation. Nothing of it is read before it is known who asks."""
        allowed = ALLOWED.get(incoming.scope["method"])
        if allowed is None:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, NO_METHOD, headers={"Allow": "GET, POST"})
        service = self._service
        principal = _recall(service, incoming.head) or await admit(service, incoming.scope)
        context = self._new_context(principal, trace.request_id)
        trace.admit(principal)
        manner = incoming.head.once(manner_for)
        bytes_max = service.limits.body_bytes
        asked = read_at_once(incoming, bytes_max)
        asked = asked or await read_request(incoming, bytes_max, service.deadlines)
        try:
            result = await run(
                asked.query,
                asked.variables,
                asked.operation_name,
                context,
                allowed,
                asked.extensions,
            )
        except CannotGetOperationTypeError as error:
            mistake = GraphQLError(error.as_http_error_reason(), original_error=error)
            result = ExecutionResult(None, [told(mistake, trace.request_id)])
        except InvalidOperationTypeError as error:
            raise _not_so(error) from error
        trace.reach("execute")
        return answer(result, manner)

    def _new_context(self, principal: Principal, request_id: str | None = None) -> Context:
        """What the resolvers of one operation share."""
        return Context(self._service, principal, request_id or new_request_id(), Loaders)


def _refuse(error: Exception, head: Head, request_id: str) -> Response:
    response = refusal(refusal_of(error, request_id))
    if head.find(b"expect") is not None:
        # Its body may come or not: nothing that follows could be told from it.
        response.headers["Connection"] = "close"
    return response


async def admit(service: Service, scope: Scope) -> Principal:
    """Who asks. Raises Refused, RateLimited, or what keeps the door shut.

    Strangers are counted once they are known to be such: who shares an address with them, and
    is let in, isn't kept out.
    """
    shown = head_of(scope).list_all(b"authorization")
    if len(shown) > 1:
        raise Refused(HTTPStatus.BAD_REQUEST, "there must be one Authorization header")
    try:
        header = shown[0] if shown else None
        principal = service.door.recall(header) or await service.door.admit(header)
    except Unauthenticated as error:
        service.rates.take_stranger(scope["client"][0] if scope.get("client") else "")
        headers = {"WWW-Authenticate": REFUSED_CHALLENGE if shown else CHALLENGE}
        message = str(error)
        raise Refused(
            HTTPStatus.UNAUTHORIZED, message, "UNAUTHENTICATED", headers=headers
        ) from error
    service.rates.take(principal)
    return principal


def _recall(service: Service, head: Head) -> Principal | None:
    """Who asks, where there is nothing to wait for. Raises RateLimited.

    Of who isn't known, or isn't let in any more, `admit` says the rest.
    """
    shown = head.find(b"authorization") if head.count(b"authorization") == 1 else None
    try:
        principal = service.door.recall(shown)
    except Unauthenticated:
        return None
    if principal:
        service.rates.take(principal)
    return principal


def _not_so(error: InvalidOperationTypeError) -> Refused:
    """Of an operation of a kind that can't go this way."""
    if error.operation_type is OperationType.SUBSCRIPTION:
        return Refused(HTTPStatus.BAD_REQUEST, NO_SUBSCRIPTION)
    headers = {"Allow": "POST"}
    return Refused(HTTPStatus.METHOD_NOT_ALLOWED, NO_MUTATION, headers=headers)


def wants_page(incoming: Incoming) -> bool:
    """A browser asks for GraphiQL, not for an answer."""
    return (
        incoming.method == "GET"
        and "text/html" in (incoming.head.find(b"accept") or "")
        and "query" not in Request(incoming.scope).query_params
    )
