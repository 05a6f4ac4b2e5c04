"""The GraphiQL page: served from here, whole, under a policy that lets in nothing from elsewhere.

The page's own files stand in `graph/page/`, committed; GraphiQL and what it needs are put into
`graph/page/dist/` by `make setup`. Only the files named here are served.

On a developer's own machine the page carries the developer's token and so is signed in; elsewhere
it asks for a key. It sets no cookie: a token is shown by the page's own requests, and by no other.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

PAGE: Final = Path(__file__).parent / "page"

HTML: Final = "text/html; charset=utf-8"
SCRIPT: Final = "text/javascript; charset=utf-8"
STYLE: Final = "text/css; charset=utf-8"
IMAGE: Final = "image/svg+xml"
OPERATIONS: Final = "application/graphql; charset=utf-8"

MEDIA_TYPES: Final = {
    "index.html": HTML,
    "page.js": SCRIPT,
    "session.js": SCRIPT,
    "signin.js": SCRIPT,
    "storage.js": SCRIPT,
    "panel.js": SCRIPT,
    "live.js": SCRIPT,
    "page.css": STYLE,
    "favicon.svg": IMAGE,
    "examples.graphql": OPERATIONS,
    "live.graphql": OPERATIONS,
    "dist/graphiql.min.css": STYLE,
    "dist/graphiql.min.js": SCRIPT,
    "dist/graphql-ws.min.js": SCRIPT,
    "dist/react.production.min.js": SCRIPT,
    "dist/react-dom.production.min.js": SCRIPT,
}

# GraphiQL writes style attributes and carries its fonts as data; nothing else is let in.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# `no-cache` is "ask each time": the answer is a 304 until the file changes. What else guards a
# page, every answer has: see server/gate.py.
HEADERS: Final = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
# A page that carries a token is nowhere kept, and has no tag to be asked for again by.
SIGNED_IN: Final = {**HEADERS, "Cache-Control": "no-store"}
TOKEN_BEFORE: Final = b"</head>"
LOOPBACK_NAMES: Final = {"127.0.0.1", "::1", "localhost"}

NOT_SET_UP: Final = (
    "GraphiQL's files are not there yet: run `make setup`, then start the server again.\n"
)


@dataclass(frozen=True)
class Asset:
    """A file of the page as it is served, and the tag that changes when its bytes do."""

    body: bytes
    media_type: str
    etag: str

    @classmethod
    def read(cls, name: str) -> "Asset":
        body = (PAGE / name).read_bytes()
        return cls(body, MEDIA_TYPES[name], f'"{sha256(body).hexdigest()[:32]}"')


@cache
def assets() -> dict[str, Asset]:
    """Every file of the page, read once; those that `make setup` has yet to make are missing."""
    return {name: Asset.read(name) for name in MEDIA_TYPES if (PAGE / name).is_file()}


async def page(request: Request, developer_token: str | None) -> Response:
    """Answer `GET /graphql` for a browser: GraphiQL, or a sentence that says how to get it.

    With a `developer_token` the page is signed in by it, where it is asked for from this machine.
    """
    if len(assets()) < len(MEDIA_TYPES):
        return PlainTextResponse(NOT_SET_UP, 503, HEADERS)
    index = assets()["index.html"]
    if developer_token and is_asked_from_here(request):
        response = Response(with_token(index.body, developer_token), 200, SIGNED_IN, HTML)
    else:
        response = answer(request, index)
    # The same address answers GraphQL, by what the client accepts.
    response.headers["Vary"] = "Accept"
    return response


def is_asked_from_here(request: Request) -> bool:
    """Whether a developer's own browser shows the page, rather than some other page reads it.

    Another origin's script names its origin, whatever CORS lets it read; and a name of another
    site's that leads to this machine (DNS rebinding) is none of the machine's own.
    """
    return "origin" not in request.headers and request.url.hostname in LOOPBACK_NAMES


def with_token(html: bytes, token: str) -> bytes:
    """The page with the token that its requests show."""
    tag = f'  <meta name="tuppence-token" content="{escape(token)}" />\n  '
    return html.replace(TOKEN_BEFORE, tag.encode() + TOKEN_BEFORE, 1)


async def asset(request: Request) -> Response:
    """Answer `GET /graphql/page/…` with one of the page's files, and with no other file."""
    found = assets().get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("There is no such file in the page.\n", 404, HEADERS)
    return answer(request, found)


def answer(request: Request, found: Asset) -> Response:
    headers = {**HEADERS, "ETag": found.etag}
    if found.etag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type=found.media_type)


def page_routes() -> list[BaseRoute]:
    """The routes of the page's files; `page` itself shares `/graphql` with the API."""
    return [Route("/graphql/page/{name:path}", asset)]
