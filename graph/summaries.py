"""Summaries: what a program's points came to."""

from typing import cast

import strawberry

from graph.scalars import Points
from graph.transactions import CreditSource
from ledger import reading


@strawberry.type(description="The points that one kind of source gave.")
class PointsBySource:
    """One line of a summary."""

    source: CreditSource = strawberry.field(description="Where the credits came from.")
    points: Points = strawberry.field(description="What they gave.")


@strawberry.type(
    description=(
        "What a program's points came to: balances as they are now, and flows within the time asked"
        " for. What is due counts as done."
    )
)
class ProgramSummary:
    """See ledger.reading.Summary. Transfers, all within a program, cancel out."""

    active: Points = strawberry.field(description="Spendable now, in all wallets.")
    promised: Points = strawberry.field(description="Given and not active yet.")
    held: Points = strawberry.field(description="Set aside for checkouts under way.")
    credited: Points = strawberry.field(description="Given.")
    credited_by_source: list[PointsBySource] = strawberry.field(
        description="The same by where the credits came from; only sources that gave any."
    )
    redeemed: Points = strawberry.field(description="Spent by members, less what was refunded.")
    removed: Points = strawberry.field(description="Taken by hand, less what was refunded.")
    expired: Points = strawberry.field(description="Run out of time.")
    reversed: Points = strawberry.field(description="Taken back with the credits that gave them.")

    @classmethod
    def of(cls, summary: reading.Summary) -> "ProgramSummary":
        return cls(
            active=summary.active,
            promised=summary.promised,
            held=summary.held,
            credited=summary.credited,
            credited_by_source=[
                PointsBySource(source=cast("CreditSource", source), points=points)
                for source, points in sorted(summary.credited_by_source.items())
            ],
            redeemed=summary.redeemed,
            removed=summary.removed,
            expired=summary.expired,
            reversed=summary.reversed,
        )
