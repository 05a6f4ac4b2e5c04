"""Holds: active points set aside for a checkout, then captured or released."""

from typing import Annotated, cast

import strawberry

from graph.choices import Choice, choice
from graph.context import Info
from graph.errors import (
    ExceedsOriginal,
    HoldClosed,
    HoldNotFound,
    IdempotencyConflict,
    InsufficientPoints,
    InvalidInput,
    ProgramNotFound,
    WalletFrozen,
    WalletNotFound,
)
from graph.inputs import DESCRIPTION, KEY, METADATA, OrderInput, WalletRef
from graph.nodes import Node
from graph.payloads import Posting
from graph.scalars import JSON, DateTime, Points, sought
from graph.transactions import entry_of
from graph.wallets import Wallet
from ledger import commands, records


@choice("What has become of a hold.")
class HoldStatus(Choice):
    """See models.wallets.Hold."""

    OPEN = "OPEN", "Something is still set aside."
    CLOSED = "CLOSED", "All of it was captured or released."
    EXPIRED = "EXPIRED", "Its time ran out, and what was left went back."


@strawberry.type(
    description=(
        "Points set aside for a checkout. They can't be spent elsewhere and don't expire meanwhile;"
        " what nobody settles goes back by itself."
    )
)
class Hold(Node):
    """See models.wallets.Hold."""

    wallet_id: strawberry.Private[str]
    points: Points = strawberry.field(description="How many were set aside.")
    captured: Points = strawberry.field(description="How many of them were spent.")
    released: Points = strawberry.field(description="How many of them went back.")
    status: HoldStatus = strawberry.field(description="What has become of it.")
    expires_at: DateTime = strawberry.field(description="When what is left goes back by itself.")
    created_at: DateTime = strawberry.field(description="When it was placed.")

    @classmethod
    def of(cls, record: records.Hold, now: int) -> "Hold":
        """The hold at an instant: one that is due has expired, written down or not."""
        is_due = record.is_due(now)
        return cls(
            id=strawberry.ID(record.id),
            wallet_id=record.wallet_id,
            points=record.points,
            captured=record.captured,
            released=record.released + record.left if is_due else record.released,
            status=cast("HoldStatus", "EXPIRED" if is_due else record.status),
            expires_at=record.expires_at,
            created_at=record.created_at,
        )

    @strawberry.field(description="The wallet whose points it holds.")
    async def wallet(self, info: Info) -> Wallet:
        return await info.context.loaders.get_wallet(self.wallet_id)


HoldError = Annotated[
    WalletNotFound
    | ProgramNotFound
    | HoldNotFound
    | HoldClosed
    | WalletFrozen
    | InvalidInput
    | IdempotencyConflict
    | InsufficientPoints
    | ExceedsOriginal,
    strawberry.union("HoldError", description="Why nothing was held, captured or released."),
]


@strawberry.input(description="Points to set aside.")
class HoldPointsInput:
    """See ledger.commands.PlaceHold."""

    wallet: WalletRef = strawberry.field(description="Whose.")
    points: Points = strawberry.field(description="How many; more than 0.")
    idempotency_key: str = strawberry.field(description=KEY)
    expires_at: DateTime | None = strawberry.field(
        description=(
            "When they go back by themselves: in 15 minutes if left out, in 30 days at most."
        )
    )
    description: str | None = strawberry.field(description=DESCRIPTION)
    order: OrderInput | None = strawberry.field(description="The sale behind it.")
    metadata: JSON | None = strawberry.field(description=METADATA)

    def to_command(self) -> commands.PlaceHold:
        return commands.PlaceHold(
            wallet=self.wallet.to_ref(),
            points=self.points,
            key=self.idempotency_key,
            expires_at=self.expires_at,
            description=self.description,
            order=self.order and self.order.to_order(),
            metadata=self.metadata,
        )


@strawberry.input(description="Points to spend out of a hold.")
class CaptureHoldInput:
    """See ledger.commands.CaptureHold."""

    id: strawberry.ID = strawberry.field(description="The hold's id, `hld_…`.")
    points: Points | None = strawberry.field(
        description="How many; all that is left if left out. What remains stays held."
    )
    idempotency_key: str = strawberry.field(description=KEY)
    description: str | None = strawberry.field(description=DESCRIPTION)
    order: OrderInput | None = strawberry.field(description="The sale behind it.")

    def to_command(self) -> commands.CaptureHold:
        return commands.CaptureHold(
            hold_id=sought(self.id),
            key=self.idempotency_key,
            points=self.points,
            description=self.description,
            order=self.order and self.order.to_order(),
        )


@strawberry.input(description="A hold to give back.")
class ReleaseHoldInput:
    """See ledger.commands.ReleaseHold."""

    id: strawberry.ID = strawberry.field(description="The hold's id, `hld_…`.")
    idempotency_key: str = strawberry.field(description=KEY)

    def to_command(self) -> commands.ReleaseHold:
        return commands.ReleaseHold(hold_id=sought(self.id), key=self.idempotency_key)


@strawberry.type(description="The hold and what was written, or why nothing was.")
class HoldPayload(Posting):
    """The answer to holdPoints, captureHold and releaseHold."""

    errors: list[HoldError] = strawberry.field(description="Empty on success.")

    @strawberry.field(description="The hold as it is now.")
    async def hold(self, info: Info) -> Hold | None:
        hold_id = entry_of(self.transaction).hold_id if self.transaction else None
        return await info.context.loaders.find_hold(hold_id)


@strawberry.type
class HoldMutations:
    """The mutations about holds."""

    @strawberry.mutation(description="Set active points aside for a checkout.")
    async def hold_points(
        self,
        info: Info,
        input: Annotated[HoldPointsInput, strawberry.argument(description="Whose, and how many.")],
    ) -> HoldPayload:
        return HoldPayload.of(await info.context.submit(input.to_command()))

    @strawberry.mutation(
        description="Spend held points, all or some; the hold stays open for what remains."
    )
    async def capture_hold(
        self,
        info: Info,
        input: Annotated[
            CaptureHoldInput, strawberry.argument(description="Of which hold, and how many.")
        ],
    ) -> HoldPayload:
        return HoldPayload.of(await info.context.submit(input.to_command()))

    @strawberry.mutation(description="Give back all that is left of a hold.")
    async def release_hold(
        self,
        info: Info,
        input: Annotated[ReleaseHoldInput, strawberry.argument(description="Which hold.")],
    ) -> HoldPayload:
        return HoldPayload.of(await info.context.submit(input.to_command()))
