"""Connections: who floods is slowed down, and who doesn't keep up is let go of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from graph.limits import Limits
from server import connections
from server.connections import FRAMES_A_SECOND_MAX, SLICE_BYTES, Config
from tests.harness.logs import logged
from tests.harness.patience import WAIT_S_MAX, patience, poll
from tests.harness.servers import InLoopServer, Service
from tests.server.raw import CONTINUATION, PING, TEXT, Raw, Torrent, frame, raw

UNREAD_S = 0.3
HEAD_S = 0.1
HIGH_WATER = 65_536  # asyncio's and uvloop's own: past it, whoever writes waits
READ_MAX = 262_144  # what asyncio and uvloop read at once


class Served:
    """An application that is served, and the connections to it."""

    def __init__(self, server: InLoopServer, address: str) -> None:
        self.server = server
        self.address = address

    @property
    def connections(self) -> list[Any]:
        return list(self.server.server_state.connections)

    async def has_let_go(self) -> bool:
        """Whether, within the bound, nobody is connected any more."""
        return await poll(self._is_empty)

    async def _is_empty(self) -> bool:
        return not self.connections


@asynccontextmanager
async def served(
    app: ASGIApp, *, unread_seconds: float = UNREAD_S, message_bytes: int = 65_536
) -> AsyncIterator[Served]:
    limits = Limits(unread_seconds=unread_seconds, message_bytes=message_bytes)
    server = InLoopServer(Config(app, limits, port=0))
    address = await server.open()
    try:
        yield Served(server, address)
    finally:
        await server.close()


class Listener:
    """Takes what it is sent, and keeps the texts."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.may_listen = asyncio.Event()
        self.may_listen.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._live if scope["type"] == "lifespan" else self._listen)(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        for message in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{message}.complete"})

    async def _listen(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            await self.may_listen.wait()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            self.heard.append(message["text"])


# ── who doesn't keep up ─────────────────────────────────────────────────────────────────────────


async def answer_over_http(client: Raw) -> None:
    await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


async def open_a_socket(client: Raw) -> None:
    await client.upgrade()


@pytest.mark.parametrize("ask", [answer_over_http, open_a_socket])
async def test_a_client_that_does_not_read_is_let_go_of(
    ask: Callable[[Raw], Awaitable[None]],
) -> None:
    torrent = Torrent()
    async with served(torrent) as service, raw(service.address) as deaf:
        await ask(deaf)
        async with patience():
            await torrent.begun.wait()

        assert await service.has_let_go()
        async with patience():
            await torrent.ended.wait()


async def test_so_is_one_that_was_told_goodbye_and_reads_that_no_more() -> None:
    torrent = Torrent()
    async with (
        served(torrent, message_bytes=100) as service,
        raw(service.address) as deaf,
    ):
        await open_a_socket(deaf)
        async with patience():
            await torrent.begun.wait()
        [connection] = service.connections

        async def is_full() -> bool:
            return connection.transport.get_write_buffer_size() > HIGH_WATER

        assert await poll(is_full)
        await deaf.send(frame(TEXT, b"x" * 101))

        assert await service.has_let_go()


async def test_so_is_one_that_never_ends_its_message() -> None:
    async with served(Listener()) as service, raw(service.address) as client:
        await client.upgrade()
        await client.head()
        await client.send(frame(TEXT, b"x" * 1_000)[:100])

        assert await service.has_let_go()


@pytest.mark.parametrize("said", ["", "GET", "GET / HTTP/1.1\r\nHost: localh", "\r\n"])
async def test_so_is_one_whose_request_never_comes(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S_MAX", HEAD_S)
    async with served(Listener()) as service, raw(service.address) as client:
        await client.send(said)

        assert await client.read() == b""
        assert await service.has_let_go()


async def test_so_is_one_that_goes_on_and_never_gets_anywhere(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S_MAX", HEAD_S)
    async with raw(service.url) as client:
        await client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await client.head()

        async def trickle() -> None:
            while True:
                await client.send("\r\n")
                await asyncio.sleep(HEAD_S / 10)

        trickling = asyncio.create_task(trickle())
        async with patience():
            [_] = await asyncio.gather(trickling, return_exceptions=True)
        assert isinstance(trickling.exception(), OSError)


async def test_who_answers_pings_stays() -> None:
    listener = Listener()
    async with served(listener) as service, raw(service.address) as client:
        await client.upgrade()
        await client.head()
        for _ in range(3):
            ping = await client.read(6)
            assert ping[:2] == bytes([0x80 | PING, 4])
            await client.send(frame(0xA, ping[2:]))
        await client.send(frame(TEXT, b"still here"))

        async def is_heard() -> bool:
            return listener.heard == ["still here"]

        assert await poll(is_heard)


# ── who floods ──────────────────────────────────────────────────────────────────────────────────


async def test_a_flood_is_read_at_a_bounded_pace() -> None:
    count = FRAMES_A_SECOND_MAX * 2
    loop = asyncio.get_running_loop()
    async with (
        served(Listener(), unread_seconds=WAIT_S_MAX) as service,
        raw(service.address) as client,
    ):
        await client.upgrade()
        await client.head()
        began = loop.time()
        flooding = asyncio.create_task(client.send(frame(PING) * count))
        missing = 2 * count  # bytes of their pongs
        while missing:
            missing -= len(await client.read(missing))
        await flooding

        # Half of them may come at once, and as many as a slice holds (6 bytes each) on trust.
        beyond = FRAMES_A_SECOND_MAX - SLICE_BYTES // 6
        assert loop.time() - began >= beyond / FRAMES_A_SECOND_MAX


async def test_between_the_slices_of_a_flood_others_have_their_turns() -> None:
    async with served(Listener()) as service, raw(service.address) as client:
        await client.upgrade()
        await client.head()
        [connection] = service.connections
        flood = frame(PING) * (READ_MAX // 6)

        connection.data_received(flood)

        assert len(connection.unread) == len(flood) - SLICE_BYTES
        assert not connection.transport.is_reading()
        connection.transport.abort()


async def test_what_a_flood_of_messages_says_waits_with_its_sender() -> None:
    listener = Listener()
    listener.may_listen.clear()
    async with served(listener) as service, raw(service.address) as client:
        await client.upgrade()
        await client.head()
        flood = asyncio.create_task(client.send(frame(TEXT, b"x" * 100) * 100_000))

        async def is_paused() -> bool:
            return any(not each.transport.is_reading() for each in service.connections)

        assert await poll(is_paused)
        [connection] = service.connections
        assert connection.queue.qsize() <= SLICE_BYTES // 106 + 1
        assert len(connection.unread) <= READ_MAX
        assert not flood.done()
        flood.cancel()
        listener.may_listen.set()


async def test_who_pings_and_does_not_read_fills_no_buffer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "FRAMES_A_SECOND_MAX", 1_000_000_000)
    listener = Listener()
    async with (
        served(listener, unread_seconds=WAIT_S_MAX * 3) as service,
        raw(service.address) as client,
    ):
        await client.upgrade()
        await client.head()
        [connection] = service.connections
        # As many pongs are more than the kernel takes for a client that reads none.
        await client.send(frame(PING, b"x" * 125) * 65_536 + frame(TEXT, b"done"))

        async def is_heard() -> bool:
            return listener.heard == ["done"]

        assert await poll(is_heard)
        size = connection.transport.get_write_buffer_size()
        assert HIGH_WATER < size <= HIGH_WATER + SLICE_BYTES
        connection.transport.abort()


async def test_parts_of_a_message_that_hold_nothing_are_not_kept() -> None:
    listener = Listener()
    async with served(listener) as service, raw(service.address) as client:
        await client.upgrade()
        await client.head()
        [connection] = service.connections
        await client.send(frame(TEXT, b"a", is_last=False))
        await client.send(frame(CONTINUATION, is_last=False) * 1_000)
        await client.send(frame(CONTINUATION, b"b", is_last=False))

        async def is_there() -> bool:
            return len(connection.frames) == 2

        assert await poll(is_there)
        await client.send(frame(CONTINUATION))

        async def is_heard() -> bool:
            return listener.heard == ["ab"]

        assert await poll(is_heard)


# ── handshakes that are none ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "more",
    [
        "Sec-WebSocket-Key: again\r\n",
        "Sec-WebSocket-Version: 12\r\n",
        "Sec-WebSocket-Extensions: ;;;\r\n",
        "X-Long: " + "x" * 9_000 + "\r\n",
        "".join(f"X-{number}: 1\r\n" for number in range(200)),
        "X-Latin: \xe9\r\n",
    ],
)
async def test_a_handshake_that_is_none_is_refused_without_news(
    service: Service, more: str
) -> None:
    with logged() as log:
        async with raw(service.url) as client:
            await client.upgrade(more)
            status = (await client.head()).split()[1]

    assert status in {"101", "400", "426", "431"}
    assert [line for line in log.told if line["level"] != "info"] == []


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url
