"""Those who share an execution part: one reads slowly, leaves, or is turned out; others go on."""

import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from graph import audiences
from graph.points_credited import PointsCredited
from tests.harness.api_keys import create_key, revoke_key
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.logs import logged
from tests.harness.servers import Service, running
from tests.harness.tables import spoil
from tests.harness.values import Json
from tests.sockets.sharing import WALLET, WATCH, Gate, Shared, points, settle, shared, shared_by
from tests.sockets.talk import Talk, let_in

EVENTS_MAX = 5_000
UNREAD_S = 600  # a busy machine must not have a slow reader turned out
LONG = "x" * 4_000  # as an alias, so that it takes fewer events until a client has no more room
WIDE = "subscription ($after: String) { pointsCredited(after: $after) { id identity %s } }"
FITS = WIDE % f"{LONG}: points"
FAILS = WIDE % f"{LONG}: wallet {{ id }}"


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock, limit_unread_seconds=UNREAD_S) as service:
        yield service


@pytest.fixture
async def cursor(service: Service) -> str:
    """Where the log ends before anything is heard."""
    await service.client.create_program("main")
    return await service.client.event_cursor()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


# ── one leaves ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", ["completes", "says goodbye", "just goes"])
async def test_one_leaves_during_an_execution_and_the_others_hear_of_it(
    service: Service, cursor: str, gate: Gate, way: str
) -> None:
    async with let_in(service) as goes, let_in(service) as stays:
        for client in (goes, stays):
            await client.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, goes, stays)
        async with gate.closed(service, 5):
            if way == "completes":
                await goes.complete("1")
                assert await goes.is_alive()
            elif way == "says goodbye":
                await goes.socket.close()
            else:
                goes.socket.transport.abort()
            await service.following(1)

        assert await points(stays) == 5
        assert await shared_by(service, stays) == Shared(1, 1)
        if way == "completes":
            assert await goes.is_alive()


async def test_who_opened_it_leaves_and_the_others_hear_on(service: Service, cursor: str) -> None:
    async with let_in(service) as stays:
        async with let_in(service) as opens:
            await opens.subscribe("1", WALLET, variables={"after": cursor})
            await settle(service, opens)
            await stays.subscribe("1", WALLET, variables={"after": cursor})
            heard = [await stays.hear()]
            await settle(service, opens, stays)
        await service.following(1)

        assert heard[0]["payload"]["data"]["pointsCredited"]["points"] == 1
        assert await shared_by(service, stays) == Shared(1, 1)


async def test_all_leave_during_an_execution_and_the_next_begins_anew(
    service: Service, cursor: str, gate: Gate
) -> None:
    async with let_in(service) as client:
        for id_ in ("1", "2"):
            await client.subscribe(id_, WATCH, variables={"after": cursor})
        await settle(service, client, client)
        before = shared(service)
        async with gate.closed(service, 5):
            for id_ in ("1", "2"):
                await client.complete(id_)
            await service.following(0)
        await client.subscribe("1", WATCH, variables={"after": await service.client.event_cursor()})
        assert shared(service) == before

        await settle(service, client)
    await service.following(0)
    assert service.inside.feed.read_to is None, "nobody follows, and nothing is kept"
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, audiences.Audience)]


async def test_who_comes_back_during_an_execution_hears_of_it_once(
    service: Service, cursor: str, gate: Gate
) -> None:
    async with let_in(service) as client:
        for id_ in ("1", "2"):
            await client.subscribe(id_, WATCH, variables={"after": cursor})
        await settle(service, client, client)
        here = await service.client.event_cursor()
        async with gate.closed(service, 5):
            await client.complete("1")
            await client.subscribe("1", WATCH, variables={"after": here})
            await service.following(2)
        heard = [await client.hear(), await client.hear()]

        assert sorted(each["id"] for each in heard) == ["1", "2"]
        assert {each["payload"]["data"]["pointsCredited"]["points"] for each in heard} == {5}
        await settle(service, client, client)


async def test_the_one_whose_key_is_revoked_goes_and_the_others_hear_on(
    service: Service, cursor: str
) -> None:
    opener = await create_key(service.client, "opener", "events:read")
    other = await create_key(service.client, "other", "events:read")
    async with let_in(service, opener.shown) as opens, let_in(service, other.shown) as stays:
        await opens.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, opens)
        late = await service.client.event_cursor()
        await stays.subscribe("1", WATCH, variables={"after": late})
        await settle(service, opens, stays)

        await revoke_key(service.client, opener.key.id)

        assert await opens.end() == (4403, "the key was revoked")
        await service.following(1)
        assert await shared_by(service, stays) == Shared(1, 1)


# ── an execution fails ──────────────────────────────────────────────────────────────────────────


async def test_what_fails_in_an_event_is_told_to_each_and_each_hears_the_next(
    service: Service, cursor: str, sqlite_url: str, gate: Gate
) -> None:
    async with let_in(service) as one, let_in(service) as two:
        for client in (one, two):
            await client.subscribe("1", WALLET, variables={"after": cursor})
        await settle(service, one, two)
        async with gate.closed(service, 5):
            await spoil(sqlite_url, "ALTER TABLE wallets RENAME TO mislaid")
        failed = [await one.hear(), await two.hear()]
        await spoil(sqlite_url, "ALTER TABLE mislaid RENAME TO wallets")

        for each in failed:
            assert each["type"] == "next"
            [error] = each["payload"]["errors"]
            assert error["extensions"]["code"] == "INTERNAL"
        assert await shared_by(service, one, two) == Shared(1, 2)


