"""Trials: a message as it would be, one that is sent to try it, and a delivery tried once more."""

from typing import Annotated

import strawberry

from campaigns import trials
from campaigns.refusals import Refusal
from graph.context import Info
from graph.deliveries import Delivery
from graph.errors import (
    CampaignNotFound,
    DeliveryNotFound,
    InvalidInput,
    MemberNotFound,
    TemplateError,
    listed,
)
from graph.plans import MessageInput
from graph.scalars import JSON, sought
from graph.who import WhoInput

PreviewError = Annotated[
    InvalidInput | TemplateError,
    strawberry.union("PreviewError", description="Why a message can't be shown."),
]
DeliveryError = Annotated[
    InvalidInput | DeliveryNotFound | CampaignNotFound | MemberNotFound,
    strawberry.union("DeliveryError", description="Why nothing was sent."),
]


@strawberry.input(
    description=(
        "A message to look at: for a real event, or for sample properties; without either, for a"
        " believable event."
    )
)
class PreviewMessageInput:
    """See campaigns.desk.Campaigns.preview."""

    who: WhoInput = strawberry.field(description="The members for whom it is to be.")
    message: MessageInput = strawberry.field(description="What to write.")
    event_id: strawberry.ID | None = strawberry.field(
        description="A real event of the kind that `who` names, `evt_…`."
    )
    sample: JSON | None = strawberry.field(
        description=(
            "Properties of such an event, by their names on the wire: a JSON object, dates as RFC"
            " 3339 text. What is left out isn't there."
        )
    )


@strawberry.type(description="The message as it would be, or what is wrong with it.")
class PreviewMessagePayload:
    """The answer to previewMessage."""

    subject: str | None = strawberry.field(description="What would stand above it.")
    body: str | None = strawberry.field(description="The message itself.")
    html: str | None = strawberry.field(description="The same as HTML.")
    errors: list[PreviewError] = strawberry.field(description="Empty on success.")


@strawberry.input(description="A message to send, to try it.")
class SendTestMessageInput:
    """See campaigns.trials.Trial."""

    campaign_id: strawberry.ID = strawberry.field(
        description="The campaign whose message it is, as its next publication would have it."
    )
    identity: str = strawberry.field(description="The member to whom it is sent.")
    event_id: strawberry.ID | None = strawberry.field(
        description=(
            "The event that it tells of; if left out, the member's latest of the campaign's kind,"
            " or else a believable one."
        )
    )


@strawberry.input(description="A delivery, by its id.")
class DeliveryIdInput:
    """See campaigns.registry.retry_delivery."""

    id: strawberry.ID = strawberry.field(description="The delivery's id, `dlv_…`.")


@strawberry.type(description="The delivery, or why there is none.")
class DeliveryPayload:
    """The answer to what sends."""

    delivery: Delivery | None = strawberry.field(description="The delivery as it is now.")
    errors: list[DeliveryError] = strawberry.field(description="Empty on success.")


@strawberry.type
class TrialMutations:
    """The mutations that try messages."""

    @strawberry.mutation(description="See a message as it would be. Nothing is sent or kept.")
    async def preview_message(
        self,
        info: Info,
        input: Annotated[PreviewMessageInput, strawberry.argument(description="What to look at.")],
    ) -> PreviewMessagePayload:
        info.context.renew()
        shown = await info.context.campaigns.preview(
            input.who.to_who(), input.message.to_message(), sought(input.event_id), input.sample
        )
        if isinstance(shown, Refusal):
            return PreviewMessagePayload(subject=None, body=None, html=None, errors=listed(shown))
        return PreviewMessagePayload(
            subject=shown.subject, body=shown.body, html=shown.html, errors=[]
        )

    @strawberry.mutation(
        description=(
            "Send a campaign's message to a member to try it, by the very code of a real send: at"
            " once, whatever its filters and limits say. It pays no reward and isn't counted."
        )
    )
    async def send_test_message(
        self,
        info: Info,
        input: Annotated[
            SendTestMessageInput, strawberry.argument(description="Which message, and to whom.")
        ],
    ) -> DeliveryPayload:
        info.context.renew()
        asked = trials.Trial(
            sought(input.campaign_id), sought(input.identity), sought(input.event_id)
        )
        sent = await info.context.campaigns.send_test(asked, info.context.actor)
        return _shaped(info, sent)

    @strawberry.mutation(
        description=(
            "Try a delivery once more that FAILED, or of which it is UNKNOWN whether it arrived:"
            " then it may arrive twice."
        )
    )
    async def retry_delivery(
        self,
        info: Info,
        input: Annotated[DeliveryIdInput, strawberry.argument(description="Which delivery.")],
    ) -> DeliveryPayload:
        info.context.renew()
        retried = await info.context.campaigns.retry(sought(input.id), info.context.actor)
        return _shaped(info, retried)


def _shaped(info: Info, answer: trials.Delivery | Refusal) -> DeliveryPayload:
    if isinstance(answer, Refusal):
        return DeliveryPayload(delivery=None, errors=listed(answer))
    info.context.renew()  # what was sent took its time
    return DeliveryPayload(delivery=Delivery.of(answer, info.context.now), errors=[])
