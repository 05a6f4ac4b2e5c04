"""The naive service's GraphQL: credits and reads, in the names of Tuppence's own API."""

# pyright: basic, reportArgumentType=false, reportAssignmentType=false

from dataclasses import asdict
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from benchmarks.naive.crediting import Credit, RefusalError, credit_wallet, find_wallet
from benchmarks.naive.shapes import CONFIG, CreditSource, Info, Points, Transaction, Wallet

DEFAULT_PROGRAM = "Points"


@strawberry.input
class OwnerInput:
    """A wallet by its member and its program's name."""

    identity: str
    program: str | None = None


@strawberry.input(one_of=True)
class WalletRef:
    """A wallet, by its id or by its owner."""

    id: strawberry.Maybe[strawberry.ID]
    owner: strawberry.Maybe[OwnerInput]

    def parts(self) -> tuple[str | None, str | None, str]:
        """Return the id, the identity and the program's name."""
        if self.id is not None:
            return self.id.value, None, DEFAULT_PROGRAM
        assert self.owner is not None
        owner = self.owner.value
        return None, owner.identity, owner.program or DEFAULT_PROGRAM


@strawberry.input
class OrderInput:
    """The purchase that a credit is about."""

    id: str | None = None
    sale_amount: float | None = None
    sale_channel: str | None = None
    location_id: str | None = None


@strawberry.input
class CreditPointsInput:
    """A credit to make."""

    wallet: WalletRef
    points: Points
    idempotency_key: str
    source: CreditSource = CreditSource.API
    coupon_code: str | None = None
    description: str | None = None
    order: OrderInput | None = None
    metadata: JSON | None = None

    def to_credit(self) -> Credit:
        """Translate for the session's side."""
        wallet_id, identity, program = self.wallet.parts()
        order = asdict(self.order or OrderInput())
        return Credit(
            wallet_id=wallet_id,
            identity=identity,
            program=program,
            points=self.points,
            key=self.idempotency_key,
            source=self.source.value,
            detail={
                "description": self.description,
                "coupon_code": self.coupon_code,
                "order_id": order.pop("id"),
                "metadata_": self.metadata,
                **order,
            },
        )


@strawberry.interface
class UserError:
    """Something that the caller can put right."""

    message: str
    path: list[str]


@strawberry.type
class ProgramNotFound(UserError):
    """There is no such program."""


@strawberry.type
class WalletNotFound(UserError):
    """There is no such wallet."""


@strawberry.type
class WalletFrozen(UserError):
    """The wallet may not be used now."""


@strawberry.type
class InvalidInput(UserError):
    """A field is not as it must be."""


@strawberry.type
class IdempotencyConflict(UserError):
    """The key stands for something else."""


REASONS = {
    reason.__name__: reason
    for reason in (ProgramNotFound, WalletNotFound, WalletFrozen, InvalidInput, IdempotencyConflict)
}

CreditPointsError = Annotated[
    ProgramNotFound | WalletNotFound | WalletFrozen | InvalidInput | IdempotencyConflict,
    strawberry.union("CreditPointsError"),
]


@strawberry.type
class CreditPointsPayload:
    """What came of a credit."""

    transaction: Transaction | None = None
    wallet: Wallet | None = None
    replayed: bool = False
    errors: list[CreditPointsError] = strawberry.field(default_factory=list)


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def wallet(self, info: Info, ref: WalletRef) -> Wallet | None:
        """Return a wallet by its id or its owner."""
        async with info.context.sessions() as session:
            row = await find_wallet(session, *ref.parts())
        return Wallet.of(row) if row else None


@strawberry.type
class Mutation:
    """What can be written."""

    @strawberry.mutation
    async def credit_points(self, info: Info, input: CreditPointsInput) -> CreditPointsPayload:
        """Give a wallet points, once for each key."""
        if input.points <= 0:
            error = InvalidInput(message="Points must be more than zero.", path=["input", "points"])
            return CreditPointsPayload(errors=[error])
        try:
            async with info.context.write_lock, info.context.sessions() as session:
                done = await credit_wallet(session, input.to_credit())
        except RefusalError as refusal:
            error = REASONS[refusal.reason](
                message=str(refusal), path=["input", *refusal.path.split(".")]
            )
            return CreditPointsPayload(errors=[error])
        transaction, wallet, replayed = done
        return CreditPointsPayload(
            transaction=Transaction.of(transaction), wallet=Wallet.of(wallet), replayed=replayed
        )


schema = strawberry.Schema(query=Query, mutation=Mutation, config=CONFIG)
