"""Answers over HTTP: their media type is the caller's choice, and their status tells their fate."""

import json
from urllib.parse import urlencode

import httpx
import pytest

from tests.harness.servers import Service
from tests.http.raw import BEARER, TYPENAME, Header, Reply, exchange, get, post, request

TELLING = "application/graphql-response+json; charset=utf-8"
PLAIN = "application/json; charset=utf-8"

REQUEST_ERRORS = {
    "no document": "{",
    "no such field": "{ nothing }",
    "no variable": "query Q($id: ID!) { node(id: $id) { id } }",
    "no such operation": "query A { __typename } query B { __typename }",
}


async def ask(service: Service, query: str, *headers: Header) -> Reply:
    return await exchange(service.url, post(json.dumps({"query": query}).encode(), *headers))


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/graphql-response+json", TELLING),
        ("application/json", PLAIN),
        ("*/*", PLAIN),
        ("", PLAIN),
        ("application/*", PLAIN),
        ("APPLICATION/GraphQL-Response+JSON", TELLING),
        ("application/graphql-response+json; charset=utf-8", TELLING),
        # Apollo, urql and Relay; axios; a browser's fetch
        ("application/graphql-response+json, application/json", TELLING),
        ("application/json, application/graphql-response+json", TELLING),
        ("application/graphql-response+json, application/json; q=0.9, */*;q=0.1", TELLING),
        ("application/json, text/plain, */*", PLAIN),
        ("text/html, application/xhtml+xml, */*;q=0.8", PLAIN),
        # weights
        ("application/graphql-response+json;q=0.5, application/json", PLAIN),
        ("application/graphql-response+json;q=0.5, application/json;q=0.4", TELLING),
        ("application/json;q=0, */*", TELLING),
        ("application/graphql-response+json;q=0, */*", PLAIN),
        ("text/event-stream, application/json;q=0.001", PLAIN),
        ("application/json;q=high", PLAIN),
        (",,application/json,,", PLAIN),
    ],
)
async def test_the_caller_chooses_the_media_type(
    service: Service, accept: str, media_type: str
) -> None:
    reply = await ask(service, "{ __typename }", ("Accept", accept))

    assert (reply.status, reply.headers["content-type"]) == (200, media_type)
    assert reply.json == {"data": {"__typename": "Query"}}


async def test_several_accept_headers_are_one(service: Service) -> None:
    accepts = (("Accept", "text/html"), ("Accept", "application/graphql-response+json"))

    reply = await ask(service, "{ __typename }", *accepts)

    assert reply.headers["content-type"] == TELLING


@pytest.mark.parametrize("kind", REQUEST_ERRORS)
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/graphql-response+json", 400),
        ("application/json", 200),  # the letter of the specification, for clients that are old
        ("*/*", 400),
    ],
)
async def test_an_operation_that_was_never_begun_has_no_data(
    service: Service, kind: str, accept: str, status: int
) -> None:
    reply = await ask(service, REQUEST_ERRORS[kind], ("Accept", accept))

    assert reply.status == status
    assert reply.code == "BAD_REQUEST"


@pytest.mark.parametrize("accept", ["application/graphql-response+json", "application/json", "*/*"])
async def test_an_operation_that_failed_in_part_has_been_executed(
    service: Service, accept: str
) -> None:
    query = '{ ok: __typename bad: wallets(first: 1, after: "nonsense") { edges { cursor } } }'

    reply = await ask(service, query, ("Accept", accept))

    assert reply.status == 200
    assert list(reply.json) == ["data", "errors"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json ; odd=yes",
        "application/json;",
        'application/json; profile="a;b"',
    ],
)
async def test_json_is_json_however_it_is_written(service: Service, content_type: str) -> None:
    raw = request("POST", "/graphql", BEARER, ("Content-Type", content_type), body=TYPENAME)

    assert (await exchange(service.url, raw)).json == {"data": {"__typename": "Query"}}


async def test_a_get_has_variables_a_name_and_extensions(service: Service) -> None:
    parts = {
        "query": "query A { __typename } query Type($n: String!) { __type(name: $n) { name } }",
        "variables": '{"n": "Wallet"}',
        "operationName": "Type",
        "extensions": '{"some": "value"}',
        "unknown": "is let be",
    }

    reply = await exchange(service.url, get(urlencode(parts)))

    assert (reply.status, reply.json) == (200, {"data": {"__type": {"name": "Wallet"}}})


async def test_parts_of_a_get_that_are_blank_are_none(service: Service) -> None:
    parts = {"query": "{ __typename }", "variables": "", "operationName": "", "extensions": ""}

    assert (await exchange(service.url, get(urlencode(parts)))).status == 200


async def test_a_get_with_a_body_is_a_get(service: Service) -> None:
    query = urlencode({"query": "{ __typename }"})
    raw = request("GET", f"/graphql?{query}", BEARER, body=b'{"query": "{ nothing }"}')

    reply = await exchange(service.url, raw)

    assert (reply.status, reply.json) == (200, {"data": {"__typename": "Query"}})


async def test_of_two_keys_alike_the_last_counts(service: Service) -> None:
    body = b'{"query": "{ nothing }", "query": "{ __typename }"}'

    assert (await exchange(service.url, post(body))).json == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("number", [2**63 - 1, 2**64 - 1, -(2**63)])
async def test_whole_numbers_of_64_bits_are_kept_to_the_last_digit(
    service: Service, number: int
) -> None:
    await service.client.credit("ann", 5, metadata={"number": number, "text": "9" * 40})

    query = "{ transactions(first: 1) { edges { node { metadata } } } }"
    shown = (await ask(service, query)).json["data"]["transactions"]["edges"][0]["node"]
    assert shown["metadata"] == {"number": number, "text": "9" * 40}


@pytest.mark.parametrize(
    ("method", "allow"), [("PUT", "GET, POST"), ("HEAD", "GET, POST"), ("OPTIONS", "GET, POST")]
)
async def test_another_method_is_told_which_there_are(
    service: Service, method: str, allow: str
) -> None:
    reply = await exchange(service.url, request(method, "/graphql", BEARER), has_body=False)

    assert (reply.status, reply.headers["allow"]) == (405, allow)


async def test_a_mutation_by_get_is_told_to_go_by_post_and_nothing_is_done(
    service: Service,
) -> None:
    mutation = 'mutation { upsertMember(input: {identity: "ann"}) { member { id } } }'

    reply = await exchange(service.url, get(urlencode({"query": mutation})))

    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert await service.client.member("ann") is None


async def test_no_answer_sets_a_cookie(service: Service) -> None:
    for path in ("/", "/healthz", "/graphql?query=%7B__typename%7D", "/nothing"):
        reply = await exchange(service.url, request("GET", path, BEARER))
        assert "set-cookie" not in reply.headers


async def test_a_client_that_keeps_its_connection_is_answered_again_and_again(
    service: Service,
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(3):
            answer = await http.post(
                f"{service.url}/graphql",
                content=TYPENAME,
                headers=dict([BEARER, ("Content-Type", "application/json")]),
            )
            assert answer.json() == {"data": {"__typename": "Query"}}
