"""Sockets: whatever messages come in whatever order, the socket answers or says why it closes."""

import json
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.fuzz.mutation import mutated_bytes, mutated_values
from tests.fuzz.target import ANSWER_S_MAX, CODES, Target, examples
from tests.harness.keys import ADMIN

CONVERSATIONS = 80
INIT = {"type": "connection_init", "payload": {"authorization": f"Bearer {ADMIN}"}}
WATCH = "subscription { pointsCredited { id } }"
SOUND = (
    INIT,
    {"type": "connection_init"},
    {"type": "connection_init", "payload": {"authorization": "Bearer nobody"}},
    {"type": "ping", "payload": {"a": [1, None]}},
    {"type": "pong"},
    {"type": "complete", "id": "1"},
    {"type": "complete", "id": "unknown"},
    {"type": "subscribe", "id": "1", "payload": {"query": WATCH}},
    {"type": "subscribe", "id": "2", "payload": {"query": WATCH, "variables": {}}},
    {"type": "subscribe", "id": "3", "payload": {"query": "{ eventCursor }"}},
    {"type": "subscribe", "id": "4", "payload": {"query": "{ eventCursor"}},
    {
        "type": "subscribe",
        "id": "5",
        "payload": {"query": "query A { eventCursor }", "operationName": "B"},
    },
    {"type": "next", "id": "1", "payload": {}},
    {"type": "connection_ack"},
    {"type": "start", "id": "1", "payload": {"query": WATCH}},
)
"""What is said over a socket, and what only the other side or another protocol says."""

CLOSED = {1003, 1007, 4400, 4401, 4403, 4406, 4408, 4409, 4429}
REASON_BYTES_MAX = 123
"""RFC 6455 leaves no more room for a reason."""

messages = st.one_of(
    st.sampled_from(SOUND).map(json.dumps),
    mutated_values(SOUND).map(json.dumps),
    mutated_bytes(SOUND).map(lambda told: told.decode(errors="replace")),
    st.binary(max_size=40),
)


def converse(target: Target, said: list[str | bytes], *, introduced: bool) -> None:
    """Say it all, then see that the socket still answers, or why it doesn't."""
    with connect(
        target.ws_url,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        proxy=None,
        open_timeout=ANSWER_S_MAX,
    ) as socket:
        try:
            for message in [json.dumps(INIT)] * introduced + said:
                socket.send(message)
            check_alive(socket)
        except ConnectionClosed as closed:
            check_closed(closed)


def check_closed(closed: ConnectionClosed) -> None:
    """Assert that the service said why it closes, by a code of the protocol's."""
    assert closed.rcvd is not None, closed
    assert closed.rcvd.code in CLOSED, closed
    assert len(closed.rcvd.reason.encode()) <= REASON_BYTES_MAX


def check_alive(socket: ClientConnection) -> None:
    """Assert that a ping is answered by its own pong; check what comes before it."""
    mine: Any = {"mine": uuid4().hex}
    socket.send(json.dumps({"type": "ping", "payload": mine}))
    while True:
        told = json.loads(socket.recv(ANSWER_S_MAX))
        if told["type"] == "pong" and told.get("payload") == mine:
            return
        for error in errors_of(told):
            assert error["extensions"]["code"] in CODES, error


def errors_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    if told["type"] == "error":
        return told["payload"]
    return told["payload"].get("errors", []) if told["type"] == "next" else []


def test_any_conversation_is_answered_or_ended_with_its_code(target: Target) -> None:
    @examples(CONVERSATIONS)
    @given(st.lists(messages, max_size=8), st.booleans())
    def says(said: list[str | bytes], introduced: bool) -> None:  # noqa: FBT001 - drawn
        converse(target, said, introduced=introduced)

    says()
