"""Campaigns: what is to be sent to whom, how far each has come, and what became of it."""

from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import strawberry
from strawberry import UNSET

from campaigns import pages, plans, records
from campaigns.lifecycle import status_at
from graph.channels import Channel
from graph.choices import Choice, choice
from graph.context import Info
from graph.errors import CampaignStatus
from graph.execution import null_without
from graph.nodes import Node
from graph.pagination import After, Connection, First, Listing
from graph.plans import Limits, Message, Reward, When
from graph.scalars import DateTime, Duration, given
from graph.who import Who

if TYPE_CHECKING:
    from graph.deliveries import Delivery, DeliveryFilter

CAMPAIGNS: Final = Listing("campaigns")


@choice("Why a delivery ended as it did.")
class DeliveryReason(Choice):
    """See campaigns/gates.py."""

    NO_ADDRESS = "NO_ADDRESS", "The channel can't reach the member."
    FREQUENCY_LIMIT = "FREQUENCY_LIMIT", "The member or wallet has had one, or had one too lately."
    QUIET_HOURS = "QUIET_HOURS", "Its time was within quiet hours, and those are dropped."
    CAP_REACHED = "CAP_REACHED", "The campaign has sent as many as it may."
    TEMPLATE_ABORTED = "TEMPLATE_ABORTED", "The template said `abort`."
    MISSING_PROPERTY = "MISSING_PROPERTY", "The template names what the event or member hasn't."
    RENDER_ERROR = "RENDER_ERROR", "The template could not be rendered."
    STALE = "STALE", "It waited through a pause for more than a day."
    PROFILE_MISMATCH = "PROFILE_MISMATCH", "The member doesn't pass the filters on the profile."
    CREDIT_REDEEMED = "CREDIT_REDEEMED", "The credit's points were used up meanwhile."
    WALLET_REDEEMED = "WALLET_REDEEMED", "Points of the wallet were used meanwhile."
    CREDIT_REVERSED = "CREDIT_REVERSED", "The credit was taken back meanwhile."
    CREDIT_EXPIRED = "CREDIT_EXPIRED", "The credit's points expired meanwhile."
    CAMPAIGN_STOPPED = "CAMPAIGN_STOPPED", "The campaign was stopped."
    CAMPAIGN_ENDED = "CAMPAIGN_ENDED", "The campaign's end had come."
    MEMBER_ERASED = "MEMBER_ERASED", "The member was erased."
    REJECTED = "REJECTED", "The receiver refused it."
    TIMED_OUT = "TIMED_OUT", "The receiver didn't answer in time."
    UNREACHABLE = "UNREACHABLE", "The receiver could not be reached."


