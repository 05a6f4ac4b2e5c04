"""Answers: what leaves over HTTP, in the media type that the caller takes.

application/graphql-response+json    the status tells how the request went
application/json, by name            200 for whatever is well formed
any, or none named                   application/json, and the status tells
"""

import re
from collections.abc import Awaitable
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.http import process_result
from strawberry.types import ExecutionResult

from graph.faults import STATUSES, Refused
from graph.head import Head, Headers

JSON: Final = "application/json"
RESPONSE: Final = "application/graphql-response+json"
UTF_8: Final = "; charset=utf-8"

EXTENSION: Final = "tuppence.response.whole"
"""Where an ASGI scope has this, a message of this type is an answer as a whole."""

RANGES_MAX: Final = 32
"""As many media ranges of an `Accept` are read; no client has more."""
ACCEPTS_MAX: Final = 256
ACCEPT_LENGTH_MAX: Final = 256
"""A longer one is read each time."""

_WEIGHT: Final = re.compile(r"\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)

NOT_ACCEPTABLE: Final = (
    f"the answer can be {RESPONSE} or {JSON}, and the Accept header takes neither; subscriptions go"
    " over a WebSocket at this address, by graphql-transport-ws"
)


class Manner(NamedTuple):
    """How an answer is written, and whether its status leaves the GraphQL part's fate unsaid."""

    media_type: str
    headers: Headers
    is_lenient: bool = False

    @classmethod
    def of(cls, name: str, *, is_lenient: bool = False) -> "Manner":
        media_type = name + UTF_8
        return cls(media_type, ((b"content-type", media_type.encode()),), is_lenient)


TELLING: Final = Manner.of(RESPONSE)
LENIENT: Final = Manner.of(JSON, is_lenient=True)
PLAIN: Final = Manner.of(JSON)


def manner_for(head: Head) -> Manner:
    """How to answer whoever sent this `Accept`. Raises Refused where nothing of ours is taken."""
    accept = ",".join(head.list_all(b"accept"))
    find = _find_manner_once if len(accept) <= ACCEPT_LENGTH_MAX else _find_manner
    manner = find(accept)
    if manner is None:
        raise Refused(HTTPStatus.NOT_ACCEPTABLE, NOT_ACCEPTABLE)
    return manner


def _find_manner(accept: str) -> Manner | None:
    if not accept.strip():
        return PLAIN
    weights = dict(map(_range, accept.split(",", RANGES_MAX)[:RANGES_MAX]))
    json, response = _weigh(JSON, weights), _weigh(RESPONSE, weights)
    if not (json.weight or response.weight):
        return None
    # Of two that are named and liked alike, the one whose status tells more.
    if response > json or (response == json and response.is_named):
        return TELLING
    return LENIENT if json.is_named else PLAIN


_find_manner_once = lru_cache(ACCEPTS_MAX)(_find_manner)


class _Liking(NamedTuple):
    """How much a media type is liked: by its weight, and then by whether it is named."""

    weight: float
    is_named: bool


def _range(text: str) -> tuple[str, float]:
    """A media range and its weight. What is no weight is none; other parameters mean nothing."""
    media_range, *parameters = text.split(";")
    weights = [float(found[1]) for found in map(_WEIGHT.fullmatch, parameters) if found]
    return media_range.strip().lower(), weights[0] if weights else 1.0


def _weigh(media_type: str, weights: dict[str, float]) -> _Liking:
    """The narrowest range that holds a type decides."""
    for media_range in (media_type, "application/*", "*/*"):
        if media_range in weights:
            return _Liking(weights[media_range], media_range == media_type)
    return _Liking(0.0, is_named=False)


class Answer:
    """What is sent for one request: Starlette's Response, as far as it is needed here.

    To a server that takes it, it goes in one message, which is itself: its head is one that has
    been before, and its length.
    """

    __slots__ = ("body", "headers", "status_code", "unlike")

    def __init__(self, body: bytes, status_code: int, manner: Manner) -> None:
        self.body = body
        self.status_code = status_code
        self.headers = manner.headers
        """Those that other answers have as well."""
        self.unlike: Headers = ()
        """Those that no other answer has."""

    def __call__(self, scope: Scope, _receive: Receive, send: Send) -> Awaitable[None]:
        if EXTENSION in scope.get("extensions", ()):
            return send({"type": EXTENSION, "answer": self})
        return self.send_in_parts(send)

    async def send_in_parts(self, send: Send) -> None:
        """Send it as any server takes it."""
        length = (b"content-length", b"%d" % len(self.body))
        headers = [length, *self.headers, *self.unlike]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def answer(result: ExecutionResult, manner: Manner) -> Answer:
    """An operation's result. A request that was never begun has no `data`, not even null."""
    if result.data is not None and not (result.errors or result.extensions):
        return Answer(orjson.dumps({"data": result.data}), HTTPStatus.OK, manner)
    body = process_result(result)
    status = HTTPStatus.OK
    if result.data is None and all(error.path is None for error in result.errors or ()):
        del body["data"]
        status = _status(result)
        if manner.is_lenient and status == HTTPStatus.BAD_REQUEST:
            status = HTTPStatus.OK
    return Answer(orjson.dumps(body), status, manner)


def _status(result: ExecutionResult) -> int:
    """The status of a request that was never begun, by the first thing that is wrong with it."""
    extensions = result.errors[0].extensions if result.errors else None
    return STATUSES.get((extensions or {}).get("code", ""), HTTPStatus.BAD_REQUEST)


def refusal(refused: Refused) -> Response:
    """An answer to what is no GraphQL request, or nobody's, as GraphQL clients read errors."""
    error = {"message": refused.message, "extensions": {"code": refused.code, **refused.more}}
    body = orjson.dumps({"errors": [error]})
    return Response(body, refused.status, refused.headers, media_type=PLAIN.media_type)
