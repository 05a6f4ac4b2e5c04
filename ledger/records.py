"""Records: the tables' rows as plain values, and what follows from one row alone.

Their fields stand in the order of the columns: selected rows become records by position
(`Wallet(*row)`), records become rows by `row_of`. No session, no tracking.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

import orjson

from ledger.commands import Order
from models.columns import NEVER


@dataclass(slots=True)
class Program:
    """See models.programs.Program."""

    id: str
    name: str
    points_name: str
    expiry_rule: str
    expiry_count: int | None
    expiry_unit: str | None
    activation_delay: int | None
    consumption: str
    rounding_decimals: int
    rounding_mode: str
    time_zone: str
    max_balance: int | None
    expiring_soon_days: int
    created_at: int


@dataclass(slots=True)
class Member:
    """See models.members.Member."""

    id: str
    identity: str
    name: str | None
    email: str | None
    phone: str | None
    time_zone: str | None
    attributes: str
    created_at: int
    erased_at: int | None


@dataclass(slots=True)
class Wallet:
    """See models.wallets.Wallet."""

    id: str
    program_id: str
    member_id: str
    frozen: bool = False
    active: int = 0
    promised: int = 0
    held: int = 0
    credited: int = 0
    transferred_in: int = 0
    transferred_out: int = 0
    redeemed: int = 0
    removed: int = 0
    expired: int = 0
    reversed: int = 0
    sequence: int = 0
    redeemed_sequence: int = 0
    effective_at: int = 0
    written_at: int = 0
    activity_expires_at: int = 0
    lapsed_at: int = 0
    due_at: int = NEVER
    warning_at: int = NEVER
    created_at: int = 0

    @property
    def total(self) -> int:
        """All points that are the wallet's: active, promised and held."""
        return self.active + self.promised + self.held


@dataclass(slots=True)
class Lot:
    """See models.wallets.Lot."""

    id: str
    wallet_id: str
    program_id: str
    transaction_id: str
    credited: bool
    issued: int
    remaining: int
    held: int
    expired: int
    reversed: int
    issued_at: int
    active_at: int
    expires_at: int
    follows_activity: bool
    activated: bool
    spendable_sequence: int | None
    warned_for: int

    @property
    def free(self) -> int:
        """What is in the lot and not held."""
        return self.remaining - self.held

    @property
    def reversible(self) -> int:
        """What was issued and neither expired nor reversed yet."""
        return self.issued - self.expired - self.reversed


@dataclass(slots=True)
class Hold:
    """See models.wallets.Hold."""

    id: str
    wallet_id: str
    transaction_id: str
    points: int
    captured: int
    released: int
    status: str
    expires_at: int
    created_at: int

    @property
    def left(self) -> int:
        """What is still set aside."""
        return self.points - self.captured - self.released

    def is_due(self, now: int) -> bool:
        """Its time has run out and that isn't written down yet."""
        return self.status == "OPEN" and self.expires_at <= now


@dataclass(slots=True)
class HeldLot:
    """See models.wallets.HeldLot."""

    hold_id: str
    ordinal: int
    lot_id: str
    held: int


@dataclass(slots=True)
class Transaction:
    """See models.transactions.Transaction."""

    id: str
    wallet_id: str
    program_id: str
    sequence: int
    kind: str
    points: int
    active_change: int
    promised_change: int
    held_change: int
    active_after: int
    promised_after: int
    held_after: int
    flow: str | None
    flow_change: int
    source: str | None
    campaign_id: str | None
    active_at: int | None
    expires_at: int | None
    related_id: str | None
    hold_id: str | None
    effective_at: int
    created_at: int


@dataclass(slots=True)
class LotChange:
    """See models.transactions.LotChange."""

    transaction_id: str
    ordinal: int
    lot_id: str
    remaining_change: int
    held_change: int


@dataclass(slots=True)
class Detail:
    """See models.transactions.Detail."""

    transaction_id: str
    description: str | None = None
    metadata_json: str | None = None
    order_id: str | None = None
    sale_amount: float | None = None
    sale_channel: str | None = None
    location_id: str | None = None
    coupon_code: str | None = None


@dataclass(slots=True)
class Coupon:
    """See models.coupons.Coupon."""

    id: str
    code: str
    program_id: str
    points: int | None
    percent_of_sale: float | None
    minimum_sale: float | None
    total_limit: int | None
    member_limit: int
    starts_at: int | None
    ends_at: int | None
    redeemed: int
    created_at: int


@dataclass(slots=True)
class CouponUse:
    """See models.coupons.CouponUse."""

    transaction_id: str
    coupon_id: str
    member_id: str
    freed_by: str | None = None


def detail_of(transaction_id: str, command: Any) -> Detail | None:
    """What the caller said of the transaction, if anything."""
    order: Order | None = getattr(command, "order", None)
    metadata = getattr(command, "metadata", None)
    said: tuple[Any, ...] = (
        getattr(command, "description", None) or None,
        None if metadata is None else orjson.dumps(metadata).decode(),
        *((None,) * 4 if order is None else _told(order)),
        getattr(command, "coupon_code", None),
    )
    return None if said == _NOTHING else Detail(transaction_id, *said)


_told = attrgetter(*(field.name for field in fields(Order)))
_NOTHING: Final = (None,) * (len(fields(Detail)) - 1)


def row_of(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What turns a record of this kind into its table's row."""
    return attrgetter(*(field.name for field in fields(kind)))
