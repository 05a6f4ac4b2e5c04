"""The gate: whom the service answers to, by what name, for what page, and what every answer has."""

import re
from typing import Any

import pytest

from graph import graphiql
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.logs import logged
from tests.harness.servers import running
from tests.http.raw import BEARER, JSON, TYPENAME, Header, Reply, exchange, post, request

SHOP = "https://shop.example.com"
FORWARDED_HOST = ("X-Forwarded-Host", "points.example.com")
FORWARDED_TLS = ("X-Forwarded-Proto", "https")
OPERATION = "an operation was answered"


async def ask(sqlite_url: str, clock: VirtualClock, raw: bytes, **settings: Any) -> Reply:
    async with running(sqlite_url, clock, **settings) as service:
        return await exchange(service.url, raw, has_body=not raw.startswith(b"HEAD"))


# ── the service's names ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8000"]
)
async def test_it_is_called_by_this_machines_own_names(
    sqlite_url: str, clock: VirtualClock, host: str
) -> None:
    assert (await ask(sqlite_url, clock, post(host=host))).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("points.example.com", 200),
        ("Points.Example.com:443", 200),
        ("a.shops.example.com", 200),
        ("b.a.shops.example.com", 200),
        ("localhost", 200),
        ("shops.example.com", 403),
        ("evilshops.example.com", 403),
        ("example.com", 403),
        ("points.example.com.evil.example", 403),
    ],
)
async def test_it_is_called_by_the_names_that_it_was_given(
    sqlite_url: str, clock: VirtualClock, host: str, status: int
) -> None:
    hosts = ("points.example.com", "*.shops.example.com")

    assert (await ask(sqlite_url, clock, post(host=host), hosts=hosts)).status == status


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_call_it_by_any_name(sqlite_url: str, clock: VirtualClock, path: str) -> None:
    assert (await ask(sqlite_url, clock, request("GET", path, host="10.0.0.7"))).status == 200


@pytest.mark.parametrize("path", ["/", "/graphql", "/graphql/page/page.js"])
async def test_a_page_is_not_given_to_a_name_made_to_lead_here(
    sqlite_url: str, clock: VirtualClock, path: str
) -> None:
    raw = request("GET", path, ("Accept", "text/html"), host="evil.example")

    reply = await ask(sqlite_url, clock, raw)

    assert (reply.status, reply.code) == (403, "FORBIDDEN")


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("LocalHost:8000", "http://localhost:8000"),
        ("localhost:80", "http://localhost"),
    ],
)
async def test_a_page_of_its_own_may_write(
    sqlite_url: str, clock: VirtualClock, host: str, origin: str
) -> None:
    raw = post(TYPENAME, ("Origin", origin), host=host)

    assert (await ask(sqlite_url, clock, raw)).status == 200


async def test_a_foreign_page_may_ask_but_is_told_nothing(
    sqlite_url: str, clock: VirtualClock
) -> None:
    raw = request("GET", "/graphql?query=%7B__typename%7D", BEARER, ("Origin", SHOP))

    reply = await ask(sqlite_url, clock, raw)

    assert reply.status == 200
    assert not [name for name in reply.headers if name.startswith("access-control")]


async def test_a_page_that_was_named_is_let_in_and_told_what_it_may_read(
    sqlite_url: str, clock: VirtualClock
) -> None:
    reply = await ask(sqlite_url, clock, post(TYPENAME, ("Origin", SHOP)), origins=(SHOP,))

    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == SHOP
    assert reply.headers["access-control-expose-headers"] == "x-request-id, retry-after"
    assert "access-control-allow-credentials" not in reply.headers
    assert reply.headers["vary"] == "origin"


async def test_a_page_that_was_named_hears_of_its_refusals(
    sqlite_url: str, clock: VirtualClock
) -> None:
    raw = request("POST", "/graphql", JSON, ("Origin", SHOP), body=TYPENAME)

    reply = await ask(sqlite_url, clock, raw, origins=(SHOP,))

    assert (reply.status, reply.headers["access-control-allow-origin"]) == (401, SHOP)


async def test_a_page_that_was_named_is_told_beforehand_what_it_may_send(
    sqlite_url: str, clock: VirtualClock
) -> None:
    asks: tuple[Header, ...] = (
        ("Origin", SHOP),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization, content-type"),
    )

    reply = await ask(sqlite_url, clock, request("OPTIONS", "/graphql", *asks), origins=(SHOP,))

    told = {name: text for name, text in reply.headers.items() if name.startswith("access-control")}
    assert reply.status == 204
    assert told == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type, x-request-id",
        "access-control-max-age": "600",
        "access-control-expose-headers": "x-request-id, retry-after",
    }


