"""Redemption: what a coupon gives, and when it gives nothing.

Pure, like ledger/rules.py. The credit itself is given by `rules.credit`, as any other. Sales and
percentages are taken as they are written, 19.99 as 19.99, and a percentage is rounded once.
"""

from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from ledger.commands import Credit, Order, Owner, RedeemCoupon
from ledger.points import rounded, step
from ledger.records import Coupon, Program
from ledger.refusals import CouponRefused, InvalidInput, Refusal

SALE: Final = ("order", "saleAmount")


def credit_of(
    command: RedeemCoupon, coupon: Coupon, program: Program, member_uses: int, now: int
) -> Credit | Refusal:
    """The credit that the coupon gives at `now`, whose owner has used it so often already."""
    order = command.order or Order()
    needs_sale = coupon.percent_of_sale is not None or coupon.minimum_sale is not None
    if needs_sale and order.sale_amount is None:
        return InvalidInput("saleAmount must be given: the coupon depends on the sale.", SALE)
    if refusal := _refusal(coupon, order.sale_amount, member_uses, now):
        return refusal
    points = _points(coupon, program, order.sale_amount)
    if isinstance(points, Refusal):
        return points
    return Credit(
        wallet=Owner(command.identity, program.name),
        points=points,
        key=command.key,
        source="CASHBACK_COUPON",
        coupon_code=coupon.code,
        order=command.order,
    )


def _refusal(
    coupon: Coupon, sale: float | None, member_uses: int, now: int
) -> CouponRefused | None:
    if coupon.starts_at is not None and now < coupon.starts_at:
        return _refused("NOT_STARTED", "the coupon is not valid yet.")
    if coupon.ends_at is not None and now >= coupon.ends_at:
        return _refused("EXPIRED", "the coupon is not valid any more.")
    if coupon.minimum_sale is not None and sale is not None and sale < coupon.minimum_sale:
        message = f"the coupon is for sales of at least {coupon.minimum_sale:.15g}."
        return _refused("MINIMUM_SALE", message, SALE)
    if coupon.total_limit is not None and coupon.redeemed >= coupon.total_limit:
        return _refused("TOTAL_LIMIT", "the coupon was redeemed as often as it can be.")
    if member_uses >= coupon.member_limit:
        message = "the member has redeemed the coupon as often as one member can."
        return _refused("MEMBER_LIMIT", message)
    return None


def _refused(reason: str, message: str, path: tuple[str, ...] = ("code",)) -> CouponRefused:
    return CouponRefused(message, path, reason=reason)


def _points(coupon: Coupon, program: Program, sale: float | None) -> int | InvalidInput:
    if coupon.percent_of_sale is None:
        assert coupon.points is not None, f"coupon {coupon.id} gives nothing"
        return coupon.points
    assert sale is not None, "a percentage is of a sale"
    percent = _exact(coupon.percent_of_sale)
    points = rounded(_exact(sale) * percent / 100, program)
    if points > 0:
        return points
    if program.rounding_mode == "UP":
        return InvalidInput("saleAmount must be more than 0: of this sale come no points.", SALE)
    enough = Decimal(ceil(Fraction(step(program), 1000) * 100 / percent * 100)).scaleb(-2)
    message = f"saleAmount must be at least {enough:.15g}: of this sale come no points."
    return InvalidInput(message, SALE)


def _exact(number: float) -> Fraction:
    """The number as it is written in decimals, not as a double holds it."""
    return Fraction(Decimal(repr(float(number))))
