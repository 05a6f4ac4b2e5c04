"""Trials: a message as it would be, and one that is sent to try it.

A test goes by the very code of a real delivery, with a trigger of its own and outside the stats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from campaigns.cargo import told_wallet, with_instants
from campaigns.claims import Claimed, find_channels
from campaigns.deliveries import add_deliveries, save_attempts
from campaigns.liquid import Roots, Scene
from campaigns.listeners import compile_version
from campaigns.plans import Who, from_json
from campaigns.properties import EVENT_NAMES, PROFILE, SCHEMAS, profile_of, properties_of
from campaigns.records import Attempt, Campaign, Delivery
from campaigns.refusals import CampaignNotFound, InvalidInput, MemberNotFound, Refusal
from campaigns.situations import Situations
from events.audit import Actor, Deed, note
from events.occurrences import Occurrence, find_occurrences
from ledger.reading import (
    find_members,
    find_members_known_as,
    find_programs,
    find_wallets,
    wallets_as_of,
)
from models.ids import new_id
from models.tables import campaigns, events, wallets

SAMPLE_EVENT: Final = "evt_sample"
"""What stands for the event in a test of one that never happened."""

SAMPLE_PROFILE: Final[Mapping[str, Any]] = dict(
    zip(
        PROFILE, ("Ann", "ann@example.com", "+44 20 7946 0000", "ann", "Europe/London"), strict=True
    )
)
SAMPLE_WALLET: Final[Mapping[str, Any]] = {
    "id": "wal_sample",
    "program": "Points",
    "pointsName": "points",
    "active": 250,
    "promised": 0,
    "held": 0,
}


def roots_of(who: Who) -> Roots:
    """What a template may name."""
    properties = SCHEMAS[who.event].properties.values()
    return Roots({each.name: each.type.value for each in properties})


# ── what it would look like ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Preview:
    """Whose message is looked at: a real event's, or of one that is believable."""

    who: Who
    name: str
    event_id: str | None = None
    sample: Mapping[str, Any] | None = None


def scene_of(connection: Connection, now: int, asked: Preview) -> Scene | Refusal:
    """The values that a preview is rendered with. A sample is as `properties_of` has it."""
    campaign = {"id": "cmp_sample", "name": asked.name}
    if asked.event_id is None:
        event = with_instants(asked.sample or {})
        return Scene(event, SAMPLE_PROFILE, SAMPLE_WALLET, campaign, "UTC", now)
    found = _occurrence(connection, asked.event_id, asked.who.event, "eventId")
    if isinstance(found, Refusal):
        return found
    member = find_members(connection, [found.member_id])[found.member_id]
    written = find_wallets(connection, [found.wallet_id])
    wallet = wallets_as_of(connection, written.values(), now)[found.wallet_id]
    program = find_programs(connection, [wallet.program_id])[wallet.program_id]
    holds = told_wallet(wallet, program)
    event = with_instants(properties_of(found))
    zone = member.time_zone or program.time_zone
    return Scene(event, profile_of(member), holds, campaign, zone, now)


def _occurrence(
    connection: Connection, event_id: str, wanted: str, *path: str
) -> Occurrence | InvalidInput:
    found = find_occurrences(connection, [event_id]).get(event_id)
    if found is None:
        return InvalidInput("there is no such event that a campaign could hear.", path)
    if EVENT_NAMES[found.name] != wanted:
        message = f"this event is {EVENT_NAMES[found.name]}: the campaign listens to {wanted}."
        return InvalidInput(message, path)
    return found


# ── one that is sent ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Trial:
    """A test that is asked for."""

    campaign_id: str
    identity: str
    event_id: str | None = None


def begin_trial(
    connection: Connection, now: int, asked: Trial, situations: Situations, by: Actor
) -> Claimed | Delivery | Refusal:
    """A delivery that is on its way at once: to this member, by what would be published next.

    Without an event, the member's latest of the campaign's kind is told of, or a believable one. A
    member whom the channel doesn't reach has a delivery that says so.
    """
    row = connection.execute(select(campaigns).where(campaigns.c.id == asked.campaign_id)).first()
    if row is None:
        return CampaignNotFound("there is no such campaign.", ("campaignId",))
    campaign = Campaign(*row)
    compiled = compile_version(campaign.name, from_json(campaign.plan))
    plan = compiled.plan
    if plan.channel_id is None:
        return InvalidInput("the campaign has no message to send.", ("campaignId",))
    member = find_members_known_as(connection, [asked.identity]).get(asked.identity)
    if member is None:
        return MemberNotFound("there is no member of this identity.", ("identity",))
    found = (
        _occurrence(connection, asked.event_id, plan.who.event, "eventId")
        if asked.event_id is not None
        else _latest(connection, member.id, compiled.log_name)
    )
    if isinstance(found, Refusal):
        return found
    channel = find_channels(connection, [plan.channel_id])[plan.channel_id]
    delivery = _delivery(campaign, member.id, found, now)
    note(connection, now, [Deed(by, "sendTestMessage", delivery.id)])
    no_address = situations.no_address(channel, member)
    if no_address:
        delivery.end("SKIPPED", now, "NO_ADDRESS", no_address)
        add_deliveries(connection, [delivery])
        return delivery
    delivery.attempts = 1
    delivery.wait("SENDING", now + situations.lease_us)
    add_deliveries(connection, [delivery])
    save_attempts(connection, [Attempt(delivery.id, 1, now)])
    return Claimed(delivery, compiled, channel, "MESSAGE")


def _delivery(campaign: Campaign, member_id: str, found: Occurrence | None, now: int) -> Delivery:
    delivery_id = new_id("dlv")
    return Delivery(
        id=delivery_id,
        campaign_id=campaign.id,
        version=campaign.version,
        trigger_key=f"test:{delivery_id}",
        is_test=True,
        event_id=found.id if found else SAMPLE_EVENT,
        member_id=member_id,
        wallet_id=found.wallet_id if found else None,
        lot_id=None,
        sequence=None,
        absence=None,
        depth=0,
        status="SENDING",
        created_at=now,
    )


def _latest(connection: Connection, member_id: str, log_name: str) -> Occurrence | None:
    event_id = connection.execute(
        _LATEST, {"member_id": member_id, "name": log_name}
    ).scalar_one_or_none()
    return find_occurrences(connection, [event_id])[event_id] if event_id else None


_LATEST: Final[Select[Any]] = (
    select(events.c.id)
    .join(wallets, wallets.c.id == events.c.wallet_id)
    .where(wallets.c.member_id == bindparam("member_id"), events.c.name == bindparam("name"))
    .order_by(events.c.position.desc())
    .limit(1)
)
