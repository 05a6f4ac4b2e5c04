"""Credits: giving points, one wallet or a thousand at a time, and taking them back."""

from typing import Annotated, cast

import strawberry

from graph.choices import Choice, choice
from graph.context import Info
from graph.costs import up_to
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
    listed,
)
from graph.inputs import DESCRIPTION, KEY, METADATA, OrderInput, WalletRef
from graph.payloads import Posting
from graph.scalars import JSON, DateTime, Points, sought
from graph.transactions import CreditSource
from ledger import CREDITS_MAX, commands
from ledger.refusals import InvalidInput as Refused

CreditPointsError = Annotated[
    WalletNotFound
    | ProgramNotFound
    | WalletFrozen
    | InvalidInput
    | IdempotencyConflict
    | BalanceLimit,
    strawberry.union("CreditPointsError", description="Why no points were given."),
]
CreditPointsBatchError = Annotated[
    InvalidInput,
    strawberry.union(
        "CreditPointsBatchError", description="Why a batch as a whole was not looked at."
    ),
]
ReverseCreditError = Annotated[
    TransactionNotFound
    | WalletFrozen
    | InvalidInput
    | IdempotencyConflict
    | InsufficientPoints
    | ExceedsOriginal,
    strawberry.union("ReverseCreditError", description="Why a credit was not taken back."),
]


@strawberry.input(description="Points to give.")
class CreditPointsInput:
    """See ledger.commands.Credit."""

    wallet: WalletRef = strawberry.field(
        description="To whom. By owner, the first credit opens the member and the wallet."
    )
    points: Points = strawberry.field(
        description="How many; more than 0, with no more decimals than the program has."
    )
    idempotency_key: str = strawberry.field(description=KEY)
    source: CreditSource = strawberry.field(
        default=CreditSource.API, description="Where they come from."
    )
    campaign_id: strawberry.ID | None = strawberry.field(
        description="The campaign that gives them."
    )
    coupon_code: str | None = strawberry.field(
        description="The coupon that gives them; at most 64 characters."
    )
    description: str | None = strawberry.field(
        description="What to say of it, to people and in the event; at most 500 characters."
    )
    active_at: DateTime | None = strawberry.field(
        description=(
            "They are promised until then. After the program's delay if left out; at once if it has"
            " passed."
        )
    )
    expires_at: DateTime | None = strawberry.field(
        description="The first instant without them; by the program's rule if left out."
    )
    order: OrderInput | None = strawberry.field(description="The sale behind it.")
    metadata: JSON | None = strawberry.field(description=METADATA)

    def to_command(self) -> commands.Credit:
        return commands.Credit(
            wallet=self.wallet.to_ref(),
            points=self.points,
            key=self.idempotency_key,
            source=cast("commands.Source", str(self.source)),
            campaign_id=self.campaign_id,
            coupon_code=self.coupon_code,
            description=self.description,
            active_at=self.active_at,
            expires_at=self.expires_at,
            order=self.order and self.order.to_order(),
            metadata=self.metadata,
        )


@strawberry.type(description="What was written, or why no points were given.")
class CreditPointsPayload(Posting):
    """The answer to creditPoints, and to each item of a batch."""

    errors: list[CreditPointsError] = strawberry.field(description="Empty on success.")


@strawberry.input(description="Credits to make together.")
class CreditPointsBatchInput:
    """Each stands or falls alone."""

    credits: list[CreditPointsInput] = strawberry.field(description="The credits; at most 1,000.")


@strawberry.type(description="What became of each credit of a batch.")
class CreditPointsBatchPayload:
    """The answer to creditPointsBatch."""

    results: list[CreditPointsPayload] = strawberry.field(
        description="One for each credit, in their order; none if the batch was not looked at.",
        metadata=up_to(CREDITS_MAX),
    )
    errors: list[CreditPointsBatchError] = strawberry.field(
        description="What is wrong with the batch as a whole. Empty on success."
    )


@choice("What a reversal does that finds fewer points than it is to take back.")
class Shortfall(Choice):
    """See ledger.commands.Shortfall."""

    REJECT = "REJECT", "Take nothing, and say so."
    CLAMP = "CLAMP", "Take what there is."


@strawberry.input(description="A credit to take back.")
class ReverseCreditInput:
    """See ledger.commands.ReverseCredit."""

    transaction_id: strawberry.ID = strawberry.field(description="The credit's id, `txn_…`.")
    points: Points | None = strawberry.field(
        description="How many; all that isn't reversed yet if left out."
    )
    shortfall: Shortfall = strawberry.field(
        default=Shortfall.REJECT,
        description="What to do where fewer points are left than are to be taken back.",
    )
    from_other_lots: bool = strawberry.field(
        default=False,
        description="Take what is missing from the wallet's other points. Never from held ones.",
    )
    idempotency_key: str = strawberry.field(description=KEY)
    description: str | None = strawberry.field(description=DESCRIPTION)

    def to_command(self) -> commands.ReverseCredit:
        return commands.ReverseCredit(
            transaction_id=sought(self.transaction_id),
            key=self.idempotency_key,
            points=self.points,
            shortfall=commands.Shortfall(self.shortfall),
            from_other_lots=self.from_other_lots,
            description=self.description,
        )


@strawberry.type(description="What was written, or why nothing was taken back.")
class ReverseCreditPayload(Posting):
    """The answer to reverseCredit."""

    errors: list[ReverseCreditError] = strawberry.field(description="Empty on success.")


@strawberry.type
class CreditMutations:
    """The mutations about credits."""

    @strawberry.mutation(description="Give a wallet points. Safe to retry with the same key.")
    async def credit_points(
        self,
        info: Info,
        input: Annotated[
            CreditPointsInput, strawberry.argument(description="To whom, and how many.")
        ],
    ) -> CreditPointsPayload:
        return CreditPointsPayload.of(await info.context.submit(input.to_command()))

    @strawberry.mutation(
        description="Give points to up to 1,000 wallets. Each credit stands or falls alone."
    )
    async def credit_points_batch(
        self,
        info: Info,
        input: Annotated[CreditPointsBatchInput, strawberry.argument(description="The credits.")],
    ) -> CreditPointsBatchPayload:
        outcomes = await info.context.submit_batch([each.to_command() for each in input.credits])
        if isinstance(outcomes, Refused):
            return CreditPointsBatchPayload(results=[], errors=listed(outcomes))
        results = [
            CreditPointsPayload.of(outcome, ("input", "credits", str(index)))
            for index, outcome in enumerate(outcomes)
        ]
        return CreditPointsBatchPayload(results=results, errors=[])

    @strawberry.mutation(
        description=(
            "Take a credit back, all or some: its own promised points, then what its own lot still"
            " has, then, only if asked for, other points of the wallet."
        )
    )
    async def reverse_credit(
        self,
        info: Info,
        input: Annotated[
            ReverseCreditInput, strawberry.argument(description="Which credit, and how much of it.")
        ],
    ) -> ReverseCreditPayload:
        return ReverseCreditPayload.of(await info.context.submit(input.to_command()))
