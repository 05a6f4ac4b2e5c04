"""A receiver of webhooks on a port of its own: a real HTTP server that answers as it is told.

async with receiver(secret=secret) as shop:
    shop.say(Answer(500), Answer(200))
    ... what is sent to shop.url ...
    assert shop.received[0].payload(secret)["data"]["body"] == "Hello"
"""

import asyncio
import hmac
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from standardwebhooks import Webhook

from tests.harness.patience import patience

HEAD_MAX: Final = 65_536


@dataclass(frozen=True)
class Answer:
    """How a request is answered. With neither, it is kept waiting or hung up on."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_silent: bool = False
    """Say nothing, until the receiver closes or the sender hangs up."""
    is_dropped: bool = False
    """Hang up without a word."""

    @property
    def wire(self) -> bytes:
        said = {"content-length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} As told", *(f"{k}: {v}" for k, v in said.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


SILENT: Final = Answer(is_silent=True)
DROPPED: Final = Answer(is_dropped=True)


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def payload(self, secret: str) -> Any:
        """What it says, if its signature is good for the instant that it names.

        Webhook.verify would ask the machine's clock; the tests' own may stand in another year.
        """
        at = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        good = Webhook(secret).sign(self.headers["webhook-id"], at, self.body.decode())
        assert hmac.compare_digest(good, self.headers["webhook-signature"]), "a bad signature"
        return self.json


class Receiver:
    """Keeps what it received. It answers what it was told to say, one by one, and then 200."""

    def __init__(self, secret: str | None = None) -> None:
        self.secret = secret
        self.url = ""
        self.received: list[Received] = []
        self.connections = 0
        self.otherwise = Answer()
        self.hung_up = 0
        """How many senders hung up on an answer before they had all of it."""
        self._answers: deque[Answer] = deque()
        self._arrival = asyncio.Condition()
        self._talking: set[asyncio.Task[None]] = set()

    def say(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self._answers.extend(answers)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def payloads(self) -> list[Any]:
        """What every request said. Fails on one whose signature is not the secret's."""
        assert self.secret, "which secret is it?"
        return [each.payload(self.secret) for each in self.received]

    async def arrived(self, count: int = 1) -> None:
        """Wait until so many requests have come in all."""
        async with patience(), self._arrival:
            await self._arrival.wait_for(lambda: len(self.received) >= count)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._talking.add(task)
        self.connections += 1
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the receiver closes: a streams' task that ends as cancelled is logged
        finally:
            writer.transport.abort()
            self._talking.discard(task)

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read(reader)
        async with self._arrival:
            self.received.append(request)
            self._arrival.notify_all()
        answer = self._answers.popleft() if self._answers else self.otherwise
        if answer.is_dropped:
            return False
        if answer.is_silent:
            await reader.read(1)  # the sender has nothing more to say: it hangs up
            return False
        writer.write(answer.wire)
        try:
            await writer.drain()
        except ConnectionError:
            self.hung_up += 1
            raise
        return True

    async def close(self) -> None:
        talking = list(self._talking)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking)


@asynccontextmanager
async def receiver(
    *, secret: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Run a receiver until the block ends."""
    shop = Receiver(secret)
    server = await asyncio.start_server(shop.talk, "127.0.0.1", 0, limit=HEAD_MAX, ssl=tls)
    scheme = "https" if tls else "http"
    shop.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield shop
    finally:
        server.close()
        await shop.close()
        with suppress(ConnectionError):
            await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)