@pytest.mark.parametrize("origin", ["https://evil.example", f"{SHOP}.evil.example", "null"])
async def test_another_page_is_not(sqlite_url: str, clock: VirtualClock, origin: str) -> None:
    for raw in (
        post(TYPENAME, ("Origin", origin)),
        request(
            "OPTIONS", "/graphql", ("Origin", origin), ("Access-Control-Request-Method", "GET")
        ),
    ):
        reply = await ask(sqlite_url, clock, raw, origins=(SHOP,))
        assert (reply.status, reply.code) == (403, "FORBIDDEN")
        assert "access-control-allow-origin" not in reply.headers
        assert reply.headers["vary"] == "origin"


async def test_what_an_answer_says_of_itself_is_left_to_it(
    sqlite_url: str, clock: VirtualClock
) -> None:
    raw = request("GET", "/graphql", ("Accept", "text/html"))

    reply = await ask(sqlite_url, clock, raw, origins=(SHOP,))

    assert reply.headers["content-security-policy"] == graphiql.POLICY
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["vary"] == "Accept, origin"
    assert reply.headers["x-content-type-options"] == "nosniff"


# ── behind a proxy ──────────────────────────────────────────────────────────────────────────────


async def test_what_a_proxy_would_say_is_not_heard_where_there_is_none(
    sqlite_url: str, clock: VirtualClock
) -> None:
    raw = post(TYPENAME, FORWARDED_HOST, FORWARDED_TLS, host="localhost")

    reply = await ask(sqlite_url, clock, raw)

    assert reply.status == 200
    assert "strict-transport-security" not in reply.headers


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("points.example.com", (FORWARDED_TLS,), 200),
        ("127.0.0.1:8000", (FORWARDED_TLS, FORWARDED_HOST), 200),
        ("127.0.0.1:8000", (FORWARDED_TLS, ("X-Forwarded-Host", "evil.example")), 403),
        ("points.example.com", (), 403),  # the page has TLS, and the request had none
        ("points.example.com", (("X-Forwarded-Proto", "https, http"),), 403),
        ("points.example.com", (("X-Forwarded-Proto", "http, https"),), 200),
    ],
)
async def test_behind_a_proxy_its_word_decides_what_page_is_its_own(
    sqlite_url: str, clock: VirtualClock, host: str, headers: tuple[Header, ...], status: int
) -> None:
    raw = post(TYPENAME, ("Origin", "https://points.example.com"), *headers, host=host)

    reply = await ask(sqlite_url, clock, raw, behind_proxy=True, hosts=("points.example.com",))

    assert reply.status == status


async def test_over_tls_a_browser_is_told_to_stay_with_it(
    sqlite_url: str, clock: VirtualClock
) -> None:
    reply = await ask(sqlite_url, clock, post(TYPENAME, FORWARDED_TLS), behind_proxy=True)

    assert reply.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("headers", "other_headers", "statuses"),
    [
        ((), (), [401, 429]),
        ((("X-Forwarded-For", "192.0.2.1"),), (("X-Forwarded-For", "192.0.2.2"),), [401, 401]),
        (
            (("X-Forwarded-For", "192.0.2.1:5000"),),
            (("X-Forwarded-For", "192.0.2.1:5001"),),
            [401, 429],
        ),
        (
            (("X-Forwarded-For", "198.51.100.1, 192.0.2.1"),),
            (("X-Forwarded-For", "198.51.100.2, 192.0.2.1"),),
            [401, 429],
        ),
    ],
)
async def test_behind_a_proxy_strangers_are_told_apart_by_what_it_says_and_not_by_what_they_say(
    sqlite_url: str,
    clock: VirtualClock,
    headers: tuple[Header, ...],
    other_headers: tuple[Header, ...],
    statuses: list[int],
) -> None:
    async with running(sqlite_url, clock, behind_proxy=True, rate_stranger="1/hour") as service:
        replies = [
            await exchange(service.url, request("POST", "/graphql", JSON, *each, body=TYPENAME))
            for each in (headers, other_headers)
        ]

    assert [reply.status for reply in replies] == statuses


# ── rates ───────────────────────────────────────────────────────────────────────────────────────


