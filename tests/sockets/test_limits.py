"""How much one socket, one principal and everyone together may have of the service."""

from tests.harness.clock import VirtualClock
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.sockets.talk import EVENTS, ONE, denied, let_in, talk


async def test_a_socket_runs_so_many_operations_at_a_time(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with (
        running(sqlite_url, clock, limit_subscriptions=2) as service,
        let_in(service) as client,
        let_in(service) as other,
    ):
        for id_ in ("1", "2", "3"):
            await client.subscribe(id_, EVENTS)
        error = await client.error("3")
        await other.subscribe("1", EVENTS)
        await service.following(3)
        await client.complete("1")
        await client.subscribe("3", EVENTS)
        await service.following(3)

        assert error["message"] == "at most 2 operations may run on a socket (subscriptions)"
        assert error["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "subscriptions",
            "value": 2,
        }
        assert await client.is_alive()


async def test_a_principal_has_so_many_sockets(sqlite_url: str, clock: VirtualClock) -> None:
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, limit_sockets=2, **identities.settings) as service,
        let_in(service),
        let_in(service, identities.token("ann")),
    ):
        async with let_in(service), talk(service) as third:
            await third.introduce()

            assert await third.end() == (
                4403,
                "one key or member may have at most 2 sockets open (sockets)",
            )
        # The second one is closed by now, and somebody else has one of their own.
        async with let_in(service), let_in(service, identities.token("bob")):
            pass


async def test_all_together_have_so_many_whoever_they_are(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, limit_sockets_total=2) as service:
        async with let_in(service), talk(service):
            status, body = await denied(service)

        async with let_in(service), let_in(service):
            pass

    assert status == 503
    assert body["errors"] == [
        {
            "message": "at most 2 sockets may be open (sockets_total)",
            "extensions": {"code": "LIMIT_EXCEEDED", "limit": "sockets_total", "value": 2},
        }
    ]


async def test_a_message_has_so_many_bytes(sqlite_url: str, clock: VirtualClock) -> None:
    async with running(sqlite_url, clock, limit_message_bytes=1_000) as service:
        async with let_in(service) as client:
            await client.say('{"type": "pong"}' + " " * 984)
            assert await client.is_alive()

            await client.say('{"type": "pong"}' + " " * 985)

            assert (await client.end())[0] == 1009
        async with let_in(service) as client:
            await client.socket.send(['{"type": "pong"}', " " * 500, " " * 485])

            assert (await client.end())[0] == 1009


async def test_a_message_in_parts_is_one_message(service: Service) -> None:
    async with let_in(service) as client:
        await client.socket.send(['{"type": "ping",', "", '"payload": {"a"', "", ": 1}}", ""])

        assert await client.hear() == {"type": "pong", "payload": {"a": 1}}


async def test_each_operation_counts_toward_the_rate(sqlite_url: str, clock: VirtualClock) -> None:
    async with running(sqlite_url, clock, rate_key="3/hour") as service, let_in(service) as client:
        for id_ in ("1", "2", "3"):
            await client.subscribe(id_, ONE)
            assert [(await client.hear())["type"] for _ in range(2)] == ["next", "complete"]
        await client.subscribe("4", ONE)
        error = await client.error("4")

        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert error["extensions"]["limit"] == "rate_key"
        assert error["extensions"]["value"] == "3/hour"
        assert 0 < error["extensions"]["retryAfter"] <= 3_600
        assert await client.is_alive()


async def test_strangers_count_toward_a_rate_of_their_own(
    sqlite_url: str, clock: VirtualClock
) -> None:
    reasons: list[str] = []
    async with running(sqlite_url, clock, rate_stranger="2/hour") as service:
        for _ in range(3):
            async with talk(service) as client:
                await client.introduce("tpk_unknown_key-of-nobody-here")
                code, reason = await client.end()
                assert code == 4403
                reasons.append(reason)
        async with let_in(service):
            pass

    assert reasons[0] == reasons[1] != reasons[2]
    assert reasons[2].startswith("rate_stranger is 2/hour: ask again in ")
