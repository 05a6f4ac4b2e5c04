"""Whatever is no message of the protocol closes the socket with 4400 and a short reason."""

import json
from typing import Any

import pytest

from tests.harness.logs import logged
from tests.harness.servers import Service
from tests.sockets.talk import ONE, let_in, talk

REASON_BYTES_MAX = 123
TYPES = "type must be one of connection_init, ping, pong, subscribe, complete"
ID = "id must be a string of 1 to 256 characters"
DEEP = 50_000


def subscribe(**parts: Any) -> str:
    """A subscribe message with these parts in place of good ones; `...` leaves one out."""
    good = {"type": "subscribe", "id": "1", "payload": {"query": ONE}}
    return json.dumps({name: part for name, part in (good | parts).items() if part is not ...})


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("", "a message must be JSON"),
        ("nonsense", "a message must be JSON"),
        ('{"type": "ping"', "a message must be JSON"),
        ('{"type": "ping"} {"type": "ping"}', "a message must be JSON"),
        ('{"type": "ping", "payload": {"n": NaN}}', "a message must be JSON"),
        ('{"type": "ping", "payload": {"t": "\\ud800"}}', "a message must be JSON"),
        ("[" * DEEP, "a message must be JSON"),
        ("[" * DEEP + "]" * 5_000, "a message must be JSON"),
        ("null", "a message must be a JSON object"),
        ("7", "a message must be a JSON object"),
        ('"ping"', "a message must be a JSON object"),
        ('[{"type": "ping"}]', "a message must be a JSON object"),
        ("{}", TYPES),
        ('{"type": null}', TYPES),
        ('{"type": 7}', TYPES),
        ('{"type": ["ping"]}', TYPES),
        ('{"type": {"ping": 1}}', TYPES),
        ('{"type": "PING"}', TYPES),
        ('{"type": "start"}', TYPES),
        ('{"type": "connection_ack"}', TYPES),
        ('{"type": "next", "id": "1", "payload": {}}', TYPES),
        ('{"type": "' + "x" * 1_000 + '"}', TYPES),
        ('{"type": "ping", "payload": []}', "payload must be an object"),
        ('{"type": "ping", "payload": "hello"}', "payload must be an object"),
        ('{"type": "pong", "payload": 7}', "payload must be an object"),
        ('{"type": "connection_init", "payload": []}', "payload must be an object"),
        ('{"type": "connection_init", "payload": true}', "payload must be an object"),
        ('{"type": "complete"}', ID),
        ('{"type": "complete", "id": null}', ID),
        ('{"type": "complete", "id": 1}', ID),
        (subscribe(id=...), ID),
        (subscribe(id=None), ID),
        (subscribe(id=""), ID),
        (subscribe(id=1), ID),
        (subscribe(id=["1"]), ID),
        (subscribe(id={"1": 1}), ID),
        (subscribe(id="x" * 257), ID),
        (subscribe(payload=...), "payload must be an object"),
        (subscribe(payload=None), "payload must be an object"),
        (subscribe(payload=[]), "payload must be an object"),
        (subscribe(payload=ONE), "payload must be an object"),
        (subscribe(payload={}), "query must be a string"),
        (subscribe(payload={"query": None}), "query must be a string"),
        (subscribe(payload={"query": 7}), "query must be a string"),
        (subscribe(payload={"query": [ONE]}), "query must be a string"),
        (subscribe(payload={"query": ONE, "variables": []}), "variables must be an object"),
        (subscribe(payload={"query": ONE, "variables": "{}"}), "variables must be an object"),
        (subscribe(payload={"query": ONE, "extensions": []}), "extensions must be an object"),
        (subscribe(payload={"query": ONE, "extensions": 7}), "extensions must be an object"),
        (subscribe(payload={"query": ONE, "operationName": 7}), "operationName must be a string"),
        (b"", "a message must be a text frame"),
        (b'{"type": "ping"}', "a message must be a text frame"),
    ],
)
async def test_what_is_no_message_closes_the_socket(
    service: Service, frame: str | bytes, reason: str
) -> None:
    with logged() as log:
        async with let_in(service) as client:
            await client.say(frame)

            assert await client.end() == (4400, reason)

    assert len(reason.encode()) <= REASON_BYTES_MAX
    assert [line for line in log.told if line["level"] != "info"] == []
    assert "Traceback" not in log.text


async def test_it_does_so_before_anyone_is_let_in(service: Service) -> None:
    async with talk(service) as client:
        await client.say(subscribe(id=1))

        assert await client.end() == (4400, ID)


async def test_what_is_no_utf8_closes_the_socket_as_the_web_has_it(service: Service) -> None:
    with logged() as log:
        async with let_in(service) as client:
            await client.socket.send(b'{"type": "ping\xff"}', text=True)

            assert await client.end() == (1007, "")

    assert [line for line in log.told if line["level"] != "info"] == []


async def test_a_ping_nested_too_deeply_to_be_answered_closes_the_socket(service: Service) -> None:
    async with let_in(service) as client:
        await client.say('{"type": "ping", "payload": ' + '{"a":' * 500 + "1" + "}" * 501)

        assert await client.end() == (4400, "payload must be less deeply nested")


@pytest.mark.parametrize(
    "frame",
    [
        '{"type": "pong"}',
        '{"type": "pong", "payload": {"a": 1}}',
        '{"type": "pong", "payload": null, "id": 7}',
        '{"type": "complete", "id": "never begun"}',
        '{"type": "complete", "id": "1", "payload": "whatever", "more": []}',
    ],
)
async def test_what_means_nothing_now_is_no_mistake(service: Service, frame: str) -> None:
    async with let_in(service) as client:
        await client.say(frame)

        assert await client.is_alive()
