"""Access: who is asking, and what they may do. The one place where rights are decided.

For now every caller is an administrator, and the service listens on this machine only.
"""

from dataclasses import dataclass
from typing import Final, Literal

from graph.faults import Forbidden

Right = Literal["wallets:read", "points:credit", "points:debit", "events:read", "admin"]

EVERY_RIGHT: Final[frozenset[Right]] = frozenset(
    {"wallets:read", "points:credit", "points:debit", "events:read", "admin"}
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent an operation, with their rights."""

    rights: frozenset[Right]

    def must(self, right: Right) -> None:
        """Refuse the operation unless the caller has this right."""
        if right not in self.rights:
            raise Forbidden(right)


ADMINISTRATOR: Final = Caller(EVERY_RIGHT)
