"""Gate: what every request passes first, and every answer last.

Refused are whoever calls the service by a name that it doesn't have (a foreign page whose name was
made to lead here does) and foreign pages that would change anything. Every answer has the
request's id, and headers that leave a browser nothing to do with it but to hand it to its page. No
answer sets a cookie.
"""

import re
from collections.abc import Awaitable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.answers import EXTENSION, Answer, refusal
from graph.faults import Refused, refusal_of
from graph.head import Head, Header, Headers, head_of
from graph.lines import new_request_id, tell_in_lines
from graph.origins import is_allowed
from server.settings import Settings

LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
PROBES: Final = frozenset({"/healthz", "/readyz"})
"""What asks these calls the service by its bare address, and learns nothing."""

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

REQUEST_ID: Final = b"x-request-id"
GUARDS: Final[Headers] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""On every answer that doesn't say otherwise."""

TLS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
VARY: Final = (b"vary", b"origin")
ALLOWED_ORIGIN: Final = b"access-control-allow-origin"
EXPOSED: Final = (b"access-control-expose-headers", b"x-request-id, retry-after")
PUT_ON: Final = frozenset(
    {*(name for name, _ in (*GUARDS, TLS_ONLY, EXPOSED)), REQUEST_ID, ALLOWED_ORIGIN}
)
"""All that is put on answers that don't say otherwise."""

PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type, x-request-id",
    "Access-Control-Max-Age": "600",
}

STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})

HOST_BYTES_MAX: Final = 300
"""No name is longer, with a port behind it."""
HOSTS_KNOWN: Final = 256

_HOST: Final = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")

NO_HOST: Final = "there must be one Host header, which says whom this is for"
FOREIGN_HOST: Final = (
    "the service isn't called by this name; TUPPENCE_HOSTS says by which others it is"
)
FOREIGN_ORIGIN: Final = (
    "pages of this origin may not call the service; TUPPENCE_ORIGINS says which others may"
)


class Gate:
    """Around the whole application, as ASGI."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._behind_proxy = settings.behind_proxy
        names = {name.lower() for name in (*LOOPBACK, settings.host, *settings.hosts)}
        self._hosts = frozenset(name.encode() for name in names)
        self._domains = tuple(name[1:].encode() for name in names if name.startswith("*."))
        self._origins = frozenset(settings.origins)
        self._always = (*GUARDS, VARY) if self._origins else GUARDS
        # A client calls by one name all the time.
        self._fault_of_host = lru_cache(HOSTS_KNOWN)(self._find_fault_of_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if self._behind_proxy:
            unwrap(scope)
        head = head_of(scope)
        request_id = _request_id(head)
        scope["state"]["request_id"] = request_id
        leaving = Leaving(send, self._headers(scope, head), request_id)
        tell_in_lines(request_id=request_id)
        try:
            answer = self._judge(scope, head) or self._app
            await answer(scope, receive, leaving)
        except Exception as error:
            if leaving.has_begun:
                raise
            await refusal(refusal_of(error, request_id))(scope, receive, leaving)

    def _judge(self, scope: Scope, head: Head) -> Response | None:
        """Refuse what may not pass. The answer to a page that asks whether it may, by CORS.

        Raises Refused.
        """
        if scope["path"] not in PROBES:
            head.once(self._judge_host)
        shown = head.find_last(b"origin")
        if shown is None or scope["type"] == "websocket":  # graph.sockets judges its own
            return None
        origin = shown.decode("latin-1")
        asks = scope["method"] == "OPTIONS" and head.count(b"access-control-request-method") > 0
        if asks and origin in self._origins:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=PREFLIGHT)
        host = (head.find_last(b"host") or b"").decode("latin-1")
        if (asks or scope["method"] not in SAFE) and not is_allowed(
            origin, host, scope["scheme"], self._origins
        ):
            raise Refused(HTTPStatus.FORBIDDEN, FOREIGN_ORIGIN, "FORBIDDEN")
        return None

    def _judge_host(self, head: Head) -> None:
        host = head.find_last(b"host") or b""
        fault = self._fault_of_host(host) if len(host) <= HOST_BYTES_MAX else NO_HOST
        if fault == NO_HOST or head.count(b"host") > 1:
            raise Refused(HTTPStatus.BAD_REQUEST, NO_HOST)
        if fault == FOREIGN_HOST:
            raise Refused(HTTPStatus.FORBIDDEN, FOREIGN_HOST, "FORBIDDEN")

    def _find_fault_of_host(self, host: bytes) -> str | None:
        found = _HOST.fullmatch(host)
        if not found:
            return NO_HOST
        name = found[1].lower()
        is_ours = name in self._hosts or name.endswith(self._domains or (b"\n",))
        return None if is_ours else FOREIGN_HOST

    def _headers(self, scope: Scope, head: Head) -> Headers:
        """What is put on the answer, besides the request's id."""
        headers = self._always
        if scope["scheme"] in {"https", "wss"}:
            headers = (*headers, TLS_ONLY)
        origin = head.find_last(b"origin") if self._origins else None
        if origin and origin.decode("latin-1") in self._origins:
            headers = (
                *headers,
                (ALLOWED_ORIGIN, origin),
                EXPOSED,
            )
        return headers


class Leaving:
    """What is sent, with headers that it lacks."""

    __slots__ = ("_headers", "_send", "_unlike", "has_begun")

    def __init__(self, send: Send, headers: Headers, request_id: str) -> None:
        self._send = send
        self._headers = headers
        self._unlike = ((REQUEST_ID, request_id.encode()),)
        self.has_begun = False

    def __call__(self, message: Message) -> Awaitable[None]:
        self.has_begun = True
        if message["type"] == EXTENSION:
            whole: Answer = message["answer"]  # which says nothing of what is put on
            whole.headers += self._headers
            whole.unlike = self._unlike
        elif message["type"] in STARTS:
            message["headers"] = [*message["headers"], *self._lacking(message["headers"])]
        return self._send(message)

    def _lacking(self, own: Iterable[Header]) -> Headers:
        said = dict(own)
        lacking = self._headers + self._unlike
        if PUT_ON.isdisjoint(said):
            return lacking
        return tuple(each for each in lacking if each[0] not in said or each == VARY)


def unwrap(scope: Scope) -> None:
    """Put what the proxy says of a request in the place of what its connection says.

    Of several values the last is the nearest proxy's own; those before it anyone may have sent.
    """
    said = {name: value.rpartition(b",")[2].strip() for name, value in scope["headers"]}
    scheme = said.get(b"x-forwarded-proto", b"").lower()
    if scheme in {b"http", b"https"}:
        is_socket = scope["type"] == "websocket"
        scope["scheme"] = scheme.decode().replace("http", "ws" if is_socket else "http")
    if address := said.get(b"x-forwarded-for"):
        scope["client"] = (_without_port(address.decode("latin-1")), 0)
    if host := said.get(b"x-forwarded-host"):
        others = (each for each in scope["headers"] if each[0] != b"host")
        scope["headers"] = [(b"host", host), *others]


def _without_port(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def _request_id(head: Head) -> str:
    """The id that the caller gave, if it is fit for a log, or a new one."""
    given = head.find_last(REQUEST_ID)
    return given.decode() if given and _SANE_ID.fullmatch(given) else new_request_id()


def refuse(_: Request, error: Exception) -> Response:
    """What isn't there, or isn't done so, told as GraphQL clients read errors."""
    assert isinstance(error, HTTPException), "it is registered for these"
    return refusal(Refused(error.status_code, error.detail, headers=error.headers))
