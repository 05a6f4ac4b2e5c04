"""Requests: what is asked over HTTP, read whole and to the letter.

What is no GraphQL request is Refused, in words that say what would be one.
"""

import json
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from graph.answers import JSON
from graph.deadlines import Deadlines
from graph.faults import Refused
from graph.head import Head

BODY: Final = "body"
"""Where a request's state has its body, if all of it came with the head."""

BODY_S_MAX: Final = 20.0
"""How long a body may take to arrive, from the end of its headers."""

PARTS: Final = (
    ("query", str, "a text"),
    ("operationName", str, "a text"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)
PARAMETERS_MAX: Final = 100
NEAR: Final = 40
UNSUPPORTED: Final = HTTPStatus.UNSUPPORTED_MEDIA_TYPE

_USUAL: Final = frozenset({JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=utf-8"})
_UTF_8: Final = frozenset({"utf-8", "utf8"})

# A whole number beyond 64 bits has 19 digits or more. Looked for so, it costs 0.3 µs a request.
_AS_ZEROS: Final = bytes.maketrans(b"0123456789", b"0000000000")
_LONG: Final = b"0" * 19
_BEFORE_NUMBERS: Final = b":[, \t\r\n"
_MINUS: Final = ord("-")
_LONGEST: Final = 20
_LEAST, _MOST = -(2**63), 2**64 - 1

NO_BATCHES: Final = (
    "the request must be one JSON object: several operations at once are not offered, here"
    " creditPointsBatch may help"
)


class Incoming(NamedTuple):
    """A request as it comes in: its head is here, its body may be yet to come."""

    scope: Scope
    head: Head
    receive: Receive

    @property
    def method(self) -> str:
        return self.scope["method"]


class Asked(NamedTuple):
    """One request's parts."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None


async def read_request(incoming: Incoming, bytes_max: int, deadlines: Deadlines) -> Asked:
    """What a POST's body or a GET's parameters ask. Raises Refused, or ClientDisconnect."""
    asked = read_at_once(incoming, bytes_max)
    if asked is not None:
        return asked
    try:
        body = await deadlines.within(BODY_S_MAX, _read_body(incoming.receive, bytes_max))
    except TimeoutError as error:
        message = f"the body didn't arrive within {BODY_S_MAX:g} seconds"
        closing = {"Connection": "close"}
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, message, headers=closing) from error
    return _asked(read_json(body))


def read_at_once(incoming: Incoming, bytes_max: int) -> Asked | None:
    """The same, where all of it has come. None where there is a body to wait for. Raises Refused.

    A server that has the whole body says so, and need not be asked for it.
    """
    if incoming.scope["method"] == "GET":
        return _asked(read_parameters(incoming.scope["query_string"]))
    length = incoming.head.once(_length_of_json)
    body: bytes | None = incoming.scope["state"].get(BODY)
    if (length if body is None else len(body)) > bytes_max:
        raise _too_large(bytes_max)
    return None if body is None else _asked(read_json(body))


def _length_of_json(head: Head) -> int:
    """How long the body says it is.

    All but JSON as it is is refused: what a form can send, a foreign page can send without asking.
    Raises Refused.
    """
    content_type = head.find(b"content-type") or ""
    if content_type not in _USUAL:
        media_type, *parameters = (part.strip() for part in content_type.lower().split(";"))
        if media_type != JSON:
            raise Refused(
                UNSUPPORTED, f"the Content-Type must be {JSON}", headers={"Accept-Post": JSON}
            )
        for name, _, value in (parameter.partition("=") for parameter in parameters):
            if name == "charset" and value.strip('"') not in _UTF_8:
                raise Refused(UNSUPPORTED, "the body must be in UTF-8, as all JSON is")
    encoding = head.find(b"content-encoding")
    if encoding is not None and encoding.lower() != "identity":
        message = "the body must come as it is, without a Content-Encoding"
        raise Refused(UNSUPPORTED, message, headers={"Accept-Encoding": "identity"})
    return int(head.find(b"content-length") or "0")


async def _read_body(receive: Receive, bytes_max: int) -> bytes:
    """The whole body. Raises Refused where it is too large, and reads no further."""
    body, is_over = bytearray(), False
    while not is_over:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        is_over = not message.get("more_body", False)
    return bytes(body)


def _too_large(bytes_max: int) -> Refused:
    return Refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body must have at most {bytes_max} bytes (body_bytes)",
        "LIMIT_EXCEEDED",
        more={"limit": "body_bytes", "value": bytes_max},
    )


def read_json(text: bytes | str) -> Any:
    """What JSON says, exactly. Raises Refused.

    A whole number beyond 64 bits is refused, since it would be rounded.
    """
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, _unreadable(error)) from error
    demand_exact(text.encode() if isinstance(text, str) else text)
    return said


def demand_exact(text: bytes) -> None:
    """Raises Refused where this JSON has a whole number beyond 64 bits."""
    zeros = text.translate(_AS_ZEROS)
    at = zeros.find(_LONG)
    while at >= 0:
        if _may_be_a_number(text, at):
            json.loads(text, parse_int=partial(_demand_exact, text))
            return
        at = zeros.find(_LONG, at + len(_LONG))


def _may_be_a_number(text: bytes, at: int) -> bool:
    """Whether these digits stand where a number may: those of a key or an id seldom do."""
    start = at - 1 if at and text[at - 1] == _MINUS else at
    return start == 0 or text[start - 1] in _BEFORE_NUMBERS


def _demand_exact(text: bytes, digits: str) -> None:
    if len(digits) > _LONGEST or not _LEAST <= int(digits) <= _MOST:
        before = text[: text.find(digits.encode())].decode()[-NEAR:]
        shown = f"{before}{digits[:_LONGEST]}…"
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"a whole number of more than 64 bits can't be taken exactly, near {shown!r}:"
            " write it as a text",
        )


def _unreadable(error: orjson.JSONDecodeError) -> str:
    """Why a text is no JSON, with what stands before the place."""
    before = error.doc[max(0, error.pos - NEAR) : error.pos + 1]
    return f"this is not JSON: {error.msg}" + (f", near {before!r}" if before else "")


def read_parameters(query_string: bytes) -> dict[str, Any]:
    """The body that a query string stands for. Raises Refused."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), errors="strict", max_num_fields=PARAMETERS_MAX
        )
    except ValueError as error:
        message = f"the query string must be percent-encoded UTF-8: {error}"
        raise Refused(HTTPStatus.BAD_REQUEST, message) from error
    said: dict[str, Any] = dict(pairs)
    for name in ("query", "variables", "operationName", "extensions"):
        if sum(name == each for each, _ in pairs) > 1:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{name} must stand in the query string once")
    for name in ("variables", "extensions"):
        if name in said:
            said[name] = read_json(said[name])
    return said


def _asked(said: Any) -> Asked:
    """A request's parts, each of the type that it must be. Raises Refused."""
    if not isinstance(said, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, NO_BATCHES)
    for name, kind, called in PARTS:
        part = said.get(name)
        if part is not None and not isinstance(part, kind):
            raise Refused(HTTPStatus.BAD_REQUEST, f"{name} must be {called}")
    query = said.get("query")
    if not query:
        raise Refused(HTTPStatus.BAD_REQUEST, "there is no query")
    return Asked(query, said.get("variables"), said.get("operationName"), said.get("extensions"))
