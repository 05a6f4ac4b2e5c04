"""Payloads: what several mutations answer alike."""

from collections.abc import Sequence
from typing import Any, Self

import strawberry

from graph.errors import listed
from graph.transactions import Transaction
from graph.wallets import Wallet
from ledger import Outcome


@strawberry.type
class Posting:
    """What became of a command that moves points. Not a type of the schema by itself."""

    transaction: Transaction | None = strawberry.field(
        description="What was written; null if nothing was."
    )
    wallet: Wallet | None = strawberry.field(
        description="The wallet as of this answer: after its transaction, perhaps after later ones."
    )
    replayed: bool = strawberry.field(
        description="The key had been used for the same before: this is what came of it then."
    )
    errors: list[Any] = strawberry.field(description="Empty on success.")

    @classmethod
    def of(cls, outcome: Outcome, within: Sequence[str] = ("input",)) -> Self:
        entry, wallet = outcome.entry, outcome.wallet
        return cls(
            transaction=Transaction.of(entry) if entry else None,
            wallet=Wallet.of(wallet) if wallet else None,
            replayed=outcome.replayed,
            errors=listed(outcome.refusal, within),
        )
