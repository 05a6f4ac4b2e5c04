"""What is in the books of the service that is fuzzed, and who may ask about it."""

from dataclasses import dataclass
from typing import Final

from tests.harness.api_keys import create_key
from tests.harness.client import Client
from tests.harness.keys import ADMIN
from tests.harness.values import Json

PROGRAM: Final = "Beans"
KEYS: Final = ("key-1", "key-2")
MEMBERS: Final = ("ann", "bob", "eve")
"""Whom an administrator's random deeds meet: erased, frozen, spent by."""

MIA: Final = "mia"
STRANGER: Final = "stranger"
"""Two whom no random deed meets: the one asks, the other must not be seen by her."""

SECRET: Final = "of no concern to others"
"""In everything that is the stranger's alone."""


@dataclass(frozen=True)
class Known:
    """The names and ids that stand for something in the books."""

    identities: tuple[str, ...]
    transactions: tuple[str, ...]
    holds: tuple[str, ...]
    others: tuple[str, ...]
    """The ids of wallets, members, programs and events."""
    cursors: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.transactions, *self.holds, *self.others)

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.identities, PROGRAM, *KEYS, *self.ids, *self.cursors)

    def fitting(self, name: str) -> tuple[str, ...]:
        """What stands for something where this is asked for by name."""
        fit = {
            "id": self.ids,
            "ids": self.ids,
            "transactionId": self.transactions,
            "walletId": self.others,
            "identity": self.identities,
            "program": (PROGRAM,),
            "name": (PROGRAM,),
            "after": self.cursors,
            "before": self.cursors,
        }
        return fit.get(name, ())

    def __add__(self, other: "Known") -> "Known":
        return Known(
            self.identities + other.identities,
            self.transactions + other.transactions,
            self.holds + other.holds,
            self.others + other.others,
            self.cursors + other.cursors,
        )


@dataclass(frozen=True)
class Books:
    """What is known of whom, and the token of a key that may only read."""

    members: Known
    mia: Known
    stranger: Known
    reader: str


async def settle(url: str) -> Books:
    """Write some of everything into the books."""
    async with Client.of(url, ADMIN) as client:
        await client.create_program(PROGRAM, "beans", max_balance=10_000)
        members = [await settle_member(client, identity) for identity in MEMBERS]
        mia, stranger = [await settle_member(client, each) for each in (MIA, STRANGER)]
        await client.upsert_member(
            STRANGER,
            name=SECRET,
            email=f"{SECRET}@example.com",
            phone=SECRET,
            attributes={SECRET: SECRET},
        )
        reader = await create_key(client, "reader", "wallets:read", "events:read")
    return Books(members[0] + members[1] + members[2], mia, stranger, reader.shown)


async def settle_member(client: Client, identity: str) -> Known:
    """Give a member points, some of them spent, some of them held, all of it with words."""
    words = f"{identity} {SECRET}"
    told: Json = {"description": words, "metadata": {"of": words}, "program": PROGRAM}
    order = {"id": words, "saleAmount": 12.5}
    credited = await client.credit(identity, 50, order=order, **told)
    spent = await client.debit(identity, 10, **told)
    held = await client.hold(identity, 5, **told)
    wallet = await client.wallet(identity, PROGRAM)
    rows = await client.transactions(filter={"orderId": words})
    pages = await client.wallets(filter={"identity": identity})
    events = await client.execute(EVENTS, wallet=wallet.id)
    edges = events["pointsCreditedEvents"]["edges"]
    cursors = [*rows.cursors, *pages.cursors, *[edge["cursor"] for edge in edges]]
    written = [answer.transaction for answer in (credited, spent, held)]
    assert held.hold is not None
    return Known(
        identities=(identity,),
        transactions=tuple(row.id for row in written if row is not None),
        holds=(held.hold.id,),
        others=(wallet.id, wallet.member_id, wallet.program_id, *[e["node"]["id"] for e in edges]),
        cursors=tuple(cursors),
    )


EVENTS = """query($wallet: ID!) { pointsCreditedEvents(filter: {walletId: $wallet}) {
  edges { cursor node { id } } } }"""
