"""createApiKey, revokeApiKey and apiKeys: who is let in, and what they may do."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from access import keys
from access.refusals import Refusal
from events.audit import TERMINAL
from models.ids import new_id
from tests.conftest import Unchanged
from tests.harness.api_keys import (
    CREATE,
    Issued,
    create_key,
    find_key,
    list_keys,
    revoke_key,
)
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.servers import Service, running
from tests.harness.tables import rows
from tests.harness.values import Json

SUFFIX = "01jqtc38xmeegs4d2pf28aqkff"
FIRST = "key_01kb00000000000000000000ad"
MINE = "{ eventCursor }"


@asynccontextmanager
async def holder(service: Service, issued: Issued | str) -> AsyncIterator[Client]:
    """A client that shows a key's token."""
    token = issued if isinstance(issued, str) else issued.shown
    async with Client.of(service.client.url, token) as client:
        yield client


async def status(client: Client, document: str = MINE) -> int:
    return (await client.ask(document, {}))[0]


async def code(client: Client, document: str) -> str | None:
    """The code of the one error that a request gets, if it gets any."""
    _, answer = await client.ask(document, {})
    return answer["errors"][0]["extensions"]["code"] if answer.get("errors") else None


# ── creating ────────────────────────────────────────────────────────────────────────────────────


async def test_a_key_may_do_what_its_scopes_say_and_no_more(service: Service) -> None:
    issued = await create_key(service.client, "till", "points:credit", "wallets:read")

    async with holder(service, issued) as till:
        assert (await till.credit("ann", 50)).error is None
        assert await code(till, '{ wallet(ref: {owner: {identity: "ann"}}) { id } }') is None
        assert await code(till, "{ eventCursor }") == "FORBIDDEN"
        assert await code(till, "{ apiKeys { edges { cursor } } }") == "FORBIDDEN"


async def test_a_key_is_told_of_as_it_was_created(client: Client, clock: VirtualClock) -> None:
    issued = await create_key(client, "till", "wallets:read", "points:credit", "wallets:read")

    key = issued.key
    assert re.fullmatch(r"key_[0-9a-z]{26}", key.id)
    assert key.name == "till"
    assert key.scopes == ["wallets:read", "points:credit"]
    assert key.created_at == clock.now
    assert (key.expires_at, key.last_used_at, key.revoked_at) == (None, None, None)
    assert await find_key(client, key.id) == key
    assert key in (await list_keys(client)).nodes


async def test_a_token_names_its_key_and_has_a_secret_of_256_bits(client: Client) -> None:
    first = await create_key(client, "till", "admin")
    second = await create_key(client, "till", "admin")

    for issued in (first, second):
        _, named, secret = issued.shown.split("_", 2)
        assert f"key_{named}" == issued.key.id
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret)
    assert first.shown != second.shown


async def test_of_a_token_only_the_hash_is_kept(client: Client, database_url: str) -> None:
    issued = await create_key(client, "till", "admin")

    kept = repr(
        await rows(database_url, "SELECT * FROM api_keys")
        + await rows(database_url, "SELECT * FROM audit_entries")
    )
    assert issued.key.id in kept
    assert issued.shown.split("_", 2)[2] not in kept
    assert ADMIN.split("_", 2)[2] not in kept


async def test_a_key_works_until_it_expires(service: Service, clock: VirtualClock) -> None:
    at = clock.after(hours=1)
    issued = await create_key(service.client, "guest", "events:read", expires_at=at)
    assert issued.key.expires_at == at

    async with holder(service, issued) as guest:
        clock.advance(minutes=59, seconds=59, microseconds=999_999)
        assert await status(guest) == 200
        clock.advance(microseconds=1)
        assert await status(guest) == 401


@pytest.mark.parametrize(
    ("fields", "naming"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "ti\x00ll"}, "name"),
        ({"name": "ti\nll"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["wallets:write"]}, "scopes"),
        ({"scopes": ["wallets:read", "ADMIN"]}, "scopes"),
        ({"scopes": ["wallets:read admin"]}, "scopes"),
        ({"expiresAt": "2026-03-10T09:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
    ],
    ids=str,
)
async def test_refuses_what_is_no_key(
    client: Client, unchanged: Unchanged, fields: Json, naming: str
) -> None:
    async with unchanged():
        wanted = {"name": "till", "scopes": ["admin"]} | fields
        payload = (await client.execute(CREATE, input=wanted))["createApiKey"]

    [refusal] = payload["errors"]
    assert (refusal["__typename"], refusal["path"]) == ("InvalidInput", ["input", naming])
    assert payload["apiKey"] is None
    assert payload["token"] is None


# ── replacing one ───────────────────────────────────────────────────────────────────────────────


async def test_two_keys_of_one_name_work_and_a_third_is_refused(
    service: Service, unchanged: Unchanged
) -> None:
    first = await create_key(service.client, "till", "events:read")
    second = await create_key(service.client, "till", "events:read")

    async with unchanged():
        third = await create_key(service.client, "till", "events:read")

    assert (third.error, third.answer.error_path) == ("TooManyKeys", ("input", "name"))
    async with holder(service, first) as old, holder(service, second) as new:
        assert await status(old) == await status(new) == 200
    assert (await create_key(service.client, "Till", "events:read")).error is None


async def test_a_revoked_key_makes_room_for_the_next(client: Client) -> None:
    first = await create_key(client, "till", "events:read")
    await create_key(client, "till", "events:read")
    await revoke_key(client, first.key.id)

    assert (await create_key(client, "till", "events:read")).error is None
    assert (await create_key(client, "till", "events:read")).error == "TooManyKeys"


