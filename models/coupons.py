"""Coupons, and the uses that were made of them."""

from typing import Any, ClassVar

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import SQLModel

from models.columns import double, holds, text, whole


class Coupon(SQLModel, table=True):
    """A cashback code. All of it is fixed when it is created, apart from `redeemed`.

    It gives `points`, or `percent_of_sale` of the sale: one of the two. It is valid from
    `starts_at` on and before `ends_at`. `redeemed` counts the uses that stand: whoever changes it
    has locked the row. Codes are unique over the installation.
    """

    __tablename__ = "coupons"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("code"),
        holds("coupon_gives_one_thing", "(points IS NULL) <> (percent_of_sale IS NULL)"),
        holds("coupon_gives_something", "points > 0 AND percent_of_sale > 0"),
        holds("coupon_minimum_sale_not_negative", "minimum_sale >= 0"),
        holds("coupon_limits_positive", "total_limit > 0 AND member_limit > 0"),
        holds("coupon_ends_after_its_start", "starts_at < ends_at"),
        holds("coupon_within_its_limit", "0 <= redeemed AND redeemed <= total_limit"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    code: str = text()
    program_id: str = text(foreign_key="programs.id")
    points: int | None = whole()
    percent_of_sale: float | None = double()
    minimum_sale: float | None = double()
    total_limit: int | None = whole()
    member_limit: int = whole()
    starts_at: int | None = whole()
    ends_at: int | None = whole()
    redeemed: int = whole()
    created_at: int = whole()


class CouponUse(SQLModel, table=True):
    """One use of a coupon: the credit that it gave, and the member who got it.

    It stands while `freed_by` is NULL; then that is the reversal that took back the last of the
    credit. Rows hold ids only, so that they outlive whoever is erased.
    """

    __tablename__ = "coupon_uses"
    __table_args__: ClassVar[Any] = (
        Index(
            "ix_coupon_uses_standing",
            "coupon_id",
            "member_id",
            sqlite_where=sql("freed_by IS NULL"),
            postgresql_where=sql("freed_by IS NULL"),
        ),
        {"sqlite_strict": True},
    )

    transaction_id: str = text(primary_key=True)
    coupon_id: str = text(foreign_key="coupons.id")
    member_id: str = text()
    freed_by: str | None = text()
