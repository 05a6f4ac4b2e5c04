"""Debits: spending points or removing them, and giving them back."""

from typing import Annotated

import strawberry

from graph.context import Info
from graph.errors import (
    BalanceLimit,
    ExceedsOriginal,
    IdempotencyConflict,
    InsufficientPoints,
    InvalidInput,
    ProgramNotFound,
    TransactionNotFound,
    WalletFrozen,
    WalletNotFound,
)
from graph.inputs import DESCRIPTION, KEY, METADATA, OrderInput, WalletRef
from graph.payloads import Posting
from graph.scalars import JSON, Duration, Points, sought
from ledger import commands

DebitPointsError = Annotated[
    WalletNotFound
    | ProgramNotFound
    | WalletFrozen
    | InvalidInput
    | IdempotencyConflict
    | InsufficientPoints,
    strawberry.union("DebitPointsError", description="Why no points were taken."),
]
RefundDebitError = Annotated[
    TransactionNotFound
    | WalletFrozen
    | InvalidInput
    | IdempotencyConflict
    | ExceedsOriginal
    | BalanceLimit,
    strawberry.union("RefundDebitError", description="Why a debit was not given back."),
]


@strawberry.input(description="Points to take.")
class DebitPointsInput:
    """See ledger.commands.Debit."""

    wallet: WalletRef = strawberry.field(description="Whose.")
    points: Points = strawberry.field(
        description="How many; more than 0, with no more decimals than the program has."
    )
    idempotency_key: str = strawberry.field(description=KEY)
    manual: bool = strawberry.field(
        default=False, description="Removed by hand, and not redeemed by the member."
    )
    description: str | None = strawberry.field(description=DESCRIPTION)
    order: OrderInput | None = strawberry.field(description="The sale behind it.")
    metadata: JSON | None = strawberry.field(description=METADATA)

    def to_command(self) -> commands.Debit:
        return commands.Debit(
            wallet=self.wallet.to_ref(),
            points=self.points,
            key=self.idempotency_key,
            manual=self.manual,
            description=self.description,
            order=self.order and self.order.to_order(),
            metadata=self.metadata,
        )


@strawberry.type(description="What was written, or why no points were taken.")
class DebitPointsPayload(Posting):
    """The answer to debitPoints."""

    errors: list[DebitPointsError] = strawberry.field(description="Empty on success.")


@strawberry.input(description="A debit to give back.")
class RefundDebitInput:
    """See ledger.commands.RefundDebit."""

    transaction_id: strawberry.ID = strawberry.field(
        description="The debit's id, `txn_…`; a capture is one, too."
    )
    points: Points | None = strawberry.field(
        description="How many; all that isn't refunded yet if left out."
    )
    grace: Duration | None = strawberry.field(
        description=(
            "How long points last that expired meanwhile. Left out, they expire again at once; all"
            " others keep their expiry."
        )
    )
    idempotency_key: str = strawberry.field(description=KEY)
    description: str | None = strawberry.field(description=DESCRIPTION)

    def to_command(self) -> commands.RefundDebit:
        return commands.RefundDebit(
            transaction_id=sought(self.transaction_id),
            key=self.idempotency_key,
            points=self.points,
            grace=self.grace,
            description=self.description,
        )


@strawberry.type(description="What was written, or why nothing was given back.")
class RefundDebitPayload(Posting):
    """The answer to refundDebit."""

    errors: list[RefundDebitError] = strawberry.field(description="Empty on success.")


@strawberry.type
class DebitMutations:
    """The mutations about debits."""

    @strawberry.mutation(
        description=(
            "Take points from a wallet, never more than it has. Safe to retry with the same key."
        )
    )
    async def debit_points(
        self,
        info: Info,
        input: Annotated[DebitPointsInput, strawberry.argument(description="Whose, and how many.")],
    ) -> DebitPointsPayload:
        return DebitPointsPayload.of(await info.context.submit(input.to_command()))

    @strawberry.mutation(
        description=(
            "Give a debit back, all or some: the very points that it took, with their expiry."
        )
    )
    async def refund_debit(
        self,
        info: Info,
        input: Annotated[
            RefundDebitInput, strawberry.argument(description="Which debit, and how much of it.")
        ],
    ) -> RefundDebitPayload:
        return RefundDebitPayload.of(await info.context.submit(input.to_command()))
