"""Trailers: what stands behind a body is no header, however much of it there is.

And what stands before a head is none yet.
"""

import pytest

from server.heads import HEAD_BYTES_MAX
from tests.harness.servers import Service
from tests.http.raw import BEARER, JSON, TYPENAME, Wire, assert_answers, exchange, post, request

CHUNKED = ("Transfer-Encoding", "chunked")
SENT_MAX = 64 * HEAD_BYTES_MAX
LAST = b"0\r\n"


def with_trailers(*trailers: bytes) -> bytes:
    body = b"%x\r\n%b\r\n" % (len(TYPENAME), TYPENAME) + LAST + b"".join(trailers) + b"\r\n"
    return request("POST", "/graphql", BEARER, JSON, CHUNKED, body=body, sized=False)


@pytest.mark.parametrize(
    "trailer", [b"X-Request-Id: mine\r\n", b"Authorization: Bearer x\r\n", b"Host: evil\r\n"]
)
async def test_a_trailer_is_not_taken_for_a_header(service: Service, trailer: bytes) -> None:
    reply = await exchange(service.url, with_trailers(trailer))

    assert (reply.status, reply.json) == (200, {"data": {"__typename": "Query"}})
    assert reply.headers["x-request-id"] != "mine"


async def test_empty_lines_before_a_request_are_passed_over(service: Service) -> None:
    wire = await Wire.to(service.url)
    await wire.send(b"\r\n")
    await assert_answers(service.url)  # by then the line was read
    await wire.send(post())

    assert (await wire.read()).status == 200
    await wire.close()


@pytest.mark.parametrize("part", [b"a:\r\n" * 1_024, b"a" * 4_096], ids=["many", "one without end"])
async def test_trailers_without_end_end_the_connection(service: Service, part: bytes) -> None:
    wire = await Wire.to(service.url)
    await wire.send(request("POST", "/graphql", CHUNKED), LAST, b"a: ")
    with pytest.raises(ConnectionError):
        await wire.send(*[part] * (SENT_MAX // len(part)))

    await wire.close()
    await assert_answers(service.url)
