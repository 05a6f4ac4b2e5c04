"""Principals: whoever is let in, and what they may do."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from models.columns import NEVER

Scope = Literal[
    "wallets:read",
    "points:credit",
    "points:debit",
    "campaigns:write",
    "events:read",
    "admin",
]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


class Unauthenticated(Exception):
    """Nobody is let in by what was shown. The message says what to show, and tells no secret."""


class ProviderDown(Exception):
    """The identity provider can't be asked for its keys: no member can be let in just now."""

    def __init__(self, retry_after_s: int) -> None:
        """`retry_after_s`: when it is asked again, at the soonest."""
        super().__init__("members can't be let in: the identity provider's keys can't be fetched")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever sent an operation: a key of the company's own, a member, or the developer at hand.

    `id` names the principal in logs and limits, and no person: a key's id, or a hash of a member's
    identity. `scopes` are all that the principal may do; `admin` includes every other. A member has
    none, and reads what is theirs. `expires_at` is in µs.
    """

    kind: Literal["KEY", "MEMBER", "DEVELOPER"]
    id: str
    scopes: frozenset[Scope] = frozenset()
    identity: str | None = None
    expires_at: int = NEVER

    def has(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes


def scopes_of(text: str) -> frozenset[Scope]:
    """The scopes in a text of words; a word that is none is left out."""
    return frozenset(scope for scope in SCOPES if scope in text.split())
