"""Audit: who did what, for those who keep the keys."""

from typing import Annotated, cast

import strawberry
from strawberry import UNSET

from events import audit
from graph.choices import Choice, choice
from graph.context import Info
from graph.nodes import Node
from graph.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    Listing,
    a_number,
    an_id,
)
from graph.scalars import DateTime, sought


@choice("Who makes a change.")
class Actor(Choice):
    """See events.audit.Actor."""

    KEY = "KEY", "Whoever has an API key: see `keyId`."
    DEVELOPER = "DEVELOPER", "Whoever sits at the machine where it is served with `--dev`."
    TERMINAL = "TERMINAL", "Whoever has the command line, by `tuppence`."
    SERVICE = "SERVICE", "The service itself, at its first start."


@strawberry.type(
    description=(
        "One change, and who made it. It is written together with the change, never altered and"
        " never deleted, and names no person."
    )
)
class AuditEntry(Node):
    """See models.audit.AuditEntry."""

    at: DateTime = strawberry.field(description="When it was made.")
    actor: Actor = strawberry.field(description="Who made it.")
    key_id: strawberry.ID | None = strawberry.field(
        description="The API key's id, `key_…`, where a key made it."
    )
    action: str = strawberry.field(
        description="The mutation's name. Each credit of a batch is a `creditPoints`."
    )
    subject_id: strawberry.ID | None = strawberry.field(
        description="The id of what it made or changed: a transaction, a wallet, a program, …"
    )
    request_id: str | None = strawberry.field(
        description="The request that asked for it, as its answer's `X-Request-Id` says."
    )

    @classmethod
    def of(cls, entry: audit.Entry) -> "AuditEntry":
        return cls(
            id=strawberry.ID(entry.id),
            at=entry.at,
            actor=cast("Actor", entry.actor),
            key_id=cast("strawberry.ID | None", entry.key_id),
            action=entry.action,
            subject_id=cast("strawberry.ID | None", entry.subject_id),
            request_id=entry.request_id,
        )


@strawberry.input(description="Which entries: those that are all that is set here.")
class AuditFilter:
    """See events.audit.AuditFilter."""

    key_id: strawberry.ID | None = strawberry.field(description="Made by this API key.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="Of this transaction, wallet, program, member, coupon or key."
    )
    action: str | None = strawberry.field(description="Of this mutation's name.")
    from_: DateTime | None = strawberry.field(
        name="from", description="Made at this instant or later."
    )
    to: DateTime | None = strawberry.field(description="Made before this instant.")

    def to_filter(self) -> audit.AuditFilter:
        return audit.AuditFilter(
            key_id=sought(self.key_id),
            subject_id=sought(self.subject_id),
            action=sought(self.action),
            since=self.from_,
            until=self.to,
        )


@strawberry.type
class AuditQueries:
    """The query about who did what."""

    @strawberry.field(description="Every change and who made it, newest first.")
    async def audit_log(
        self,
        info: Info,
        filter: Annotated[
            AuditFilter | None, strawberry.argument(description="Only some of them.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[AuditEntry]:
        listing = Listing("auditLog", parts=(a_number, an_id))
        window = listing.window(first, after, last, before)
        wanted = filter.to_filter() if filter else audit.AuditFilter()
        page = await info.context.read(audit.page_entries, window, wanted)
        return listing.connection(page, AuditEntry.of)
