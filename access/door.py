"""The door: what a caller shows, and who they are by it."""

from collections.abc import Callable
from hmac import compare_digest
from typing import Final

from access import keys
from access.principal import Principal, Unauthenticated
from models.database import Database

SHOW: Final = "show a key or a token: Authorization: Bearer …"
UNKNOWN: Final = "this key or token lets nobody in: it is unknown, expired or revoked"

DEVELOPER: Final = Principal("DEVELOPER", "developer", frozenset({"admin"}))


class Door:
    """Lets in keys of the company's own, members, and, where it is told so, the developer."""

    def __init__(
        self, database: Database, clock: Callable[[], int], developer_token: str | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._developer_token = developer_token

    @property
    def developer_token(self) -> str | None:
        """What the page of a developer's own machine shows; None where there is no such."""
        return self._developer_token

    async def admit(self, authorization: str | None) -> Principal:
        """The principal of an `Authorization` header's value. Raises Unauthenticated."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(SHOW)
        if self._developer_token and compare_digest(token.encode(), self._developer_token.encode()):
            return DEVELOPER
        found = await self._database.read(keys.find, keys.hash_of(token))
        if found is None or not found.works(self._clock()):
            raise Unauthenticated(UNKNOWN)
        return found.to_principal()
