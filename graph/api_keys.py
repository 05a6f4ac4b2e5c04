"""API keys: made, listed and revoked by whoever has an admin key."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from access import keys
from access.principal import SCOPES
from access.refusals import Refusal
from graph.context import Info
from graph.errors import ApiKeyNotFound, InvalidInput, TooManyKeys, listed
from graph.nodes import Node
from graph.pagination import After, Connection, First, Listing, a_number, an_id
from graph.scalars import DateTime, sought
from models.columns import NEVER


@strawberry.type(
    description=(
        "A key that lets a system of yours in. Its token is not kept, and shown only when it is"
        " created."
    )
)
class ApiKey(Node):
    """See models.api_keys.ApiKey."""

    name: str = strawberry.field(
        description="What it is for. Two keys of one name may work at a time: see `createApiKey`."
    )
    scopes: list[str] = strawberry.field(
        description=f"What it may do: some of {', '.join(f'`{scope}`' for scope in SCOPES)}."
        " `admin` includes all."
    )
    created_at: DateTime = strawberry.field(description="When it was created.")
    expires_at: DateTime | None = strawberry.field(
        description="When it stops to work; null if it does not by itself."
    )
    last_used_at: DateTime | None = strawberry.field(
        description="When it was last used, to a minute or so; null if it never was."
    )
    revoked_at: DateTime | None = strawberry.field(description="When it was revoked, if it was.")

    @classmethod
    def of(cls, key: keys.ApiKey) -> "ApiKey":
        return cls(
            id=strawberry.ID(key.id),
            name=key.name,
            scopes=key.scopes.split(),
            created_at=key.created_at,
            expires_at=None if key.expires_at == NEVER else key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


# ── reading and writing ─────────────────────────────────────────────────────────────────────────


@strawberry.type
class ApiKeyQueries:
    """The query about keys."""

    @strawberry.field(
        description="All API keys, newest first, those that have expired or were revoked, too."
    )
    async def api_keys(
        self, info: Info, first: First = UNSET, after: After = UNSET
    ) -> Connection[ApiKey]:
        listing = Listing("apiKeys", parts=(a_number, an_id))
        page = await info.context.read(keys.page, listing.window(first, after))
        return listing.connection(page, ApiKey.of)


CreateApiKeyError = Annotated[
    InvalidInput | TooManyKeys,
    strawberry.union("CreateApiKeyError", description="Why a key was not created."),
]
RevokeApiKeyError = Annotated[
    InvalidInput | ApiKeyNotFound,
    strawberry.union("RevokeApiKeyError", description="Why a key was not revoked."),
]


@strawberry.input(description="A key to create.")
class CreateApiKeyInput:
    """See access.keys.NewKey."""

    name: str = strawberry.field(
        description="What it is for, like the system that is to have it; 1 to 100 characters."
    )
    scopes: list[str] = strawberry.field(description="What it may do; at least one.")
    expires_at: DateTime | None = strawberry.field(
        description="When it is to stop to work; never if left out."
    )

    def to_wanted(self) -> keys.NewKey:
        return keys.NewKey(self.name, self.scopes, self.expires_at)


@strawberry.input(description="A key to revoke.")
class RevokeApiKeyInput:
    """See access.keys.revoke."""

    id: strawberry.ID = strawberry.field(description="The key's id, `key_…`.")


@strawberry.type(description="The new key and its token, or why there is none.")
class CreateApiKeyPayload:
    """The answer to createApiKey."""

    api_key: ApiKey | None = strawberry.field(description="The new key.")
    token: str | None = strawberry.field(
        description=(
            "What its holder shows: `Authorization: Bearer tpk_…`. It is shown only now: keep it."
        )
    )
    errors: list[CreateApiKeyError] = strawberry.field(description="Empty on success.")


@strawberry.type(description="The revoked key, or why it wasn't revoked.")
class RevokeApiKeyPayload:
    """The answer to revokeApiKey."""

    api_key: ApiKey | None = strawberry.field(description="The key as it is now.")
    errors: list[RevokeApiKeyError] = strawberry.field(description="Empty on success.")


@strawberry.type
class ApiKeyMutations:
    """The mutations about keys."""

    @strawberry.mutation(
        description=(
            "Create an API key. To replace one, create another of the same name, give it to whoever"
            " had the first, and revoke that."
        )
    )
    async def create_api_key(
        self,
        info: Info,
        input: Annotated[CreateApiKeyInput, strawberry.argument(description="What it may do.")],
    ) -> CreateApiKeyPayload:
        context = info.context
        context.renew()
        made = await context.write(keys.create, context.now, input.to_wanted(), context.actor)
        if isinstance(made, Refusal):
            return CreateApiKeyPayload(api_key=None, token=None, errors=listed(made))
        key, token = made
        return CreateApiKeyPayload(api_key=ApiKey.of(key), token=token, errors=[])

    @strawberry.mutation(
        description=(
            "Have an API key let nobody in any more, and end what runs by it within 10 seconds. To"
            " do so again changes nothing. The last admin key that works can't be revoked."
        )
    )
    async def revoke_api_key(
        self,
        info: Info,
        input: Annotated[RevokeApiKeyInput, strawberry.argument(description="Which one.")],
    ) -> RevokeApiKeyPayload:
        context = info.context
        context.renew()
        found = await context.write(keys.revoke, context.now, sought(str(input.id)), context.actor)
        if isinstance(found, Refusal):
            return RevokeApiKeyPayload(api_key=None, errors=listed(found))
        context.service.door.forget()
        return RevokeApiKeyPayload(api_key=ApiKey.of(found), errors=[])
