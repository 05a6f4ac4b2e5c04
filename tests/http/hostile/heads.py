"""Requests whose heads are at fault, each with its status, its code, and what it must name."""

from urllib.parse import quote, urlencode

from tests.http.raw import BEARER, JSON, TYPENAME, Header, get, post, request

KB = 1_000
MUTATION = 'mutation { upsertMember(input: {identity: "ann"}) { member { id } } }'
SUBSCRIPTION = "subscription { pointsCredited { id } }"
QUERY = urlencode({"query": "{ __typename }"})

Case = tuple[bytes, int, str, str]


def typed(content_type: str | None, body: bytes = TYPENAME) -> bytes:
    given: list[Header] = [] if content_type is None else [("Content-Type", content_type)]
    return request("POST", "/graphql", BEARER, *given, body=body)


def showing(*shown: str) -> bytes:
    return request("POST", "/graphql", *(("Authorization", each) for each in shown), JSON)


def no_type(content_type: str | None, body: bytes = TYPENAME) -> Case:
    return typed(content_type, body), 415, "BAD_REQUEST", "application/json"


def not_taken(accept: str) -> Case:
    return post(TYPENAME, ("Accept", accept)), 406, "BAD_REQUEST", "application/graphql-response"


def nobody(*shown: str, naming: str = "Authorization: Bearer") -> Case:
    return showing(*shown), 401, "UNAUTHENTICATED", naming


def unknown(token: str) -> Case:
    return nobody(f"Bearer {token}", naming="lets nobody in")


def no_host(host: str | None) -> Case:
    return post(host=host), 400, "BAD_REQUEST", "Host"


def foreign_host(host: str) -> Case:
    return post(host=host), 403, "FORBIDDEN", "TUPPENCE_HOSTS"


def foreign(origin: str) -> Case:
    return post(TYPENAME, ("Origin", origin)), 403, "FORBIDDEN", "TUPPENCE_ORIGINS"


def not_http(raw: bytes) -> Case:
    return raw, 400, "BAD_REQUEST", "HTTP/1.1"


SOCKET: tuple[Header, ...] = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
)
FORM = b"--x\r\nContent-Disposition: form-data; name=operations\r\n\r\n" + TYPENAME + b"\r\n--x--"

