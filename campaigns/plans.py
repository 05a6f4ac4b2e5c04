"""Plans: what a campaign is to do, as plain frozen values, and as the JSON that a version keeps.

    Plan
    ├── who      the event, its filters, what must not follow it, filters on the member
    ├── what     a message through a channel, a reward, or both
    ├── when     a delay, quiet hours, from when until when
    └── limits   how often, how many, and the control group

Instants and spans are microseconds, points 1/1000.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from campaigns.conditions import Match, PropertyFilter


@dataclass(frozen=True, slots=True)
class Absence:
    """What must not happen within a span of the trigger: that its points, or any, are redeemed."""

    of: str
    within: int


@dataclass(frozen=True, slots=True)
class Who:
    """The members whom an event concerns that passes the filters, if they pass theirs."""

    event: str
    match: Match = "ALL"
    filters: tuple[PropertyFilter, ...] = ()
    absence: Absence | None = None
    profile: tuple[PropertyFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What is written to them: templates of Liquid."""

    body: str
    subject: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """What they are credited: so many points, or a percentage of a number among the properties."""

    points: int | None = None
    percent_of: str | None = None
    percent: float | None = None
    program_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class When:
    """How long after the event, and at which times of the day in the member's time zone."""

    delay: int | None = None
    quiet_from: str | None = None
    quiet_to: str | None = None
    quiet_policy: str = "HOLD"
    starts_at: int | None = None
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How often one member or wallet, how many in all, how many a minute, and how many never."""

    per: str = "EVERY_TRIGGER"
    min_gap: int | None = None
    max_deliveries: int | None = None
    per_minute: int | None = None
    control_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a publication freezes."""

    who: Who
    channel_id: str | None = None
    message: Message | None = None
    reward: Reward | None = None
    when: When = When()
    limits: Limits = Limits()
    conversion_within: int | None = None


def to_json(plan: Plan) -> str:
    """The plan as it is kept."""
    return orjson.dumps(plan).decode()


def from_json(stored: str) -> Plan:
    """The plan that was kept."""
    plan: dict[str, Any] = orjson.loads(stored)
    return Plan(
        who=_who(plan["who"]),
        channel_id=plan["channel_id"],
        message=Message(**plan["message"]) if plan["message"] else None,
        reward=Reward(**plan["reward"]) if plan["reward"] else None,
        when=When(**plan["when"]),
        limits=Limits(**plan["limits"]),
        conversion_within=plan["conversion_within"],
    )


def _who(who: Mapping[str, Any]) -> Who:
    return Who(
        event=who["event"],
        match=who["match"],
        filters=tuple(PropertyFilter(**each) for each in who["filters"]),
        absence=Absence(**who["absence"]) if who["absence"] else None,
        profile=tuple(PropertyFilter(**each) for each in who["profile"]),
    )
