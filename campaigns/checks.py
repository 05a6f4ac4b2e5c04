"""Checks: what can't be right about a plan, told before anything is saved.

Each fault names its place in the input's own words, and says what would be right.
"""

import math
import re
from collections.abc import Iterator
from typing import Final

from campaigns.conditions import check_filters, check_profile
from campaigns.plans import Absence, Limits, Plan, Reward, When, Who
from campaigns.properties import SCHEMAS, EventSchema, PropertyType, nearest
from ledger.checks import NAME_MAX, text
from ledger.refusals import InvalidInput
from models.columns import POINTS_MAX

Found = Iterator[InvalidInput]

DAY_US: Final = 86_400_000_000
SPAN_MAX_US: Final = 366 * DAY_US
"""The longest delay, window or gap: a year."""

PERCENT_MAX: Final = 10_000.0
ALL_PERCENT: Final = 100.0
PER_MINUTE_MAX: Final = 1_000_000
DELIVERIES_MAX: Final = 2_147_483_647
DESCRIPTION_MAX: Final = 500

OF_CREDITS: Final = frozenset(("CT Points Credited", "Points Promised", "Points Expiring Soon"))
"""The events that tell of one credit's points."""

WITHOUT_ROW: Final = "Points Expiring Soon"
"""The event after which nothing in its wallet is: it tells of no transaction."""

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def check_plan(name: str, plan: Plan, now: int) -> Found:
    """Every fault that can be seen without looking anything up."""
    yield from text(name, NAME_MAX, "name")
    yield from check_who(plan.who)
    yield from _what(plan)
    yield from _when(plan.when, now)
    yield from _limits(plan.limits)
    yield from _span(plan.conversion_within, "conversionWithin")


def check_who(who: Who, *within: str) -> Found:
    """What can't be right about the members whom it is for."""
    path = within or ("who",)
    schema = SCHEMAS.get(who.event)
    if schema is None:
        meant = nearest(who.event, SCHEMAS)
        hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(SCHEMAS)}."
        yield InvalidInput(f"there is no event {who.event[:NAME_MAX]!r}: {hint}", (*path, "event"))
        return
    yield from check_filters(who.filters, schema, (*path, "filters"))
    yield from check_profile(who.profile, (*path, "profile"))
    if who.absence:
        yield from _absence(who.absence, schema, (*path, "absence"))


def _absence(absence: Absence, schema: EventSchema, path: tuple[str, ...]) -> Found:
    yield from _span(absence.within, *path, "within")
    if absence.of == "CREDIT_UNREDEEMED" and schema.name not in OF_CREDITS:
        message = f"{schema.name} tells of no credit: use WALLET_UNREDEEMED."
        yield InvalidInput(message, (*path, "of"))
    if absence.of == "WALLET_UNREDEEMED" and schema.name == WITHOUT_ROW:
        message = f"{schema.name} tells of one credit: use CREDIT_UNREDEEMED."
        yield InvalidInput(message, (*path, "of"))


def _span(span: int | None, *path: str) -> Found:
    if span is not None and not 0 < span <= SPAN_MAX_US:
        yield InvalidInput(f"{path[-1]} must be more than nothing and at most 366 days.", path)


# ── what ──────────────────────────────────────────────────────────────────────────────────────────


def _what(plan: Plan) -> Found:
    if plan.message is None and plan.reward is None and plan.channel_id is None:
        yield InvalidInput("a campaign needs a message, a reward, or both.", ("message",))
    if plan.message and plan.channel_id is None:
        yield InvalidInput("a message needs a channel to go by.", ("channelId",))
    if plan.message and not plan.message.body.strip():
        yield InvalidInput("body must not be empty.", ("message", "body"))
    if plan.reward:
        yield from _reward(plan.reward, SCHEMAS.get(plan.who.event))


def _reward(reward: Reward, schema: EventSchema | None) -> Found:
    computed = reward.percent_of is not None or reward.percent is not None
    if (reward.points is None) != computed:
        yield InvalidInput("a reward is either points, or percent and percentOf.", ("reward",))
        return
    if reward.points is not None and not 0 < reward.points <= POINTS_MAX:
        yield InvalidInput("points must be more than 0.", ("reward", "points"))
    if computed:
        yield from _percentage(reward, schema)
    if reward.description:
        longest = DESCRIPTION_MAX
        for fault in text(reward.description, longest, "description", breaks=True):
            yield InvalidInput(fault.message, ("reward", *fault.path))


def _percentage(reward: Reward, schema: EventSchema | None) -> Found:
    if reward.percent is None or not 0 < reward.percent <= PERCENT_MAX:
        message = f"percent must be more than 0 and at most {PERCENT_MAX:,.0f}."
        yield InvalidInput(message, ("reward", "percent"))
    if schema is None:
        return
    known = [each.name for each in schema.properties.values() if each.type is PropertyType.NUMBER]
    if reward.percent_of not in known:
        message = f"percentOf must be a number of the event: {' or '.join(known)}."
        yield InvalidInput(message, ("reward", "percentOf"))


# ── when, and how often ───────────────────────────────────────────────────────────────────────────


def _when(when: When, now: int) -> Found:
    if when.delay is not None and not 0 <= when.delay <= SPAN_MAX_US:
        yield InvalidInput("delay must be at most 366 days.", ("when", "delay"))
    yield from _quiet(when)
    if when.starts_at is not None and when.ends_at is not None and when.ends_at <= when.starts_at:
        yield InvalidInput("endsAt must be after startsAt.", ("when", "endsAt"))
    elif when.ends_at is not None and when.ends_at <= now:
        yield InvalidInput("endsAt must be in the future.", ("when", "endsAt"))


def _quiet(when: When) -> Found:
    given = {"quietFrom": when.quiet_from, "quietTo": when.quiet_to}
    for name, value in given.items():
        if value is None and any(given.values()):
            yield InvalidInput(f"{name} is missing: quiet hours have both.", ("when", name))
        elif value is not None and not _TIME.fullmatch(value):
            yield InvalidInput(f"{name} must be a time of the day like 22:00.", ("when", name))
    if when.quiet_from is not None and when.quiet_from == when.quiet_to:
        yield InvalidInput("quiet hours must not end when they start.", ("when", "quietTo"))


def _limits(limits: Limits) -> Found:
    if limits.min_gap is not None:
        for fault in _span(limits.min_gap, "minGap"):
            yield InvalidInput(fault.message, ("limits", *fault.path))
    if limits.max_deliveries is not None and not 0 < limits.max_deliveries <= DELIVERIES_MAX:
        yield InvalidInput("maxDeliveries must be 1 or more.", ("limits", "maxDeliveries"))
    if limits.per_minute is not None and not 0 < limits.per_minute <= PER_MINUTE_MAX:
        message = f"perMinute must be from 1 to {PER_MINUTE_MAX:,}."
        yield InvalidInput(message, ("limits", "perMinute"))
    if not (math.isfinite(limits.control_percent) and 0 <= limits.control_percent <= ALL_PERCENT):
        message = "controlPercent must be from 0 to 100."
        yield InvalidInput(message, ("limits", "controlPercent"))
