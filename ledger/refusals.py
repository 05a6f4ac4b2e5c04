"""Refusals: every expected "no", as a value. The schema tells each under the same name.

    Refusal
    ├── InvalidInput, …NotFound, NameTaken, IdempotencyConflict    forgotten: the key stays free
    └── InsufficientPoints, WalletFrozen, ExceedsOriginal,
        HoldClosed, BalanceLimit, CouponRefused                    stick to the key

`path` names the field of the command's input in the schema's words. Messages name no person: they
are kept with keys.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import orjson

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked was not done, and nothing was changed."""

    message: str
    path: Path = ()
    sticks: ClassVar[bool] = False


class InvalidInput(Refusal):
    """A field's value is outside what it may be."""


class NameTaken(Refusal):
    """Another program has this name, or another coupon this code."""


class ProgramNotFound(Refusal):
    """There is no such program."""


class MemberNotFound(Refusal):
    """There is no such member."""


class WalletNotFound(Refusal):
    """There is no such wallet."""


class TransactionNotFound(Refusal):
    """There is no such transaction."""


class HoldNotFound(Refusal):
    """There is no such hold."""


class CouponNotFound(Refusal):
    """There is no such coupon."""


@dataclass(frozen=True, slots=True)
class IdempotencyConflict(Refusal):
    """The key was used before, with other input.

    `transaction_id` is what it stands for, if it made one.
    """

    transaction_id: str | None = None


class WalletFrozen(Refusal):
    """The wallet is frozen: only what it holds may be released."""

    sticks: ClassVar[bool] = True


class HoldClosed(Refusal):
    """The hold has nothing left: it was captured, released, or its time ran out."""

    sticks: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class InsufficientPoints(Refusal):
    """The wallet has fewer points to spend than were asked for (both in 1/1000)."""

    available: int = 0
    requested: int = 0
    sticks: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class BalanceLimit(Refusal):
    """The wallet would hold more than its program allows (1/1000)."""

    max_balance: int = 0
    sticks: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class ExceedsOriginal(Refusal):
    """More than what remains of the original (1/1000).

    The original is a credit to reverse, a debit to refund or a hold to capture.
    """

    remaining: int = 0
    sticks: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class CouponRefused(Refusal):
    """The coupon gives nothing: not now, not any more, or not for this sale.

    `reason` is NOT_STARTED, EXPIRED, TOTAL_LIMIT, MEMBER_LIMIT or MINIMUM_SALE.
    """

    reason: str = ""
    sticks: ClassVar[bool] = True


_STICKING: dict[str, type[Refusal]] = {
    kind.__name__: kind
    for kind in (
        WalletFrozen,
        HoldClosed,
        InsufficientPoints,
        BalanceLimit,
        ExceedsOriginal,
        CouponRefused,
    )
}


def to_json(refusal: Refusal) -> str:
    """A refusal that sticks, as it is kept with its key."""
    return orjson.dumps({"type": type(refusal).__name__, **asdict(refusal)}).decode()


def from_json(stored: str) -> Refusal:
    """The refusal that a key stands for."""
    fields: dict[str, Any] = orjson.loads(stored)
    kind = _STICKING[fields.pop("type")]
    fields["path"] = tuple(fields["path"])
    return kind(**fields)