@strawberry.type(description="How many ended for one reason.")
class CountByReason:
    """One line of the stats."""

    reason: DeliveryReason = strawberry.field(description="Why.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="What became of a campaign's deliveries; tests don't count.")
class CampaignStats:
    """See campaigns.pages.Stats."""

    qualified: int = strawberry.field(
        description="How many triggers passed every filter: of all of these, one is below."
    )
    waiting: int = strawberry.field(description="How many have not ended.")
    sent: int = strawberry.field(description="How many were sent.")
    failed: int = strawberry.field(
        description="How many failed, or of how many it isn't known whether they arrived."
    )
    held_out: int = strawberry.field(description="How many the control group's members missed.")
    skipped: list[CountByReason] = strawberry.field(
        description="How many were skipped or cancelled, by reason; only reasons that there were."
    )
    converted: int = strawberry.field(
        description="After how many that were sent the goal was reached."
    )
    conversion_rate: float | None = strawberry.field(
        description="Their share of those sent, of 1; null without a goal, or where none was sent."
    )
    control_conversion_rate: float | None = strawberry.field(
        description="The same of the control group, who got nothing."
    )

    @classmethod
    def of(cls, stats: pages.Stats) -> "CampaignStats":
        return cls(
            qualified=stats.qualified,
            waiting=stats.waiting,
            sent=stats.sent,
            failed=stats.failed,
            held_out=stats.held_out,
            skipped=[
                CountByReason(reason=cast("DeliveryReason", reason), count=count)
                for reason, count in sorted(stats.skipped.items())
            ],
            converted=stats.converted,
            conversion_rate=_share(stats, stats.converted, stats.sent),
            control_conversion_rate=_share(stats, stats.held_out_converted, stats.held_out),
        )


def _share(stats: pages.Stats, part: int, whole: int) -> float | None:
    return part / whole if stats.has_goal and whole else None


@strawberry.type(
    description=(
        "Who hears or gets what, and when. Its plan is what the next publication freezes: what runs"
        " goes on as it was published."
    )
)
class Campaign(Node):
    """See models.campaigns.Campaign."""

    channel_id: strawberry.Private[str | None]
    name: str = strawberry.field(description="What you call it.")
    status: CampaignStatus = strawberry.field(description="How far it has come.")
    version: int = strawberry.field(
        description="How often it was published: 0 is not yet. Deliveries point at a version."
    )
    who: Who = strawberry.field(description="The members for whom it is.")
    message: Message | None = strawberry.field(description="What is written, if anything is.")
    reward: Reward | None = strawberry.field(description="What is credited, if anything is.")
    when: When = strawberry.field(description="When.")
    limits: Limits = strawberry.field(description="How often, how many, and the control group.")
    conversion_within: Duration | None = strawberry.field(
        description="The goal: points are redeemed within so long of the message."
    )
    created_at: DateTime = strawberry.field(description="When it was created.")

    @classmethod
    def of(cls, record: records.Campaign, now: int) -> "Campaign":
        plan = plans.from_json(record.plan)
        return cls(
            id=strawberry.ID(record.id),
            channel_id=plan.channel_id,
            name=record.name,
            status=cast("CampaignStatus", status_at(record.status, record.ends_at, now)),
            version=record.version,
            who=Who.of(plan.who),
            message=plan.message and Message.of(plan.message),
            reward=plan.reward and Reward.of(plan.reward),
            when=When.of(plan.when),
            limits=Limits.of(plan.limits),
            conversion_within=plan.conversion_within,
            created_at=record.created_at,
        )

    @strawberry.field(
        description="The channel that its message goes by, if it has one.",
        metadata=null_without("channel_id"),
    )
    async def channel(self, info: Info) -> Channel | None:
        return await info.context.loaders.get_channel(self.channel_id) if self.channel_id else None

    @strawberry.field(
        description="What became of its deliveries. It takes longer the more there are."
    )
    async def stats(self, info: Info) -> CampaignStats:
        return await info.context.loaders.campaign_stats(self.id)

    @strawberry.field(description="Its deliveries, newest first, tests included.")
    async def deliveries(
        self,
        info: Info,
        filter: Annotated[
            Annotated["DeliveryFilter", strawberry.lazy("graph.deliveries")] | None,
            strawberry.argument(description="Only some of them."),
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> Connection[Annotated["Delivery", strawberry.lazy("graph.deliveries")]]:
        found: Any = await info.context.loaders.deliveries_of(
            self.id, given(filter), Listing("deliveries", self.id), first, after
        )
        return found


@strawberry.type
class CampaignQueries:
    """The queries about campaigns."""

    @strawberry.field(description="The campaign of this id; null if there is none.")
    async def campaign(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The campaign's id.")],
    ) -> Campaign | None:
        return await info.context.loaders.find_campaign(id)

    @strawberry.field(description="All campaigns, newest first.")
    async def campaigns(
        self,
        info: Info,
        status: Annotated[
            CampaignStatus | None, strawberry.argument(description="Only those that are this.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> Connection[Campaign]:
        window, now = CAMPAIGNS.window(first, after), info.context.now
        wanted = given(status)
        page = await info.context.read(
            pages.page_campaigns, window, None if wanted is None else str(wanted), now
        )
        return CAMPAIGNS.connection(page, lambda record: Campaign.of(record, now))
