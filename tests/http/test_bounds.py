"""Bounds of a request: how large its body may be, and how long it may take."""

from contextlib import AbstractAsyncContextManager, suppress

import pytest

from graph import requests
from server import connections
from tests.harness.clock import VirtualClock
from tests.harness.logs import logged
from tests.harness.patience import poll
from tests.harness.servers import Service, running
from tests.http.raw import (
    BEARER,
    JSON,
    TYPENAME,
    Wire,
    assert_answers,
    chunked,
    exchange,
    post,
    request,
)

BODY_BYTES = 1_000
LEFT_S_MAX = 30  # a bound for a test that went wrong, never a measure
CHUNKED = ("Transfer-Encoding", "chunked")
EXPECTING = ("Expect", "100-continue")


Small = AbstractAsyncContextManager[Service]


@pytest.fixture
def small(sqlite_url: str, clock: VirtualClock) -> Small:
    """A service that is yet to be started, and takes small bodies only."""
    return running(sqlite_url, clock, limit_body_bytes=BODY_BYTES)


def padded(size: int) -> bytes:
    return TYPENAME + b" " * (size - len(TYPENAME))


TOO_LARGE = {
    "code": "LIMIT_EXCEEDED",
    "limit": "body_bytes",
    "value": BODY_BYTES,
}


async def test_a_body_as_large_as_may_be_is_read(small: Small) -> None:
    async with small as service:
        reply = await exchange(service.url, post(padded(BODY_BYTES)))

    assert reply.json == {"data": {"__typename": "Query"}}


async def test_a_larger_one_is_refused_and_told_the_limit(small: Small) -> None:
    async with small as service:
        reply = await exchange(service.url, post(padded(BODY_BYTES + 1)))
        await assert_answers(service.url)

    assert reply.status == 413
    assert reply.error["extensions"] == TOO_LARGE
    assert "body_bytes" in reply.error["message"]
    assert str(BODY_BYTES) in reply.error["message"]


async def test_it_is_refused_before_any_of_it_has_come(small: Small) -> None:
    async with small as service:
        head = request("POST", "/graphql", BEARER, JSON, ("Content-Length", "1000000000"))
        reply = await exchange(service.url, head)

    assert reply.status == 413


async def test_one_of_unsaid_length_is_refused_as_soon_as_it_is_too_large(small: Small) -> None:
    async with small as service:
        wire = await Wire.to(service.url)
        await wire.send(request("POST", "/graphql", BEARER, JSON, CHUNKED))
        await wire.send(chunked(padded(BODY_BYTES), b" ").removesuffix(b"0\r\n\r\n"))
        reply = await wire.read()  # the body isn't over yet
        await wire.close()

    assert reply.error["extensions"] == TOO_LARGE


async def test_what_comes_of_it_afterwards_is_thrown_away_and_the_connection_lives(
    small: Small,
) -> None:
    async with small as service:
        wire = await Wire.to(service.url)
        await wire.send(post(padded(50 * BODY_BYTES)))
        first = await wire.read()
        await wire.send(post())
        second = await wire.read()
        await wire.close()

    assert (first.status, second.status) == (413, 200)


async def test_but_not_for_ever(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S_MAX", 0.05)
    async with small as service:
        wire = await Wire.to(service.url)
        await wire.send(request("POST", "/graphql", BEARER, JSON, CHUNKED))
        await wire.send(chunked(padded(BODY_BYTES), b" ").removesuffix(b"0\r\n\r\n"))
        assert (await wire.read()).status == 413
        with suppress(ConnectionError):
            await wire.send(b"1\r\n \r\n")  # and it goes on

        assert await wire.is_over()
        await wire.close()


async def test_a_body_in_chunks_is_put_together(service: Service) -> None:
    head = request("POST", "/graphql", BEARER, JSON, CHUNKED)

    reply = await exchange(service.url, head, chunked(*(TYPENAME[n : n + 1] for n in range(27))))

    assert reply.json == {"data": {"__typename": "Query"}}


async def test_whoever_asks_whether_to_send_is_told_to(service: Service) -> None:
    wire = await Wire.to(service.url)
    length = ("Content-Length", str(len(TYPENAME)))

    await wire.send(request("POST", "/graphql", BEARER, JSON, EXPECTING, length))
    asked, _ = await wire.read_head()
    await wire.send(TYPENAME)
    reply = await wire.read()
    await wire.close()

    assert (asked, reply.status) == (100, 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((BEARER, JSON, ("Content-Length", "1000000000")), 413),
        ((BEARER, ("Content-Type", "text/plain"), ("Content-Length", "27")), 415),
        ((JSON, ("Content-Length", "27")), 401),
    ],
)
async def test_whoever_asks_in_vain_is_told_so_and_sends_nothing(
    service: Service, headers: tuple[tuple[str, str], ...], status: int
) -> None:
    wire = await Wire.to(service.url)

    await wire.send(request("POST", "/graphql", EXPECTING, *headers))
    reply = await wire.read()

    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert await wire.is_over()
    await wire.close()


async def test_nobody_is_refused_before_the_body_is_there(service: Service) -> None:
    wire = await Wire.to(service.url)

    await wire.send(request("POST", "/graphql", JSON, ("Content-Length", "1000")))
    reply = await wire.read()
    await wire.close()

    assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")


async def test_a_body_that_takes_too_long_is_given_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "BODY_S_MAX", 0.05)
    wire = await Wire.to(service.url)

    await wire.send(request("POST", "/graphql", BEARER, JSON, ("Content-Length", "27")), b'{"qu')
    reply = await wire.read()

    assert (reply.status, reply.headers["connection"]) == (408, "close")
    assert "0.05 seconds" in reply.error["message"]
    assert await wire.is_over()
    await wire.close()


async def test_a_client_that_leaves_in_the_middle_is_no_news(service: Service) -> None:
    with logged("info") as lines:
        wire = await Wire.to(service.url)
        await wire.send(request("POST", "/graphql", BEARER, JSON, ("Content-Length", "27")))
        await wire.close()
        assert await poll(lambda: no_task(service), LEFT_S_MAX)

    await assert_answers(service.url)
    assert {line["level"] for line in lines.told} <= {"info"}, lines.text


async def no_task(service: Service) -> bool:
    return not service.server.server_state.tasks


async def test_requests_sent_at_once_are_answered_in_order(service: Service) -> None:
    wire = await Wire.to(service.url)
    await wire.send(post() + post(b"[]") + post())

    replies = [await wire.read() for _ in range(3)]
    await wire.close()

    assert [reply.status for reply in replies] == [200, 400, 200]


async def test_noise_behind_a_whole_request_does_not_cost_its_answer(service: Service) -> None:
    wire = await Wire.to(service.url)
    await wire.send(post() + b"\x00noise\r\n\r\n")

    reply = await wire.read()

    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert await wire.is_over()
    await wire.close()


async def test_a_head_without_end_is_cut_off(service: Service) -> None:
    wire = await Wire.to(service.url)
    await wire.send(b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nX-A: ", *[b"a" * 10_000] * 7)

    reply = await wire.read()

    assert (reply.status, reply.code) == (431, "LIMIT_EXCEEDED")
    assert await wire.is_over()
    await wire.close()
