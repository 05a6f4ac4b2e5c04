"""The door: what is shown at it, how it is read, and how seldom the database is asked."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from access import door as door_module
from access import keyring, keys
from access.door import DEVELOPER, SHOWN_CHARACTERS_MAX, Door
from access.principal import Principal, Unauthenticated
from events.audit import TERMINAL
from models.database import Database, open_database
from tests.harness.clock import Ticks, VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.patience import patience
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.harness.statements import counted_statements, held_statement

BODY = json.dumps({"query": "{ eventCursor }"})
UNKNOWN = f"{ADMIN}x"


@asynccontextmanager
async def door_to(
    database_url: str, clock: VirtualClock, ticks: Callable[[], float] = time.monotonic
) -> AsyncIterator[tuple[Door, Database]]:
    """A door to a database, as one instance has it."""
    database = open_database(database_url)
    door = Door(database, clock, ticks=ticks)
    await door.start()
    try:
        yield door, database
    finally:
        await door.close()
        await database.close()


async def create(database: Database, clock: VirtualClock, *scopes: str) -> tuple[str, str]:
    """Make a key; return its id and its token."""
    wanted = keys.NewKey("till", scopes or ("events:read",))
    made = await database.write(keys.create, clock(), wanted, TERMINAL)
    assert isinstance(made, tuple), made
    return made[0].id, made[1]


async def revoke(database: Database, clock: VirtualClock, key_id: str) -> None:
    await database.write(keys.revoke, clock(), key_id, TERMINAL, even_the_last=True)


async def is_let_in(door: Door, token: str) -> bool:
    try:
        await door.admit(f"Bearer {token}")
    except Unauthenticated:
        return False
    return True


# ── over HTTP ───────────────────────────────────────────────────────────────────────────────────


async def answer_to(service: Service, authorization: bytes | None) -> httpx.Response:
    headers = {b"content-type": b"application/json"}
    if authorization is not None:
        headers[b"authorization"] = authorization
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(service.client.url, content=BODY, headers=headers)


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {ADMIN}",
        f"bearer {ADMIN}",
        f"BEARER   {ADMIN}",
    ],
)
async def test_a_key_is_shown_by_the_scheme_bearer(
    sqlite_url: str, clock: VirtualClock, authorization: str
) -> None:
    async with running(sqlite_url, clock) as service:
        assert (await answer_to(service, authorization.encode())).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        b"",
        b"Bearer",
        ADMIN.encode(),
        f"Bearer{ADMIN}".encode(),
        f"Bearer\t{ADMIN}".encode(),
        f"Basic {ADMIN}".encode(),
        f"Bearer {ADMIN} {ADMIN}".encode(),
        f"Bearer {ADMIN},".encode(),
        f"Bearer {ADMIN}é".encode(),
        f"Bearer {UNKNOWN}".encode(),
        f"Bearer {ADMIN[:-1]}".encode(),
        f"Bearer {ADMIN.upper()}".encode(),
        f"Bearer {'x' * 9_000}".encode(),
        b"Bearer e30.e30.e30",
        b"Bearer tpk_",
        f"Bearer {ADMIN.removeprefix('tpk_')}".encode(),
    ],
)
async def test_whatever_else_is_shown_lets_nobody_in(
    sqlite_url: str, clock: VirtualClock, authorization: bytes | None
) -> None:
    async with running(sqlite_url, clock) as service:
        answer = await answer_to(service, authorization)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "Bearer" in error["message"] or "lets nobody in" in error["message"]
    assert "the-specification" not in answer.text


@pytest.mark.parametrize(
    "shown",
    ["Bearer ", "Bearer {}\n", "Bearer {}\x00", "Bearer\n{}", "Bearer {} ", "\u212aearer {}"],
)
async def test_what_no_header_can_hold_is_refused_where_a_socket_shows_it(
    sqlite_url: str, clock: VirtualClock, shown: str
) -> None:
    async with door_to(sqlite_url, clock) as (door, database):
        _, token = await create(database, clock)
        assert await is_let_in(door, token)

        with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
            await door.admit(shown.format(token))


async def test_a_key_and_a_token_are_never_taken_for_each_other(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with provider(clock) as identities:
        async with running(sqlite_url, clock, **identities.settings) as service:
            disguised = f"tpk_{identities.token('ann')}".encode()
            assert (await answer_to(service, b"Bearer " + disguised)).status_code == 401
            undisguised = ADMIN.removeprefix("tpk_").encode()
            assert (await answer_to(service, b"Bearer " + undisguised)).status_code == 401
        assert identities.fetches == 0


async def test_the_developer_is_let_in_by_the_token_of_the_moment(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, developer_token="dev-secret") as service:
        assert (await answer_to(service, b"Bearer dev-secret")).status_code == 200
        assert (await answer_to(service, b"Bearer dev-secre")).status_code == 401
        assert (await answer_to(service, b"Bearer dev-secret2")).status_code == 401


# ── how seldom the database is asked ────────────────────────────────────────────────────────────


async def test_a_key_in_use_is_looked_up_once_in_five_seconds(
    database_url: str, clock: VirtualClock, ticks: Ticks
) -> None:
    async with door_to(database_url, clock, ticks) as (door, database):
        _, token = await create(database, clock)
        assert await is_let_in(door, token)

        with counted_statements() as statements:
            for _ in range(100):
                assert await is_let_in(door, token)
            ticks.now += 4.999
            assert await is_let_in(door, token)
            assert [sent for sent in statements if "api_keys" in sent] == []
            ticks.now += 0.001
            assert await is_let_in(door, token)
            assert len([sent for sent in statements if "api_keys" in sent]) == 1


async def test_many_who_show_one_key_at_once_share_a_look_up(
    database_url: str, clock: VirtualClock
) -> None:
    async with door_to(database_url, clock) as (door, database):
        _, token = await create(database, clock)

        with counted_statements() as statements:
            assert all(await asyncio.gather(*(is_let_in(door, token) for _ in range(100))))

    assert len([sent for sent in statements if "FROM api_keys" in sent]) == 1


async def test_many_guesses_at_once_share_two_look_ups(
    database_url: str, clock: VirtualClock
) -> None:
    async with door_to(database_url, clock) as (door, _):
        with counted_statements() as statements:
            guesses = (is_let_in(door, f"{UNKNOWN}{number}") for number in range(500))
            assert not any(await asyncio.gather(*guesses))

    assert len([sent for sent in statements if "FROM api_keys" in sent]) <= 2


async def test_a_guess_that_is_repeated_is_looked_up_once_a_second(
    database_url: str, clock: VirtualClock, ticks: Ticks
) -> None:
    async with door_to(database_url, clock, ticks) as (door, _):
        with counted_statements() as statements:
            for _ in range(100):
                assert not await is_let_in(door, UNKNOWN)
            ticks.now += 1
            assert not await is_let_in(door, UNKNOWN)

    assert len([sent for sent in statements if "FROM api_keys" in sent]) == 2


async def test_what_is_remembered_is_bounded_and_guesses_push_no_key_out(
    sqlite_url: str, clock: VirtualClock, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "REMEMBERED_MAX", 10)
    async with door_to(sqlite_url, clock, ticks) as (door, database):
        _, token = await create(database, clock)
        await is_let_in(door, token)
        for number in range(30):
            await is_let_in(door, f"{UNKNOWN}{number}")

        with counted_statements() as statements:
            assert await is_let_in(door, token)
            assert not await is_let_in(door, f"{UNKNOWN}29")
            assert statements == []
            assert not await is_let_in(door, f"{UNKNOWN}0")
            assert len(statements) > 0


async def test_how_a_key_is_shown_is_remembered_in_bounded_space(
    sqlite_url: str, clock: VirtualClock, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "SHOWN_MAX", 10)
    async with door_to(sqlite_url, clock, ticks) as (door, database):
        key_id, token = await create(database, clock)
        for spaces in (*range(1, 30), SHOWN_CHARACTERS_MAX, 10 * SHOWN_CHARACTERS_MAX):
            assert (await door.admit(f"Bearer{' ' * spaces}{token}")).id == key_id
            remembered = door._shown  # noqa: SLF001 - nothing else shows it
            assert len(remembered) <= 10
            assert max(map(len, remembered), default=0) <= SHOWN_CHARACTERS_MAX
        before = set(door._shown)  # noqa: SLF001
        assert [await is_let_in(door, UNKNOWN) for _ in range(3)] == [False] * 3
        assert set(door._shown) == before  # noqa: SLF001 - guesses take no room in it


async def test_a_key_that_was_shown_a_moment_ago_is_refused_once_it_expires(
    sqlite_url: str, clock: VirtualClock, ticks: Ticks
) -> None:
    async with door_to(sqlite_url, clock, ticks) as (door, database):
        wanted = keys.NewKey("till", ("events:read",), clock() + 1_000_000)
        made = await database.write(keys.create, clock(), wanted, TERMINAL)
        assert isinstance(made, tuple), made
        assert [await is_let_in(door, made[1]) for _ in range(3)] == [True] * 3

        clock.advance(seconds=1)
        assert not await is_let_in(door, made[1])


async def test_a_look_up_that_fails_is_told_to_all_who_wait_and_tried_again(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with door_to(sqlite_url, clock) as (door, database):
        _, token = await create(database, clock)
        rename = "ALTER TABLE api_keys RENAME TO %s"
        await database.write(lambda link: link.exec_driver_sql(rename % "elsewhere").close())

        waiting = [door.admit(f"Bearer {token}") for _ in range(3)]
        async with patience():
            failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(failure, Exception) for failure in failures)
        assert not any(isinstance(failure, Unauthenticated) for failure in failures)

        back = "ALTER TABLE elsewhere RENAME TO api_keys"
        await database.write(lambda link: link.exec_driver_sql(back).close())
        assert await is_let_in(door, token)


# ── revoked elsewhere ───────────────────────────────────────────────────────────────────────────


async def test_a_key_that_another_instance_revoked_is_refused_within_five_seconds(
    database_url: str, clock: VirtualClock, ticks: Ticks
) -> None:
    async with (
        door_to(database_url, clock, ticks) as (door, database),
        door_to(database_url, clock) as (_, elsewhere),
    ):
        key_id, token = await create(database, clock)
        assert await is_let_in(door, token)
        await revoke(elsewhere, clock, key_id)

        ticks.now += 5

        assert not await is_let_in(door, token)


@pytest.mark.parametrize("shown_meanwhile", [False, True])
async def test_a_look_up_that_began_before_a_revocation_counts_no_longer_after_it(
    sqlite_url: str, clock: VirtualClock, *, shown_meanwhile: bool
) -> None:
    async with door_to(sqlite_url, clock) as (door, database):
        key_id, token = await create(database, clock)
        with held_statement("api_keys.hash IN") as look_up:
            before = asyncio.create_task(is_let_in(door, token))
            await look_up.is_sent()
            await revoke(database, clock, key_id)
            door.forget()
            after = [asyncio.create_task(is_let_in(door, token))] if shown_meanwhile else []
            await asyncio.sleep(0)
            look_up.release()

            assert await before
            assert not any(await asyncio.gather(*after))
        assert not await is_let_in(door, token)


async def test_who_is_gone_is_known_by_one_read(
    database_url: str, clock: VirtualClock, ticks: Ticks
) -> None:
    async with door_to(database_url, clock, ticks) as (door, database):
        stays, token = await create(database, clock)
        goes, gone_token = await create(database, clock)
        key, gone = await door.admit(f"Bearer {token}"), await door.admit(f"Bearer {gone_token}")
        member = Principal("MEMBER", "member:ann", identity="ann", expires_at=clock() + 1_000_000)
        late = replace(member, id="member:bob", identity="bob", expires_at=clock())
        await revoke(database, clock, goes)

        with counted_statements() as statements:
            found = await door.gone([key, key, gone, member, late, DEVELOPER])

    assert found == {goes, "member:bob"}
    assert (key.id, gone.id) == (stays, goes)
    assert len([sent for sent in statements if "FROM api_keys" in sent]) == 1


async def test_a_key_that_expires_is_gone_from_then_on(
    database_url: str, clock: VirtualClock
) -> None:
    async with door_to(database_url, clock) as (door, database):
        wanted = keys.NewKey("guest", ["events:read"], clock() + 60_000_000)
        made = await database.write(keys.create, clock(), wanted, TERMINAL)
        assert isinstance(made, tuple)
        guest = await door.admit(f"Bearer {made[1]}")

        clock.advance(seconds=59, microseconds=999_999)
        assert await door.gone([guest]) == set()
        clock.advance(microseconds=1)
        assert await door.gone([guest]) == {guest.id}


async def test_of_members_and_the_developer_nothing_is_read(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with door_to(sqlite_url, clock) as (door, _):
        with counted_statements() as statements:
            assert await door.gone([DEVELOPER]) == set()
            assert await door.gone([]) == set()

    assert statements == []
