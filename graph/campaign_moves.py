"""Moves of campaigns: making, changing and publishing them, and ending them."""

from typing import Annotated

import strawberry

from campaigns import records, refusals
from campaigns.refusals import Refusal
from graph.campaigns import Campaign
from graph.choices import Choice, choice
from graph.context import Info
from graph.errors import (
    CampaignNotFound,
    ChannelNotFound,
    InvalidInput,
    InvalidTransition,
    ProgramNotFound,
    TemplateError,
    listed,
)
from graph.plans import CampaignInput
from graph.scalars import sought

CampaignError = Annotated[
    InvalidInput
    | TemplateError
    | InvalidTransition
    | CampaignNotFound
    | ChannelNotFound
    | ProgramNotFound,
    strawberry.union("CampaignError", description="Why nothing was done about a campaign."),
]


@choice("What becomes of the deliveries that wait when a campaign is stopped.")
class WaitingDeliveries(Choice):
    """See campaigns.registry.stop_campaign."""

    CANCEL = "CANCEL", "They are cancelled."
    FINISH = "FINISH", "They are still sent, each at its time."


@strawberry.input(description="A campaign, and what it is to be.")
class UpdateCampaignInput:
    """See campaigns.desk.Campaigns.update_campaign."""

    id: strawberry.ID = strawberry.field(description="The campaign's id, `cmp_…`.")
    campaign: CampaignInput = strawberry.field(
        description="All that it is to be: what is left out is not kept."
    )


@strawberry.input(description="A campaign, by its id.")
class CampaignIdInput:
    """What a move takes."""

    id: strawberry.ID = strawberry.field(description="The campaign's id, `cmp_…`.")


@strawberry.input(description="A campaign to stop.")
class StopCampaignInput:
    """See campaigns.registry.stop_campaign."""

    id: strawberry.ID = strawberry.field(description="The campaign's id, `cmp_…`.")
    waiting: WaitingDeliveries = strawberry.field(
        default=WaitingDeliveries.CANCEL, description="What becomes of the deliveries that wait."
    )


@strawberry.input(description="A campaign to make another one of.")
class CloneCampaignInput:
    """See campaigns.registry.clone_campaign."""

    id: strawberry.ID = strawberry.field(description="The campaign's id, `cmp_…`.")
    name: str = strawberry.field(description="What to call the new one; 1 to 100 characters.")


@strawberry.type(description="The campaign, or why nothing was done.")
class CampaignPayload:
    """The answer to every move."""

    campaign: Campaign | None = strawberry.field(description="The campaign as it is now.")
    errors: list[CampaignError] = strawberry.field(description="Empty on success.")


def _shaped(info: Info, answer: records.Campaign | Refusal, *within: str) -> CampaignPayload:
    if isinstance(answer, Refusal):
        return CampaignPayload(campaign=None, errors=listed(answer, ("input", *within)))
    return CampaignPayload(campaign=Campaign.of(answer, info.context.now), errors=[])


@strawberry.type
class CampaignMutations:
    """The mutations about campaigns."""

    @strawberry.mutation(description="Create a campaign, as a draft: nothing happens yet.")
    async def create_campaign(
        self,
        info: Info,
        input: Annotated[CampaignInput, strawberry.argument(description="What it is to be.")],
    ) -> CampaignPayload:
        info.context.renew()
        answer = await info.context.campaigns.create_campaign(
            input.name, input.to_plan(), info.context.actor
        )
        return _shaped(info, answer)

    @strawberry.mutation(
        description=(
            "Replace what a campaign is to be. What runs goes on as it was published: the change"
            " takes effect when it is published."
        )
    )
    async def update_campaign(
        self,
        info: Info,
        input: Annotated[
            UpdateCampaignInput, strawberry.argument(description="Which one, and what it is to be.")
        ],
    ) -> CampaignPayload:
        info.context.renew()
        wanted = input.campaign
        answer = await info.context.campaigns.update_campaign(
            sought(input.id), wanted.name, wanted.to_plan(), info.context.actor
        )
        of_id = isinstance(answer, refusals.CampaignNotFound | refusals.InvalidTransition)
        return _shaped(info, answer) if of_id else _shaped(info, answer, "campaign")

    @strawberry.mutation(
        description=(
            "Freeze what a campaign is to be as a new version, and have it run by that, for what"
            " happens from now on."
        )
    )
    async def publish_campaign(
        self,
        info: Info,
        input: Annotated[CampaignIdInput, strawberry.argument(description="Which one.")],
    ) -> CampaignPayload:
        info.context.renew()
        answer = await info.context.campaigns.publish(sought(input.id), info.context.actor)
        return _shaped(info, answer)

    @strawberry.mutation(
        description="Have a campaign send nothing until it is resumed: what happens waits."
    )
    async def pause_campaign(
        self,
        info: Info,
        input: Annotated[CampaignIdInput, strawberry.argument(description="Which one.")],
    ) -> CampaignPayload:
        info.context.renew()
        answer = await info.context.campaigns.pause(sought(input.id), info.context.actor)
        return _shaped(info, answer)

    @strawberry.mutation(
        description=(
            "Have a paused campaign go on. What has waited for more than a day is skipped as STALE:"
            " nobody gets a flood."
        )
    )
    async def resume_campaign(
        self,
        info: Info,
        input: Annotated[CampaignIdInput, strawberry.argument(description="Which one.")],
    ) -> CampaignPayload:
        info.context.renew()
        answer = await info.context.campaigns.resume(sought(input.id), info.context.actor)
        return _shaped(info, answer)

    @strawberry.mutation(
        description="End a campaign, for good: it hears no more events, and can only be cloned."
    )
    async def stop_campaign(
        self,
        info: Info,
        input: Annotated[
            StopCampaignInput,
            strawberry.argument(description="Which one, and what becomes of what waits."),
        ],
    ) -> CampaignPayload:
        info.context.renew()
        finishes = input.waiting == WaitingDeliveries.FINISH
        answer = await info.context.campaigns.stop(
            sought(input.id), info.context.actor, finishes=finishes
        )
        return _shaped(info, answer)

    @strawberry.mutation(description="Make a new draft of what another campaign is to be.")
    async def clone_campaign(
        self,
        info: Info,
        input: Annotated[
            CloneCampaignInput,
            strawberry.argument(description="Which one, and the new one's name."),
        ],
    ) -> CampaignPayload:
        info.context.renew()
        answer = await info.context.campaigns.clone(
            sought(input.id), input.name, info.context.actor
        )
        return _shaped(info, answer)
