"""The door: what a caller shows, and who they are by it."""

import asyncio
import re
import time
from collections.abc import Callable, Collection
from hmac import compare_digest
from typing import Final

from access.keyring import Keyring, Known
from access.keys import ApiKey, find_working, hash_of
from access.principal import Principal, Unauthenticated
from access.tokens import Tokens
from access.uses import Uses
from models.database import Database

SHOW: Final = "show a key or a token: Authorization: Bearer …"
UNREADABLE: Final = "this is no Authorization header that can be read: Authorization: Bearer …"
UNKNOWN: Final = "this key or token lets nobody in: it is unknown, expired or revoked"

KEY: Final = "tpk_"
"""What a key begins with, and a member's token never: each is only ever taken for what it is."""

DEVELOPER: Final = Principal("DEVELOPER", "developer", frozenset({"admin"}))

SHOWN_MAX: Final = 10_000
"""How many headers are remembered that show a key that works …"""
SHOWN_CHARACTERS_MAX: Final = 400
"""… none longer than this: spaces may be as many as anyone likes."""

_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]{1,8192})")


class Door:
    """Lets in keys of the company's own, members, and, where it is told so, the developer.

    `ticks` are seconds that never run backwards: by them it knows how long ago it saw a key.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int],
        developer_token: str | None = None,
        members: Tokens | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._developer_token = developer_token
        self._members = members
        self._ticks = ticks
        self._keyring = Keyring(database, ticks)
        self._shown: dict[str, Known] = {}
        self._uses = Uses(database)
        self.revoked = asyncio.Event()
        """Set whenever a key was revoked here; whoever waits for it clears it."""

    @property
    def developer_token(self) -> str | None:
        """What the page of a developer's own machine shows; None where there is no such."""
        return self._developer_token

    async def start(self) -> None:
        """Begin to write down when keys are used."""
        await self._uses.start()

    async def close(self) -> None:
        await self._keyring.close()
        await self._uses.close()
        if self._members:
            await self._members.close()

    def recall(self, authorization: str | None) -> Principal | None:
        """The principal, where a key is shown as it was lately. Raises Unauthenticated."""
        known = self._shown.get(authorization) if authorization else None
        if known and self._ticks() < known.until:
            return self._admit_key(known.key)
        return None

    async def admit(self, authorization: str | None) -> Principal:
        """The principal of an `Authorization` header's value.

        Raises Unauthenticated; ProviderDown where it can't be said just now whether a member's
        token is good; DatabaseError where a key can't be looked up.
        """
        if recalled := self.recall(authorization):
            return recalled
        token = _token_in(authorization)
        if self._developer_token and compare_digest(token, self._developer_token):
            return DEVELOPER
        if token.startswith(KEY):
            return self._admit_key(await self._find_key(authorization, hash_of(token)))
        if self._members:
            return await self._members.admit(token)
        raise Unauthenticated(UNKNOWN)

    async def gone(self, principals: Collection[Principal]) -> set[str]:
        """Of these, the ids of those whom nothing lets in any more, by one read however many.

        Raises DatabaseError; nothing can be said of keys then.
        """
        now = self._clock()
        keys = {principal.id for principal in principals if principal.kind == "KEY"}
        working = await self._database.read(find_working, keys, now) if keys else set[str]()
        for key_id in working:
            self._uses.note(key_id, now)
        expired = {principal.id for principal in principals if principal.expires_at <= now}
        return (keys - working) | expired

    def forget(self) -> None:
        """Know of no key any more, but look each up: one was revoked here just now."""
        self._keyring.forget()
        self._shown.clear()
        self.revoked.set()

    async def _find_key(self, authorization: str | None, hash: str) -> ApiKey | None:
        """The key with this hash. What shows it is remembered for as long as the key is.

        To hash a token takes longer than all else that is done for one in use.
        """
        known = self._keyring.recall(hash)
        if known is None:
            return await self._keyring.find(hash)
        if known.key and authorization and len(authorization) <= SHOWN_CHARACTERS_MAX:
            if len(self._shown) >= SHOWN_MAX:
                self._shown.clear()
            self._shown[authorization] = known
        return known.key

    def _admit_key(self, key: ApiKey | None) -> Principal:
        now = self._clock()
        if key is None or not key.works(now):
            raise Unauthenticated(UNKNOWN)
        self._uses.note(key.id, now)
        return key.principal


def _token_in(authorization: str | None) -> str:
    if not authorization:
        raise Unauthenticated(SHOW)
    match = _BEARER.fullmatch(authorization)
    if match is None:
        raise Unauthenticated(UNREADABLE)
    return match[1]
