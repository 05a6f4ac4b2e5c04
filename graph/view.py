"""View: GraphQL at one address, over HTTP and WebSocket.

Every answer but the page is JSON, with errors as GraphQL clients read them.
"""

from http import HTTPStatus
from typing import Any, Final, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.http.parse_content_type import parse_content_type
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from typing_extensions import override
from uuid_utils.compat import uuid7

from access.principal import Principal, Unauthenticated
from graph import graphiql
from graph.context import Context, Service
from graph.loaders import Loaders
from graph.schema import schema
from graph.sockets import Sockets

NEAR: Final = 40
TOO_LARGE: Final = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
BODY_MAX: Final = 1_048_576

JSON: Final = "application/json"
ALLOWED: Final = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}
CODES: Final[dict[int, str]] = {
    TOO_LARGE: "LIMIT_EXCEEDED",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
}
HEADERS: Final[dict[int, dict[str, str]]] = {
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "GET, POST"},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="tuppence"'},
}
NO_SUBSCRIPTION: Final = (
    "subscriptions go over a WebSocket at this address, by graphql-transport-ws"
)


def graphql_app(service: Service) -> ASGIApp:
    """The API and its page, as an ASGI application."""
    return View(service)


class View(GraphQL[Context, None]):
    """POST of JSON, GET of queries and of the page; WebSocket by graphql-transport-ws."""

    def __init__(self, service: Service) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self.service = service
        self.sockets = Sockets(service, self.new_context)

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.sockets(scope, receive, send)
            return
        request = Request(scope, _bounded(receive))
        try:
            if wants_page(request):
                response = await graphiql.page(request, self.service.door.developer_token)
            else:
                principal = await self.service.door.admit(request.headers.get("authorization"))
                response = await self.run(request, self.new_context(principal, new_request_id()))
        except Unauthenticated as error:
            response = refused(HTTPStatus.UNAUTHORIZED, str(error))
        except HTTPException as error:
            response = refused(error.status_code, error.reason)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    @override
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        """Never asked for: what it would need to know isn't among its arguments."""
        return cast("Context", None)

    def new_context(self, principal: Principal, request_id: str) -> Context:
        """What the resolvers of one operation share."""
        return Context(self.service, principal, request_id, Loaders)

    # ── what is asked ───────────────────────────────────────────────────────────────────────────

    @override
    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        if request.method == "GET":
            return _asked(self.parse_query_params(request.query_params))
        media_type, _ = parse_content_type(request.content_type or "")
        if media_type != JSON:
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the Content-Type must be {JSON}"
            )
        return _asked(self.parse_json(await request.get_body()))

    @override
    def parse_json(self, data: str | bytes) -> Any:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, _unreadable(error)) from error

    @override
    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    @override
    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types=ALLOWED[request_adapter.method],
                operation_extensions=request_data.extensions,
            )
        except CannotGetOperationTypeError as error:
            reason = error.as_http_error_reason()
            raise HTTPException(HTTPStatus.BAD_REQUEST, reason) from error
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise HTTPException(HTTPStatus.BAD_REQUEST, NO_SUBSCRIPTION) from error
            reason = error.as_http_error_reason(request_adapter.method)
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, reason) from error
        except MissingQueryError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "there is no query") from error

    # ── what is answered ────────────────────────────────────────────────────────────────────────

    @override
    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        """The answer's body; a request that was never begun has no `data`, not even null."""
        body = process_result(result)
        if result.data is None and all(error.path is None for error in result.errors or ()):
            del body["data"]
        return body

    @override
    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        status = HTTPStatus.OK if "data" in response_data else HTTPStatus.BAD_REQUEST
        return Response(self.encode_json(response_data), status, media_type=JSON)

    @override
    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def _bounded(receive: Receive) -> Receive:
    """The request's messages, refused once its body is too large."""
    size = 0

    async def receive_bounded() -> AsgiMessage:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_MAX:
            raise HTTPException(TOO_LARGE, f"the body must have at most {BODY_MAX} bytes")
        return message

    return receive_bounded


def wants_page(request: Request) -> bool:
    """A browser asks for GraphiQL, not for an answer."""
    return (
        request.method == "GET"
        and "query" not in request.query_params
        and "text/html" in request.headers.get("accept", "")
    )


def new_request_id() -> str:
    """A name for a request, in logs, errors and the audit trail."""
    return uuid7().hex


def refused(status: int, message: str) -> Response:
    """An answer to what is no GraphQL request, or nobody's."""
    error = {"message": message, "extensions": {"code": CODES.get(status, "BAD_REQUEST")}}
    headers = HEADERS.get(status)
    return Response(orjson.dumps({"errors": [error]}), status, headers, media_type=JSON)


def _unreadable(error: orjson.JSONDecodeError) -> str:
    """Why a body is no JSON, with what stands before the place."""
    before = error.doc[max(0, error.pos - NEAR) : error.pos + 1]
    return f"this is not JSON: {error.msg}" + (f", near {before!r}" if before else "")


def _asked(body: object) -> GraphQLRequestData:
    """A request's body or parameters, each part of the type that it must be."""
    if not isinstance(body, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the request must be a JSON object")
    for name, kind, called in (
        ("query", str, "a text"),
        ("operationName", str, "a text"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(body.get(name), kind | None):
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name} must be {called}")
    return GraphQLRequestData(
        query=body.get("query"),
        variables=body.get("variables"),
        operation_name=body.get("operationName"),
        extensions=body.get("extensions"),
    )
