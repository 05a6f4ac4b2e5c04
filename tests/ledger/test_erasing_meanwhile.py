"""Erasing while another instance credits: whoever is erased gets no wallet any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from events.audit import SERVICE
from ledger.commands import Command, Credit, Owner, Transfer
from ledger.erasure import erase_member
from ledger.registry import CreateProgram, EraseMember, UpsertMember
from tests.harness.book import BOB, Book, open_book
from tests.harness.clock import VirtualClock

POLLS_MAX = 500
POLL_S = 0.01
IN_GOLD = Owner("ann", "Gold")

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@asynccontextmanager
async def another_instance(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A unit of work elsewhere, committed as the block ends."""
    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def someone_waits(book: Book) -> None:
    for _ in range(POLLS_MAX):
        if await book.ask("SELECT pid FROM pg_locks WHERE NOT granted"):
            return
        await asyncio.sleep(POLL_S)
    raise AssertionError("nobody waits for the erasing")


@pytest.mark.parametrize(
    "command",
    [
        Credit(wallet=IN_GOLD, points=1_000, key="key"),
        Transfer(sender=Owner("bob", "Gold"), receiver=IN_GOLD, points=1_000, key="key"),
    ],
    ids=["credit", "transfer"],
)
async def test_a_first_wallet_is_opened_for_someone_new(
    database_url: str, clock: VirtualClock, command: Command
) -> None:
    async with open_book(database_url, clock) as book:
        await book.ledger.create_program(CreateProgram(name="Gold", points_name="p"), SERVICE)
        await book.ledger.upsert_member(UpsertMember(identity="ann", name="Ann"), SERVICE)
        await book.do(Credit(wallet=Owner(BOB.identity, "Gold"), points=1_000, key="bob"))

        async with another_instance(database_url) as elsewhere:
            erased = await elsewhere.run_sync(erase_member, clock(), EraseMember(identity="ann"))
            credited = asyncio.ensure_future(book.submit(command))
            await someone_waits(book)
        [outcome] = await credited

        assert outcome.refusal is None
        owners = await book.ask(
            "SELECT identity FROM members JOIN wallets ON member_id = members.id ORDER BY identity"
        )
        assert owners == [("ann",), ("bob",)]
        assert await book.ask(f"SELECT name FROM members WHERE id = '{erased}'") == [(None,)]
