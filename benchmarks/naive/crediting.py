"""What a credit does in the naive service: one session, one commit."""

# pyright: basic, reportArgumentType=false, reportAssignmentType=false, reportCallIssue=false

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import joinedload
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from benchmarks.naive.tables import (
    Event,
    IdempotencyKey,
    Lot,
    Member,
    Program,
    Transaction,
    TransactionDetail,
    Wallet,
    utc_now,
)


@dataclass
class Credit:
    """A credit to make, as the API was asked for it; the points in thousandths."""

    wallet_id: str | None
    identity: str | None
    program: str
    points: int
    key: str
    source: str
    detail: dict[str, Any] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Return a digest of all but the key: the same for the same input."""
        told = {name: value for name, value in vars(self).items() if name != "key"}
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


class RefusalError(Exception):
    """A credit that cannot be made, and why."""

    def __init__(self, reason: str, message: str, path: str) -> None:
        """Keep the name of the API's error, what to tell, and where in the input it is."""
        super().__init__(message)
        self.reason = reason
        self.path = path


async def find_wallet(
    session: AsyncSession, wallet_id: str | None, identity: str | None, program: str
) -> Wallet | None:
    """Return a wallet by its id or by its owner, with its member and program."""
    query = select(Wallet).options(joinedload(Wallet.program), joinedload(Wallet.member))
    if wallet_id is not None:
        query = query.where(Wallet.id == wallet_id)
    else:
        query = (
            query.join(Member, Member.id == Wallet.member_id)
            .join(Program, Program.id == Wallet.program_id)
            .where(Member.identity == identity, Program.name == program)
        )
    return (await session.exec(query)).first()


async def open_wallet(session: AsyncSession, identity: str, program_name: str) -> Wallet:
    """Return a new wallet for a member, who is made too unless already known."""
    program = (await session.exec(select(Program).where(Program.name == program_name))).first()
    if program is None:
        raise RefusalError("ProgramNotFound", "There is no such program.", "wallet.owner.program")
    member = (await session.exec(select(Member).where(Member.identity == identity))).first()
    wallet = Wallet(program=program, member=member or Member(identity=identity))
    session.add(wallet)
    await session.flush()
    return wallet


async def get_wallet_to_credit(session: AsyncSession, credit: Credit) -> Wallet:
    """Return the wallet that a credit goes to, opened if it goes to an owner."""
    wallet = await find_wallet(session, credit.wallet_id, credit.identity, credit.program)
    if wallet is None:
        if credit.identity is None:
            raise RefusalError("WalletNotFound", "There is no such wallet.", "wallet")
        wallet = await open_wallet(session, credit.identity, credit.program)
    if wallet.frozen:
        raise RefusalError("WalletFrozen", "The wallet is frozen.", "wallet")
    return wallet


async def find_replay(session: AsyncSession, credit: Credit) -> tuple[Transaction, Wallet] | None:
    """Return what the same credit did before, or None if its key is new."""
    used = await session.get(IdempotencyKey, credit.key)
    if used is None:
        return None
    if used.fingerprint != credit.fingerprint():
        raise RefusalError("IdempotencyConflict", "The key was used before.", "idempotencyKey")
    query = select(Transaction).options(joinedload(Transaction.detail))
    transaction = (await session.exec(query.where(Transaction.id == used.transaction_id))).one()
    wallet = await find_wallet(session, transaction.wallet_id, None, credit.program)
    assert wallet is not None
    return transaction, wallet


def add_credit(session: AsyncSession, wallet: Wallet, credit: Credit) -> Transaction:
    """Add a credit's rows to the session: balance, ledger, details, lot, event and key."""
    now = utc_now()
    wallet.sequence += 1
    wallet.active += credit.points
    wallet.credited += credit.points
    transaction = Transaction(
        wallet_id=wallet.id,
        sequence=wallet.sequence,
        kind="CREDIT",
        points=credit.points,
        active_change=credit.points,
        active_after=wallet.active,
        promised_after=wallet.promised,
        held_after=wallet.held,
        source=credit.source,
        active_at=now,
        effective_at=now,
        created_at=now,
    )
    transaction.detail = TransactionDetail(transaction_id=transaction.id, **credit.detail)
    rows = (
        transaction,
        Lot(
            wallet_id=wallet.id,
            transaction=transaction,
            issued=credit.points,
            remaining=credit.points,
            active_at=now,
        ),
        Event(
            name="CT Points Credited",
            wallet_id=wallet.id,
            transaction=transaction,
            points=credit.points,
            source=credit.source,
            occurred_at=now,
        ),
        IdempotencyKey(key=credit.key, fingerprint=credit.fingerprint(), transaction=transaction),
    )
    session.add_all(rows)
    return transaction


async def credit_wallet(session: AsyncSession, credit: Credit) -> tuple[Transaction, Wallet, bool]:
    """Give a wallet points, once for each key; the last part says whether it was a replay."""
    replay = await find_replay(session, credit)
    if replay is not None:
        return *replay, True
    wallet = await get_wallet_to_credit(session, credit)
    transaction = add_credit(session, wallet, credit)
    await session.commit()
    return transaction, wallet, False
