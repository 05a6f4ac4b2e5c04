"""The ledger by itself, over a real database and a virtual clock: for what GraphQL can't show."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event, select
from sqlalchemy import text as sql

from events.audit import SERVICE
from ledger import Ledger, Outcome
from ledger.commands import Command, Owner
from ledger.records import Transaction, Wallet
from models.database import Database, open_database
from models.tables import transactions, wallets
from tests.harness.clock import VirtualClock

ANN = Owner("ann")
BOB = Owner("bob")


@dataclass
class Book:
    """A ledger, and the statements that it has sent so far."""

    ledger: Ledger
    database: Database
    clock: VirtualClock
    statements: list[str] = field(default_factory=list)

    async def do(self, *commands: Command) -> list[Outcome]:
        """Submit the commands together; none may be refused."""
        outcomes = await self.submit(*commands)
        assert [outcome.refusal for outcome in outcomes] == [None] * len(commands)
        return outcomes

    async def submit(self, *commands: Command) -> list[Outcome]:
        """Submit the commands together, whatever comes of them."""
        return await self.ledger.submit_all(commands, SERVICE)

    async def rows(self, kind: str | None = None) -> list[Transaction]:
        """Every transaction, or those of one kind, by wallet and sequence."""
        query = select(transactions).order_by(transactions.c.wallet_id, transactions.c.sequence)
        if kind:
            query = query.where(transactions.c.kind == kind)
        found = await self.database.read(lambda connection: connection.execute(query).all())
        return [Transaction(*row) for row in found]

    async def wallet(self) -> Wallet:
        """The only wallet there is."""
        query = select(wallets)
        return Wallet(*await self.database.read(lambda connection: connection.execute(query).one()))

    async def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says."""

        def read(connection: Connection) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(sql(query))]

        return await self.database.read(read)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        ((number,),) = await self.ask(f"SELECT count(*) FROM {table}")
        return int(number)


@asynccontextmanager
async def open_book(database_url: str, clock: VirtualClock) -> AsyncIterator[Book]:
    """Open the ledger until the block ends."""
    database = open_database(database_url)
    book = Book(Ledger(database, clock, lambda: None), database, clock)

    def note(*sent: Any) -> None:
        book.statements.append(sent[2])

    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", note)
    await book.ledger.start()
    try:
        yield book
    finally:
        await book.ledger.close()
        await database.close()
