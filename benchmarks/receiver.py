"""A shop that hears of webhooks: a process that answers 200 to each, and counts them.

`python -m benchmarks.receiver` tells its port on its first line. It ends when its input does, and
tells then how many requests it has answered.
"""

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"
ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
END_SECONDS_MAX: Final = 10


@dataclass
class Shop:
    """The receiver, and once it has ended how many requests it has answered."""

    port: int
    answered: int = 0


class Counter(asyncio.Protocol):
    """One connection. Counts on behalf of all."""

    answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing received."""
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request of which everything is there."""
        self._received += data
        while (end := whole_request(self._received)) is not None:
            self._received = self._received[end:]
            Counter.answered += 1
            self._transport.write(ANSWER)


def whole_request(received: bytes) -> int | None:
    """Return where the first request ends, if all of it is there."""
    head, found, _ = received.partition(END_OF_HEAD)
    if not found:
        return None
    lines = head.lower().split(b"\r\n")
    length = next(int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH))
    end = len(head) + len(END_OF_HEAD) + length
    return end if len(received) >= end else None


async def receive() -> None:
    """Answer until the input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Counter, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    print(Counter.answered, flush=True)


@contextmanager
def receiving() -> Generator[Shop]:
    """Run a receiver until the block ends."""
    command = [sys.executable, "-m", "benchmarks.receiver"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout, "its output is read"
    shop = Shop(int(process.stdout.readline()))
    try:
        yield shop
    finally:
        told, _ = process.communicate(timeout=END_SECONDS_MAX)
        shop.answered = int(told)


if __name__ == "__main__":
    asyncio.run(receive())
