"""Checks of a command that need neither time nor state: lengths, characters, signs and sizes.

They come before the key is looked up and don't stick to it: the caller mends the input and asks
again.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    Order,
    Owner,
    PlaceHold,
    RedeemCoupon,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Transfer,
    WalletRef,
)
from ledger.refusals import InvalidInput
from models.columns import POINTS_MAX
from models.texts import IDENTITY_MAX, NO_CONTROL, fault_in, fault_in_identity, has_control

KEY_MAX: Final = 255
ORDER_FIELD_MAX: Final = 255
NAME_MAX: Final = 100
CODE_MAX: Final = 64
DESCRIPTION_MAX: Final = 500
JSON_BYTES_MAX: Final = 4096
GRACE_MAX_US: Final = 100 * 366 * 86_400 * 1_000_000

Found = Iterator[InvalidInput]


def check(command: Command) -> InvalidInput | None:
    """The first thing that is wrong with a command, or None."""
    return next(_CHECKS[type(command)](command), None)


def text(value: str, longest: int, *path: str, breaks: bool = False) -> Found:
    """A text of 1 to `longest` characters, none of them a control character.

    With `breaks`, line breaks may be among them.
    """
    fault = fault_in(value, longest, breaks=breaks)
    if fault:
        yield InvalidInput(f"{path[-1]} {fault}.", path)


def identity(value: str, *path: str) -> Found:
    """The identity of a member who isn't erased."""
    fault = fault_in_identity(value)
    if fault:
        yield InvalidInput(f"{path[-1]} {fault}.", path)


def json_object(value: object, *path: str) -> Found:
    """A JSON object of at most 4 KB, without control characters (line breaks apart)."""
    if not isinstance(value, Mapping):
        yield InvalidInput(f"{path[-1]} must be a JSON object.", path)
        return
    try:
        told = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        yield InvalidInput(f"{path[-1]} must be plain JSON: {error}.", path)
        return
    size = len(told)
    if size > JSON_BYTES_MAX:
        yield InvalidInput(
            f"{path[-1]} must have at most {JSON_BYTES_MAX} bytes as JSON, not {size}.", path
        )
    elif _is_plain(told.decode()):
        return
    elif not all(math.isfinite(found) for found in _leaves(value) if isinstance(found, float)):
        yield InvalidInput(f"{path[-1]} must hold no number that JSON can't.", path)
    elif any(has_control(found) for found in _leaves(value) if isinstance(found, str)):
        yield InvalidInput(f"{path[-1]} {NO_CONTROL}.", path)


def _is_plain(told: str) -> bool:
    """Whether a JSON text is seen to hold neither a control character nor what JSON can't.

    The one is escaped in it, the other is told as null: without either, no leaf need be looked at.
    """
    return told.isprintable() and "\\" not in told and "null" not in told


def _leaves(value: Any) -> Iterator[object]:
    """Every name, text, number and truth in a JSON value."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def points_within(points: int | None) -> Found:
    """More than nothing, and no more than a wallet may hold."""
    if points is not None and points <= 0:
        yield InvalidInput("points must be more than 0.", ("points",))
    elif points is not None and points > POINTS_MAX:
        yield InvalidInput(f"points must be at most {POINTS_MAX / 1000}.", ("points",))


def wallet_ref(ref: WalletRef, *path: str) -> Found:
    """A wallet's id, which may be anything, or an owner who may be one."""
    if isinstance(ref, Owner):
        yield from identity(ref.identity, *path, "owner", "identity")
        yield from text(ref.program, NAME_MAX, *path, "owner", "program")


def _description(description: str | None) -> Found:
    if description:
        yield from text(description, DESCRIPTION_MAX, "description", breaks=True)


def _order(order: Order | None) -> Found:
    if order is None:
        return
    if order.id is not None:
        yield from text(order.id, ORDER_FIELD_MAX, "order", "id")
    if order.sale_channel is not None:
        yield from text(order.sale_channel, ORDER_FIELD_MAX, "order", "saleChannel")
    if order.location_id is not None:
        yield from text(order.location_id, ORDER_FIELD_MAX, "order", "locationId")
    if order.sale_amount is not None and not math.isfinite(order.sale_amount):
        yield InvalidInput("saleAmount must be a finite number.", ("order", "saleAmount"))


def _metadata(metadata: object) -> Found:
    if metadata is not None:
        yield from json_object(metadata, "metadata")


def _key(key: str) -> Found:
    yield from text(key, KEY_MAX, "idempotencyKey")


def _code(code: str | None, longest: int, name: str) -> Found:
    if code is not None:
        yield from text(code, longest, name)


def _credit(command: Credit) -> Found:
    yield from wallet_ref(command.wallet, "wallet")
    yield from points_within(command.points)
    yield from _key(command.key)
    yield from _code(command.campaign_id, IDENTITY_MAX, "campaignId")
    yield from _code(command.coupon_code, CODE_MAX, "couponCode")
    yield from _description(command.description)
    active_at, expires_at = command.active_at, command.expires_at
    if active_at is not None and expires_at is not None and expires_at <= active_at:
        yield InvalidInput("expiresAt must be after activeAt.", ("expiresAt",))
    yield from _order(command.order)
    yield from _metadata(command.metadata)


def _debit(command: Debit | PlaceHold) -> Found:
    yield from wallet_ref(command.wallet, "wallet")
    yield from points_within(command.points)
    yield from _key(command.key)
    yield from _description(command.description)
    yield from _order(command.order)
    yield from _metadata(command.metadata)


def _capture(command: CaptureHold) -> Found:
    yield from points_within(command.points)
    yield from _key(command.key)
    yield from _description(command.description)
    yield from _order(command.order)


def _release(command: ReleaseHold) -> Found:
    yield from _key(command.key)


def _reversal(command: ReverseCredit | RefundDebit) -> Found:
    yield from points_within(command.points)
    yield from _key(command.key)
    yield from _description(command.description)
    if (
        isinstance(command, RefundDebit)
        and command.grace is not None
        and not 0 < command.grace <= GRACE_MAX_US
    ):
        yield InvalidInput("grace must be more than nothing and at most 100 years.", ("grace",))


def _transfer(command: Transfer) -> Found:
    yield from wallet_ref(command.sender, "from")
    yield from wallet_ref(command.receiver, "to")
    yield from points_within(command.points)
    yield from _key(command.key)
    yield from _description(command.description)
    if command.sender == command.receiver:
        yield InvalidInput("a wallet can't transfer to itself.", ("to",))


def _redemption(command: RedeemCoupon) -> Found:
    yield from text(command.code, CODE_MAX, "code")
    yield from identity(command.identity, "identity")
    yield from _key(command.key)
    yield from _order(command.order)


_CHECKS: Final[dict[type, Callable[[Any], Found]]] = {
    Credit: _credit,
    Debit: _debit,
    PlaceHold: _debit,
    CaptureHold: _capture,
    ReleaseHold: _release,
    ReverseCredit: _reversal,
    RefundDebit: _reversal,
    Transfer: _transfer,
    RedeemCoupon: _redemption,
}
