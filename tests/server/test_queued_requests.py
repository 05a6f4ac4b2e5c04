"""Requests that are sent before the one ahead of them is answered: some wait, no more."""

import asyncio
import re

from server.heads import QUEUED_MAX
from tests.harness.clock import VirtualClock
from tests.harness.patience import patience
from tests.harness.servers import running

ANSWER_S_MAX = 60  # a bound for a test that went wrong, never a measure
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
SOCKET = b"""GET /graphql HTTP/1.1\r
Host: localhost\r
Upgrade: websocket\r
Connection: Upgrade\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Protocol: graphql-transport-ws\r
\r
"""


async def answers(url: str, requests: bytes) -> list[int]:
    """Send it all at once; give the statuses of the answers until the service hangs up."""
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with patience(ANSWER_S_MAX):
        writer.write(requests)
        answered = await reader.read()
    writer.close()
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answered)]


async def test_a_few_requests_at_once_are_all_answered(
    sqlite_url: str, clock: VirtualClock
) -> None:
    few = (REQUEST + b"\r\n") * QUEUED_MAX + REQUEST + b"Connection: close\r\n\r\n"
    async with running(sqlite_url, clock) as service:
        assert await answers(service.url, few) == [200] * (QUEUED_MAX + 1)


async def test_of_ever_so_many_the_first_are_answered_and_the_connection_ends(
    sqlite_url: str, clock: VirtualClock
) -> None:
    many = (REQUEST + b"\r\n") * 1_000
    async with running(sqlite_url, clock) as service:
        assert await answers(service.url, many) == [200] * (QUEUED_MAX + 1)


async def test_a_connection_does_not_become_a_socket_while_an_answer_is_to_come(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock) as service:
        assert await answers(service.url, REQUEST + b"\r\n" + SOCKET) == [200]
