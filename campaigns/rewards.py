"""Rewards: how many points a delivery credits, and the command that does it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from campaigns.plans import Reward
from ledger.commands import Credit, Owner
from ledger.points import rounded
from ledger.records import Program


def amount(reward: Reward, properties: dict[str, Any], program: Program) -> int | None:
    """How many points (1/1000), rounded once by the program; None where the number isn't there.

    Exact: a number is the decimal that it is written as.
    """
    if reward.points is not None:
        return rounded(Fraction(reward.points, 1000), program)
    whole = properties.get(reward.percent_of or "")
    if not isinstance(whole, int | float):
        return None
    share = Fraction(Decimal(repr(reward.percent or 0))) / 100
    return rounded(Fraction(Decimal(repr(whole))) * share, program)


def command(
    delivery_id: str, campaign_id: str, reward: Reward, points: int, owner: Owner
) -> Credit:
    """The credit, whose key is the delivery's id: submitted however often, it is paid once."""
    return Credit(
        wallet=owner,
        points=points,
        key=delivery_id,
        source="CAMPAIGN",
        campaign_id=campaign_id,
        description=reward.description,
    )
