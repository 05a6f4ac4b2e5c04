"""Commands: what a caller may ask of the ledger, as plain frozen values.

Points are integers of 1/1000 point, instants integers of microseconds (UTC), spans microseconds.
Every command that moves points carries the caller's idempotency key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from models import DEFAULT_PROGRAM

Source = Literal["API", "CAMPAIGN", "MANUAL", "CASHBACK_COUPON"]


class Shortfall(StrEnum):
    """What a reversal does that finds fewer points than it is to take back."""

    REJECT = "REJECT"
    CLAMP = "CLAMP"


@dataclass(frozen=True, slots=True)
class Owner:
    """A wallet, named by its member's identity and its program's name."""

    identity: str
    program: str = DEFAULT_PROGRAM


WalletRef = str | Owner
"""A wallet's id, or its owner."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the caller tells of the sale behind a transaction."""

    id: str | None = None
    sale_amount: float | None = None
    sale_channel: str | None = None
    location_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Give a wallet points. By owner, member and wallet are opened by their first credit."""

    wallet: WalletRef
    points: int
    key: str
    source: Source = "API"
    campaign_id: str | None = None
    coupon_code: str | None = None
    description: str | None = None
    active_at: int | None = None
    expires_at: int | None = None
    order: Order | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """Take points from a wallet: redeemed, or removed where it is `manual`."""

    wallet: WalletRef
    points: int
    key: str
    manual: bool = False
    description: str | None = None
    order: Order | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceHold:
    """Set active points aside until `expires_at`; 15 minutes if that is left out."""

    wallet: WalletRef
    points: int
    key: str
    expires_at: int | None = None
    description: str | None = None
    order: Order | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureHold:
    """Redeem points out of a hold: all that is left of it if `points` are left out."""

    hold_id: str
    key: str
    points: int | None = None
    description: str | None = None
    order: Order | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold:
    """Give back all that is left of a hold."""

    hold_id: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseCredit:
    """Take back a credit: all of it that isn't reversed yet if `points` are left out."""

    transaction_id: str
    key: str
    points: int | None = None
    shortfall: Shortfall = Shortfall.REJECT
    from_other_lots: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDebit:
    """Give back a debit: all of it that isn't refunded yet if `points` are left out.

    What has expired meanwhile expires again, or, with `grace`, forms a lot that lasts so long.
    """

    transaction_id: str
    key: str
    points: int | None = None
    grace: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Move points to another wallet of the same program, which is opened as by a credit."""

    sender: WalletRef
    receiver: WalletRef
    points: int
    key: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemCoupon:
    """Give a member what a coupon says, in the coupon's program. It opens what a credit opens."""

    code: str
    identity: str
    key: str
    order: Order | None = None


Command = (
    Credit
    | Debit
    | PlaceHold
    | CaptureHold
    | ReleaseHold
    | ReverseCredit
    | RefundDebit
    | Transfer
    | RedeemCoupon
)
