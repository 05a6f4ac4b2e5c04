"""Deliveries: what became of each message to one member, read and followed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final, cast

import strawberry
from strawberry import UNSET

from campaigns import pages, records
from graph.campaigns import Campaign, DeliveryReason
from graph.choices import Choice, choice
from graph.context import Info
from graph.execution import null_without
from graph.faults import BadRequest
from graph.members import Member
from graph.nodes import Node
from graph.pagination import After, Connection, First, Listing
from graph.scalars import DateTime, given, sought
from graph.wallets import Wallet

DUE_AGAIN: Final = frozenset(("WAITING", "DUE", "RETRYING"))
"""What it is while it waits for an instant. (While it is SENDING, that is a lease's end.)"""


@choice("What has become of a delivery.")
class DeliveryStatus(Choice):
    """See campaigns/gates.py."""

    WAITING = "WAITING", "A delay or a window is open."
    DUE = "DUE", "Its time has come."
    SENDING = "SENDING", "It is on its way."
    RETRYING = "RETRYING", "An attempt failed, and another one comes."
    SENT = "SENT", "It was sent."
    SKIPPED = "SKIPPED", "It was not sent, for its reason."
    HELD_OUT = "HELD_OUT", "The member is of the control group."
    CANCELLED = "CANCELLED", "It was not sent, since what it waited for can't come any more."
    FAILED = "FAILED", "It could not be sent."
    UNKNOWN = "UNKNOWN", "It may have arrived or not: only `retryDelivery` sends it again."


@strawberry.type(description="One try to send it.")
class Attempt:
    """See models.deliveries.Attempt."""

    number: int = strawberry.field(description="The first is 1.")
    started_at: DateTime = strawberry.field(description="When it was begun.")
    finished_at: DateTime | None = strawberry.field(
        description="When its outcome was known; null if it isn't."
    )
    status: int | None = strawberry.field(description="The receiver's own code, if it gave one.")
    error: str | None = strawberry.field(description="What went wrong, if anything did.")

    @classmethod
    def of(cls, attempt: records.Attempt) -> "Attempt":
        return cls(
            number=attempt.number,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            status=attempt.status,
            error=attempt.error,
        )


@strawberry.type(
    description="One campaign's message, reward or both, to one member, for one event: exactly one."
)
class Delivery(Node):
    """See models.deliveries.Delivery."""

    campaign_id: strawberry.Private[str]
    member_id: strawberry.Private[str]
    wallet_id: strawberry.Private[str | None]
    version: int = strawberry.field(
        description="The campaign's version that it is of; a test's may be 0."
    )
    event_id: strawberry.ID = strawberry.field(
        description="The event that led to it; `evt_sample` in a test of one that never happened."
    )
    status: DeliveryStatus = strawberry.field(description="What has become of it.")
    reason: DeliveryReason | None = strawberry.field(description="Why, where that isn't plain.")
    detail: str | None = strawberry.field(description="More of why, in words for people.")
    due_at: DateTime | None = strawberry.field(
        description="When it is looked at next, while it waits."
    )
    subject: str | None = strawberry.field(description="What stood above the message.")
    body: str | None = strawberry.field(description="The message as it was sent.")
    created_at: DateTime = strawberry.field(description="When its event was heard.")

    @classmethod
    def of(cls, record: records.Delivery, now: int) -> "Delivery":
        status = record.status_at(now)
        return cls(
            id=strawberry.ID(record.id),
            campaign_id=record.campaign_id,
            member_id=record.member_id,
            wallet_id=record.wallet_id,
            version=record.version,
            event_id=strawberry.ID(record.event_id),
            status=cast("DeliveryStatus", status),
            reason=cast("DeliveryReason | None", record.reason),
            detail=record.detail,
            due_at=record.due_at if status in DUE_AGAIN else None,
            subject=record.subject,
            body=record.body,
            created_at=record.created_at,
        )

    @strawberry.field(description="The campaign as it is now.")
    async def campaign(self, info: Info) -> Campaign:
        return await info.context.loaders.get_campaign(self.campaign_id)

    @strawberry.field(description="The member it is for.")
    async def member(self, info: Info) -> Member:
        return await info.context.loaders.get_member(self.member_id)

    @strawberry.field(
        description="The wallet of the event; null in a test of one that never happened.",
        metadata=null_without("wallet_id"),
    )
    async def wallet(self, info: Info) -> Wallet | None:
        return await info.context.loaders.get_wallet(self.wallet_id) if self.wallet_id else None

    @strawberry.field(description="Each try to send it, the first first.")
    async def attempts(self, info: Info) -> list[Attempt]:
        return await info.context.loaders.attempts(self.id)


@strawberry.input(description="Which deliveries: those that are all that is set here.")
class DeliveryFilter:
    """See campaigns.pages.DeliveryFilter."""

    campaign_id: strawberry.ID | None = strawberry.field(description="Of this campaign.")
    identity: str | None = strawberry.field(description="To the member of this identity.")
    statuses: list[DeliveryStatus] | None = strawberry.field(description="That are one of these.")
    reasons: list[DeliveryReason] | None = strawberry.field(
        description="That ended for one of these reasons."
    )
    event_id: strawberry.ID | None = strawberry.field(description="For this event.")

    def to_filter(self) -> pages.DeliveryFilter:
        return pages.DeliveryFilter(
            campaign_id=sought(self.campaign_id),
            identity=sought(self.identity),
            statuses=None if self.statuses is None else [str(each) for each in self.statuses],
            reasons=None if self.reasons is None else [str(each) for each in self.reasons],
            event_id=sought(self.event_id),
        )


@strawberry.type
class DeliveryQueries:
    """The query about deliveries."""

    @strawberry.field(description="All deliveries, newest first, tests included.")
    async def deliveries(
        self,
        info: Info,
        filter: Annotated[
            DeliveryFilter | None, strawberry.argument(description="Only some of them.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> Connection[Delivery]:
        return await info.context.loaders.deliveries_of(
            None, given(filter), Listing("deliveries"), first, after
        )


@strawberry.type
class DeliverySubscriptions:
    """What can be watched of deliveries."""

    @strawberry.subscription(
        description=(
            "Each delivery whenever something has become of it, from now on, as it is by then."
        )
    )
    async def delivery_updated(
        self,
        info: Info,
        campaign_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only of this campaign; of all if left out."),
        ] = UNSET,
    ) -> AsyncGenerator[Delivery, None]:
        wanted = given(campaign_id)
        if wanted is not None and not await info.context.loaders.find_campaign(wanted):
            raise BadRequest("campaignId", "there is no such campaign")
        return _follow(info, wanted)


async def _follow(info: Info, campaign_id: str | None) -> AsyncGenerator[Delivery, None]:
    def is_wanted(delivery: records.Delivery) -> bool:
        return campaign_id is None or delivery.campaign_id == campaign_id

    async with aclosing(info.context.campaigns.changes.follow(is_wanted)) as changes:
        async for delivery in changes:
            info.context.renew()
            yield Delivery.of(delivery, info.context.now)
