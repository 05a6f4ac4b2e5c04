"""Transfers: points from one wallet to another of the same program."""

from typing import Annotated

import strawberry

from graph.context import Info
from graph.errors import (
    BalanceLimit,
    IdempotencyConflict,
    InsufficientPoints,
    InvalidInput,
    ProgramNotFound,
    WalletFrozen,
    WalletNotFound,
    listed,
)
from graph.inputs import DESCRIPTION, KEY, WalletRef
from graph.scalars import Points
from graph.transactions import Transaction, entry_of
from ledger import commands

TransferPointsError = Annotated[
    WalletNotFound
    | ProgramNotFound
    | WalletFrozen
    | InvalidInput
    | IdempotencyConflict
    | InsufficientPoints
    | BalanceLimit,
    strawberry.union("TransferPointsError", description="Why no points were moved."),
]


@strawberry.input(description="Points to move to another wallet of the same program.")
class TransferPointsInput:
    """See ledger.commands.Transfer."""

    from_: WalletRef = strawberry.field(name="from", description="Who gives.")
    to: WalletRef = strawberry.field(
        description="Who gets. By owner, the first transfer opens the member and the wallet."
    )
    points: Points = strawberry.field(description="How many; they keep their expiry.")
    idempotency_key: str = strawberry.field(description=KEY)
    description: str | None = strawberry.field(description=DESCRIPTION)

    def to_command(self) -> commands.Transfer:
        return commands.Transfer(
            sender=self.from_.to_ref(),
            receiver=self.to.to_ref(),
            points=self.points,
            key=self.idempotency_key,
            description=self.description,
        )


@strawberry.type(description="What was written, or why no points were moved.")
class TransferPointsPayload:
    """The answer to transferPoints."""

    sent: Transaction | None = strawberry.field(description="What left the one wallet.")
    replayed: bool = strawberry.field(
        description="The key had been used for the same before: this is what came of it then."
    )
    errors: list[TransferPointsError] = strawberry.field(description="Empty on success.")

    @strawberry.field(description="What arrived in the other.")
    async def received(self, info: Info) -> Transaction | None:
        related_id = entry_of(self.sent).related_id if self.sent else None
        return await info.context.loaders.find_transaction(related_id)


@strawberry.type
class TransferMutations:
    """The mutation about transfers."""

    @strawberry.mutation(
        description=(
            "Move points to another wallet of the same program. Safe to retry with the same key."
        )
    )
    async def transfer_points(
        self,
        info: Info,
        input: Annotated[
            TransferPointsInput, strawberry.argument(description="From whom to whom, how many.")
        ],
    ) -> TransferPointsPayload:
        outcome = await info.context.submit(input.to_command())
        return TransferPointsPayload(
            sent=Transaction.of(outcome.entry) if outcome.entry else None,
            replayed=outcome.replayed,
            errors=listed(outcome.refusal),
        )