async def test_where_there_is_no_proxy_a_stranger_can_not_be_another(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, rate_stranger="1/hour") as service:
        replies = [
            await exchange(
                service.url, request("POST", "/graphql", JSON, ("X-Forwarded-For", address))
            )
            for address in ("192.0.2.1", "192.0.2.2")
        ]

    assert [reply.status for reply in replies] == [401, 429]


async def test_whoever_is_let_in_is_not_kept_out_by_strangers_at_the_same_address(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, rate_stranger="1/hour") as service:
        strange = [await exchange(service.url, request("POST", "/graphql", JSON)) for _ in "ab"]
        reply = await exchange(service.url, post())

    assert [each.status for each in (*strange, reply)] == [401, 429, 200]


async def test_a_key_that_asks_too_often_is_told_when_to_ask_again(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, rate_key="2/hour") as service:
        replies = [await exchange(service.url, post()) for _ in range(3)]

    assert [reply.status for reply in replies] == [200, 200, 429]
    extensions = replies[2].error["extensions"]
    wait_s = int(replies[2].headers["retry-after"])
    assert 0 < wait_s <= 3_600
    assert extensions == {
        "code": "RATE_LIMITED",
        "limit": "rate_key",
        "value": "2/hour",
        "retryAfter": wait_s,
    }


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ((), 'Bearer realm="tuppence"'),
        ((("Authorization", "Bearer no"),), 'Bearer realm="tuppence", error="invalid_token"'),
    ],
)
async def test_nobody_is_told_what_to_show(
    sqlite_url: str, clock: VirtualClock, headers: tuple[Header, ...], challenge: str
) -> None:
    reply = await ask(sqlite_url, clock, request("POST", "/graphql", JSON, *headers))

    assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"] == challenge


async def test_the_scheme_is_written_in_any_case(sqlite_url: str, clock: VirtualClock) -> None:
    raw = request("POST", "/graphql", ("authorization", f"bEARER {ADMIN}"), JSON, body=TYPENAME)

    assert (await ask(sqlite_url, clock, raw)).status == 200


# ── ids ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("id", ["mine-1", "a" * 64, "A.b_c-9"])
async def test_a_request_keeps_the_id_that_it_came_with(
    sqlite_url: str, clock: VirtualClock, id: str
) -> None:
    reply = await ask(sqlite_url, clock, post(TYPENAME, ("X-Request-Id", id)))

    assert reply.headers["x-request-id"] == id


@pytest.mark.parametrize("id", ["", "a" * 65, "a b", "a\tb", "<script>", "é", 'a"b', "a,b"])
async def test_an_id_that_is_not_fit_for_a_log_is_replaced(
    sqlite_url: str, clock: VirtualClock, id: str
) -> None:
    reply = await ask(sqlite_url, clock, post(TYPENAME, ("X-Request-Id", id)))

    assert re.fullmatch("[0-9a-f]{32}", reply.headers["x-request-id"])


async def test_one_id_joins_the_answer_the_log_and_the_audit_trail(
    sqlite_url: str, clock: VirtualClock
) -> None:
    mutation = (
        b'{"query": "mutation { upsertMember(input: {identity: \\"ann\\"}) { member { id } } }"}'
    )
    async with running(sqlite_url, clock) as service:
        with logged("info") as lines:
            reply = await exchange(service.url, post(mutation, ("X-Request-Id", "mine-1")))
        trail = await service.client.execute(
            "{ auditLog(first: 10) { edges { node { requestId } } } }"
        )

    assert reply.headers["x-request-id"] == "mine-1"
    assert {line["request_id"] for line in lines.told} == {"mine-1"}
    assert "mine-1" in {edge["node"]["requestId"] for edge in trail["auditLog"]["edges"]}


async def test_a_fault_of_ours_is_masked_and_told_by_the_requests_id(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock) as service:
        door = service.inside.door
        service.inside.door.admit = None  # a fault that no caller can bring about
        try:
            with logged("info") as lines:
                reply = await exchange(service.url, post(TYPENAME, ("X-Request-Id", "mine-1")))
        finally:
            del door.admit

    assert (reply.status, reply.code) == (500, "INTERNAL")
    assert reply.error["extensions"]["id"] == "mine-1"
    assert "NoneType" not in reply.error["message"]
    (line,) = lines.of("something went wrong")
    assert (line["request_id"], line["level"]) == ("mine-1", "error")
    assert "TypeError" in line["exception"]
