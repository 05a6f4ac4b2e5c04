"""CT Points Credited: live, and read back from the log behind it."""

import re
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Final, cast

import strawberry
from sqlalchemy import Connection as Link
from strawberry import UNSET

from events import log
from graph.context import Info
from graph.courses import Course
from graph.faults import BadCursor, BadRequest
from graph.nodes import Node
from graph.pagination import After, Connection, Edge, First, Listing, Position, a_number, connected
from graph.scalars import DateTime, Points, given, sought
from graph.transactions import CreditSource, Transaction
from graph.wallets import Wallet

_MARK: Final = re.compile(rf"[0-9a-f]{{{log.MARK_LENGTH}}}")


def a_mark(text: str) -> str | None:
    return text if _MARK.fullmatch(text) else None


LOG: Final = Listing("pointsCredited", parts=(a_number, a_mark))
BEYOND: Final = "this is beyond the event log's end"
REPLACED: Final = (
    "the event log was brought back to an earlier state since it gave this cursor, and has gone on"
    " otherwise: begin anew, with the eventCursor"
)
NAME: Final = "CT Points Credited"


@strawberry.type(
    description=(
        "CT Points Credited: points became a member's to spend, by a credit, or by the activation"
        " of"
        " a promised one."
    )
)
class PointsCredited(Node):
    """See events.log.PointsCredited."""

    cursor: str = strawberry.field(description="Give it as `after` to resume after this event.")
    name: str = strawberry.field(description="`CT Points Credited`.")
    ct_source: str = strawberry.field(
        description=(
            "What raised the event: `API`, `Dashboard` (by hand), `Campaign`, or `System` (the"
            " clock)."
        )
    )
    wallet_id: strawberry.ID = strawberry.field(description="The wallet that they are in.")
    transaction_id: strawberry.ID = strawberry.field(description="The credit that gave them.")
    points: Points = strawberry.field(description="How many.")
    source: CreditSource = strawberry.field(description="Where the credit comes from.")
    campaign_id: strawberry.ID | None = strawberry.field(
        description="The campaign that gave them, if one did."
    )
    points_description: str | None = strawberry.field(description="What the credit said of it.")
    event_timestamp: DateTime = strawberry.field(description="When they became spendable.")
    points_expiry: DateTime | None = strawberry.field(
        description="When they expire, as it looked then; null is never."
    )
    coupon_code: str | None = strawberry.field(description="The coupon that gave them.")
    coupon_id: strawberry.ID | None = strawberry.field(description="That coupon's id.")
    sale_channel: str | None = strawberry.field(description="Where the sale was made.")
    location_id: str | None = strawberry.field(description="Your own id of the shop.")
    sale_amount: float | None = strawberry.field(description="What the sale came to.")
    identity: str = strawberry.field(description="The member's identity.")
    program_id: strawberry.ID = strawberry.field(description="The program that they are of.")

    @classmethod
    def of(cls, event: log.PointsCredited) -> "PointsCredited":
        return cls(
            id=strawberry.ID(event.id),
            cursor=LOG.cursor((event.position, log.mark_of(event.id))),
            name=NAME,
            ct_source=event.ct_source,
            wallet_id=strawberry.ID(event.wallet_id),
            transaction_id=strawberry.ID(event.transaction_id),
            points=event.points,
            source=cast("CreditSource", event.source),
            campaign_id=cast("strawberry.ID | None", event.campaign_id),
            points_description=event.description,
            event_timestamp=event.at,
            points_expiry=event.expires_at,
            coupon_code=event.coupon_code,
            coupon_id=cast("strawberry.ID | None", event.coupon_id),
            sale_channel=event.sale_channel,
            location_id=event.location_id,
            sale_amount=event.sale_amount,
            identity=event.identity,
            program_id=strawberry.ID(event.program_id),
        )

    @strawberry.field(description="The wallet as it is now.")
    async def wallet(self, info: Info) -> Wallet:
        return await info.context.loaders.get_wallet(self.wallet_id)

    @strawberry.field(description="The credit that gave them.")
    async def transaction(self, info: Info) -> Transaction:
        found = await info.context.loaders.find_transaction(self.transaction_id)
        assert found, f"no transaction {self.transaction_id}"
        return found


