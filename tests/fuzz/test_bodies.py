"""HTTP: whatever bytes come, the answer is a GraphQL answer or a clear no, and it comes."""

import json
import socket
from http.client import HTTPResponse

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutation import json_values, mutated_bytes
from tests.fuzz.target import ANSWER_S_MAX, Target, check_answer, check_errors, examples
from tests.harness.keys import ADMIN

BODIES = 150
HEADS = 100

SOUND = (
    {"query": "{ eventCursor }"},
    {
        "query": "query A($id: ID!) { node(id: $id) { id } } query B { programs { pageInfo {"
        " endCursor } } }",
        "operationName": "A",
        "variables": {"id": "wal_1"},
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}},
    },
    {
        "query": "mutation($input: CreditPointsInput!) { creditPoints(input: $input) { replayed"
        " errors { __typename } } }",
        "variables": {
            "input": {
                "wallet": {"owner": {"identity": "ann", "program": "Beans"}},
                "points": 12.5,
                "idempotencyKey": "fuzzed",
                "metadata": {"basket": ["scarf", None, 1e3]},
            }
        },
    },
)
"""Requests that are answered, to be spoilt."""

TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "application/json;charset",
    "APPLICATION/JSON",
    "application/graphql-response+json",
    "application/jsonx",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "",
)
NAMES = (
    "Accept",
    "Accept-Encoding",
    "Access-Control-Request-Method",
    "Authorization",
    "Connection",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Expect",
    "Forwarded",
    "Host",
    "If-None-Match",
    "Origin",
    "Range",
    "Sec-Fetch-Site",
    "Upgrade",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-HTTP-Method-Override",
    "X-Request-Id",
)
VALUES = (
    "*/*",
    "application/graphql-response+json",
    "application/json;q=nan, */*;q=1e9",
    "text/html",
    "gzip",
    "Bearer",
    f"Bearer {ADMIN}",
    "Basic YTpi",
    "close",
    "websocket",
    "100-continue",
    "null",
    "https://evil.example",
    "127.0.0.1, 127.0.0.1",
    "\tx\t",
)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY")
BODY = json.dumps(SOUND[0]).encode()
NOT_JSON = {(400, "text/plain"), (200, "text/html"), (101, "")}
"""uvicorn's word for what is no HTTP, the page, and a socket."""

PATHS = ("/graphql", "/graphql?query=%7BeventCursor%7D", "/graphql?variables=[", "/graphql?%ff")


HEADERS = st.tuples(
    st.sampled_from(NAMES) | st.from_regex(r"\A[!-9;-~]{1,20}\Z"),
    st.sampled_from(VALUES) | st.text(st.characters(codec="latin-1"), max_size=40),
)


def test_any_body_is_answered_as_a_request(target: Target) -> None:
    @examples(BODIES)
    @given(
        st.one_of(
            mutated_bytes(SOUND),
            json_values().map(json.dumps).map(str.encode),
            st.binary(max_size=500),
        )
    )
    def sends(body: bytes) -> None:
        check_answer(target.post(body))

    sends()


def test_any_head_is_answered(target: Target) -> None:
    @examples(HEADS)
    @given(
        st.sampled_from(METHODS),
        st.sampled_from(PATHS),
        st.sampled_from(TYPES),
        st.lists(HEADERS, max_size=6),
    )
    def sends(method: str, path: str, content_type: str, headers: list[tuple[str, str]]) -> None:
        check_raw(
            *send(
                target.process.port,
                method,
                path,
                [
                    ("Host", "127.0.0.1"),
                    ("Content-Type", content_type),
                    ("Authorization", f"Bearer {ADMIN}"),
                    *headers,
                ],
                BODY,
            )
        )

    sends()


def send(
    port: int, method: str, path: str, headers: list[tuple[str, str]], body: bytes
) -> tuple[int, str, bytes]:
    """Send a request by hand, however unlawful its headers; give status, type and body."""
    lines = [f"{method} {path} HTTP/1.1", *[f"{name}: {value}" for name, value in headers]]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port), ANSWER_S_MAX) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1") + body)
        with HTTPResponse(connection, method=method) as response:
            response.begin()
            return response.status, response.getheader("content-type", ""), response.read()


def check_raw(status: int, content_type: str, body: bytes) -> None:
    """Assert that this is an answer of the service, or uvicorn's to what is no HTTP."""
    assert status < 500, (status, body)
    if "json" in content_type:
        answer = json.loads(body)
        assert "data" in answer or answer["errors"], answer
        check_errors(answer.get("errors", []))
    else:
        assert (status, content_type.partition(";")[0]) in NOT_JSON, (status, content_type, body)
