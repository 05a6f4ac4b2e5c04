"""Inboxes: what campaigns have sent to members within the house, read and followed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from campaigns import records
from graph.context import Info
from graph.faults import BadRequest
from graph.nodes import Node
from graph.pagination import Connection, PageInfo
from graph.scalars import DateTime


@strawberry.type(description="A message in a member's inbox.")
class InboxMessage(Node):
    """See models.deliveries.InboxMessage."""

    subject: str | None = strawberry.field(description="What stands above it.")
    body: str = strawberry.field(description="The message itself.")
    sent_at: DateTime = strawberry.field(description="When it came.")
    read_at: DateTime | None = strawberry.field(description="When it was read, if it was.")

    @classmethod
    def of(cls, record: records.InboxMessage) -> "InboxMessage":
        return cls(
            id=strawberry.ID(record.id),
            subject=record.subject,
            body=record.body,
            sent_at=record.sent_at,
            read_at=record.read_at,
        )


@strawberry.type(description="One message of an inbox, and its place in it.")
class InboxEdge:
    """Relay's."""

    cursor: str = strawberry.field(description="The message's place, for `after`.")
    node: InboxMessage = strawberry.field(description="The message.")


@strawberry.type(description="One page of an inbox.")
class InboxConnection:
    """Relay's. Named by the inbox, and not by its messages."""

    edges: list[InboxEdge] = strawberry.field(description="The messages, newest first.")
    page_info: PageInfo = strawberry.field(description="Where this page stands in the inbox.")

    @classmethod
    def of(cls, page: Connection[InboxMessage]) -> "InboxConnection":
        edges = [InboxEdge(cursor=edge.cursor, node=edge.node) for edge in page.edges]
        return cls(edges=edges, page_info=page.page_info)


@strawberry.type
class InboxSubscriptions:
    """What can be watched of inboxes."""

    @strawberry.subscription(
        description="Each message that comes into a member's inbox, from now on."
    )
    async def inbox_message(
        self,
        info: Info,
        identity: Annotated[
            str, strawberry.argument(description="Your own id of the person, exactly.")
        ],
    ) -> AsyncGenerator[InboxMessage, None]:
        if not info.context.sight.is_in(identity):
            raise BadRequest("identity", "a member can follow their own inbox only")
        member = await info.context.loaders.find_member_known_as(identity)
        return _follow(info, identity, member.id if member else None)


async def _follow(
    info: Info, identity: str, member_id: str | None
) -> AsyncGenerator[InboxMessage, None]:
    """Of a member who isn't there yet, too: who is it may be a first credit away."""

    def may_be_theirs(delivery: records.Delivery) -> bool:
        return delivery.status == "SENT" and member_id in {None, delivery.member_id}

    async with aclosing(info.context.campaigns.changes.follow(may_be_theirs)) as changes:
        async for delivery in changes:
            info.context.renew()
            loaders = info.context.loaders
            if member_id is None:
                member = await loaders.find_member_known_as(identity)
                member_id = member.id if member else None
            if member_id == delivery.member_id:
                message = await loaders.find_inbox_message_of(delivery.id)
                if message:
                    yield message