async def test_an_expired_key_makes_room_for_the_next(client: Client, clock: VirtualClock) -> None:
    await create_key(client, "till", "events:read", expires_at=clock.after(hours=1))
    await create_key(client, "till", "events:read")
    clock.advance(minutes=59)
    assert (await create_key(client, "till", "events:read")).error == "TooManyKeys"
    clock.advance(minutes=1)

    assert (await create_key(client, "till", "events:read")).error is None


async def test_of_many_created_at_once_by_two_instances_two_are(
    service: Service, database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock) as other:
        made = await asyncio.gather(
            *(
                create_key(each.client, "till", "events:read")
                for each in (service, other)
                for _ in range(8)
            )
        )

    assert sorted(str(each.error) for each in made) == ["None"] * 2 + ["TooManyKeys"] * 14


# ── revoking ────────────────────────────────────────────────────────────────────────────────────


async def test_a_revoked_key_lets_nobody_in_from_then_on(
    service: Service, clock: VirtualClock
) -> None:
    issued = await create_key(service.client, "till", "events:read")
    async with holder(service, issued) as till:
        assert await status(till) == 200

        revoked = await revoke_key(service.client, issued.key.id)

        assert revoked.key.revoked_at == clock.now
        assert await status(till) == 401


async def test_revoking_again_changes_nothing(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    issued = await create_key(client, "till", "events:read")
    first = await revoke_key(client, issued.key.id)
    clock.advance(hours=1)

    async with unchanged():
        second = await revoke_key(client, issued.key.id)

    assert (second.error, second.key) == (None, first.key)


@pytest.mark.parametrize("wrong", [f"key_{SUFFIX}", f"wal_{SUFFIX}", "till", "", "key_\x00"])
async def test_refuses_to_revoke_what_is_no_key(
    client: Client, unchanged: Unchanged, wrong: str
) -> None:
    async with unchanged():
        revoked = await revoke_key(client, wrong)

    assert (revoked.error, revoked.answer.error_path) == ("ApiKeyNotFound", ("input", "id"))


async def test_an_administrator_may_revoke_the_key_they_show(service: Service) -> None:
    second = await create_key(service.client, "second", "admin")

    assert (await revoke_key(service.client, FIRST)).error is None

    assert await status(service.client) == 401
    async with holder(service, second) as admin:
        assert (await find_key(admin, FIRST)) is not None


async def test_the_last_admin_key_that_works_stays(
    service: Service, clock: VirtualClock, unchanged: Unchanged
) -> None:
    client = service.client
    await create_key(client, "reader", "wallets:read")
    await create_key(client, "guest", "admin", expires_at=clock.after(hours=1))
    other = await create_key(client, "other", "admin")
    await revoke_key(client, other.key.id)
    clock.advance(hours=1)

    async with unchanged():
        refused = await revoke_key(client, FIRST)

    assert (refused.error, refused.answer.error_path) == ("InvalidInput", ("input", "id"))
    assert "create another" in refused.answer.message
    assert await status(client) == 200


async def test_of_all_admin_keys_that_are_revoked_at_once_by_two_instances_one_stays(
    service: Service, database_url: str, clock: VirtualClock
) -> None:
    made = [await create_key(service.client, f"admin {number}", "admin") for number in range(7)]
    ids = [FIRST, *(each.key.id for each in made)]
    async with running(database_url, clock) as other:
        databases = itertools.cycle([service.inside.database, other.inside.database])
        done = await asyncio.gather(
            *(next(databases).write(keys.revoke, clock(), each, TERMINAL) for each in ids)
        )

    working = "SELECT count(*) FROM api_keys WHERE revoked_at IS NULL"
    assert await rows(database_url, working) == [(1,)]
    assert sum(isinstance(each, Refusal) for each in done) == 1


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


async def test_keys_are_listed_newest_first_page_by_page(
    client: Client, clock: VirtualClock
) -> None:
    made = [FIRST]
    for number in range(4):
        clock.advance(seconds=1)
        made.append((await create_key(client, f"till {number}", "events:read")).key.id)

    first = await list_keys(client, first=3)
    rest = await list_keys(client, first=3, after=first.end_cursor)

    assert [key.id for key in first.nodes + rest.nodes] == made[::-1]
    assert (first.has_next_page, rest.has_next_page) == (True, False)


async def test_for_others_a_key_is_as_one_that_is_not_there(service: Service) -> None:
    reader = await create_key(service.client, "reader", "wallets:read", "events:read")

    async with holder(service, reader) as client:
        assert await find_key(client, reader.key.id) is None
        assert await find_key(client, new_id("key")) is None
    assert await find_key(service.client, new_id("key")) is None


async def test_a_keys_last_use_is_known_once_it_is_written(
    database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock) as service:
        issued = await create_key(service.client, "till", "events:read")
        async with holder(service, issued) as till:
            await status(till)
            clock.advance(minutes=5)
            await status(till)
        used = clock.now
        clock.advance(minutes=5)

    async with running(database_url, clock) as service:
        found = await find_key(service.client, issued.key.id)
        assert found
        assert found.last_used_at == used


# ── the audit trail ─────────────────────────────────────────────────────────────────────────────


async def test_who_created_and_who_revoked_a_key_is_written_down(client: Client) -> None:
    issued = await create_key(client, "till", "events:read")
    await revoke_key(client, issued.key.id)

    entries = (await client.audit({"subjectId": issued.key.id})).nodes

    assert [(entry.action, entry.actor, entry.key_id) for entry in entries] == [
        ("revokeApiKey", "KEY", FIRST),
        ("createApiKey", "KEY", FIRST),
    ]
