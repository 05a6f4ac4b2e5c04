"""Inputs: what several mutations take alike."""

from typing import Final

import strawberry
from strawberry import UNSET

from graph.scalars import sought
from ledger import commands
from models import DEFAULT_PROGRAM

KEY: Final = (
    "Makes it safe to repeat: the same key with the same input has one effect, for ever, and is"
    " answered with it. 1 to 255 characters, unique over the whole installation."
)
DESCRIPTION: Final = "What to say of it, to people; at most 500 characters."
METADATA: Final = "Whatever else you want to keep with it: a JSON object of at most 4 KB."


@strawberry.input(description="A wallet, by its member and its program.")
class OwnerInput:
    """See ledger.commands.Owner."""

    identity: str = strawberry.field(description="Your own id of the member.")
    program: str | None = strawberry.field(
        description="The program's name; the default program, `Points`, if left out."
    )

    def to_owner(self) -> commands.Owner:
        program = DEFAULT_PROGRAM if self.program is None else self.program
        return commands.Owner(sought(self.identity), sought(program))


@strawberry.input(one_of=True, description="Which wallet: by its id or by its owner.")
class WalletRef:
    """See ledger.commands.WalletRef."""

    id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The wallet's id, `wal_…`."
    )
    owner: OwnerInput | None = strawberry.field(
        default=UNSET, description="Its member and its program."
    )

    def to_ref(self) -> commands.WalletRef:
        return self.owner.to_owner() if self.owner else sought(str(self.id))


@strawberry.input(
    description="What to tell of the sale behind a transaction. Erased with its member."
)
class OrderInput:
    """See ledger.commands.Order."""

    id: str | None = strawberry.field(
        description="Your own id of the order; at most 255 characters."
    )
    sale_amount: float | None = strawberry.field(description="What the sale came to.")
    sale_channel: str | None = strawberry.field(
        description="Where it was made; at most 255 characters."
    )
    location_id: str | None = strawberry.field(
        description="Your own id of the shop; at most 255 characters."
    )

    def to_order(self) -> commands.Order:
        return commands.Order(self.id, self.sale_amount, self.sale_channel, self.location_id)
