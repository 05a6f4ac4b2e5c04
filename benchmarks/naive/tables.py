"""The naive service's tables: the columns that a credit and a read of Tuppence touch."""

# pyright: basic, reportArgumentType=false, reportAssignmentType=false

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, Relationship, SQLModel


def new_id(prefix: str) -> str:
    """Return a fresh id that says what it names, like `txn_6f1c…`."""
    return f"{prefix}_{uuid4().hex}"


def utc_now() -> datetime:
    """Return this instant, with its offset."""
    return datetime.now(UTC)


class Program(SQLModel, table=True):
    """The rules that a wallet's points follow."""

    __tablename__ = "programs"

    id: str = Field(default_factory=lambda: new_id("prg"), primary_key=True)
    name: str = Field(unique=True)
    points_name: str
    created_at: datetime = Field(default_factory=utc_now)


class Member(SQLModel, table=True):
    """A person, by the caller's own id."""

    __tablename__ = "members"

    id: str = Field(default_factory=lambda: new_id("mem"), primary_key=True)
    identity: str = Field(unique=True)
    created_at: datetime = Field(default_factory=utc_now)


class Wallet(SQLModel, table=True):
    """One member's points in one program, in thousandths."""

    __tablename__ = "wallets"
    __table_args__ = (
        UniqueConstraint("program_id", "member_id"),
        CheckConstraint("active >= 0 AND promised >= 0 AND held >= 0"),
    )

    id: str = Field(default_factory=lambda: new_id("wal"), primary_key=True)
    program_id: str = Field(foreign_key="programs.id")
    member_id: str = Field(foreign_key="members.id", index=True)
    frozen: bool = False
    sequence: int = 0
    active: int = Field(default=0, sa_type=BigInteger)
    promised: int = Field(default=0, sa_type=BigInteger)
    held: int = Field(default=0, sa_type=BigInteger)
    credited: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(default_factory=utc_now)

    program: Program = Relationship()
    member: Member = Relationship()


class TransactionDetail(SQLModel, table=True):
    """What a transaction says in words: kept beside the ledger, so that it can be erased."""

    __tablename__ = "transaction_details"

    transaction_id: str = Field(primary_key=True, foreign_key="transactions.id")
    description: str | None = None
    coupon_code: str | None = None
    order_id: str | None = None
    sale_amount: float | None = None
    sale_channel: str | None = None
    location_id: str | None = None
    metadata_: dict[str, Any] | None = Field(default=None, sa_column=Column("metadata", JSON))


class Transaction(SQLModel, table=True):
    """One row of the ledger, never changed."""

    __tablename__ = "transactions"
    __table_args__ = (Index("transactions_newest", "wallet_id", "sequence", unique=True),)

    id: str = Field(default_factory=lambda: new_id("txn"), primary_key=True)
    wallet_id: str = Field(foreign_key="wallets.id")
    sequence: int
    kind: str
    points: int = Field(sa_type=BigInteger)
    active_change: int = Field(default=0, sa_type=BigInteger)
    promised_change: int = Field(default=0, sa_type=BigInteger)
    held_change: int = Field(default=0, sa_type=BigInteger)
    active_after: int = Field(default=0, sa_type=BigInteger)
    promised_after: int = Field(default=0, sa_type=BigInteger)
    held_after: int = Field(default=0, sa_type=BigInteger)
    source: str | None = None
    campaign_id: str | None = None
    active_at: datetime | None = None
    expires_at: datetime | None = None
    related_id: str | None = None
    hold_id: str | None = None
    effective_at: datetime = Field(default_factory=utc_now)
    created_at: datetime = Field(default_factory=utc_now)

    detail: TransactionDetail | None = Relationship(sa_relationship_kwargs={"uselist": False})


class Lot(SQLModel, table=True):
    """The points of one credit that are still in the wallet."""

    __tablename__ = "lots"

    id: str = Field(default_factory=lambda: new_id("lot"), primary_key=True)
    wallet_id: str = Field(foreign_key="wallets.id", index=True)
    transaction_id: str = Field(foreign_key="transactions.id", unique=True)
    issued: int = Field(sa_type=BigInteger)
    remaining: int = Field(sa_type=BigInteger)
    held: int = Field(default=0, sa_type=BigInteger)
    active_at: datetime
    expires_at: datetime | None = None

    transaction: Transaction = Relationship()


class IdempotencyKey(SQLModel, table=True):
    """A key that was used, for what, and what came of it."""

    __tablename__ = "idempotency_keys"

    key: str = Field(primary_key=True)
    fingerprint: str
    transaction_id: str = Field(foreign_key="transactions.id")
    created_at: datetime = Field(default_factory=utc_now)

    transaction: Transaction = Relationship()


class Event(SQLModel, table=True):
    """A fact on the event log, written with the ledger row that it tells of."""

    __tablename__ = "events"

    position: int | None = Field(default=None, primary_key=True)
    id: str = Field(default_factory=lambda: new_id("evt"), unique=True)
    name: str
    wallet_id: str = Field(foreign_key="wallets.id")
    transaction_id: str = Field(foreign_key="transactions.id")
    points: int = Field(sa_type=BigInteger)
    source: str
    occurred_at: datetime = Field(default_factory=utc_now)

    transaction: Transaction = Relationship()
