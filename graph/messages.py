"""Messages: what is said over a socket by graphql-transport-ws, read to the letter.

    client → server    connection_init  ping  pong  subscribe  complete
    server → client    connection_ack   ping  pong  next  error  complete

Whatever else a client sends is Malformed, and ends its socket.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from graph.faults import Refused
from graph.requests import demand_exact

PROTOCOL: Final = "graphql-transport-ws"
ID_LENGTH_MAX: Final = 256
REASON_BYTES_MAX: Final = 123
"""More doesn't fit into the frame that closes a socket."""

ACK: Final = b'{"type":"connection_ack"}'


class Malformed(Exception):
    """What a client said is no message of the protocol. The exception says what is wrong."""


class ConnectionInit(NamedTuple):
    """Who the client is; nothing is asked before it."""

    payload: dict[str, Any] | None


class Ping(NamedTuple):
    """To be answered by a pong with the same payload."""

    payload: dict[str, Any] | None


class Pong(NamedTuple):
    """Heard, and no more."""


class Subscribe(NamedTuple):
    """An operation to be run: a query, a mutation or a subscription."""

    id: str
    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    mistake: str | None = None
    """What keeps this operation alone from being run, if anything does."""


class Complete(NamedTuple):
    """An operation to be stopped."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


class Close(NamedTuple):
    """How the server closes a socket: a code for programs, and a reason for people."""

    code: int
    reason: str

    @property
    def short_reason(self) -> str:
        """The reason, cut to what fits into a frame."""
        return self.reason.encode()[:REASON_BYTES_MAX].decode(errors="ignore")


# ── what a client says ──────────────────────────────────────────────────────────────────────────


def read_message(text: str | None) -> Message:
    """The message in a frame; None is a frame that isn't text. Raises Malformed."""
    if text is None:
        raise Malformed("a message must be a text frame")
    try:
        parts = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed("a message must be JSON") from error
    if not isinstance(parts, dict):
        raise Malformed("a message must be a JSON object")
    kind = parts.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise Malformed(f"type must be one of {', '.join(_READERS)}")
    message = read(parts)
    return _exact(message, text) if isinstance(message, Subscribe) else message


def _exact(message: Subscribe, text: str) -> Subscribe:
    """The message, with its mistake where a number in it would be rounded."""
    try:
        demand_exact(text.encode())
    except Refused as error:
        return message._replace(mistake=error.message)
    return message


def _connection_init(parts: dict[str, Any]) -> ConnectionInit:
    return ConnectionInit(_part(parts, "payload", dict))


def _ping(parts: dict[str, Any]) -> Ping:
    return Ping(_part(parts, "payload", dict))


def _pong(parts: dict[str, Any]) -> Pong:
    _part(parts, "payload", dict)
    return Pong()


def _subscribe(parts: dict[str, Any]) -> Subscribe:
    payload = _part(parts, "payload", dict)
    if payload is None:
        raise Malformed("payload must be an object")
    query = _part(payload, "query", str)
    if query is None:
        raise Malformed("query must be a string")
    _part(payload, "extensions", dict)
    variables = _part(payload, "variables", dict)
    return Subscribe(_id(parts), query, variables, _part(payload, "operationName", str))


def _complete(parts: dict[str, Any]) -> Complete:
    return Complete(_id(parts))


_READERS: Final[dict[str, Callable[[dict[str, Any]], Message]]] = {
    "connection_init": _connection_init,
    "ping": _ping,
    "pong": _pong,
    "subscribe": _subscribe,
    "complete": _complete,
}
_CALLED: Final[dict[type, str]] = {dict: "an object", str: "a string"}


def _part(parts: dict[str, Any], name: str, kind: type) -> Any:
    """A part that may be left out or null."""
    value = parts.get(name)
    if value is not None and not isinstance(value, kind):
        raise Malformed(f"{name} must be {_CALLED[kind]}")
    return value


def _id(parts: dict[str, Any]) -> str:
    value = parts.get("id")
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH_MAX:
        raise Malformed(f"id must be a string of 1 to {ID_LENGTH_MAX} characters")
    return value


# ── what the server says ────────────────────────────────────────────────────────────────────────


def pong(payload: dict[str, Any] | None) -> bytes:
    """The answer to a ping. Raises Malformed where its payload is nested too deeply to be sent."""
    message = {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}
    try:
        return orjson.dumps(message)
    except orjson.JSONEncodeError as error:
        raise Malformed("payload must be less deeply nested") from error


class Envelope:
    """What an operation's messages have in common, so that only their payloads are encoded."""

    __slots__ = ("_id",)

    def __init__(self, id: str) -> None:
        self._id = orjson.dumps(id)

    def seal(self, kind: str, payload: bytes) -> bytes:
        """A message with a payload that is JSON already."""
        return b'{"id":%b,"type":"%b","payload":%b}' % (self._id, kind.encode(), payload)

    @property
    def complete(self) -> bytes:
        return b'{"id":%b,"type":"complete"}' % self._id
