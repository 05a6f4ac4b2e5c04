"""Errors: each refusal of the ledger and of the door as a type of the schema, of the same name."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import strawberry

from access import refusals as access
from graph.choices import Choice, choice
from graph.context import Info
from graph.scalars import Points
from ledger.refusals import Refusal

if TYPE_CHECKING:
    from graph.transactions import Transaction

K = TypeVar("K")


@strawberry.interface(
    description="Something the caller can put right. Nothing was done, and nothing was changed."
)
class UserError:
    """What every refusal says."""

    message: str = strawberry.field(
        description="What is so, in a sentence for people. Programs go by the type."
    )
    path: list[str] = strawberry.field(
        description="Where in the mutation's arguments it is, like `input`, `points`."
    )


def described(kind: type[K]) -> type[K]:
    """Make it a type of the schema, described by its docstring."""
    return strawberry.type(kind, description=" ".join((kind.__doc__ or "").split()))


@described
class NameTaken(UserError):
    """Another program or channel has this name, or another coupon this code.

    They are unique and stay.
    """


@described
class WalletNotFound(UserError):
    """There is no such wallet.

    A wallet is opened by its first credit, or by the first transfer to it.
    """


@described
class ProgramNotFound(UserError):
    """There is no program of this name or id."""


@described
class MemberNotFound(UserError):
    """There is no member of this identity."""


@described
class TransactionNotFound(UserError):
    """There is no transaction of this id."""


@described
class HoldNotFound(UserError):
    """There is no hold of this id."""


@described
class CouponNotFound(UserError):
    """There is no coupon of this code."""


@described
class ApiKeyNotFound(UserError):
    """There is no API key of this id."""


@described
class TooManyKeys(UserError):
    """Two keys of this name work already: as many as it takes to replace one by the other."""


@described
class WalletFrozen(UserError):
    """The wallet is frozen: only what it holds can be released. The answer sticks to the key."""


@described
class InvalidInput(UserError):
    """A field has a value that it can't have. The key is free to be used again."""


@described
class IdempotencyConflict(UserError):
    """The idempotency key was used before, with other input.

    Use a new key for a new wish, and the very same input to repeat the old one.
    """

    transaction_id: strawberry.Private[str | None]

    @strawberry.field(description="The transaction that the key stands for, if it made one.")
    async def transaction(
        self, info: Info
    ) -> Annotated["Transaction", strawberry.lazy("graph.transactions")] | None:
        return await info.context.loaders.find_transaction(self.transaction_id)


@described
class InsufficientPoints(UserError):
    """The wallet has fewer points to spend than were asked for. The answer sticks to the key."""

    available: Points = strawberry.field(description="What could have been taken.")
    requested: Points = strawberry.field(description="What was asked for.")


@described
class BalanceLimit(UserError):
    """The wallet would hold more than its program allows.

    Promised and held points count, too. The answer sticks to the key.
    """

    max_balance: Points = strawberry.field(description="The most that a wallet may hold.")


@described
class ExceedsOriginal(UserError):
    """More was asked for than is left of the original.

    That is a credit to reverse, a debit to refund or a hold to capture. It sticks to the key.
    """

    remaining: Points = strawberry.field(description="What is left of the original.")


@described
class HoldClosed(UserError):
    """The hold has nothing left: it was captured, released, or its time ran out.

    The answer sticks to the key.
    """


@choice("Why a coupon gives nothing.")
class CouponRefusal(Choice):
    """See ledger/redemption.py."""

    NOT_STARTED = "NOT_STARTED", "It is not valid yet."
    EXPIRED = "EXPIRED", "It is not valid any more."
    TOTAL_LIMIT = "TOTAL_LIMIT", "It was redeemed as often as it can be."
    MEMBER_LIMIT = "MEMBER_LIMIT", "The member redeemed it as often as one member can."
    MINIMUM_SALE = "MINIMUM_SALE", "The sale is smaller than it asks for."


@described
class CouponRefused(UserError):
    """The coupon gives nothing, for this reason. The answer sticks to the key."""

    reason: CouponRefusal = strawberry.field(description="Why.")


@choice("How far a campaign has come.")
class CampaignStatus(Choice):
    """See campaigns/lifecycle.py."""

    DRAFT = "DRAFT", "It was never published: nothing happens."
    RUNNING = "RUNNING", "Events are heard, and messages sent."
    PAUSED = "PAUSED", "Events are heard, and messages wait for it to be resumed."
    STOPPED = "STOPPED", "It was stopped, for good: clone it to begin anew."
    COMPLETED = "COMPLETED", "Its `endsAt` has come."


@described
class TemplateError(UserError):
    """A template can't be sent as it is."""

    line: int = strawberry.field(description="The line, from 1 on.")
    column: int = strawberry.field(description="The character in it, from 1 on.")
    suggestion: str | None = strawberry.field(
        description="What may have been meant, if that can be told."
    )


@described
class InvalidTransition(UserError):
    """The campaign's status doesn't allow it."""

    status: CampaignStatus = strawberry.field(name="from", description="What the campaign is.")
    allowed: list[CampaignStatus] = strawberry.field(
        description="What it can be made from there; empty if nothing."
    )


@described
class CampaignNotFound(UserError):
    """There is no campaign of this id."""


@described
class ChannelNotFound(UserError):
    """There is no channel of this id."""


@described
class DeliveryNotFound(UserError):
    """There is no delivery of this id."""


USER_ERRORS: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (
        NameTaken,
        WalletNotFound,
        ProgramNotFound,
        MemberNotFound,
        TransactionNotFound,
        HoldNotFound,
        CouponNotFound,
        ApiKeyNotFound,
        TooManyKeys,
        WalletFrozen,
        InvalidInput,
        IdempotencyConflict,
        InsufficientPoints,
        BalanceLimit,
        ExceedsOriginal,
        HoldClosed,
        CouponRefused,
        TemplateError,
        InvalidTransition,
        CampaignNotFound,
        ChannelNotFound,
        DeliveryNotFound,
    )
}


def listed(
    refusal: Refusal | access.Refusal | None, within: Sequence[str] = ("input",)
) -> list[Any]:
    """A payload's `errors`: none, or the one refusal, its path beginning at the arguments."""
    if refusal is None:
        return []
    values = {field.name: getattr(refusal, field.name) for field in fields(refusal)}
    kind = USER_ERRORS[type(refusal).__name__]
    return [kind(**{**values, "path": [*within, *refusal.path]})]
