"""API keys: made, found and revoked. Of a key only its hash is kept.

A key is looked up by the SHA-256 of the whole token: its secret has 256 random bits, so nobody
finds a token to a hash, and what a look-up's time tells of a hash tells nothing of a token.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, func, select, update

from access.principal import SCOPES, Principal, Scope, scopes_of
from access.refusals import ApiKeyNotFound, InvalidInput, Refusal, TooManyKeys
from events.audit import Actor, Deed, note
from models.columns import NEVER
from models.dialects import alone_in, each, write_rows
from models.ids import find_prefix, new_id
from models.tables import api_keys
from models.texts import fault_in
from models.windows import LIMIT, Cut, Page, Window

SECRET_BYTES: Final = 32
NAME_MAX: Final = 100
SAME_NAME_MAX: Final = 2
"""How many keys of one name work at a time: the one in use, and the one that is to replace it."""

TOKEN: Final = re.compile(r"tpk_([0-9A-Za-z]{1,64})_[A-Za-z0-9._~+/=-]{16,255}")
"""What is taken as a key that was made elsewhere: tpk_<id>_<secret>, the secret not too short."""


@dataclass
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

    def has(self, scope: Scope) -> bool:
        return scope in scopes_of(self.scopes)

    @cached_property
    def principal(self) -> Principal:
        """Whoever shows it."""
        return Principal("KEY", self.id, scopes_of(self.scopes), expires_at=self.expires_at)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is to be. `expires_at` None: never."""

    name: str
    scopes: Sequence[str]
    expires_at: int | None = None


def mint() -> tuple[str, str]:
    """A new key's id, and the token that its holder shows."""
    key_id = new_id("key")
    return key_id, f"tpk_{key_id.removeprefix('key_')}_{secrets.token_urlsafe(SECRET_BYTES)}"


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def find_id(token: str) -> str | None:
    """The id for a key whose token was made elsewhere; None if the text is no key's token.

    It is the one that the token names, or a new one.
    """
    match = TOKEN.fullmatch(token)
    if match is None:
        return None
    named = f"key_{match[1]}"
    return named if find_prefix(named) else new_id("key")


# ── writing: each a part of a unit of work ──────────────────────────────────────────────────────


def create(
    connection: Connection, now: int, wanted: NewKey, actor: Actor
) -> tuple[ApiKey, str] | Refusal:
    """Make a key, and the token that is shown this once."""
    refusal = _refusal(wanted, now)
    if refusal:
        return refusal
    alone_in(connection, api_keys)
    same = select(api_keys).where(api_keys.c.name == wanted.name, *_working(now))
    if len(connection.execute(same).all()) >= SAME_NAME_MAX:
        message = f"{SAME_NAME_MAX} keys of this name work already: revoke one of them first."
        return TooManyKeys(message, ("name",))
    key_id, token = mint()
    expires_at = NEVER if wanted.expires_at is None else wanted.expires_at
    key = ApiKey(key_id, wanted.name, hash_of(token), _words(wanted), now, expires_at)
    return write(connection, key, actor), token


def write(connection: Connection, key: ApiKey, actor: Actor) -> ApiKey:
    """Write a key down as it is, and who made it."""
    row = (key.id, key.name, key.hash, key.scopes, key.created_at, key.expires_at, None, None)
    write_rows(connection, api_keys, [row])
    note(connection, key.created_at, [Deed(actor, "createApiKey", key.id)])
    return key


def revoke(
    connection: Connection, now: int, id: str, actor: Actor, *, even_the_last: bool = False
) -> ApiKey | Refusal:
    """Have a key let nobody in any more. To do so again changes nothing.

    The last admin key that works is kept, lest nobody can get in, unless `even_the_last`.
    """
    alone_in(connection, api_keys)
    key = find_keys(connection, [id]).get(id)
    if key is None:
        return ApiKeyNotFound("There is no such key.", ("id",))
    if key.revoked_at is not None:
        return key
    if (
        not even_the_last
        and key.works(now)
        and key.has("admin")
        and _is_last_admin(connection, now, id)
    ):
        return InvalidInput("This is the last admin key that works: create another first.", ("id",))
    key.revoked_at = now
    connection.execute(update(api_keys).where(api_keys.c.id == id).values(revoked_at=now))
    note(connection, now, [Deed(actor, "revokeApiKey", id)])
    return key


def note_uses(connection: Connection, uses: Mapping[str, int]) -> None:
    """Write down when each of these keys was last used, where another instance didn't later."""
    rows = [{"key": key_id, "at": at} for key_id, at in uses.items()]
    connection.execute(_used(), rows)


def _refusal(wanted: NewKey, now: int) -> Refusal | None:
    wrong = fault_in(wanted.name, NAME_MAX)
    if wrong:
        return InvalidInput(f"name {wrong}.", ("name",))
    if not wanted.scopes or not set(wanted.scopes) <= set(SCOPES):
        return InvalidInput(f"scopes must be some of {', '.join(SCOPES)}.", ("scopes",))
    if wanted.expires_at is not None and wanted.expires_at <= now:
        return InvalidInput("expiresAt must be in the future.", ("expiresAt",))
    return None


def _words(wanted: NewKey) -> str:
    return " ".join(scope for scope in SCOPES if scope in wanted.scopes)


def _working(now: int) -> list[Any]:
    return [api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now]


def _is_last_admin(connection: Connection, now: int, id: str) -> bool:
    others = select(api_keys).where(api_keys.c.id != id, *_working(now))
    return not any(ApiKey(*row).has("admin") for row in connection.execute(others))


@cache
def _used() -> Any:
    last = func.coalesce(api_keys.c.last_used_at, 0)
    found = update(api_keys).where(api_keys.c.id == bindparam("key"), last < bindparam("at"))
    return found.values(last_used_at=bindparam("at"))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def find_keys(connection: Connection, ids: Iterable[str]) -> dict[str, ApiKey]:
    """The keys with these ids, those that there are."""
    rows = connection.execute(_by_ids(), {"ids": list(ids)})
    return {key.id: key for key in (ApiKey(*row) for row in rows)}


def find_by_hashes(connection: Connection, hashes: Collection[str]) -> dict[str, ApiKey]:
    """The keys with these hashes, each by its hash, in one statement however many."""
    rows = connection.execute(_by_hashes(), {"hashes": list(hashes)})
    return {key.hash: key for key in (ApiKey(*row) for row in rows)}


def find_working(connection: Connection, ids: Collection[str], now: int) -> set[str]:
    """Which of these keys let anyone in."""
    asked = select(api_keys.c.id).where(api_keys.c.id.in_(each("ids")), *_working(now))
    return set(connection.execute(asked, {"ids": list(ids)}).scalars())


def has_any(connection: Connection) -> bool:
    """Whether there ever was a key."""
    return connection.execute(select(api_keys.c.id).limit(1)).first() is not None


def page(connection: Connection, window: Window) -> Page[ApiKey]:
    """All keys, newest first, those that work no longer among them."""
    rows = connection.execute(_page(window.cut), window.params)
    return window.page([((key.created_at, key.id), key) for key in (ApiKey(*row) for row in rows)])


@cache
def _by_ids() -> Select[Any]:
    return select(api_keys).where(api_keys.c.id.in_(each("ids")))


@cache
def _by_hashes() -> Select[Any]:
    return select(api_keys).where(api_keys.c.hash.in_(each("hashes")))


@cache
def _page(cut: Cut) -> Select[Any]:
    key = [api_keys.c.created_at, api_keys.c.id]
    listed = select(api_keys).where(*cut.bounds(key)).order_by(*cut.order(key))
    return listed.limit(LIMIT)
