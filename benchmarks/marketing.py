"""What campaigns are measured on: a ledger with its events, campaigns, and what waits of them.

All of it is made by the product's own code; the rows that wait by the million are inserted in bulk.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from benchmarks.servers import MeasurementError
from campaigns.channels.parcels import Kind
from campaigns.conditions import PropertyFilter
from campaigns.evaluator import evaluate
from campaigns.listeners import Versions
from campaigns.plans import Plan
from campaigns.records import Campaign, Channel, Delivery, delivery_row
from campaigns.refusals import Refusal
from campaigns.registry import (
    NewChannel,
    create_campaign,
    create_channel,
    publish_campaign,
    stop_campaign,
)
from events.audit import TERMINAL
from ledger import Ledger
from ledger.commands import Credit, Order, Owner
from models.database import Database, open_database
from models.dialects import write_rows
from models.ids import new_id
from models.migrations import upgrade
from models.tables import campaign_cursor, campaign_versions, deliveries, delivery_head, wallets

NOW: Final = 1_773_144_000_000_000
"""2026-03-10T12:00:00Z: the instant at which everything happens here."""

CREDITED: Final = "CT Points Credited"
BATCH: Final = 1_000
ROWS: Final = 20_000
POINT: Final = 1_000
STRIDE: Final = 7_919
"""By how much the next credit's member differs: it has no divisor in common with their number."""


def now() -> int:
    """The instant of all units of work here."""
    return NOW


def made(outcome: Any) -> Any:
    """What the registry or the desk made; a refusal is a fault."""
    if isinstance(outcome, Refusal):
        raise MeasurementError(str(outcome))
    return outcome


@dataclass
class Market:
    """A database with its ledger, as the service has them."""

    database: Database
    ledger: Ledger
    credited: int = 0
    versions: Versions = field(default_factory=Versions)

    async def credit(
        self, count: int, members: int, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """Make credits, from 1 to 1,000 points each, of members in turn."""
        for start in range(self.credited, self.credited + count, BATCH):
            numbers = range(start, min(start + BATCH, self.credited + count))
            asked = [self._credit(number, members) for number in numbers]
            for outcome in await self.ledger.submit_all(asked, TERMINAL):
                made(outcome.refusal)
            progress(numbers.stop)
        self.credited += count

    def _credit(self, number: int, members: int) -> Credit:
        return Credit(
            wallet=Owner(f"member-{number * STRIDE % members}"),
            points=(number % BATCH + 1) * POINT,
            key=f"credit-{number}",
            order=Order(f"order-{number}", 49.9, "web", "lyon-2"),
        )

    async def open_channel(self, kind: Kind, settings: Any, secrets: Any) -> Channel:
        """A channel."""
        asked = NewChannel(kind.lower(), kind, settings, secrets)
        return made(await self.database.write(create_channel, NOW, asked, TERMINAL))

    async def publish(self, plans: Sequence[Plan]) -> list[Campaign]:
        """Running campaigns with these plans."""

        def publish(connection: Connection) -> list[Campaign]:
            running: list[Campaign] = []
            for number, plan in enumerate(plans):
                name = f"campaign {number}"
                draft = made(create_campaign(connection, NOW, name, plan, TERMINAL))
                running.append(made(publish_campaign(connection, NOW, draft.id, TERMINAL)))
            return running

        return await self.database.write(publish)

    async def listen_from_the_start(self) -> None:
        """Let all campaigns hear what happened before they were published, too."""

        def listen(connection: Connection) -> None:
            connection.execute(update(campaign_versions).values(from_position=0))

        await self.database.write(listen)

    async def stop(self, campaigns: Sequence[Campaign]) -> None:
        """Stop campaigns for good."""

        def stop(connection: Connection) -> None:
            for one in campaigns:
                made(stop_campaign(connection, NOW, one.id, False, TERMINAL))  # noqa: FBT003 - as the desk hands it on

        await self.database.write(stop)

    async def evaluate(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Read the log to its end; return how many events were read."""
        read = 0
        while step := await self.database.write(evaluate, NOW, self.versions):
            read += step
            progress(read)
        return read

    async def rewind(self, to: int) -> None:
        """Forget what the events past a position have made, so that they can be read again."""

        def rewind(connection: Connection) -> None:
            connection.execute(delete(deliveries))
            connection.execute(update(campaign_cursor).values(position=to))

        await self.database.write(rewind)

    async def wait_in_bulk(
        self, campaigns: Sequence[Campaign], count: int, progress: Callable[[int], None]
    ) -> None:
        """Deliveries whose time has come, half of them the first campaign's, inserted in bulk."""
        owners = await self.database.read(_owners)
        for start in range(0, count, ROWS):
            rows = [
                delivery_row(_waiting(number, campaigns, owners[number * STRIDE % len(owners)]))
                for number in range(start, min(start + ROWS, count))
            ]
            await self.database.write(write_rows, deliveries, rows)
            progress(start + len(rows))

        def number(connection: Connection) -> None:
            connection.execute(update(delivery_head).values(revision=count))

        await self.database.write(number)


def _owners(connection: Connection) -> Sequence[Any]:
    return connection.execute(select(wallets.c.id, wallets.c.member_id)).all()


def _waiting(number: int, campaigns: Sequence[Campaign], owner: Any) -> Delivery:
    campaign = campaigns[0 if number % 2 else number // 2 % len(campaigns)]
    wallet_id, member_id = owner
    one = Delivery(
        id=new_id("dlv"),
        campaign_id=campaign.id,
        version=campaign.version,
        trigger_key=f"evt_{number}",
        is_test=False,
        event_id=f"evt_{number}",
        member_id=member_id,
        wallet_id=wallet_id,
        lot_id=None,
        sequence=None,
        absence=None,
        depth=0,
        status="WAITING",
        revision=number + 1,
        created_at=NOW,
    )
    one.wait("WAITING", NOW - 1_000_000_000 + number)
    return one


def between(least: int, greatest: int) -> tuple[PropertyFilter, ...]:
    """Three filters that an event passes whose points are within bounds."""
    return (
        PropertyFilter("points", "BETWEEN", [least, greatest]),
        PropertyFilter("source", "EQUALS", "API"),
        PropertyFilter("saleChannel", "IN", ["web", "shop"]),
    )


@asynccontextmanager
async def market(url: str) -> AsyncGenerator[Market]:
    """A new installation at an empty database, until the block ends."""
    database = open_database(url)
    ledger = Ledger(database, now, lambda: None)
    await ledger.start()
    try:
        yield Market(database, ledger)
    finally:
        await ledger.close()
        await database.close()


def new_file(folder: Path, name: str) -> str:
    """The address of a new SQLite database."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder / name}.db"
    upgrade(url)
    return url
