"""How a socket ends: with its key or token, with its client, and with nothing left behind."""

import asyncio
import gc
import json
import sqlite3
from contextlib import closing

import pytest

from graph import sockets
from tests.harness import documents
from tests.harness.api_keys import create_key, revoke_key
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.logs import logged
from tests.harness.patience import poll
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.harness.tables import spoil
from tests.server.raw import TEXT, frame, raw
from tests.sockets.talk import EVENTS, ONE, let_in, talk

CHECK_S = 0.02
UNREAD_S = 3.0
NOT_ASKED = "who holds sockets could not be asked for; it will be tried again"
REVOKED = (4403, "the key was revoked")
EXPIRED = (4403, "the token has expired")
ANN = {"owner": {"identity": "ann"}}
DISCONNECTS = 200


# ── its key, its token ──────────────────────────────────────────────────────────────────────────


async def test_revoking_a_key_ends_its_sockets_at_once_and_no_others(service: Service) -> None:
    till = await create_key(service.client, "till", "events:read")
    other = await create_key(service.client, "other", "events:read")
    async with (
        let_in(service, till.shown) as first,
        let_in(service, till.shown) as second,
        let_in(service, other.shown) as third,
        let_in(service) as admin,
    ):
        for client in (first, second, third):
            await client.subscribe("1", EVENTS)
        await service.following(3)

        await revoke_key(service.client, till.key.id)

        assert await first.end() == REVOKED
        assert await second.end() == REVOKED
        await service.following(1)
        assert await third.is_alive()
        assert await admin.is_alive()
        assert not service.inside.door.revoked.is_set(), "it is asked for once, not without end"


async def test_a_key_that_another_instance_revokes_ends_its_sockets(
    service: Service, sqlite_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sockets.CHECK_S <= 5, "revoked, asked for, and gone: within 10 s"
    monkeypatch.setattr(sockets, "CHECK_S", CHECK_S)
    till = await create_key(service.client, "till", "events:read")
    async with running(sqlite_url, clock) as elsewhere, let_in(service, till.shown) as client:
        await client.subscribe("1", EVENTS)
        await service.following(1)

        await revoke_key(elsewhere.client, till.key.id)

        assert await client.end() == REVOKED


async def test_a_tokens_expiry_ends_its_sockets_and_no_others(
    sqlite_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_S", CHECK_S)
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, **identities.settings) as service,
        let_in(service, identities.token("ann")) as old,
    ):
        clock.advance(minutes=5)
        async with let_in(service, identities.token("ann")) as new:
            for client in (old, new):
                await client.subscribe("1", EVENTS)
            await service.following(2)

            clock.advance(minutes=6)

            assert await old.end() == EXPIRED
            await service.following(1)
            assert await new.is_alive()


async def test_a_keys_expiry_ends_its_sockets(
    service: Service, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_S", CHECK_S)
    soon = await create_key(
        service.client, "till", "events:read", expires_at=clock.after(minutes=1)
    )
    async with let_in(service, soon.shown) as client:
        clock.advance(minutes=1)

        assert await client.end() == EXPIRED


async def test_nothing_is_begun_with_a_token_that_has_expired(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, **identities.settings) as service,
        let_in(service, identities.token("ann")) as client,
    ):
        clock.advance(minutes=11)
        await client.subscribe("1", ONE)

        assert await client.end() == EXPIRED


