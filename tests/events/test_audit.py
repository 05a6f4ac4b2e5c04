"""The audit trail: written with the effect, once, in its actor's name; never rewritten."""

import asyncio
from dataclasses import replace
from typing import get_args

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from events.audit import SERVICE, Actor, AuditFilter, Deed, Entry, note, page_entries
from ledger.actions import ACTIONS, MOVES, QuietCommand
from ledger.commands import Command, Credit, Debit, Owner
from ledger.settlement import DUE_ROWS_MAX
from models.database import open_database
from models.windows import Window
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock

SHOP = Actor("KEY", "key_shop", "request-1")
TILL = Actor("KEY", "key_till", "request-2")
ALL = Window(first=2_000)


async def entries(book: Book) -> list[Entry]:
    """All of them, oldest first."""
    page = await book.database.read(page_entries, ALL, AuditFilter())
    return [entry for _, entry in page.items][::-1]


def credit(number: int, owner: Owner = ANN) -> Credit:
    return Credit(wallet=owner, points=1_000, key=f"credit-{number}")


async def test_an_entry_is_of_its_effects_actor_whoever_else_is_in_the_batch(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        ledger = book.ledger
        book.statements.clear()
        first, second, third = await asyncio.gather(
            ledger.submit(credit(1), SHOP), ledger.submit(credit(2), TILL), book.submit(credit(3))
        )
        written = [one for one in book.statements if "INTO audit_entries" in one]
        found = await entries(book)

    assert len(written) == 1
    assert [(entry.actor, entry.key_id, entry.request_id) for entry in found] == [
        ("KEY", "key_shop", "request-1"),
        ("KEY", "key_till", "request-2"),
        ("SERVICE", None, None),
    ]
    done = [first, second, *third]
    assert [entry.subject_id for entry in found] == [one.transaction_id for one in done]
    assert {(entry.action, entry.at) for entry in found} == {("creditPoints", clock())}


async def test_a_key_is_the_same_whoever_sends_it(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        first = await book.ledger.submit(credit(1), SHOP)
        again = await book.ledger.submit(credit(1), TILL)

        assert (again.replayed, again.transaction_id) == (True, first.transaction_id)
        assert [entry.key_id for entry in await entries(book)] == ["key_shop"]


async def test_a_key_used_twice_in_one_batch_is_its_first_senders_doing(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await asyncio.gather(
            book.ledger.submit(credit(1), SHOP), book.ledger.submit(credit(1), TILL)
        )

        assert [entry.key_id for entry in await entries(book)] == ["key_shop"]


async def test_a_command_that_waits_for_another_batch_has_one_entry(
    sqlite_url: str, clock: VirtualClock
) -> None:
    # More falls due than one batch may write.
    fading = [replace(credit(n), expires_at=clock() + 1) for n in range(DUE_ROWS_MAX + 1)]
    async with open_book(sqlite_url, clock) as book:
        await book.do(credit(-1), *fading)
        clock.advance(seconds=1)
        book.statements.clear()

        debit = await book.ledger.submit(Debit(wallet=ANN, points=1_000, key="debit"), TILL)

        assert book.statements.count("BEGIN IMMEDIATE") == 2
        of_till = [entry.subject_id for entry in await entries(book) if entry.key_id == "key_till"]
        assert of_till == [debit.transaction_id]


async def test_the_database_refuses_to_rewrite_it(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(credit(1))
        for statement in ("UPDATE audit_entries SET action = 'none'", "DELETE FROM audit_entries"):
            with pytest.raises(DBAPIError, match="written once"):
                await book.database.write(
                    lambda connection, told: connection.execute(text(told)), statement
                )

        assert [entry.action for entry in await entries(book)] == ["creditPoints"]


async def test_entries_of_one_instant_stand_in_the_order_of_their_making(
    database_url: str, clock: VirtualClock
) -> None:
    def note_out_of_order(connection: Connection) -> None:
        note(connection, clock() + 1, [Deed(SERVICE, "later", None)])
        note(connection, clock(), [Deed(SERVICE, "first", None), Deed(SERVICE, "second", None)])

    async with open_book(database_url, clock) as book:
        await book.database.write(note_out_of_order)

        assert [entry.action for entry in await entries(book)] == ["first", "second", "later"]


async def test_nothing_is_written_down_of_nothing(database_url: str) -> None:
    database = open_database(database_url)
    await database.write(note, 1, [])
    await database.close()


def test_every_command_has_a_name_of_its_own() -> None:
    assert set(MOVES) == set(get_args(Command))
    assert set(ACTIONS) == {*get_args(Command), *get_args(QuietCommand)}
    assert len(set(ACTIONS.values())) == len(ACTIONS)


async def test_an_effect_that_collides_and_runs_again_has_one_entry(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as here, open_book(database_url, clock) as there:
        await asyncio.gather(
            *(
                book.ledger.submit(credit(number, BOB), SHOP)
                for number in range(20)
                for book in (here, there)
            )
        )

        assert await here.count("transactions") == 20
        assert await here.count("audit_entries") == 20
