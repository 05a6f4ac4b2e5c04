"""Pages of a wallet's transactions in the naive service."""

# pyright: basic, reportArgumentType=false, reportAssignmentType=false

from collections.abc import Sequence

from sqlalchemy.orm import joinedload
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from benchmarks.naive.tables import Transaction


async def read_newest(
    session: AsyncSession, wallet_id: str, count: int, before: int | None
) -> Sequence[Transaction]:
    """Return up to `count` transactions of a wallet below a sequence, newest first."""
    query = (
        select(Transaction)
        .options(joinedload(Transaction.detail))
        .where(Transaction.wallet_id == wallet_id)
        .order_by(col(Transaction.sequence).desc())
        .limit(count)
    )
    if before is not None:
        query = query.where(Transaction.sequence < before)
    return (await session.exec(query)).all()
