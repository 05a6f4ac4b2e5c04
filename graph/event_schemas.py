"""Event schemas: what campaigns can listen to and filter by, and whom that would have reached."""

from typing import Annotated, Final, cast

import strawberry

from campaigns import properties as known
from campaigns.properties import SCHEMAS
from campaigns.reach import count_reach
from campaigns.refusals import Refusal
from graph.choices import Choice, choice
from graph.context import Info
from graph.costs import up_to
from graph.faults import BadRequest
from graph.scalars import DateTime
from graph.who import WhoInput

PROPERTIES_MAX: Final = max(len(schema.properties) for schema in SCHEMAS.values())


@choice("What the values of a property are.")
class PropertyType(Choice):
    """See campaigns.properties.PropertyType."""

    STRING = "STRING", "Text."
    NUMBER = "NUMBER", "A number."
    DATE = "DATE", "An instant, as RFC 3339 text."
    BOOLEAN = "BOOLEAN", "True or false."


@strawberry.type(description="What an event may say.")
class EventProperty:
    """See campaigns.properties.EventProperty."""

    name: str = strawberry.field(
        description="Its name on the wire, as filters and messages have it."
    )
    type: PropertyType = strawberry.field(description="What its values are.")
    values: list[str] | None = strawberry.field(
        description="All the values that it can have, if they are few."
    )

    @classmethod
    def of(cls, one: known.EventProperty) -> "EventProperty":
        values = None if one.values is None else list(one.values)
        return cls(name=one.name, type=cast("PropertyType", one.type.value), values=values)


@strawberry.type(description="An event that a campaign can begin with.")
class EventSchema:
    """See campaigns.properties.EventSchema."""

    name: str = strawberry.field(description="Its name on the wire, like `CT Points Credited`.")
    properties: list[EventProperty] = strawberry.field(
        description="What it may say.", metadata=up_to(PROPERTIES_MAX, pages=False)
    )

    @classmethod
    def of(cls, schema: known.EventSchema) -> "EventSchema":
        said = [EventProperty.of(each) for each in schema.properties.values()]
        return cls(name=schema.name, properties=said)


@strawberry.type(description="Who would have qualified, had a campaign listened.")
class Reach:
    """See campaigns.reach."""

    events: int = strawberry.field(description="How many events would have led to a delivery.")
    members: int = strawberry.field(description="How many members they concern.")
    wallets: int = strawberry.field(description="How many wallets they concern.")


@strawberry.type
class EventSchemaQueries:
    """The queries about what campaigns can listen to."""

    @strawberry.field(
        description="The events that campaigns can listen to, and what each may say.",
        metadata=up_to(len(SCHEMAS), pages=False),
    )
    async def event_schemas(self, info: Info) -> list[EventSchema]:
        del info
        return [EventSchema.of(schema) for schema in SCHEMAS.values()]

    @strawberry.field(
        description=(
            "Who would have qualified since, read from the log. The members' profiles are as they"
            " are now."
        )
    )
    async def reach(
        self,
        info: Info,
        who: Annotated[WhoInput, strawberry.argument(description="The members for whom it is.")],
        since: Annotated[DateTime, strawberry.argument(description="Events from this instant on.")],
    ) -> Reach:
        found = await info.context.survey(count_reach, who.to_who(), since, info.context.now)
        if isinstance(found, Refusal):
            raise BadRequest(".".join(found.path), found.message.removesuffix("."))
        return Reach(events=found.events, members=found.members, wallets=found.wallets)
