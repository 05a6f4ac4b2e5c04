"""API keys as their keepers see them: created, listed and revoked over the API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.harness import values
from tests.harness.client import Client, inputs
from tests.harness.values import Answer, Json, Page

API_KEY = "id name scopes createdAt expiresAt lastUsedAt revokedAt"
ERRORS = "errors { __typename ... on UserError { message path } }"
CREATE = f"""mutation Create($input: CreateApiKeyInput!) {{
  createApiKey(input: $input) {{ apiKey {{ {API_KEY} }} token {ERRORS} }} }}"""
REVOKE = f"""mutation Revoke($input: RevokeApiKeyInput!) {{
  revokeApiKey(input: $input) {{ apiKey {{ {API_KEY} }} {ERRORS} }} }}"""
LIST = f"""query Keys($first: Int, $after: String) {{
  apiKeys(first: $first, after: $after) {{ edges {{ cursor node {{ {API_KEY} }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
NODE = f"query Node($id: ID!) {{ node(id: $id) {{ id ... on ApiKey {{ {API_KEY} }} }} }}"


@dataclass(frozen=True)
class ApiKey:
    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Issued:
    """What a mutation about keys answered."""

    answer: Answer
    found: ApiKey | None
    token: str | None

    @property
    def error(self) -> str | None:
        return self.answer.error

    @property
    def key(self) -> ApiKey:
        """The key, of an answer that must have one."""
        assert self.found, f"no key: {self.answer.raw}"
        return self.found

    @property
    def shown(self) -> str:
        """The token, of an answer that must have one."""
        assert self.token, "no token"
        return self.token


def api_key(node: Json) -> ApiKey:
    return ApiKey(**values.plain(node))


def issued(payload: Json) -> Issued:
    found = values.maybe(api_key, payload["apiKey"])
    return Issued(values.answer(payload), found, payload.get("token"))


async def create_key(client: Client, name: str, *scopes: str, **more: object) -> Issued:
    fields = {"name": name, "scopes": list(scopes)} | inputs(more)
    return issued((await client.execute(CREATE, input=fields))["createApiKey"])


async def revoke_key(client: Client, key_id: str) -> Issued:
    return issued((await client.execute(REVOKE, input={"id": key_id}))["revokeApiKey"])


async def list_keys(client: Client, **paging: Any) -> Page[ApiKey]:
    return values.page((await client.execute(LIST, **paging))["apiKeys"], api_key)


async def find_key(client: Client, key_id: str) -> ApiKey | None:
    return values.maybe(api_key, (await client.execute(NODE, id=key_id))["node"])
