"""Answers: a head by the short way has, byte by byte, what uvicorn's own has."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from graph.limits import Limits
from server.connections import Config
from tests.server.wire import Wire, compare_apps, said_by

TYPE = (b"content-type", b"application/json")
LENGTH = (b"content-length", b"5")
GET = b"GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"

Headers = list[tuple[bytes, bytes]]


def app_that_sends(*answers: tuple[int, Headers, bytes]) -> ASGIApp:
    """Answer each request in turn."""
    left = list(answers)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        status, headers, body = left.pop(0)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def compare(answers: Sequence[tuple[int, Headers, bytes]], *requests: bytes) -> bytes:
    """What ours says, which must be what uvicorn says."""
    return await compare_apps(app_that_sends(*answers), app_that_sends(*answers), *requests)


async def test_a_usual_answer() -> None:
    assert await compare([(200, [TYPE, LENGTH], b"hello")], GET) == (
        b"HTTP/1.1 200 OK\r\n"
        b"date: Sat, 28 Nov 2026 12:00:00 GMT\r\n"
        b"content-type: application/json\r\n"
        b"content-length: 5\r\n"
        b"\r\n"
        b"hello"
    )


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, [LENGTH], b"hello"),
        (200, [], b"hello"),
        (200, [TYPE], b""),
        (204, [], b""),
        (200, [(b"transfer-encoding", b"chunked")], b"hello"),
        (200, [LENGTH, (b"connection", b"close")], b"hello"),
        (200, [LENGTH, (b"X-Shout", b"yes")], b"hello"),
        (200, [LENGTH, (b"vary", b"accept"), (b"vary", b"origin")], b"hello"),
    ],
)
async def test_another(status: int, headers: Headers, body: bytes) -> None:
    assert await compare([(status, headers, body)], GET)


@pytest.mark.parametrize(
    "request_",
    [
        GET.replace(b"GET", b"HEAD"),
        GET.replace(b"1.1", b"1.0"),
        GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    ],
)
async def test_to_another_request(request_: bytes) -> None:
    assert await compare([(200, [TYPE, LENGTH], b"hello")], request_)


async def test_a_second_head_is_not_sent() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        for _ in range(2):
            await send({"type": "http.response.start", "status": 200, "headers": [LENGTH]})

    plain = uvicorn.Config(cast("Any", app), http="httptools", log_config=None)
    said = await said_by(Config(app, Limits()), GET)
    assert said == await said_by(plain, GET)
    assert said[0].count(b"HTTP/1.1") == 1


async def test_one_after_another_on_a_connection() -> None:
    answers: list[tuple[int, Headers, bytes]] = [
        (200, [LENGTH], b"hello"),
        (200, [TYPE], b"ok"),
        (500, [LENGTH], b"alas!"),
    ]
    said = await compare(answers, GET, GET, GET)
    assert said.count(b"HTTP/1.1") == 3


@pytest.mark.parametrize(
    "header", [(b"x-id", b"a\r\nset-cookie: b"), (b"x-id\r\n", b"a"), (b"x id", b"a")]
)
async def test_a_header_that_would_be_two_is_not_sent(header: tuple[bytes, bytes]) -> None:
    said = await compare([(200, [LENGTH, header], b"hello")], GET)
    assert b"set-cookie" not in said


@pytest.mark.parametrize("body", [b"hell", b"hello!"])
async def test_a_body_of_another_length_is_not_taken_for_the_answer(body: bytes) -> None:
    said, is_closed = await said_by(Config(app_that_sends((200, [LENGTH], body)), Limits()), GET)
    assert is_closed
    assert b"hello!" not in said


@pytest.mark.parametrize("parts", [(b"hel", b"lo"), (b"hello", b"")])
async def test_a_body_in_parts(parts: tuple[bytes, bytes]) -> None:
    first, last = parts

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH]})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        await send({"type": "http.response.body", "body": last})

    assert (await compare_apps(app, app, GET, GET)).count(b"\r\n\r\nhello") == 2


async def test_one_that_fails_after_its_head_ends_the_connection() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH]})
        raise LookupError

    said, is_closed = await said_by(Config(app, Limits()), GET, GET)

    assert is_closed
    assert b"\r\n\r\n" not in said.removesuffix(b"\r\n\r\n")  # a head at most, and no body


# ── what is received ─────────────────────────────────────────────────────────────────────────────

POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell what was received, message by message."""
    del scope
    told: list[tuple[object, object]] = []
    while not told or told[-1][1]:
        message = await receive()
        told.append((message.get("body"), message.get("more_body")))
    body = repr(told).encode()
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    "requests",
    [
        (GET,),
        (POST + b"points",),
        (POST + b"points", POST + b"events"),
        (POST + b"points" + POST + b"events",),
        (POST + b"points" + GET, GET),
    ],
)
async def test_what_came_whole_is_received_as_it_came(requests: tuple[bytes, ...]) -> None:
    said = await compare_apps(echo, echo, *requests)

    assert said.count(b"HTTP/1.1 200") == b"".join(requests).count(b"/graphql")
    assert said.count(b"[(b'points', False)]") == b"".join(requests).count(b"points")


async def test_what_was_received_is_not_received_again() -> None:
    """Who asks once more waits until the caller has gone."""
    told: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        told.append((await receive())["body"])
        again = asyncio.ensure_future(receive())
        for _ in range(5):
            await asyncio.sleep(0)
        told.append(again.done())
        await send({"type": "http.response.start", "status": 200, "headers": [LENGTH]})
        await send({"type": "http.response.body", "body": b"hello"})
        told.append((await again)["type"])

    await compare_apps(app, app, POST + b"points")

    assert told == [b"points", False, "http.disconnect"] * 2


async def test_a_body_that_comes_later_is_waited_for() -> None:
    """It is received as it comes: nothing is told before the last of it."""
    config = Config(echo, Limits())
    config.load()
    state = ServerState()
    state.default_headers = []
    open_protocol: Any = config.http_protocol_class
    protocol = open_protocol(config=config, server_state=state, app_state={})
    wire = Wire()
    protocol.connection_made(wire)
    for part in (POST + b"poi", b"n"):
        protocol.data_received(part)
        for _ in range(5):
            await asyncio.sleep(0)
        assert wire.sent == b""
    protocol.data_received(b"ts")
    await asyncio.gather(*state.tasks)

    assert wire.sent.endswith(b"[(b'poi', True), (b'n', True), (b'ts', False)]")
    protocol.connection_lost(None)
