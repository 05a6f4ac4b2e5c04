"""Coupons: cashback codes, and redeeming one."""

from typing import Annotated

import strawberry

from graph.context import Info
from graph.errors import (
    BalanceLimit,
    CouponNotFound,
    CouponRefused,
    IdempotencyConflict,
    InvalidInput,
    NameTaken,
    ProgramNotFound,
    WalletFrozen,
    listed,
)
from graph.inputs import KEY, OrderInput
from graph.nodes import Node
from graph.payloads import Posting
from graph.programs import Program
from graph.scalars import DateTime, Points
from ledger import commands, coupons, records
from ledger.refusals import Refusal
from models import DEFAULT_PROGRAM


@strawberry.type(
    description=(
        "A cashback code: redeeming it credits a member. All of it is fixed when it is created."
    )
)
class Coupon(Node):
    """See models.coupons.Coupon."""

    program_id: strawberry.Private[str]
    code: str = strawberry.field(description="What is redeemed; unique.")
    points: Points | None = strawberry.field(description="How many points it gives, if so many.")
    percent_of_sale: float | None = strawberry.field(
        description="How many points it gives for a sale of 100, if they depend on the sale."
    )
    minimum_sale: float | None = strawberry.field(
        description="The least that the sale must come to, if it must."
    )
    total_limit: int | None = strawberry.field(
        description="How often it can be redeemed; null is without limit."
    )
    member_limit: int | None = strawberry.field(
        description="How often one member can redeem it; null is without limit."
    )
    starts_at: DateTime | None = strawberry.field(
        description="From when it is valid; null is always."
    )
    ends_at: DateTime | None = strawberry.field(
        description="The first instant at which it is not valid any more; null is never."
    )
    redeemed: int = strawberry.field(
        description=(
            "How often it was redeemed. A use whose credit was reversed, all of it, counts no more."
        )
    )

    @classmethod
    def of(cls, record: records.Coupon) -> "Coupon":
        return cls(
            id=strawberry.ID(record.id),
            program_id=record.program_id,
            code=record.code,
            points=record.points,
            percent_of_sale=record.percent_of_sale,
            minimum_sale=record.minimum_sale,
            total_limit=record.total_limit,
            member_limit=record.member_limit,
            starts_at=record.starts_at,
            ends_at=record.ends_at,
            redeemed=record.redeemed,
        )

    @strawberry.field(description="The program whose points it gives.")
    async def program(self, info: Info) -> Program:
        return await info.context.loaders.get_program(self.program_id)


CouponError = Annotated[
    InvalidInput | NameTaken | ProgramNotFound,
    strawberry.union("CouponError", description="Why a coupon was not created."),
]
RedeemCouponError = Annotated[
    InvalidInput
    | CouponNotFound
    | CouponRefused
    | WalletFrozen
    | IdempotencyConflict
    | BalanceLimit,
    strawberry.union("RedeemCouponError", description="Why a coupon was not redeemed."),
]


@strawberry.input(description="A coupon to create: of points, or of a percentage of the sale.")
class CreateCouponInput:
    """See ledger.coupons.CreateCoupon."""

    code: str = strawberry.field(description="What is to be redeemed; unique; 1 to 64 characters.")
    program: str | None = strawberry.field(
        description="The program's name; the default program, `Points`, if left out."
    )
    points: Points | None = strawberry.field(
        description="How many points it gives; more than 0, with the program's decimals."
    )
    percent_of_sale: float | None = strawberry.field(
        description=(
            "How many points it gives for a sale of 100, rounded once by the program; more than 0."
        )
    )
    minimum_sale: float | None = strawberry.field(
        description="The least that the sale must come to; nothing if left out."
    )
    total_limit: int | None = strawberry.field(
        description="How often it can be redeemed; without limit if left out."
    )
    member_limit: int = strawberry.field(
        default=1, description="How often one member can redeem it."
    )
    starts_at: DateTime | None = strawberry.field(
        description="From when it is valid; at once if left out."
    )
    ends_at: DateTime | None = strawberry.field(
        description="The first instant at which it is not valid any more; never if left out."
    )

    def to_command(self) -> coupons.CreateCoupon:
        return coupons.CreateCoupon(
            code=self.code,
            program=DEFAULT_PROGRAM if self.program is None else self.program,
            points=self.points,
            percent_of_sale=self.percent_of_sale,
            minimum_sale=self.minimum_sale,
            total_limit=self.total_limit,
            member_limit=self.member_limit,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


@strawberry.type(description="The new coupon, or why there is none.")
class CouponPayload:
    """The answer to createCoupon."""

    coupon: Coupon | None = strawberry.field(description="The new coupon.")
    errors: list[CouponError] = strawberry.field(description="Empty on success.")


@strawberry.input(description="A coupon to redeem.")
class RedeemCouponInput:
    """See ledger.commands.RedeemCoupon."""

    code: str = strawberry.field(description="The coupon's code, exactly.")
    identity: str = strawberry.field(
        description="Your own id of the member. The first credit opens the member and the wallet."
    )
    idempotency_key: str = strawberry.field(description=KEY)
    order: OrderInput | None = strawberry.field(
        description="The sale behind it. A coupon of a percentage needs its `saleAmount`."
    )

    def to_command(self) -> commands.RedeemCoupon:
        return commands.RedeemCoupon(
            code=self.code,
            identity=self.identity,
            key=self.idempotency_key,
            order=self.order and self.order.to_order(),
        )


@strawberry.type(description="What was written, or why the coupon was not redeemed.")
class RedeemCouponPayload(Posting):
    """The answer to redeemCoupon."""

    errors: list[RedeemCouponError] = strawberry.field(description="Empty on success.")


@strawberry.type
class CouponQueries:
    """The queries about coupons."""

    @strawberry.field(description="The coupon of this code; null if there is none.")
    async def coupon(
        self,
        info: Info,
        code: Annotated[str, strawberry.argument(description="The coupon's code, exactly.")],
    ) -> Coupon | None:
        return await info.context.loaders.find_coupon_coded(code)


@strawberry.type
class CouponMutations:
    """The mutations about coupons."""

    @strawberry.mutation(description="Create a coupon.")
    async def create_coupon(
        self,
        info: Info,
        input: Annotated[CreateCouponInput, strawberry.argument(description="What it gives.")],
    ) -> CouponPayload:
        info.context.renew()
        answer = await info.context.ledger.create_coupon(input.to_command(), info.context.actor)
        if isinstance(answer, Refusal):
            return CouponPayload(coupon=None, errors=listed(answer))
        return CouponPayload(coupon=Coupon.of(answer), errors=[])

    @strawberry.mutation(
        description=(
            "Redeem a coupon: credit a member what it gives. Safe to retry with the same key. To"
            " reverse all of the credit frees the use."
        )
    )
    async def redeem_coupon(
        self,
        info: Info,
        input: Annotated[
            RedeemCouponInput, strawberry.argument(description="Which coupon, and for whom.")
        ],
    ) -> RedeemCouponPayload:
        return RedeemCouponPayload.of(await info.context.submit(input.to_command()))