HEADS: dict[str, Case] = {
    # what a body is said to be
    "no type": no_type(None),
    "an empty type": no_type(""),
    "a type that begins alike": no_type("application/jsonx"),
    "a type that ends alike": no_type("x-application/json"),
    "a type of JSON's kind": no_type("application/problem+json"),
    "two types": no_type("application/json, text/plain"),
    "a plain text": no_type("text/plain"),
    "a document": no_type("application/graphql", b"{ __typename }"),
    "a form": no_type("application/x-www-form-urlencoded", QUERY.encode()),
    "a form of parts": no_type("multipart/form-data; boundary=x", FORM),
    "a type in a parameter": no_type("text/plain; application/json"),
    "Latin-1": (typed("application/json; charset=latin-1"), 415, "BAD_REQUEST", "UTF-8"),
    "UTF-16": (typed('application/json; charset="utf-16"'), 415, "BAD_REQUEST", "UTF-8"),
    "gzip": (
        post(b"\x1f\x8b", ("Content-Encoding", "gzip")),
        415,
        "BAD_REQUEST",
        "Content-Encoding",
    ),
    # what is taken for an answer
    "events of the server": not_taken("text/event-stream"),
    "an answer in parts": not_taken("multipart/mixed"),
    "an answer that is a picture": not_taken("image/png, image/*"),
    "nothing at all": not_taken("*/*;q=0"),
    "all but what there is": not_taken("application/*;q=0, text/*"),
    # who asks
    "nobody": nobody(),
    "an empty key": nobody(""),
    "a scheme alone": nobody("Bearer"),
    "another scheme": nobody("Basic YWRtaW46YWRtaW4="),
    "a key that was never made": unknown("tpk_00000000000000000000000000_x"),
    "a key with a NUL's name in it": nobody("Bearer tpk_%00_x"),
    "a key of no letters": nobody("Bearer \xff\xfe"),
    "a key of 30 KB": nobody("Bearer " + "x" * 30 * KB),
    "a token of no one": unknown("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."),
    "two keys": (showing(BEARER[1], BEARER[1]), 400, "BAD_REQUEST", "Authorization"),
    # whom it is for
    "no host": no_host(None),
    "an empty host": no_host(""),
    "a host with a name before it": no_host("evil.example@localhost"),
    "a host with a path": no_host("localhost/graphql"),
    "a host of odd letters": no_host("l\xf6calhost"),
    "a host with an odd port": no_host("localhost:http"),
    "two hosts": (post(TYPENAME, ("Host", "localhost")), 400, "BAD_REQUEST", "Host"),
    "a name made to lead here": foreign_host("evil.example"),
    "the same with a port": foreign_host("evil.example:8000"),
    "a name that begins like ours": foreign_host("localhost.evil.example"),
    "a name that ends like ours": foreign_host("evil-localhost"),
    "another address": foreign_host("169.254.169.254"),
    # what page it is from
    "a foreign page": foreign("https://evil.example"),
    "a page of no origin": foreign("null"),
    "a page of another port": foreign("http://localhost:8000"),
    "a page by another scheme": foreign("https://localhost"),
    "a page of a like name": foreign("http://localhost.evil.example"),
    "an origin that is none": foreign("localhost"),
    "a foreign page that asks first": (
        request(
            "OPTIONS",
            "/graphql",
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "POST"),
        ),
        403,
        "FORBIDDEN",
        "TUPPENCE_ORIGINS",
    ),
    # sockets
    "a socket for a name made to lead here": (
        request("GET", "/graphql", *SOCKET, host="evil.example"),
        403,
        "FORBIDDEN",
        "TUPPENCE_HOSTS",
    ),
    "a socket for nobody": (
        request("GET", "/graphql", *SOCKET, host=None),
        400,
        "BAD_REQUEST",
        "Host",
    ),
    "a socket of a foreign page": (
        request("GET", "/graphql", *SOCKET, ("Origin", "https://evil.example")),
        403,
        "FORBIDDEN",
        "origin",
    ),
    # methods
    **{
        method: (request(method, "/graphql", BEARER, JSON), 405, "BAD_REQUEST", "POST")
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
    },
    "a method that isn't one": not_http(request("BREW", "/graphql", BEARER)),
    "a method in small letters": not_http(request("post", "/graphql", BEARER)),
    # GET
    "a mutation by GET": (get(urlencode({"query": MUTATION})), 405, "BAD_REQUEST", "POST"),
    "a subscription by GET": (
        get(urlencode({"query": SUBSCRIPTION})),
        400,
        "BAD_REQUEST",
        "WebSocket",
    ),
    "no query": (get(""), 400, "BAD_REQUEST", "no query"),
    "an empty query": (get("query="), 400, "BAD_REQUEST", "no query"),
    "two queries": (get(f"{QUERY}&{QUERY}"), 400, "BAD_REQUEST", "query must stand"),
    "two names": (
        get(f"{QUERY}&operationName=A&operationName=B"),
        400,
        "BAD_REQUEST",
        "operationName must",
    ),
    "variables that are no JSON": (get(f"{QUERY}&variables=x"), 400, "BAD_REQUEST", "not JSON"),
    "variables in a list": (get(f"{QUERY}&variables=[]"), 400, "BAD_REQUEST", "variables must"),
    "deep variables": (get(f"{QUERY}&variables={'[' * 9 * KB}"), 400, "BAD_REQUEST", "depth"),
    "extensions in a text": (get(f"{QUERY}&extensions=%22a%22"), 400, "BAD_REQUEST", "extensions"),
    "bytes that are no UTF-8": (get("query=%ff%fe"), 400, "BAD_REQUEST", "UTF-8"),
    "half a pair of surrogates": (get("query=%ed%a0%80"), 400, "BAD_REQUEST", "UTF-8"),
    "too many parameters": (get("&".join(["a=b"] * 101)), 400, "BAD_REQUEST", "fields"),
    "a query of 20 KB": (
        get("query=" + quote("{ __typename }" + " " * 7 * KB)),
        414,
        "LIMIT_EXCEEDED",
        "16384",
    ),
    "a query of 100 KB": (get("query=" + "a" * 100 * KB), 414, "LIMIT_EXCEEDED", "16384"),
    # the head itself
    "a header of 100 KB": (post(TYPENAME, ("X-A", "a" * 100 * KB)), 431, "LIMIT_EXCEEDED", "65536"),
    "many headers": (
        post(TYPENAME, *(("X-A", "a"),) * 20 * KB),
        431,
        "LIMIT_EXCEEDED",
        "65536",
    ),
    "a header with a NUL": not_http(post(TYPENAME, ("X-A", "a\x00b"))),
    "a header's name with a space": not_http(post(TYPENAME, ("X A", "a"))),
    "an address of odd letters": not_http(request("GET", "/gr\xe4phql", BEARER)),
    "a header over two lines": not_http(post(TYPENAME, ("X-A", "a\r\n b"))),
    "a line that ends half": not_http(b"GET /graphql HTTP/1.1\nHost: localhost\n\n"),
    "no path": not_http(request("GET", "http://localhost", BEARER)),
    "a tunnel": (
        request("CONNECT", "localhost:80", BEARER),
        400,
        "BAD_REQUEST",
        "WebSocket",
    ),
    "another HTTP/2": not_http(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": not_http(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64),
    "a line of noise": not_http(b"\xff\xfe\x00\x01\r\n\r\n"),
    "no HTTP": not_http(b"{ __typename }\r\n\r\n"),
    "an upgrade to HTTP/2": (
        post(TYPENAME, ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c")),
        400,
        "BAD_REQUEST",
        "WebSocket",
    ),
    # lengths
    "two lengths": not_http(post(TYPENAME, ("Content-Length", "1"))),
    "a length below nothing": not_http(request("POST", "/graphql", ("Content-Length", "-1"))),
    "a length that is no number": not_http(request("POST", "/graphql", ("Content-Length", "5x"))),
    "a length beyond 64 bits": not_http(request("POST", "/graphql", ("Content-Length", "9" * 30))),
    "a list of lengths": not_http(request("POST", "/graphql", ("Content-Length", "27, 27"))),
    "the same length twice": not_http(
        request("POST", "/graphql", ("Content-Length", "1"), ("Content-Length", "1"), body=b"x")
    ),
    "a length and chunks": not_http(post(TYPENAME, ("Transfer-Encoding", "chunked"))),
    "a length that is too short": (
        request(
            "POST", "/graphql", BEARER, JSON, ("Content-Length", "9"), body=TYPENAME, sized=False
        ),
        400,
        "BAD_REQUEST",
        "not JSON",
    ),
    "a chunk of no size": not_http(
        request("POST", "/graphql", BEARER, JSON, ("Transfer-Encoding", "chunked")) + b"x\r\n{}\r\n"
    ),
    # elsewhere
    "a page that isn't there": (
        request("GET", "/nothing", BEARER),
        404,
        "BAD_REQUEST",
        "Not Found",
    ),
    "the whole service": (request("OPTIONS", "*", BEARER), 404, "BAD_REQUEST", "Not Found"),
    "a path upwards": (
        request("GET", "/graphql/../server/settings.py"),
        404,
        "BAD_REQUEST",
        "Not Found",
    ),
    "a method that a page hasn't": (request("POST", "/healthz"), 405, "BAD_REQUEST", "Method"),
}
