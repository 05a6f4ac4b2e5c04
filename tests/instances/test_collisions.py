"""Somebody else holds a lock, or the server says no: a unit of work is run again, within bounds."""

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, make_url, text

from models import links
from models.collisions import ATTEMPTS_MAX
from models.database import Unavailable
from tests.harness.client import Client, RequestRefused
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.patience import patience, poll
from tests.harness.postgres import Postgres
from tests.harness.processes import serving
from tests.harness.servers import Service, running
from tests.harness.statements import counted_statements
from tests.harness.values import Balance
from tests.instances.elsewhere import foreign, someone_waits

CLAIM = "INSERT INTO idempotency_keys"
STILL = {
    "TUPPENCE_SWEEPER": "off",
    "TUPPENCE_CAMPAIGNS": "off",
    "TUPPENCE_LIMIT_EXECUTION_SECONDS": "600",
}
BOUNDS = {
    "statement_timeout": "6s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "transaction_isolation": "read committed",
    "synchronous_commit": "off",  # as the tests' own cluster has it: the service leaves it alone
}
FAILS_TWICE = """
CREATE SEQUENCE faults;
CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('faults') <= 2 THEN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fault BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION fault()
"""
HANG_UP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
MENDED = "DROP TRIGGER fault ON events; DROP FUNCTION fault; DROP SEQUENCE faults"


@contextmanager
def counted_runs() -> Iterator[list[str]]:
    """Collect the claims of keys: one for each run of a batch."""
    runs: list[str] = []
    with counted_statements() as statements:
        yield runs
    runs += [each for each in statements if each.startswith(CLAIM)]


@asynccontextmanager
async def hasty(
    database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, **bounds_ms: int
) -> AsyncIterator[Service]:
    """An instance whose patience is short, so that the test's may be."""
    for name, bound in bounds_ms.items():
        monkeypatch.setattr(links, f"{name.upper()}_TIMEOUT_MS", bound)
    async with running(database_url, clock) as service:
        for who in ("ann", "bob"):
            await service.client.credit(who, 100)
        yield service


def driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection


async def refusal_code(deed: Any) -> str:
    async with patience():
        with pytest.raises(RequestRefused) as refused:
            await deed
    return str(refused.value.errors[0]["extensions"]["code"])


# ── run again ───────────────────────────────────────────────────────────────────────────────────


async def test_a_deadlock_with_somebody_else_is_run_again(
    alone: Service, database_url: str
) -> None:
    client = alone.client
    ids = sorted([(await client.credit(who, 100)).posted.wallet_id for who in ("ann", "bob")])
    lock = "SELECT id FROM wallets WHERE id = $1 FOR UPDATE"
    with counted_runs() as runs:
        async with foreign(database_url) as other, patience():
            await other.execute("SET deadlock_timeout = '60s'")  # so that the service is the victim
            await other.execute("BEGIN")
            await other.execute(lock, ids[1])
            moved = asyncio.create_task(client.transfer("ann", "bob", 30))
            await someone_waits(other)  # with the first wallet locked

            await other.execute(lock, ids[0])
            await other.execute("ROLLBACK")

            assert (await moved).error is None
    assert len(runs) >= 2
    assert await client.balance("ann") == Balance(active=70)
    assert await client.balance("bob") == Balance(active=130)


async def test_a_lock_that_somebody_keeps_is_waited_for_again(
    database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        hasty(database_url, clock, monkeypatch, lock=300) as service,
        foreign(database_url) as other,
        patience(),
    ):
        with counted_statements() as statements:
            await other.execute("BEGIN")
            await other.execute("SELECT id FROM wallets FOR UPDATE")
            spent = asyncio.create_task(service.client.debit("ann", 30))

            async def is_run_again() -> bool:
                return sum(each.startswith(CLAIM) for each in statements) >= 2

            assert await poll(is_run_again)
            await other.execute("ROLLBACK")
            assert (await spent).error is None
        assert await service.client.balance("ann") == Balance(active=70)


