"""API keys: made, found and revoked. Of a key only its hash is kept."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, bindparam, select

from access.principal import Principal, Scope, scopes_of
from models.columns import NEVER
from models.dialects import write_rows
from models.ids import new_id
from models.tables import api_keys

SECRET_BYTES: Final = 32

_BY_HASH: Final = select(api_keys).where(api_keys.c.hash == bindparam("hash"))


@dataclass(slots=True)
class ApiKey:
    """See models.api_keys.ApiKey."""

    id: str
    name: str
    hash: str
    scopes: str
    created_at: int
    expires_at: int = NEVER
    last_used_at: int | None = None
    revoked_at: int | None = None

    def works(self, now: int) -> bool:
        return self.revoked_at is None and now < self.expires_at

    def to_principal(self) -> Principal:
        return Principal("KEY", self.id, scopes_of(self.scopes), expires_at=self.expires_at)


def mint() -> tuple[str, str]:
    """A new key's id, and the token that its holder shows."""
    key_id = new_id("key")
    return key_id, f"tpk_{key_id.removeprefix('key_')}_{secrets.token_urlsafe(SECRET_BYTES)}"


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def write(
    connection: Connection,
    now: int,
    name: str,
    scopes: frozenset[Scope],
    token: str,
    id: str,
) -> ApiKey:
    key = ApiKey(id, name, hash_of(token), " ".join(sorted(scopes)), now)
    row = (key.id, key.name, key.hash, key.scopes, now, key.expires_at, None, None)
    write_rows(connection, api_keys, [row])
    return key


def find(connection: Connection, hash: str) -> ApiKey | None:
    """The key with this hash."""
    row = connection.execute(_BY_HASH, {"hash": hash}).first()
    return ApiKey(*row) if row else None
