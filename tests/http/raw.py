"""Requests as they are written on the wire, however odd, and what comes back."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.harness.keys import ADMIN
from tests.harness.patience import patience

REPLY_S_MAX = 60  # a bound for a test that went wrong, never a measure
HEAD_BYTES_MAX = 1_000_000

BEARER = ("Authorization", f"Bearer {ADMIN}")
JSON = ("Content-Type", "application/json")
TYPENAME = b'{"query": "{ __typename }"}'

Header = tuple[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer; headers of one name are joined, as a client joins them."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The one error of a refusal, which has the shape of GraphQL's, and no data."""
        assert list(self.json) == ["errors"], self.body
        (error,) = self.json["errors"]
        assert error["message"], self.body
        return error

    @property
    def code(self) -> str:
        return self.error["extensions"]["code"]


def request(
    method: str,
    target: str,
    *headers: Header,
    body: bytes = b"",
    host: str | None = "localhost",
    sized: bool = True,
) -> bytes:
    """Write a request; headers come as they are given, in their order."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}"] if body and sized else []
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


def post(body: bytes = TYPENAME, *headers: Header, host: str | None = "localhost") -> bytes:
    """Write a POST that is let in; its headers stand beside the key and the type."""
    return request("POST", "/graphql", BEARER, JSON, *headers, body=body, host=host)


def get(query_string: str, *headers: Header) -> bytes:
    return request("GET", f"/graphql?{query_string}", BEARER, *headers)


def chunked(*chunks: bytes) -> bytes:
    """Write a body whose length isn't said beforehand."""
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


class Wire:
    """A connection of one's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, url: str) -> "Wire":
        parts = urlsplit(url)
        assert parts.hostname
        return cls(*await asyncio.open_connection(parts.hostname, parts.port, limit=HEAD_BYTES_MAX))

    async def send(self, *raw: bytes) -> None:
        for each in raw:
            self.writer.write(each)
            await self.writer.drain()

    async def read_head(self) -> tuple[int, dict[str, str]]:
        async with patience(REPLY_S_MAX):
            head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        headers: dict[str, str] = {}
        for name, value in (line.split(": ", 1) for line in lines):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return int(first.split(" ")[1]), headers

    async def read(self, *, has_body: bool = True) -> Reply:
        status, headers = await self.read_head()
        size = int(headers.get("content-length", 0)) if has_body else 0
        async with patience(REPLY_S_MAX):
            return Reply(status, headers, await self.reader.readexactly(size))

    async def is_over(self) -> bool:
        """Wait for the other side to hang up; say whether it had nothing more to tell."""
        async with patience(REPLY_S_MAX):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionResetError, BrokenPipeError):
            await self.writer.wait_closed()


async def exchange(url: str, *raw: bytes, has_body: bool = True) -> Reply:
    """Send a request as it is over a connection of its own, and read one answer."""
    wire = await Wire.to(url)
    try:
        await wire.send(*raw)
        return await wire.read(has_body=has_body)
    finally:
        await wire.close()


async def assert_answers(url: str) -> None:
    """Assert that the service goes on as ever."""
    reply = await exchange(url, post())

    assert (reply.status, reply.json) == (200, {"data": {"__typename": "Query"}})