async def test_one_that_is_kept_for_long_is_given_up_and_nothing_was_done(
    database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hasty(database_url, clock, monkeypatch, lock=50) as service:
        with counted_runs() as runs:
            async with foreign(database_url) as other:
                await other.execute("BEGIN")
                await other.execute("SELECT id FROM wallets FOR UPDATE")

                assert await refusal_code(service.client.debit("ann", 30, key="k")) == "UNAVAILABLE"

        assert len(runs) == ATTEMPTS_MAX
        assert await service.client.balance("ann") == Balance(active=100)
        assert (await service.client.debit("ann", 30, key="k")).replayed is False


async def test_what_the_server_could_not_put_in_order_is_run_again(
    alone: Service, database_url: str
) -> None:
    async with foreign(database_url) as other:
        await other.execute(FAILS_TWICE)
        try:
            with counted_runs() as runs:
                assert (await alone.client.credit("ann", 5)).error is None
        finally:
            await other.execute(MENDED)
    assert len(runs) == 3
    assert (await alone.client.health()).transactions == 1


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────


async def test_every_session_has_its_bounds(alone: Service) -> None:
    def told(connection: Connection) -> dict[str, str]:
        return {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in BOUNDS}

    database = alone.inside.database

    assert await database.write(told) == BOUNDS
    assert await database.read(told) == BOUNDS
    assert await database.survey(told) == BOUNDS | {
        "statement_timeout": "10min",
        "idle_in_transaction_session_timeout": "10min",
        "transaction_isolation": "repeatable read",
    }


async def test_a_statement_that_takes_too_long_is_unavailable_and_not_our_fault(
    database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        hasty(database_url, clock, monkeypatch, statement=1_000, lock=20_000) as service,
        foreign(database_url) as other,
    ):
        await other.execute("BEGIN")
        await other.execute("SELECT id FROM wallets FOR UPDATE")
        assert await refusal_code(service.client.debit("ann", 30, key="k")) == "UNAVAILABLE"
        await other.execute("ROLLBACK")
        await other.execute("BEGIN; LOCK TABLE wallets")
        assert await refusal_code(service.client.balance("ann")) == "UNAVAILABLE"
        await other.execute("ROLLBACK")

        assert await service.client.balance("ann") == Balance(active=100)
        assert (await service.client.debit("ann", 30, key="k")).replayed is False


async def test_what_is_known_to_be_lost_before_the_commit_is_not_unknown(
    alone: Service, postgres: Postgres
) -> None:
    database = alone.inside.database

    def cut_off(connection: Connection) -> None:
        driver_of(connection).terminate()

    def idle(connection: Connection) -> None:
        """Do nothing until the server has had enough of it, with the loop standing still."""
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        gone = f"SELECT 1 / (SELECT count(*) FROM pg_stat_activity WHERE pid = {pid})"
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 100"))
        while postgres.psql(gone).returncode == 0:
            pass

    for work in (cut_off, idle):
        with pytest.raises(Unavailable):
            await database.write(work)


async def test_a_server_that_takes_no_writes_is_left_for_one_that_does(
    alone: Service, database_url: str
) -> None:
    client = alone.client
    await client.credit("ann", 5)
    name = make_url(database_url).database
    async with foreign(database_url) as other:
        await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            await other.execute(HANG_UP)
            assert await refusal_code(client.credit("ann", 7, key="k")) == "UNAVAILABLE"
            assert await client.balance("ann") == Balance(active=5)
            assert await refusal_code(client.credit("ann", 7, key="k")) == "UNAVAILABLE"
        finally:
            await other.execute("SET default_transaction_read_only = off")
            await other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert (await client.credit("ann", 7, key="k")).replayed is False


async def test_the_system_asks_a_quiet_connection_whether_its_server_is_there(
    alone: Service,
) -> None:
    def asks(connection: Connection) -> int:
        transport = driver_of(connection)._transport  # noqa: SLF001
        line = transport.get_extra_info("socket")
        return line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    database = alone.inside.database

    assert await database.read(asks) == 1
    assert await database.survey(asks) == 1


async def test_a_batch_claims_locks_and_writes_in_one_order_and_the_log_last(
    alone: Service,
) -> None:
    client = alone.client
    await client.credit("ann", 100)

    with counted_statements() as statements:
        await client.transfer("ann", "bob", 5)

    begun = next(n for n, each in enumerate(statements) if each.startswith(CLAIM))
    [locked] = [
        n
        for n, each in enumerate(statements)
        if "FROM wallets" in each.split("WHERE")[0] and each.endswith("FOR UPDATE")
    ]
    [log] = [n for n, each in enumerate(statements) if "UPDATE log_head" in each]
    changes = [
        n
        for n, each in enumerate(statements)
        if re.search(r"\b(INSERT|UPDATE|DELETE)\b", each.removesuffix("FOR UPDATE")) and n > begun
    ]
    assert "ORDER BY wallets.id" in statements[locked]
    assert begun < locked < min(changes) < log
    assert "INSERT INTO events" in statements[log]
    assert max(changes) == log, "nothing follows the log's lock"


# ── an instance that stands still ───────────────────────────────────────────────────────────────


async def test_what_a_frozen_instance_has_locked_is_free_after_a_moment(
    alone: Service, database_url: str, tmp_path: Path
) -> None:
    client = alone.client
    await client.credit("ann", 100)
    async with (
        serving(database_url, tmp_path, **STILL) as frozen,
        Client.of(frozen.url, ADMIN) as theirs,
        foreign(database_url) as other,
        patience(60),
    ):
        await theirs.balance("ann")
        await other.execute("BEGIN")
        await other.execute("SELECT position FROM log_head FOR UPDATE")
        lost = asyncio.create_task(theirs.debit("ann", 30, key="k"))
        await someone_waits(other)  # the wallet is locked, and all is written but the log
        assert frozen.process
        frozen.process.send_signal(signal.SIGSTOP)
        await other.execute("ROLLBACK")  # it has the log's lock now, and never hears of it

        mine = await client.debit("ann", 80)

        assert mine.error is None
        frozen.process.send_signal(signal.SIGCONT)
        with pytest.raises(RequestRefused) as refused:
            await lost
        # Whether it learns at the commit that its session had ended before is a matter of moments.
        code = refused.value.errors[0]["extensions"]["code"]
        assert code in {"UNAVAILABLE", "OUTCOME_UNKNOWN"}
        again = await theirs.debit("ann", 30, key="k")
        assert (again.error, again.replayed) == ("InsufficientPoints", False)
        assert await client.balance("ann") == Balance(active=20)
