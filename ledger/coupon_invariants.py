"""What must be so of coupons: their counts, their uses, and the credits that these gave."""

from typing import Final

from sqlalchemy import and_, func, literal, not_, or_, select

from ledger.invariants import Invariant, equal, is_kind, never, or_none
from models.tables import coupon_uses, coupons, lots, transactions, wallets
from models.wallets import is_credited

_t: Final = transactions.c
_reversal: Final = transactions.alias("reversal")


def _coupons_count_their_uses() -> Invariant:
    """A coupon was redeemed as often as uses of it stand."""
    use = coupon_uses.c
    sums = (
        select(use.coupon_id, func.count().label("uses"))
        .where(use.freed_by.is_(None))
        .group_by(use.coupon_id)
        .subquery()
    )
    joined = coupons.outerjoin(sums, sums.c.coupon_id == coupons.c.id)
    return equal("coupon", coupons.c.id, joined, redeemed=(coupons.c.redeemed, or_none(sums.c[1])))


def _members_keep_to_their_limit() -> Invariant:
    """Of a coupon, no more uses of one member stand than it allows."""
    use, uses = coupon_uses.c, func.count()
    broken = (
        select(use.coupon_id, uses, use.member_id, coupons.c.member_limit)
        .join(coupons, coupons.c.id == use.coupon_id)
        .where(use.freed_by.is_(None))
        .group_by(use.coupon_id, use.member_id, coupons.c.member_limit)
        .having(uses > coupons.c.member_limit)
    )
    return never("coupon {}: {} uses of member {} stand, more than {}.", broken)


def _uses_have_their_credit() -> Invariant:
    """A use is of a coupon's credit, in the coupon's program, to the member who used it."""
    use = coupon_uses.c
    right = and_(
        is_kind("CREDIT"),
        _t.source == literal("CASHBACK_COUPON"),
        _t.program_id == coupons.c.program_id,
        wallets.c.member_id == use.member_id,
    )
    broken = (
        select(use.coupon_id, use.transaction_id)
        .outerjoin(coupons, coupons.c.id == use.coupon_id)
        .outerjoin(transactions, _t.id == use.transaction_id)
        .outerjoin(wallets, wallets.c.id == _t.wallet_id)
        .where(not_(func.coalesce(right, literal(0) == 1)))
    )
    return never("coupon {}: its use by transaction {} is of no credit that it gave.", broken)


def _uses_stand_with_their_credit() -> Invariant:
    """A use was freed by the reversal that left nothing of its credit, and stands until then."""
    use = coupon_uses.c
    whole = and_(lots.c.reversed == lots.c.issued, _reversal.c.related_id == use.transaction_id)
    partly = and_(lots.c.reversed < lots.c.issued, use.freed_by.is_(None))
    broken = (
        select(use.transaction_id, func.coalesce(use.freed_by, "nothing"))
        .join(lots, and_(is_credited(lots), lots.c.transaction_id == use.transaction_id))
        .outerjoin(
            _reversal,
            and_(_reversal.c.id == use.freed_by, _reversal.c.kind == literal("REVERSAL")),
        )
        .where(not_(func.coalesce(or_(whole, partly), literal(0) == 1)))
    )
    return never("transaction {}: its use of a coupon can't be freed by {}.", broken)


OF_COUPONS: Final = (
    _coupons_count_their_uses(),
    _members_keep_to_their_limit(),
    _uses_have_their_credit(),
    _uses_stand_with_their_credit(),
)
"""Every invariant of coupons."""
