"""The client's limit: a server that answers every request at once with the same bytes.

`python -m benchmarks.stub PORT`: what the load client reaches with it is what no figure can exceed.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

BODY = json.dumps({"data": {"creditPoints": {"transaction": {"id": "txn_" + 600 * "0"}}}}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
HEAD_END = b"\r\n\r\n"
LENGTH = b"Content-Length: "


class Answering(asyncio.Protocol):
    """One connection, on which a request is under way at any time."""

    def __init__(self) -> None:
        self.received = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer as soon as the request is whole."""
        self.received += data
        head, found, body = self.received.partition(HEAD_END)
        length = head.partition(LENGTH)[2].partition(b"\r\n")[0]
        if found and len(body) >= int(length):
            assert self.transport is not None
            self.received = b""
            self.transport.write(ANSWER)


async def serve(port: int) -> None:
    """Listen until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
