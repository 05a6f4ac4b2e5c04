"""Coupons over the API: creating, redeeming and finding them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.harness import documents, values
from tests.harness.client import Client, inputs
from tests.harness.values import Answer, Json, Points, wire


@dataclass(frozen=True)
class Coupon:
    id: str
    code: str
    program: str
    points: Points | None
    percent_of_sale: Points | None
    minimum_sale: Points | None
    total_limit: int | None
    member_limit: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    redeemed: int


def coupon_in(node: Json) -> Coupon:
    return values.only(Coupon, values.plain(node) | {"program": node["program"]["name"]})


async def ask_for_coupon(client: Client, code: str, **more: object) -> Answer:
    """Ask for a new coupon, whatever comes of it."""
    return await client.mutate("createCoupon", {"code": code} | inputs(more))


async def create_coupon(client: Client, code: str, **more: object) -> Coupon:
    """Create a coupon; it must not be refused."""
    answer = await ask_for_coupon(client, code, **more)
    assert answer.error is None, answer.raw
    return coupon_in(answer.raw["coupon"])


async def redeem(
    client: Client,
    code: str,
    who: str,
    sale: Points | None = None,
    key: str | None = None,
    **more: Any,
) -> Answer:
    """Redeem a coupon for a member, with the sale's amount where it matters."""
    order = {} if sale is None else {"order": {"saleAmount": wire(sale)}}
    fields = {"code": code, "identity": who, "idempotencyKey": client.key(key)} | order
    return await client.mutate("redeemCoupon", fields | inputs(more))


async def find_coupon(client: Client, code: str) -> Coupon | None:
    data = await client.execute(documents.COUPON_BY_CODE, code=code)
    return values.maybe(coupon_in, data["coupon"])


async def redeemed(client: Client, code: str) -> int:
    """How many uses of a coupon stand, of one that must be there."""
    coupon = await find_coupon(client, code)
    assert coupon is not None, f"no coupon: {code}"
    return coupon.redeemed
