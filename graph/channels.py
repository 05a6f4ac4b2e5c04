"""Channels: the ways by which campaigns' messages leave the house."""

from typing import Annotated, Any, cast

import orjson
import strawberry

from campaigns import records
from campaigns.channels.parcels import Kind
from campaigns.pages import list_channels
from campaigns.refusals import Refusal
from campaigns.registry import CHANNELS_MAX
from graph.choices import Choice, choice
from graph.context import Info
from graph.costs import up_to
from graph.errors import InvalidInput, NameTaken, listed
from graph.nodes import Node
from graph.scalars import JSON


@choice("How a channel reaches members.")
class ChannelKind(Choice):
    """See campaigns/channels."""

    WEBHOOK = "WEBHOOK", "A signed request to an address of yours."
    EMAIL = "EMAIL", "Mail, to the member's `email`."
    INBOX = "INBOX", "`Member.inbox`, to be read over this API."
    APPRISE = "APPRISE", "Chat, SMS or push, by a service that the operator has set."
    CLEVERTAP = "CLEVERTAP", "CleverTap's own event API: the event goes there."


@strawberry.type(description="A way by which messages reach members.")
class Channel(Node):
    """See models.campaigns.Channel."""

    name: str = strawberry.field(description="What you call it; unique.")
    kind: ChannelKind = strawberry.field(description="How it reaches members.")
    settings: JSON = strawberry.field(
        description="What it was created with, without what is secret: that is never read back."
    )
    disabled: bool = strawberry.field(
        description="Its receiver said that it is gone: nothing is sent by it any more."
    )

    @classmethod
    def of(cls, record: records.Channel) -> "Channel":
        return cls(
            id=strawberry.ID(record.id),
            name=record.name,
            kind=cast("ChannelKind", record.kind),
            settings=orjson.loads(record.settings),
            disabled=bool(record.disabled),
        )


ChannelError = Annotated[
    InvalidInput | NameTaken,
    strawberry.union("ChannelError", description="Why a channel was not created."),
]


@strawberry.input(description="A channel to create.")
class CreateChannelInput:
    """See campaigns.channels.checks."""

    name: str = strawberry.field(description="What to call it; unique; 1 to 100 characters.")
    kind: ChannelKind = strawberry.field(description="How it is to reach members.")
    settings: JSON = strawberry.field(
        description=(
            "WEBHOOK: `{url}`. EMAIL: `{from, smtpUrl}`; without `smtpUrl` the operator's server."
            " APPRISE: `{service}`, the name of an operator's URL. CLEVERTAP: `{accountId,"
            " passcode, region}`. INBOX: `{}`."
        )
    )


@strawberry.type(description="The new channel, or why there is none.")
class CreateChannelPayload:
    """The answer to createChannel."""

    channel: Channel | None = strawberry.field(description="The new channel.")
    secret: str | None = strawberry.field(
        description=(
            "What a webhook's requests are signed with, by Standard Webhooks: `whsec_…`. It is"
            " shown only now: keep it."
        )
    )
    errors: list[ChannelError] = strawberry.field(description="Empty on success.")


@strawberry.type
class ChannelQueries:
    """The query about channels."""

    @strawberry.field(
        description="All channels, in the order in which they were created.",
        metadata=up_to(CHANNELS_MAX, pages=False),
    )
    async def channels(self, info: Info) -> list[Channel]:
        return [Channel.of(each) for each in await info.context.read(list_channels)]


@strawberry.type
class ChannelMutations:
    """The mutation about channels."""

    @strawberry.mutation(description="Create a channel.")
    async def create_channel(
        self,
        info: Info,
        input: Annotated[
            CreateChannelInput, strawberry.argument(description="Which way it goes, and where to.")
        ],
    ) -> CreateChannelPayload:
        info.context.renew()
        kind = cast("Kind", str(input.kind))
        settings: Any = input.settings
        made = await info.context.campaigns.create_channel(
            input.name, kind, settings, info.context.actor
        )
        if isinstance(made, Refusal):
            return CreateChannelPayload(channel=None, secret=None, errors=listed(made))
        channel, secret = made
        return CreateChannelPayload(channel=Channel.of(channel), secret=secret, errors=[])
