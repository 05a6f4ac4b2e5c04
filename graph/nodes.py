"""Nodes: whatever has an id can be read by it; the id's prefix tells its type."""

from typing import Annotated, Final

import strawberry

from graph.context import Info
from graph.costs import up_to
from graph.faults import LimitExceeded

IDS_MAX: Final = 100


@strawberry.interface(
    description="Whatever has an id. The prefix names the type: `wal_01k…` is a wallet."
)
class Node:
    """Relay's."""

    id: strawberry.ID = strawberry.field(
        description="A TypeID: the type's prefix and a UUIDv7. It never changes."
    )


@strawberry.type
class NodeQueries:
    """The queries that read anything."""

    @strawberry.field(description="Whatever has this id; null if nothing has.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Any id.")],
    ) -> Node | None:
        [found] = await info.context.loaders.find_nodes([id])
        return found

    @strawberry.field(
        description="Whatever has these ids, in their order, with null where nothing has.",
        metadata=up_to(IDS_MAX),
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="Any ids, at most 100.")
        ],
    ) -> list[Node | None]:
        if len(ids) > IDS_MAX:
            raise LimitExceeded("ids", IDS_MAX, f"must be at most {IDS_MAX}, not {len(ids)}")
        return await info.context.loaders.find_nodes(ids)
