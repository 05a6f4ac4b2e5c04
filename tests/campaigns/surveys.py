"""What a reach is asked of: ledgers with a few credits, or with something of everything."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from campaigns.plans import Absence, Who
from campaigns.reach import Reach, count_reach
from events.audit import SERVICE
from ledger.commands import Credit, Debit, Owner, ReverseCredit
from ledger.refusals import InvalidInput
from ledger.registry import EraseMember, UpsertMember
from tests.harness.book import ANN, Book
from tests.harness.clock import VirtualClock

DAY_US = 86_400_000_000
CREDITED = Who("CT Points Credited")
UNREDEEMED = Who("CT Points Credited", absence=Absence("CREDIT_UNREDEEMED", 3 * DAY_US))
UNTOUCHED = Who("CT Points Credited", absence=Absence("WALLET_UNREDEEMED", 3 * DAY_US))
NOBODY = Reach(0, 0, 0)
ONE = Reach(1, 1, 1)


async def reach(book: Book, who: Who = CREDITED, since: int = 0) -> Reach | InvalidInput:
    return await book.database.survey(count_reach, who, since, book.clock())


async def credit(book: Book, key: str = "c", **about: Any) -> str:
    asked = replace(Credit(wallet=ANN, points=5_000, key=key), **about)
    (done,) = await book.do(asked)
    assert done.transaction_id
    return done.transaction_id


async def redeem(book: Book, points: int, key: str = "d", **about: Any) -> str:
    (done,) = await book.do(replace(Debit(wallet=ANN, points=points, key=key), **about))
    assert done.transaction_id
    return done.transaction_id


async def know(book: Book, identity: str, attributes: Mapping[str, Any]) -> None:
    asked = UpsertMember(identity=identity, attributes=dict(attributes))
    await book.ledger.upsert_member(asked, SERVICE)


async def busy(book: Book, clock: VirtualClock) -> None:
    """A log with something of everything in it."""
    await know(book, "ann", {"tier": "gold"})
    for number in range(30):
        owner = Owner(("ann", "bob", "cleo")[number % 3])
        key = f"c{number}"
        promised = {"active_at": clock() + DAY_US} if number % 7 == 0 else {}
        expires_at = clock() + (5 + number % 9) * DAY_US
        one = await credit(
            book, key, wallet=owner, points=1_000 * (1 + number), expires_at=expires_at, **promised
        )
        if number % 4 == 0:
            await book.submit(Debit(wallet=owner, points=500 * number + 1_000, key=f"d{number}"))
        if number % 9 == 0:
            await book.submit(ReverseCredit(transaction_id=one, key=f"r{number}"))
        clock.advance(hours=9)
        await book.ledger.sweep()
    await book.ledger.erase_member(EraseMember(identity="cleo"), SERVICE)
