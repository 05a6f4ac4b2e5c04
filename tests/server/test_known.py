"""Known: a head that came before is taken for what it was, and nothing else is."""

from typing import Any
from unittest.mock import ANY

import pytest
from starlette.types import Receive, Scope, Send

from graph.answers import PLAIN, Answer
from graph.head import Head, head_of
from graph.limits import Limits
from server import known
from server.connections import Config
from tests.harness.api_keys import create_key, revoke_key
from tests.harness.servers import Service
from tests.server.raw import raw
from tests.server.wire import compare_apps, said_by

HEAD = b"POST /graphql?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"
POST = HEAD + b"points"
OTHER = HEAD + b"events"
LONGER = HEAD.replace(b": 6", b": 7") + b"wallets"
TWICE = (POST, POST)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell what came: of the scope, whatever an application may look at, and the body."""
    body, more = b"", scope["path"] != "/early"
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    head = head_of(scope).find(b"host")
    told: list[Any] = [body, head, scope["method"], scope["path"], scope["query_string"]]
    told += [scope["raw_path"], scope["headers"], scope["client"], scope["http_version"]]
    await Answer(repr(told).encode(), 200, PLAIN)(scope, receive, send)


async def heads_known_after(*requests: bytes) -> int:
    config = Config(echo, Limits())
    await said_by(config, *requests)
    return len(config.known)


async def test_it_is_known_when_it_came_twice_running() -> None:
    assert await heads_known_after(POST) == 0
    assert await heads_known_after(POST, LONGER, POST) == 0
    assert await heads_known_after(*TWICE) == 1
    assert await heads_known_after(*TWICE, LONGER, LONGER) == 2


@pytest.mark.parametrize(
    "requests",
    [
        (OTHER, POST),
        (LONGER, OTHER),
        (POST + OTHER, POST),
        (POST + b"\r\n", b"\r\n" + OTHER, OTHER),
        (OTHER, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", POST),
        (HEAD.replace(b"/1.1", b"/1.0") + b"events",),
        (POST.replace(b"Host", b"Connection: close\r\nHost"),),
        (LONGER.replace(b": 7", b": 70") + POST[:63], OTHER),
    ],
)
async def test_whatever_follows_is_answered_as_ever(requests: tuple[bytes, ...]) -> None:
    said = await compare_apps(echo, echo, *TWICE, *requests)

    assert said.count(b"HTTP/1.1 200") > len(TWICE)


async def test_in_the_middle_of_a_body_it_is_a_part_of_the_body() -> None:
    """Or whoever sends a body would have others' proxies take it for a request."""
    outer = HEAD.replace(b": 6", b": %d" % (len(POST) + 1)) + b"-"

    said, _ = await said_by(Config(echo, Limits()), *TWICE, outer + POST)
    assert said.count(b"HTTP/1.1 200") == 3

    config = Config(echo, Limits())
    said, _ = await said_by(config, *TWICE, (outer, POST))
    assert said.count(b"HTTP/1.1 200") == 3
    assert len(config.known) == 1


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(POST),
        b"POST /early HTTP/1.1\r\nHost: a\r\nX-Note: ",
        b"POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n",
    ],
)
async def test_nor_is_it_another_request_where_one_is_under_way_that_was_answered(
    begun: bytes,
) -> None:
    """Whoever is refused before their body came could else put another's request there."""
    said, _ = await said_by(Config(echo, Limits()), *TWICE, (begun, POST))

    assert said.count(b"HTTP/1.1 200") == 3


def test_whose_connection_it_is_is_no_part_of_it() -> None:
    scope = {"path": "/graphql", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2)}
    one = known.Known(Head([]), scope, 6)

    assert one.new_scope({}, ("127.0.0.1", 4), ("127.0.0.1", 3)) == {
        "path": "/graphql",
        "client": ("127.0.0.1", 3),
        "server": ("127.0.0.1", 4),
        "state": {"head": ANY},
    }


@pytest.mark.parametrize(
    "request_",
    [
        POST.replace(b"POST", b"PUT"),
        POST.replace(b"/1.1", b"/1.0"),
        POST.replace(b"Host", b"Connection: keep-alive\r\nHost"),
        POST.replace(b"Host", b"Expect: 100-continue\r\nHost"),
        POST.replace(b"Content-Length: 6", b"Transfer-Encoding: chunked").replace(
            b"points", b"6\r\npoints\r\n0\r\n\r\n"
        ),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        POST.replace(b"Host", b"X-Long: " + b"-" * known.BYTES_MAX + b"\r\nHost"),
    ],
)
async def test_what_is_unusual_is_read_each_time(request_: bytes) -> None:
    assert await heads_known_after(request_, request_, request_) == 0


async def test_what_is_refused_is_read_each_time() -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        length = (b"content-length", b"0")
        await send({"type": "http.response.start", "status": 401, "headers": [length]})
        await send({"type": "http.response.body", "body": b""})

    config = Config(refuse, Limits())
    await said_by(config, *TWICE, *TWICE)

    assert len(config.known) == 0


async def test_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "HEADS_MAX", 2)
    others = [POST.replace(b"a=b", b"a=%d" % number) for number in range(4)]

    assert await heads_known_after(*[each for each in others for _ in range(2)]) == 2


async def test_who_may_come_in_is_asked_each_time(service: Service) -> None:
    """A key that was revoked is refused, though the head that shows it is known."""
    key = await create_key(service.client, "till", "wallets:read")
    body = b'{"query": "{ __typename }"}'
    request = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key.shown}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    async with raw(service.url.removesuffix("/graphql")) as connection:
        for _ in range(4):
            await connection.send(request)
            assert "200 OK" in await connection.head()
            assert await connection.read() == b'{"data":{"__typename":"Query"}}'
        await revoke_key(service.client, key.key.id)

        await connection.send(request)
        assert "401 Unauthorized" in await connection.head()
