"""A wire that fails when told: a TCP proxy between the service and what it talks to.

    async with proxy_to("127.0.0.1", cluster.port) as wire:
        wire.drop()                                  # what is open is cut off, with a reset
        wire.is_silent = True                        # half open: taken, and never answered
        wire.delay_s = 0.05                          # each piece comes later, in its order
        await wire.close() ... await wire.open()     # nobody takes new connections meanwhile
        wire.cut_at(b"COMMIT;", answered=True)       # said and done, and the answer lost
        wire.silence_at(b"COMMIT;")                  # half open from this word on

A piece is what one read gives: what a client says at once, like asyncpg's COMMIT, is one piece.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import make_url

PIECE_BYTES = 65_536


class _Line:
    """One connection: a client's stream and the server's."""

    def __init__(self, wire: "Wire", client: asyncio.StreamWriter) -> None:
        self.wire = wire
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.is_cut_at_answer = False

    async def run(self, said: asyncio.StreamReader) -> None:
        if self.wire.is_silent:
            while await said.read(PIECE_BYTES):
                pass
            return
        answered, self.server = await asyncio.open_connection(*self.wire.target)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(said, self.server, from_client=True))
            both.create_task(self._carry(answered, self.client, from_client=False))

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, from_client: bool
    ) -> None:
        while piece := await source.read(PIECE_BYTES):
            if self.wire.delay_s:
                await asyncio.sleep(self.wire.delay_s)
            if from_client:
                self.wire.hear(piece)
            if self.wire.is_silent:
                continue  # swallowed: whoever waits for it waits
            if not from_client and self.is_cut_at_answer:
                break
            if from_client and self.wire.cuts(piece):
                if not self.wire.cuts_answers:
                    break
                self.is_cut_at_answer = True
            sink.write(piece)
            await sink.drain()
        if from_client or not self.wire.is_silent:  # else nobody hears that the server hung up
            self.cut()

    def cut(self) -> None:
        for writer in (self.client, self.server):
            if writer:
                writer.transport.abort()


class Wire:
    """All connections from one port to one server, and what becomes of them."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = 0
        self.is_silent = False
        self.delay_s = 0.0
        self.cuts_answers = False
        self.cuts_left = 0
        """How many more lines are cut where `cut_at` says."""

        self._phrase = b""
        self._last_word = b""
        self._lines: set[_Line] = set()
        self._listener: asyncio.Server | None = None

    def url(self, database_url: str) -> str:
        """Return a database's address by way of this wire."""
        return (
            make_url(database_url)
            .set(host="127.0.0.1", port=self.port)
            .render_as_string(hide_password=False)
        )

    async def open(self) -> None:
        """Take connections, on the port of before if there was one."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no more connections, and cut off those that there are."""
        if self._listener:
            self._listener.close()
            self._listener = None
        self.drop()

    def drop(self) -> None:
        """Cut off every connection that there is."""
        for line in list(self._lines):
            line.cut()

    def cut_at(self, phrase: bytes, *, answered: bool, times: int = 1) -> None:
        """Cut a line off when its client says this: before the server hears it, or answers."""
        self._phrase, self.cuts_answers, self.cuts_left = phrase, answered, times

    def silence_at(self, phrase: bytes) -> None:
        """Fall silent as a client says this: the server hears nothing of it."""
        self._last_word = phrase

    def hear(self, piece: bytes) -> None:
        if self._last_word and self._last_word in piece:
            self._last_word, self.is_silent = b"", True

    def cuts(self, piece: bytes) -> bool:
        is_so = self.cuts_left > 0 and self._phrase in piece
        self.cuts_left -= is_so
        return is_so

    async def _serve(self, said: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        line = _Line(self, client)
        self._lines.add(line)
        try:
            with suppress(OSError, ExceptionGroup):
                await line.run(said)
        finally:
            line.cut()
            self._lines.discard(line)


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Wire]:
    """A wire to a server, until the block ends."""
    wire = Wire((host, port))
    await wire.open()
    try:
        yield wire
    finally:
        await wire.close()


@asynccontextmanager
async def proxied(database_url: str) -> AsyncIterator[Wire]:
    """A wire to a database's server, until the block ends."""
    url = make_url(database_url)
    async with proxy_to(str(url.host), url.port or 5432) as wire:
        yield wire
