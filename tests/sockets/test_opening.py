"""Opening a socket: the handshake, who is let in, and what comes before that."""

import pytest

from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.logs import logged
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.sockets.talk import ACK, ONE, PROTOCOLS, denied, let_in, talk

SHOW = "show a key or a token: Authorization: Bearer …"
UNKNOWN = "this key or token lets nobody in: it is unknown, expired or revoked"
UNREADABLE = "this is no Authorization header that can be read: Authorization: Bearer …"
LATE_S = 1.0


async def test_a_key_in_connection_init_is_let_in(service: Service) -> None:
    async with talk(service) as client:
        assert client.socket.subprotocol == "graphql-transport-ws"

        await client.introduce()

        assert await client.hear() == ACK


@pytest.mark.parametrize(
    "payload",
    [
        {"Authorization": f"Bearer {ADMIN}"},
        {"authorization": f"bearer {ADMIN}", "locale": "en", "nested": {"a": [1]}},
        {"authorization": None, "Authorization": f"Bearer {ADMIN}"},
    ],
)
async def test_the_field_is_spelled_as_http_spells_it_and_others_mean_nothing(
    service: Service, payload: dict[str, object]
) -> None:
    async with talk(service) as client:
        await client.say({"type": "connection_init", "payload": payload})

        assert await client.hear() == ACK


@pytest.mark.parametrize(
    ("init", "reason"),
    [
        ({}, SHOW),
        ({"payload": None}, SHOW),
        ({"payload": {}}, SHOW),
        ({"payload": {"AUTHORIZATION": f"Bearer {ADMIN}"}}, SHOW),
        ({"payload": {"authorization": ADMIN}}, UNREADABLE),
        ({"payload": {"authorization": 7}}, SHOW),
        ({"payload": {"authorization": "Bearer tpk_unknown_key-of-nobody-here"}}, UNKNOWN),
        ({"payload": {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}}, UNKNOWN),
    ],
)
async def test_who_shows_nothing_good_is_forbidden(
    service: Service, init: dict[str, object], reason: str
) -> None:
    async with talk(service) as client:
        await client.say({"type": "connection_init", **init})

        assert await client.end() == (4403, reason)


async def test_an_expired_token_is_forbidden(sqlite_url: str, clock: VirtualClock) -> None:
    async with provider(clock) as identities:
        token = identities.token("ann")
        async with running(sqlite_url, clock, **identities.settings) as service:
            async with let_in(service, token):
                pass
            clock.advance(hours=1)

            async with talk(service) as client:
                await client.introduce(token)

                code, _ = await client.end()
                assert code == 4403


async def test_the_handshakes_own_authorization_says_nothing(service: Service) -> None:
    async with talk(service, additional_headers={"Authorization": f"Bearer {ADMIN}"}) as client:
        await client.say({"type": "connection_init"})

        assert await client.end() == (4403, SHOW)


@pytest.mark.parametrize(
    "offered", [None, ["graphql-ws"], ["GRAPHQL-TRANSPORT-WS"], ["soap", "graphql-ws"]]
)
async def test_another_protocol_is_not_spoken(service: Service, offered: list[str] | None) -> None:
    async with talk(service, offered) as client:
        assert await client.end() == (
            4406,
            "Subprotocol not acceptable: graphql-transport-ws is spoken here",
        )


async def test_of_several_protocols_ours_is_taken(service: Service) -> None:
    async with let_in(service, protocols=["graphql-ws", *PROTOCOLS]) as client:
        assert client.socket.subprotocol == "graphql-transport-ws"


async def test_nothing_is_asked_before_the_ack(service: Service) -> None:
    async with talk(service) as client:
        await client.subscribe("1", ONE)

        code, reason = await client.end()
        assert (code, reason) == (4401, "Unauthorized: nothing is asked before connection_ack")


async def test_pings_and_pongs_may_come_before_the_ack(service: Service) -> None:
    async with talk(service) as client:
        await client.say({"type": "pong"})
        assert await client.is_alive()

        await client.introduce()

        assert await client.hear() == ACK


async def test_who_keeps_silent_is_let_go_of(sqlite_url: str, clock: VirtualClock) -> None:
    async with (
        running(sqlite_url, clock, limit_init_seconds=LATE_S) as service,
        talk(service) as client,
    ):
        assert await client.end() == (4408, "Connection initialisation timeout")


async def test_who_is_let_in_may_keep_silent(sqlite_url: str, clock: VirtualClock) -> None:
    async with (
        running(sqlite_url, clock, limit_init_seconds=LATE_S) as service,
        let_in(service) as client,
        talk(service) as silent,
    ):
        assert (await silent.end())[0] == 4408

        assert await client.is_alive()


async def test_a_second_connection_init_is_one_too_many(service: Service) -> None:
    async with let_in(service) as client:
        await client.introduce()

        assert await client.end() == (4429, "Too many initialisation requests")


async def test_it_is_one_too_many_also_while_the_first_is_being_judged(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, **identities.settings) as service,
        talk(service) as first,
        talk(service) as second,
    ):
        identities.unhurried.clear()
        for client in (first, second):
            await client.introduce(identities.token("ann"))
            assert await client.is_alive()

        await first.introduce(identities.token("ann"))
        await second.subscribe("1", ONE)

        assert await first.end() == (4429, "Too many initialisation requests")
        assert (await second.end())[0] == 4401


async def test_what_is_said_after_the_close_is_not_heard(service: Service) -> None:
    async with let_in(service) as client:
        await client.introduce()
        await client.say({"type": "ping"})
        await client.subscribe("1", ONE)
        await client.say("nonsense")

        assert await client.end() == (4429, "Too many initialisation requests")


# ── whose page it is ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "null", "http://127.0.0.1:1", "http://localhost", "", "tuppence"],
)
async def test_a_foreign_page_opens_no_socket(service: Service, origin: str) -> None:
    with logged() as log:
        status, body = await denied(service, Origin=origin)

    assert (status, body["errors"][0]["extensions"]) == (403, {"code": "FORBIDDEN"})
    assert body["errors"][0]["message"] == "pages of this origin may not call the service"
    assert [line for line in log.told if line["level"] != "info"] == []


async def test_the_services_own_page_opens_one(service: Service) -> None:
    async with let_in(service, additional_headers={"Origin": service.url}):
        pass


async def test_a_page_of_a_named_origin_opens_one(sqlite_url: str, clock: VirtualClock) -> None:
    shop = "https://shop.example.com"
    async with running(sqlite_url, clock, origins=(shop,)) as service:
        async with let_in(service, additional_headers={"Origin": shop}):
            pass
        status, _ = await denied(service, Origin=f"{shop}.evil.example.com")

    assert status == 403


async def test_a_name_that_is_not_the_services_opens_none(service: Service) -> None:
    status, body = await denied(service, Host="evil.example.com")

    assert (status, body["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
