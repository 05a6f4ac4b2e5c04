"""Connections: whatever bytes come over one, it answers or hangs up, and nothing else suffers."""

import re
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutation import spoilt
from tests.fuzz.target import ANSWER_S_MAX, Target, examples
from tests.http.raw import BEARER, JSON, TYPENAME, chunked, get, post, request

STREAMS = 150
CUT_MAX = 400
CUT_STEP = 9

CHUNKS = chunked(TYPENAME[:7], TYPENAME[7:]).removesuffix(b"\r\n") + b"X-Request-Id: a\r\n\r\n"
FRAMES = b"\x81\x82\0\0\0\0{}" + b"\x01\x81\0\0\0\0{" + b"\x80\x81\0\0\0\0}" + b"\x89\x80\0\0\0\0"
UPGRADE = request(
    "GET",
    "/graphql",
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
)
STREAM = (
    post(),
    post(TYPENAME, ("Expect", "100-continue")),
    request(
        "POST", "/graphql", BEARER, JSON, ("Transfer-Encoding", "chunked"), body=CHUNKS, sized=False
    ),
    2 * get("query={eventCursor}") + post(),
    UPGRADE + FRAMES,
    get("query={eventCursor}") + UPGRADE,
)
"""What a connection may begin with, to be spoilt."""

STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")


def test_any_bytes_of_a_connection_are_borne(target: Target) -> None:
    @examples(STREAMS)
    @given(st.sampled_from(STREAM).flatmap(spoilt), st.integers(0, CUT_MAX))
    def sends(stream: bytes, cut: int) -> None:
        told = exchange(target.process.port, stream[:cut], stream[cut:])
        assert all(int(status) < 500 for status in STATUS.findall(told)), told

    sends()


@pytest.mark.parametrize("stream", STREAM)
def test_whoever_hangs_up_midway_is_no_error(target: Target, stream: bytes) -> None:
    for cut in range(0, len(stream), CUT_STEP):
        exchange(target.process.port, stream[:cut])
        exchange(target.process.port, stream[:cut], stream[cut:])


def exchange(port: int, *parts: bytes) -> bytes:
    """Send the parts and no more; give all that comes until the service hangs up."""
    told = b""
    with (
        socket.create_connection(("127.0.0.1", port), ANSWER_S_MAX) as connection,
        suppress(ConnectionError),  # it may have heard enough
    ):
        for part in parts:
            connection.sendall(part)
        with suppress(OSError):  # it may be gone
            connection.shutdown(socket.SHUT_WR)
        while some := connection.recv(65_536):
            told += some
    return told
