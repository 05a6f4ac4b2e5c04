"""Hostile requests: each gets its 4xx in GraphQL's shape, no fault is logged, and all goes on."""

import pytest

from tests.harness.logs import logged
from tests.harness.servers import Service
from tests.http.hostile.bodies import BODIES
from tests.http.hostile.heads import HEADS
from tests.http.raw import Reply, assert_answers, exchange, post

GUARDS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-type": "application/json; charset=utf-8",
}


async def refused(service: Service, raw: bytes) -> Reply:
    """Send what must be refused, and assert what is so of every refusal."""
    with logged("info") as lines:
        reply = await exchange(service.url, raw)
    assert {name: reply.headers.get(name) for name in GUARDS} == GUARDS
    assert reply.headers["x-request-id"]
    assert {line["level"] for line in lines.told} <= {"info"}, lines.text
    await assert_answers(service.url)
    return reply


@pytest.mark.parametrize("name", BODIES)
async def test_bodies(service: Service, name: str) -> None:
    body, naming = BODIES[name]

    reply = await refused(service, post(body))

    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert naming in reply.error["message"]


@pytest.mark.parametrize("name", HEADS)
async def test_heads(service: Service, name: str) -> None:
    raw, status, code, naming = HEADS[name]

    reply = await refused(service, raw)

    assert (reply.status, reply.code) == (status, code)
    assert naming in reply.error["message"]
