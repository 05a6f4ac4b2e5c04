"""Socket: operations over a WebSocket, by graphql-transport-ws.

A mistake in one operation is told to that operation and leaves the others alone; a message that is
none of the protocol closes the socket (4400). A client that goes away is no error.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import (
    NonJsonMessageReceived,
    NonTextMessageReceived,
    WebSocketDisconnected,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
)
from typing_extensions import override
from uuid_utils.compat import uuid7

from access.principal import Principal, Unauthenticated
from graph.context import Context

log = logging.getLogger("tuppence.graph")


class Socket(ASGIWebSocketAdapter):
    """Messages as texts of JSON."""

    @override
    async def iter_json(
        self, *, ignore_parsing_errors: bool = False
    ) -> AsyncGenerator[object, None]:
        try:
            while self.ws.application_state is not WebSocketState.DISCONNECTED:
                yield orjson.loads(await self.ws.receive_text())
        except orjson.JSONDecodeError as error:
            raise NonJsonMessageReceived from error
        except KeyError as error:
            raise NonTextMessageReceived from error
        except WebSocketDisconnect:
            return

    @override
    async def send_json(self, message: Mapping[str, object]) -> None:
        await self._send(orjson.dumps(message).decode())

    async def _send(self, text: str) -> None:
        try:
            await self.ws.send_text(text)
        except (WebSocketDisconnect, RuntimeError) as error:
            # Starlette raises RuntimeError where the socket was closed from this side meanwhile.
            raise WebSocketDisconnected from error

    @override
    async def close(self, code: int, reason: str) -> None:
        if self.ws.application_state is not WebSocketState.DISCONNECTED:
            await super().close(code, reason)


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Strawberry's, with the protocol's finer points."""

    view: Any
    _principal: Principal | None = None

    @property
    def context(self) -> Context:  # pyright: ignore[reportIncompatibleVariableOverride]
        """A context for one operation: what an earlier one has loaded isn't true any more."""
        assert self._principal, "nothing is executed before the caller is known"
        return self.view.new_context(self._principal, uuid7().hex)

    @context.setter
    def context(self, context: Context) -> None:
        """Strawberry makes one for the whole socket: it isn't used."""

    @override
    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        shown = (message.get("payload") or {}).get("authorization")
        try:
            self._principal = await self.view.service.door.admit(
                shown if isinstance(shown, str) else None
            )
        except Unauthenticated:
            await self.websocket.close(4403, "Forbidden")
            return
        await super().handle_connection_init(message)

    @override
    async def handle_message(self, message: Message) -> None:
        if _is_sound(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("this is not a message of graphql-transport-ws")

    @staticmethod
    @override
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        return None

    @override
    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            log.error("a task of a socket failed", exc_info=error)


def _is_sound(message: object) -> bool:
    """Whether a message has the parts that its type asks for. A payload of null is none."""
    if not isinstance(message, dict):
        return False
    parts: dict[str, Any] = message
    if parts.get("payload", {}) is None:
        del parts["payload"]
    payload = parts.get("payload", {})
    if not isinstance(payload, dict) or not isinstance(parts.get("type"), str):
        return False
    if parts.get("type") in {"subscribe", "complete"} and not _is_name(parts.get("id")):
        return False
    return parts.get("type") != "subscribe" or (
        isinstance(payload.get("query"), str)
        and isinstance(payload.get("operationName"), str | None)
        and isinstance(payload.get("variables"), dict | None)
    )


def _is_name(id: object) -> bool:
    return isinstance(id, str) and id != ""
