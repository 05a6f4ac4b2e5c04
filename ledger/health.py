"""Health: the audit of the whole ledger, over its rows as they were written."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from ledger.counterparts import OF_WHAT_STANDS_BESIDE
from ledger.coupon_invariants import OF_COUPONS
from ledger.invariants import OF_BALANCES
from models.tables import transactions, wallets

VIOLATIONS_MAX: Final = 100
"""How many violations are told."""

_WALLETS: Final = select(func.count()).select_from(wallets)
_TRANSACTIONS: Final = select(func.count()).select_from(transactions)


@dataclass(frozen=True, slots=True)
class Health:
    """How much was audited, and a sentence for each violation, VIOLATIONS_MAX at most."""

    wallets: int
    transactions: int
    violations: list[str]


def audit(connection: Connection, now: int) -> Health:
    """Check every invariant over all rows. It reads the whole ledger: let nobody wait for it.

    What is due at `now` and not written is no violation, as long as there is enough for it.
    """
    violations: list[str] = []
    for invariant in (*OF_BALANCES, *OF_WHAT_STANDS_BESIDE, *OF_COUPONS):
        broken = invariant.broken.limit(VIOLATIONS_MAX - len(violations))
        for row in connection.execute(broken, {"now": now}):
            violations += invariant.tell(row)
        if len(violations) >= VIOLATIONS_MAX:
            break
    return Health(
        wallets=connection.execute(_WALLETS).scalar_one(),
        transactions=connection.execute(_TRANSACTIONS).scalar_one(),
        violations=violations[:VIOLATIONS_MAX],
    )
