"""The types that the naive service answers with, made from its rows."""

# pyright: basic, reportArgumentType=false, reportAssignmentType=false

from asyncio import Lock
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import NewType, Self

import strawberry
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from benchmarks.naive import tables
from benchmarks.naive.pages import read_newest

THOUSANDTHS = 1000

Points = NewType("Points", int)


def print_points(thousandths: int) -> int | float:
    """Return points as they are told: whole ones without decimals."""
    whole, rest = divmod(thousandths, THOUSANDTHS)
    return whole if rest == 0 else thousandths / THOUSANDTHS


def parse_points(told: float) -> Points:
    """Return points in thousandths."""
    return Points(int(Decimal(str(told)) * THOUSANDTHS))


CONFIG = StrawberryConfig(
    scalar_map={
        Points: strawberry.scalar(name="Points", serialize=print_points, parse_value=parse_points)
    }
)


@dataclass
class Context:
    """What every resolver shares."""

    sessions: async_sessionmaker[AsyncSession]
    write_lock: Lock


Info = strawberry.Info[Context, None]


@strawberry.enum
class CreditSource(Enum):
    """Where a credit comes from."""

    API = "API"
    CAMPAIGN = "CAMPAIGN"
    MANUAL = "MANUAL"
    CASHBACK_COUPON = "CASHBACK_COUPON"


@strawberry.enum
class TransactionKind(Enum):
    """What a transaction does."""

    CREDIT = "CREDIT"
    DEBIT = "DEBIT"


@strawberry.enum
class WalletStatus(Enum):
    """Whether a wallet may be used."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"


def with_offset(at: datetime) -> datetime:
    """Return an instant of the database, which forgets that it is in UTC."""
    return at.replace(tzinfo=UTC)


@strawberry.type
class Balance:
    """A wallet's points, or a change to them."""

    active: Points
    promised: Points
    held: Points


@strawberry.type
class Order:
    """The purchase that a transaction is about."""

    id: str | None
    sale_amount: float | None
    sale_channel: str | None
    location_id: str | None

    @classmethod
    def of(cls, row: tables.TransactionDetail) -> Self | None:
        """Shape what is told of an order, if anything is."""
        told = {
            "id": row.order_id,
            "sale_amount": row.sale_amount,
            "sale_channel": row.sale_channel,
            "location_id": row.location_id,
        }
        return None if set(told.values()) == {None} else cls(**told)


@strawberry.type
class Related:
    """A transaction or a hold that a transaction refers to."""

    id: strawberry.ID


@strawberry.type
class Transaction:
    """One row of the ledger."""

    row: strawberry.Private[tables.Transaction]
    id: strawberry.ID
    sequence: int
    kind: TransactionKind
    points: Points
    change: Balance
    balance_after: Balance
    source: CreditSource | None
    campaign_id: strawberry.ID | None
    coupon_code: str | None
    description: str | None
    active_at: datetime | None
    expires_at: datetime | None
    order: Order | None
    metadata: JSON | None
    effective_at: datetime
    created_at: datetime

    @strawberry.field
    def related(self) -> Related | None:
        """Return what the transaction refers to; only its id, which the row holds."""
        return Related(id=self.row.related_id) if self.row.related_id else None

    @strawberry.field
    def hold(self) -> Related | None:
        """Return the hold that the transaction belongs to."""
        return Related(id=self.row.hold_id) if self.row.hold_id else None

    @classmethod
    def of(cls, row: tables.Transaction) -> Self:
        """Shape a row, its detail loaded."""
        detail = row.detail or tables.TransactionDetail(transaction_id=row.id)
        return cls(
            row=row,
            id=row.id,
            sequence=row.sequence,
            kind=TransactionKind(row.kind),
            points=row.points,
            change=Balance(
                active=row.active_change, promised=row.promised_change, held=row.held_change
            ),
            balance_after=Balance(
                active=row.active_after, promised=row.promised_after, held=row.held_after
            ),
            source=CreditSource(row.source) if row.source else None,
            campaign_id=row.campaign_id,
            coupon_code=detail.coupon_code,
            description=detail.description,
            active_at=row.active_at and with_offset(row.active_at),
            expires_at=row.expires_at and with_offset(row.expires_at),
            order=Order.of(detail),
            metadata=detail.metadata_,
            effective_at=with_offset(row.effective_at),
            created_at=with_offset(row.created_at),
        )


@strawberry.type
class Program:
    """The rules that a wallet's points follow."""

    id: strawberry.ID
    name: str


@strawberry.type
class Member:
    """A person."""

    id: strawberry.ID
    identity: str


@strawberry.type
class PageInfo:
    """Whether there is more of a list, and where its page begins and ends."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class TransactionEdge:
    """A transaction in a list, and its place there."""

    cursor: str
    node: Transaction


@strawberry.type
class TransactionConnection:
    """A page of a wallet's transactions, newest first."""

    edges: list[TransactionEdge]
    page_info: PageInfo


@strawberry.type
class Wallet:
    """One member's points in one program."""

    row: strawberry.Private[tables.Wallet]
    id: strawberry.ID
    status: WalletStatus
    balance: Balance
    program: Program
    member: Member
    created_at: datetime

    @strawberry.field
    async def transactions(
        self, info: Info, first: int = 20, after: str | None = None
    ) -> TransactionConnection:
        """Read a page by keyset: `after` is the sequence of the last row seen."""
        before = int(after) if after else None
        async with info.context.sessions() as session:
            rows = await read_newest(session, self.row.id, first + 1, before)
        edges = [
            TransactionEdge(cursor=str(row.sequence), node=Transaction.of(row))
            for row in rows[:first]
        ]
        return TransactionConnection(
            edges=edges,
            page_info=PageInfo(
                has_next_page=len(rows) > first,
                has_previous_page=after is not None,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )

    @classmethod
    def of(cls, row: tables.Wallet) -> Self:
        """Shape a row, its program and member loaded."""
        return cls(
            row=row,
            id=row.id,
            status=WalletStatus.FROZEN if row.frozen else WalletStatus.ACTIVE,
            balance=Balance(active=row.active, promised=row.promised, held=row.held),
            program=Program(id=row.program.id, name=row.program.name),
            member=Member(id=row.member.id, identity=row.member.identity),
            created_at=with_offset(row.created_at),
        )
