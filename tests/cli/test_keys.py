"""tuppence keys: create, list and revoke, at the database itself, also while it is served."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.patience import poll
from tests.harness.processes import tuppence
from tests.harness.servers import running
from tests.harness.tables import rows

MINE = "{ eventCursor }"
REVOKED_S_MAX = 10  # the promise itself
TOKEN = re.compile(r"tpk_[0-9a-z]{26}_[A-Za-z0-9_-]{43}\n")


def create(database_url: str, name: str, *options: str) -> str:
    done = tuppence("keys", "create", name, *options, database_url=database_url)
    assert done.returncode == 0, done.stderr
    assert TOKEN.fullmatch(done.stdout), done.stdout
    assert done.stdout.strip() not in done.stderr
    return done.stdout.strip()


def id_of(token: str) -> str:
    return f"key_{token.split('_')[1]}"


def listed(database_url: str) -> list[str]:
    done = tuppence("keys", "list", database_url=database_url)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def test_a_created_key_lets_its_holder_in_at_once_where_it_is_served(
    database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock) as service:
        token = create(database_url, "till", "--scope", "events:read")

        async with Client.of(service.client.url, token) as till:
            assert (await till.ask(MINE, {}))[0] == 200


async def test_a_revoked_key_is_refused_within_ten_seconds_where_it_is_served(
    database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock) as service:
        token = create(database_url, "till", "--scope", "events:read")
        async with Client.of(service.client.url, token) as till:
            assert (await till.ask(MINE, {}))[0] == 200

            done = tuppence("keys", "revoke", id_of(token), database_url=database_url)

            async def is_refused() -> bool:
                return (await till.ask(MINE, {}))[0] == httpx.codes.UNAUTHORIZED

            assert done.returncode == 0, done.stderr
            assert await poll(is_refused, REVOKED_S_MAX)


async def test_it_is_written_down_that_it_was_done_at_the_terminal(
    database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock) as service:
        token = create(database_url, "till", "--scope", "events:read")
        tuppence("keys", "revoke", id_of(token), database_url=database_url)

        entries = (await service.client.audit({"subjectId": id_of(token)})).nodes

    assert {(entry.action, entry.actor) for entry in entries} == {
        ("createApiKey", "TERMINAL"),
        ("revokeApiKey", "TERMINAL"),
    }


def test_keys_are_listed_with_what_they_are(sqlite_url: str) -> None:
    admin = create(sqlite_url, "boss", "--scope", "admin")
    till = create(
        sqlite_url, "the till", "--scope", "points:credit", "--scope", "wallets:read",
        "--expires", "2999-01-31",
    )  # fmt: skip
    tuppence("keys", "revoke", id_of(till), database_url=sqlite_url)

    head, second, first = listed(sqlite_url)

    assert head.split() == ["ID", "STATE", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST", "USED"]
    assert re.fullmatch(
        rf"{id_of(admin)}  works    boss      admin                       \S+ \S+  never  +never",
        first,
    )
    assert re.fullmatch(
        rf"{id_of(till)}  revoked  the till  wallets:read points:credit  \S+ \S+"
        r"  2999-01-31 00:00  never",
        second,
    )


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
    ],
)
async def test_a_keys_expiry_may_be_a_span(sqlite_url: str, text: str, span: timedelta) -> None:
    create(sqlite_url, "guest", "--scope", "events:read", "--expires", text)

    [(lives,)] = await rows(sqlite_url, "SELECT expires_at - created_at FROM api_keys")
    assert timedelta(microseconds=lives) == span


@pytest.mark.parametrize(
    "text", ["2999-01-31", "2999-01-31T00:00Z", "2999-01-31T00:00", "2999-01-31T02:00+02:00"]
)
async def test_a_keys_expiry_may_be_an_instant(sqlite_url: str, text: str) -> None:
    create(sqlite_url, "guest", "--scope", "events:read", "--expires", text)

    [(expires_at,)] = await rows(sqlite_url, "SELECT expires_at FROM api_keys")
    assert expires_at == datetime.fromisoformat("2999-01-31T00:00Z").timestamp() * 1_000_000


@pytest.mark.parametrize(
    ("arguments", "naming"),
    [
        (("create", "", "--scope", "admin"), "name"),
        (("create", "n" * 101, "--scope", "admin"), "name"),
        (("create", "till"), "scope"),
        (("create", "till", "--scope", "everything"), "scopes"),
        (("create", "till", "--scope", "admin", "--expires", "soon"), "--expires"),
        (("create", "till", "--scope", "admin", "--expires", "0d"), "--expires"),
        (("create", "till", "--scope", "admin", "--expires", "2020-01-01"), "expiresAt"),
        (("revoke", "key_none"), "no such key"),
    ],
    ids=str,
)
async def test_a_mistake_is_told_and_nothing_is_done(
    sqlite_url: str, arguments: tuple[str, ...], naming: str
) -> None:
    done = tuppence("keys", *arguments, database_url=sqlite_url)

    assert done.returncode == 2
    assert naming in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert await rows(sqlite_url, "SELECT * FROM api_keys") == []


def test_a_third_key_of_a_name_is_refused(sqlite_url: str) -> None:
    create(sqlite_url, "till", "--scope", "events:read")
    create(sqlite_url, "till", "--scope", "events:read")

    done = tuppence("keys", "create", "till", "--scope", "events:read", database_url=sqlite_url)

    assert done.returncode == 2
    assert "revoke one" in done.stderr
    assert done.stdout == ""


def test_the_last_admin_key_is_revoked_only_by_force(sqlite_url: str) -> None:
    token = create(sqlite_url, "boss", "--scope", "admin")

    refused = tuppence("keys", "revoke", id_of(token), database_url=sqlite_url)
    forced = tuppence("keys", "revoke", id_of(token), "--force", database_url=sqlite_url)

    assert (refused.returncode, forced.returncode) == (2, 0)
    assert "create another" in refused.stderr
    assert " revoked " in listed(sqlite_url)[1]


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "tuppence.db"

    for arguments in (("list",), ("create", "till", "--scope", "admin"), ("revoke", "key_none")):
        done = tuppence("keys", *arguments, database_url=f"sqlite:///{file}")
        assert done.returncode == 2
        assert str(file) in done.stderr

    assert not file.exists()