@strawberry.input(description="Which events: those that are all that is set here.")
class PointsCreditedFilter:
    """See events.log.CreditedFilter."""

    wallet_id: strawberry.ID | None = strawberry.field(description="Of this wallet.")
    identity: str | None = strawberry.field(description="Of the member of this identity.")
    program_id: strawberry.ID | None = strawberry.field(description="Of this program.")
    sources: list[CreditSource] | None = strawberry.field(description="From one of these sources.")
    campaign_id: strawberry.ID | None = strawberry.field(description="Of this campaign.")
    min_points: Points | None = strawberry.field(description="Of so many points or more.")


Filter = Annotated[
    PointsCreditedFilter | None, strawberry.argument(description="Only some of them.")
]


@strawberry.type
class PointsCreditedQueries:
    """The queries about the event log."""

    @strawberry.field(
        description=(
            "The log behind the subscription, oldest first. Its cursors resume the subscription,"
            " with"
            " any filter."
        )
    )
    async def points_credited_events(
        self,
        info: Info,
        filter: Filter = UNSET,
        first: First = UNSET,
        after: After = UNSET,
    ) -> Connection[PointsCredited]:
        wanted = await _wanted(info, filter)
        window = LOG.window(first, after)
        assert window.first
        found = await info.context.read(_read, window.after, window.first + 1, wanted)
        edges = [
            Edge(cursor=node.cursor, node=node)
            for node in map(PointsCredited.of, found[: window.first])
        ]
        return connected(
            edges, has_next=len(found) > window.first, has_previous=window.after is not None
        )

    @strawberry.field(
        description=(
            "The event log's end. Take it before you subscribe and give it as `after`, and nothing"
            " is"
            " missed before the first event."
        )
    )
    async def event_cursor(self, info: Info) -> str:
        return LOG.cursor(await info.context.read(_end))


@strawberry.type
class PointsCreditedSubscriptions:
    """What can be watched of points."""

    @strawberry.subscription(
        description=(
            "Each CT Points Credited as it happens. With `after`, first everything since that"
            " cursor"
            " and then live, with no gap and no repeat."
        )
    )
    async def points_credited(
        self,
        info: Info,
        filter: Filter = UNSET,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="An event's `cursor` or the `eventCursor`; from now on if left out."
            ),
        ] = UNSET,
    ) -> AsyncGenerator[PointsCredited, None]:
        wanted = await _wanted(info, filter)
        named = LOG.position("after", given(after))
        if named:
            await info.context.read(_must_be_on_it, *named)
        attend = partial(info.context.feed.attend, wanted)
        course = Course(attend, PointsCredited.of, named[0] if named else None)
        return cast("AsyncGenerator[PointsCredited, None]", course)


def _read(
    link: Link, after: Position | None, limit: int, wanted: log.CreditedFilter
) -> list[log.PointsCredited]:
    if after:
        _must_be_on_it(link, *after)
    return log.read_credited(link, after[0] if after else 0, limit, wanted)


def _end(link: Link) -> Position:
    position = log.head(link)
    return position, log.find_mark(link, position)


def _must_be_on_it(link: Link, position: int, mark: str) -> None:
    """Refuse a cursor that names no event of this log: what lies past it would not be told."""
    found = log.find_mark(link, position)
    if found != mark:
        raise BadCursor("after", REPLACED if found else BEYOND)


async def _wanted(info: Info, filter: PointsCreditedFilter | None) -> log.CreditedFilter:
    """A filter as the log takes it; a wallet or program that isn't there is a mistake."""
    sight = info.context.sight
    if not filter:
        return log.CreditedFilter(identity=sight.identity) if sight.identity else log.ANY
    loaders = info.context.loaders
    if filter.wallet_id is not None and not await loaders.find_wallet(filter.wallet_id):
        raise BadRequest("filter.walletId", "there is no such wallet")
    if filter.program_id is not None and not await loaders.find_program(filter.program_id):
        raise BadRequest("filter.programId", "there is no such program")
    sources = filter.sources
    return log.CreditedFilter(
        wallet_id=filter.wallet_id,
        identity=sight.narrowed(sought(filter.identity)),
        program_id=filter.program_id,
        sources=None if sources is None else frozenset(map(str, sources)),
        campaign_id=sought(filter.campaign_id),
        min_points=filter.min_points,
    )