async def test_an_event_that_cannot_be_told_ends_all_that_wait_for_it_and_no_socket(
    service: Service, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = PointsCredited.of

    def fail(event: Any) -> Any:
        if event.points == 13_000:
            raise ValueError("this one")
        return real(event)

    monkeypatch.setattr(PointsCredited, "of", fail)
    with logged() as log:
        async with let_in(service) as one, let_in(service) as two:
            await one.subscribe("1", WATCH, variables={"after": cursor})
            await two.subscribe("2", WATCH, variables={"after": cursor})
            await settle(service, one, two)

            await service.client.credit("ann", 13)

            for client, id_ in ((one, "1"), (two, "2")):
                assert (await client.error(id_))["extensions"]["code"] == "INTERNAL"
                assert await client.is_alive()
            await service.following(0)
            here = await service.client.event_cursor()
            await one.subscribe("1", WATCH, variables={"after": here})
            await settle(service, one)

    assert len([line for line in log.told if line["level"] == "error"]) == 1


async def test_a_fault_while_an_event_is_handed_out_ends_those_who_wait_for_it(
    service: Service, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with let_in(service) as one, let_in(service) as two:
        for client in (one, two):
            await client.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, one, two)

        def fail(*_: Any) -> None:
            raise ValueError("no frame")

        with monkeypatch.context() as patch, logged():
            patch.setattr(audiences.Listener, "frames", fail)
            await service.client.credit("ann", 13)

            for client in (one, two):
                assert (await client.error("1"))["extensions"]["code"] == "INTERNAL"
        await service.following(0)
        await one.subscribe("1", WATCH, variables={"after": await service.client.event_cursor()})
        await settle(service, one)


# ── one reads slowly ────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def slow(service: Service, token: str) -> AsyncIterator[Talk]:
    """One that reads a message only when it is to hear it, and has little room besides."""
    host, port = service.url.removeprefix("http://").split(":")
    with socket.socket() as room:
        room.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        room.connect((host, int(port)))
        async with let_in(service, token, sock=room, max_queue=1) as client:
            yield client


async def credit_100(service: Service, keen: Talk) -> list[Json]:
    """Credit so often at once; return what one heard of it."""
    await service.client.credit_batch([service.client.credit_of("ann", 1) for _ in range(100)])
    return [await keen.hear() for _ in range(100)]


async def credit_until_apart(service: Service, keen: Talk) -> int:
    """Credit until one of two has so much unread that it hears no more; return how often."""
    made = 0
    while made < EVENTS_MAX:
        before = shared(service)
        await credit_100(service, keen)
        made += 100
        after = shared(service)
        if after.answers - before.answers < 2 * (after.executions - before.executions):
            return made
    raise AssertionError("it has room for all of it")


@pytest.mark.parametrize("text", [FITS, FAILS], ids=["plain", "with errors"])
async def test_who_reads_slowly_misses_nothing_holds_up_nobody_and_joins_again(
    service: Service, cursor: str, text: str
) -> None:
    follower = (await create_key(service.client, "follower", "events:read")).shown
    async with slow(service, follower) as lazy, let_in(service, follower) as keen:
        for client in (lazy, keen):
            await client.subscribe("1", text, variables={"after": cursor})
        await settle(service, lazy, keen)
        made = await credit_until_apart(service, keen)
        assert await shared_by(service, keen) == Shared(1, 1)

        heard = [await lazy.hear() for _ in range(made + 1)]

        assert {each["type"] for each in heard} == {"next"}
        assert await lazy.is_alive()
        assert await keen.is_alive()
        await settle(service, lazy, keen)


async def test_who_reads_slowly_hears_in_order_and_once_and_of_nobody_who_was_erased(
    service: Service, cursor: str
) -> None:
    async with slow(service, ADMIN) as lazy, let_in(service) as keen:
        for client in (lazy, keen):
            await client.subscribe("1", FITS, variables={"after": cursor})
        await settle(service, lazy, keen)
        made = await credit_until_apart(service, keen)
        there = await credit_100(service, keen)

        await service.client.erase_member("ann")
        heard = [await lazy.hear() for _ in range(made + 100)]

        told = [each["payload"]["data"]["pointsCredited"] for each in heard]
        ids = [each["id"] for each in told]
        assert len(set(ids)) == made + 100
        assert ids[-100:] == [each["payload"]["data"]["pointsCredited"]["id"] for each in there]
        assert ids == sorted(ids)
        assert {each["identity"][:7] for each in told[-100:]} == {"erased:"}


async def test_who_leaves_with_much_unread_takes_nothing_along(
    service: Service, cursor: str
) -> None:
    async with let_in(service) as keen:
        async with slow(service, ADMIN) as lazy:
            for client in (lazy, keen):
                await client.subscribe("1", FITS, variables={"after": cursor})
            await settle(service, lazy, keen)
            await credit_until_apart(service, keen)
            lazy.socket.transport.abort()
        await service.following(1)

        assert await shared_by(service, keen) == Shared(1, 1)
