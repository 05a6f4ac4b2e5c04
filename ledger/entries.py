"""Entries: transactions as a statement shows them, each with what its caller said of it.

Selected rows become entries by position (`Entry(*row)`). Their fields have the names that the API
gives them, so that nothing need be made of an entry to show it.
"""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import FromClause, Select, select

from ledger.records import Detail, Transaction
from models.columns import NEVER
from models.tables import details

OF_TRANSACTION: Final = (
    "id",
    "wallet_id",
    "sequence",
    "kind",
    "points",
    "active_change",
    "promised_change",
    "held_change",
    "active_after",
    "promised_after",
    "held_after",
    "source",
    "campaign_id",
    "active_at",
    "expires_at",
    "related_id",
    "hold_id",
    "effective_at",
    "created_at",
)
"""The columns of a transaction that an entry shows."""

OF_DETAIL: Final = (
    "coupon_code",
    "description",
    "metadata_json",
    "order_id",
    "sale_amount",
    "sale_channel",
    "location_id",
)
"""Those of its detail."""


class Balance(NamedTuple):
    """What a wallet has at an instant, or what a transaction added to each, in 1/1000 point."""

    active: int = 0
    promised: int = 0
    held: int = 0


class Sale(NamedTuple):
    """What the caller told of the sale behind a transaction."""

    id: str | None
    sale_amount: float | None
    sale_channel: str | None
    location_id: str | None


_NO_SALE: Final = Sale(None, None, None, None)
_of_transaction: Final = attrgetter(*OF_TRANSACTION)
_of_detail: Final = attrgetter(*OF_DETAIL)


@dataclass(slots=True)
class Entry:
    """A transaction and its detail. `lot_expires_at` is the column: never is NEVER in it."""

    id: str
    wallet_id: str
    sequence: int
    kind: str
    points: int
    active_change: int
    promised_change: int
    held_change: int
    active_after: int
    promised_after: int
    held_after: int
    source: str | None
    campaign_id: str | None
    active_at: int | None
    lot_expires_at: int | None
    related_id: str | None
    hold_id: str | None
    effective_at: int
    created_at: int
    coupon_code: str | None = None
    description: str | None = None
    metadata_json: str | None = None
    order_id: str | None = None
    sale_amount: float | None = None
    sale_channel: str | None = None
    location_id: str | None = None

    @classmethod
    def of(cls, transaction: Transaction, detail: Detail | None) -> "Entry":
        """The entry of rows that were just written."""
        said = _of_detail(detail) if detail else ()
        return cls(*_of_transaction(transaction), *said)

    @property
    def change(self) -> Balance:
        """What it added to each balance."""
        return Balance(self.active_change, self.promised_change, self.held_change)

    @property
    def balance_after(self) -> Balance:
        """The balances after it."""
        return Balance(self.active_after, self.promised_after, self.held_after)

    @property
    def expires_at(self) -> int | None:
        """When a credit's points expire; None is never."""
        at = self.lot_expires_at
        return at if self.kind == "CREDIT" and at != NEVER else None

    @property
    def order(self) -> Sale | None:
        """The sale behind it, if anything was told of one."""
        sale = Sale(self.order_id, self.sale_amount, self.sale_channel, self.location_id)
        return None if sale == _NO_SALE else sale

    @property
    def metadata(self) -> Any:
        """Whatever the caller kept with it."""
        return orjson.loads(self.metadata_json) if self.metadata_json else None


def entries(rows: FromClause) -> Select[*tuple[Any, ...]]:
    """What selects entries of these transactions."""
    told = [rows.c[name] for name in OF_TRANSACTION]
    said = [details.c[name] for name in OF_DETAIL]
    joined = rows.outerjoin(details, details.c.transaction_id == rows.c.id)
    return select(*told, *said).select_from(joined)
