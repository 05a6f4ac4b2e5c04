"""Health: whether the books close."""

import strawberry

from graph.context import Info
from ledger.health import audit


@strawberry.type(
    description="What came of checking every rule of the ledger over all that is written."
)
class LedgerHealth:
    """See ledger.health."""

    wallets: int = strawberry.field(description="How many wallets were checked.")
    transactions: int = strawberry.field(description="How many transactions were checked.")
    violations: list[str] = strawberry.field(
        description="What is wrong, a sentence each, the first 100; empty if all is well."
    )


@strawberry.type
class HealthQueries:
    """The query about the ledger's health."""

    @strawberry.field(
        description="Check every rule of the ledger over all that is written. It takes its time."
    )
    async def ledger_health(self, info: Info) -> LedgerHealth:
        found = await info.context.survey(audit, info.context.now)
        return LedgerHealth(
            wallets=found.wallets, transactions=found.transactions, violations=found.violations
        )
