"""Coupons: creating one, and finding those that there are.

To create one is a quiet command, like those of the registry. What redeeming one gives is said in
ledger/redemption.py.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from ledger.checks import CODE_MAX, NAME_MAX, points_within, text
from ledger.points import fits
from ledger.records import Coupon, Program, row_of
from ledger.refusals import InvalidInput, NameTaken, ProgramNotFound, Refusal
from models import DEFAULT_PROGRAM
from models.dialects import each, write_rows
from models.ids import new_id
from models.tables import coupons, programs

PERCENT_MAX: Final = 100_000
"""The most points that a coupon may give for a sale of 100."""

SALE_MAX: Final = 1_000_000_000_000
"""The most that a coupon's `minimum_sale` may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCoupon:
    """A new coupon, of points (1/1000) or of a percentage. It is valid before `ends_at`."""

    code: str
    program: str = DEFAULT_PROGRAM
    points: int | None = None
    percent_of_sale: float | None = None
    minimum_sale: float | None = None
    total_limit: int | None = None
    member_limit: int = 1
    starts_at: int | None = None
    ends_at: int | None = None


# ── creating ──────────────────────────────────────────────────────────────────────────────────────


def create_coupon(connection: Connection, now: int, asked: CreateCoupon) -> Coupon | Refusal:
    """Write a new coupon of a program, under a code that no other has."""
    wrong = next(_checks(asked), None)
    if wrong:
        return wrong
    row = connection.execute(select(programs).where(programs.c.name == asked.program)).first()
    if row is None:
        return ProgramNotFound("there is no program of this name.", ("program",))
    program = Program(*row)
    if asked.points is not None and not fits(asked.points, program):
        decimals = program.rounding_decimals
        message = f"points must have at most {decimals} decimals: program's rounding says so."
        return InvalidInput(message, ("points",))
    if connection.execute(select(coupons.c.id).where(coupons.c.code == asked.code)).first():
        return NameTaken("another coupon has this code.", ("code",))
    coupon = Coupon(
        id=new_id("cpn"),
        code=asked.code,
        program_id=program.id,
        points=asked.points,
        percent_of_sale=asked.percent_of_sale,
        minimum_sale=asked.minimum_sale,
        total_limit=asked.total_limit,
        member_limit=asked.member_limit,
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        redeemed=0,
        created_at=now,
    )
    write_rows(connection, coupons, [row_of(Coupon)(coupon)])
    return coupon


def _checks(asked: CreateCoupon) -> Iterator[InvalidInput]:
    yield from text(asked.code, CODE_MAX, "code")
    yield from text(asked.program, NAME_MAX, "program")
    if (asked.points is None) == (asked.percent_of_sale is None):
        yield InvalidInput(
            "a coupon gives either points or percentOfSale: one of them.", ("points",)
        )
    yield from points_within(asked.points)
    percent, least = asked.percent_of_sale, asked.minimum_sale
    if percent is not None and not (math.isfinite(percent) and 0 < percent <= PERCENT_MAX):
        yield InvalidInput(
            f"percentOfSale must be more than 0 and at most {PERCENT_MAX}.", ("percentOfSale",)
        )
    if least is not None and not (math.isfinite(least) and 0 <= least <= SALE_MAX):
        yield InvalidInput(f"minimumSale must be from 0 to {SALE_MAX}.", ("minimumSale",))
    for name, limit in (("totalLimit", asked.total_limit), ("memberLimit", asked.member_limit)):
        if limit is not None and limit < 1:
            yield InvalidInput(f"{name} must be at least 1.", (name,))
    starts_at, ends_at = asked.starts_at, asked.ends_at
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        yield InvalidInput("endsAt must be after startsAt.", ("endsAt",))


# ── finding ───────────────────────────────────────────────────────────────────────────────────────

_BY_ID: Final = select(coupons).where(coupons.c.id.in_(each("ids")))
_BY_CODE: Final = select(coupons).where(coupons.c.code.in_(each("codes")))


def find_coupons(connection: Connection, ids: Iterable[str]) -> dict[str, Coupon]:
    """The coupons with these ids, those that there are."""
    return {row[0]: Coupon(*row) for row in connection.execute(_BY_ID, {"ids": list(ids)})}


def find_coupons_coded(connection: Connection, codes: Iterable[str]) -> dict[str, Coupon]:
    """The coupons with these codes, by code."""
    rows = connection.execute(_BY_CODE, {"codes": list(codes)})
    return {coupon.code: coupon for coupon in (Coupon(*row) for row in rows)}
