"""Members: the people whose wallets they are, and all that is known of them."""

from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry
from strawberry import UNSET

from graph.context import Info
from graph.errors import InvalidInput, MemberNotFound, listed
from graph.inbox import InboxConnection
from graph.nodes import Node
from graph.pagination import After, Connection, First, Listing
from graph.scalars import JSON, TimeZone, sought
from ledger import records, registry
from ledger.refusals import Refusal

if TYPE_CHECKING:
    from graph.wallets import Wallet


@strawberry.type(
    description=(
        "A person, known by your own id of them. Erasing a member clears all of this and leaves"
        " `erased:` and the id as the identity."
    )
)
class Member(Node):
    """See models.members.Member."""

    identity: str = strawberry.field(description="Your own id of the person. Unique.")
    name: str | None = strawberry.field(description="The person's name.")
    email: str | None = strawberry.field(description="Where mail reaches them.")
    phone: str | None = strawberry.field(description="Where calls and messages reach them.")
    time_zone: TimeZone | None = strawberry.field(description="Where their clock is.")
    attributes: JSON = strawberry.field(
        description="Whatever else you keep of them: a JSON object, empty at first."
    )

    @classmethod
    def of(cls, record: records.Member) -> "Member":
        return cls(
            id=strawberry.ID(record.id),
            identity=record.identity,
            name=record.name,
            email=record.email,
            phone=record.phone,
            time_zone=record.time_zone,
            attributes=orjson.loads(record.attributes),
        )

    @strawberry.field(description="The member's wallets, newest first: at most one a program.")
    async def wallets(
        self, info: Info, first: First = UNSET, after: After = UNSET
    ) -> Connection[Annotated["Wallet", strawberry.lazy("graph.wallets")]]:
        window = Listing("wallets", self.id).window(first, after)
        return await info.context.loaders.wallets_of_member(self.id, window)

    @strawberry.field(description="What campaigns have sent to the member's inbox, newest first.")
    async def inbox(
        self, info: Info, first: First = UNSET, after: After = UNSET
    ) -> InboxConnection:
        window = Listing("inbox", self.id).window(first, after)
        return await info.context.loaders.inbox_of_member(self.id, window)


@strawberry.type
class MemberQueries:
    """The queries about members."""

    @strawberry.field(description="The member of this identity; null if there is none.")
    async def member(
        self,
        info: Info,
        identity: Annotated[
            str, strawberry.argument(description="Your own id of the person, exactly.")
        ],
    ) -> Member | None:
        return await info.context.loaders.find_member_known_as(identity)


UpsertMemberError = Annotated[
    InvalidInput,
    strawberry.union("UpsertMemberError", description="Why a member was not written."),
]
EraseMemberError = Annotated[
    InvalidInput | MemberNotFound,
    strawberry.union("EraseMemberError", description="Why a member was not erased."),
]


@strawberry.input(
    description="What is known of a member. A field that is left out stays; null clears it."
)
class UpsertMemberInput:
    """See ledger.registry.UpsertMember."""

    identity: str = strawberry.field(description="Your own id of the person; 1 to 255 characters.")
    name: str | None = strawberry.field(
        default=UNSET, description="The person's name; 1 to 100 characters."
    )
    email: str | None = strawberry.field(default=UNSET, description="Where mail reaches them.")
    phone: str | None = strawberry.field(
        default=UNSET, description="Where calls and messages reach them."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=UNSET, description="Where their clock is."
    )
    attributes: JSON | None = strawberry.field(
        default=UNSET,
        description=(
            "Whatever else you keep of them: a JSON object of at most 4 KB, replaced whole."
        ),
    )

    def to_command(self) -> registry.UpsertMember:
        fields = {
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "time_zone": self.time_zone,
            "attributes": self.attributes,
        }
        named: dict[str, Any] = {
            name: value for name, value in fields.items() if value is not UNSET
        }
        return registry.UpsertMember(identity=self.identity, **named)


@strawberry.input(description="The member to erase.")
class EraseMemberInput:
    """See ledger.registry.EraseMember."""

    identity: str = strawberry.field(description="Your own id of the person.")


@strawberry.type(description="The member, or why it wasn't written.")
class UpsertMemberPayload:
    """The answer to upsertMember."""

    member: Member | None = strawberry.field(description="The member as it is now.")
    errors: list[UpsertMemberError] = strawberry.field(description="Empty on success.")


@strawberry.type(description="Whether the member was erased, or why not.")
class EraseMemberPayload:
    """The answer to eraseMember."""

    erased: bool = strawberry.field(description="Every personal field is cleared.")
    errors: list[EraseMemberError] = strawberry.field(description="Empty on success.")


@strawberry.type
class MemberMutations:
    """The mutations about members."""

    @strawberry.mutation(description="Open a member, or change what is known of one.")
    async def upsert_member(
        self,
        info: Info,
        input: Annotated[
            UpsertMemberInput, strawberry.argument(description="What is known of them.")
        ],
    ) -> UpsertMemberPayload:
        info.context.renew()
        answer = await info.context.ledger.upsert_member(input.to_command(), info.context.actor)
        if isinstance(answer, Refusal):
            return UpsertMemberPayload(member=None, errors=listed(answer))
        return UpsertMemberPayload(member=Member.of(answer), errors=[])

    @strawberry.mutation(
        description=(
            "Clear every personal field of a member, of their transactions and events, and freeze"
            " their wallets. No balance changes, and there is no way back."
        )
    )
    async def erase_member(
        self,
        info: Info,
        input: Annotated[EraseMemberInput, strawberry.argument(description="Whom to erase.")],
    ) -> EraseMemberPayload:
        info.context.renew()
        answer = await info.context.ledger.erase_member(
            registry.EraseMember(identity=sought(input.identity)), info.context.actor
        )
        if isinstance(answer, Refusal):
            return EraseMemberPayload(erased=False, errors=listed(answer))
        info.context.feed.forget()
        return EraseMemberPayload(erased=True, errors=[])