async def test_while_keys_cannot_be_asked_for_sockets_stay_and_it_is_tried_again(
    service: Service, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CHECK_S", CHECK_S)
    till = await create_key(service.client, "till", "events:read")
    with logged() as log:
        async with let_in(service, till.shown) as client:
            await spoil(sqlite_url, "ALTER TABLE api_keys RENAME TO mislaid")

            async def is_told() -> bool:
                return bool(log.of(NOT_ASKED))

            assert await poll(is_told)
            assert await client.is_alive()

            await spoil(sqlite_url, "ALTER TABLE mislaid RENAME TO api_keys")
            await revoke_key(service.client, till.key.id)

            assert await client.end() == REVOKED


# ── its client ──────────────────────────────────────────────────────────────────────────────────


async def test_a_client_that_says_goodbye_leaves_nothing(service: Service) -> None:
    async with let_in(service) as client:
        await client.subscribe("1", EVENTS)
        await service.following(1)

    async def nobody_is_asked_for() -> bool:
        return not any(task.get_name() == "socket watch" for task in asyncio.all_tasks())

    await service.following(0)
    assert client.socket.close_code == 1000
    assert await poll(nobody_is_asked_for)


async def test_a_client_that_just_goes_is_no_news(service: Service) -> None:
    await service.client.create_program("main")
    with logged() as log:
        async with let_in(service) as client:
            for id_ in ("1", "2", "3"):
                await client.subscribe(id_, EVENTS)
            await service.following(3)

            client.socket.transport.abort()
            for _ in range(5):
                await service.client.credit("ann", 5)

        await service.following(0)

    assert [line for line in log.told if line["level"] != "info"] == []


async def test_a_subscriber_that_stops_reading_is_let_go_of_with_its_place_in_the_feed(
    sqlite_url: str, clock: VirtualClock
) -> None:
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {ADMIN}"}}
    subscribe = {"type": "subscribe", "id": "1", "payload": {"query": EVENTS}}
    async with (
        running(sqlite_url, clock, limit_unread_seconds=UNREAD_S) as service,
        raw(service.url) as deaf,
    ):
        await deaf.upgrade()
        await deaf.head()
        await deaf.send(frame(TEXT, json.dumps(init).encode()))
        await deaf.read()
        await deaf.send(frame(TEXT, json.dumps(subscribe).encode()))
        await service.following(1)

        await service.following(0)


@pytest.mark.parametrize("stage", ["opening", "being let in", "let in", "subscribing"])
async def test_200_clients_come_and_go_and_leave_nothing_behind(
    service: Service, stage: str
) -> None:
    async with let_in(service):  # the watch, and what is made once, is there already
        pass
    before = await tasks()

    async def come_and_go(number: int) -> None:
        async with talk(service) as client:
            if stage != "opening":
                await client.introduce()
            if stage in {"let in", "subscribing"}:
                await client.hear()
            if stage == "subscribing":
                await client.subscribe("1", EVENTS)
                await client.subscribe("2", ONE)
            if number % 2:
                client.socket.transport.abort()

    with logged() as log:
        for ten in range(DISCONNECTS // 10):
            await asyncio.gather(*(come_and_go(ten * 10 + each) for each in range(10)))

        async def is_over() -> bool:
            return await tasks() <= before

        assert await poll(is_over), await tasks() - before
    assert service.inside.feed.followers == 0
    assert [line for line in log.told if line["level"] != "info"] == []


async def tasks() -> set[str]:
    """The names of the tasks there are, but for this one."""
    gc.collect()
    return {
        f"{task.get_name()}: {task.get_coro()}"
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task()
    }


async def test_what_a_client_no_longer_waits_for_is_done_and_not_answered(
    service: Service, sqlite_url: str
) -> None:
    await service.client.create_program("main")
    text = documents.mutation("creditPoints")
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        async with let_in(service) as client:
            other.execute("BEGIN IMMEDIATE")  # whoever writes waits
            keys: list[str] = []
            while not service.inside.ledger.backlog:  # one is being written, and others wait
                keys.append(f"k-{len(keys)}")
                fields = {"wallet": ANN, "points": 5, "idempotencyKey": keys[-1]}
                await client.subscribe(keys[-1], text, variables={"input": fields})
                assert await client.is_alive()
            for key in keys:
                await client.complete(key)
            assert await client.is_alive()
            other.rollback()

            async def is_done() -> bool:
                wallet = await service.client.find_wallet("ann")
                return wallet is not None and wallet.balance.active == 5 * len(keys)

            assert await poll(is_done)
            assert await client.is_alive()
