"""The registry: channels and campaigns as those who keep them make, change and stop them.

Quiet commands, each a unit of work of its own that notes who asked for it. What a plan says by
itself was checked before; what it refers to is looked up here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, func, select

from campaigns.claims import lock_campaigns
from campaigns.deliveries import find_deliveries, lock_deliveries, save_deliveries
from campaigns.lifecycle import LISTENING, Move, move, status_at
from campaigns.plans import Plan, from_json, to_json
from campaigns.records import (
    Campaign,
    Channel,
    Delivery,
    Version,
    campaign_row,
    channel_row,
    version_row,
)
from campaigns.refusals import (
    CampaignNotFound,
    ChannelNotFound,
    DeliveryNotFound,
    InvalidInput,
    NameTaken,
    ProgramNotFound,
    Refusal,
)
from events.audit import Actor, Deed, note
from events.log import head
from ledger.points import fits
from ledger.reading import find_programs
from models.columns import NEVER
from models.dialects import write_rows
from models.ids import new_id
from models.tables import campaign_versions, campaigns, channels

CHANNELS_MAX: Final = 1_000
"""How many channels there can be: `channels` lists them all."""

_STATE: Final = (
    *("name", "status", "version", "plan", "ends_at", "finishes", "until_position"),
    "resumed_at",
)


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel to open, its settings checked."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]


def create_channel(
    connection: Connection, now: int, asked: NewChannel, by: Actor
) -> Channel | Refusal:
    """Open a channel, under a name that no other has."""
    if connection.execute(select(channels.c.id).where(channels.c.name == asked.name)).first():
        return NameTaken("another channel has this name.", ("name",))
    if connection.execute(select(func.count()).select_from(channels)).scalar_one() >= CHANNELS_MAX:
        return InvalidInput(f"there are {CHANNELS_MAX:,} channels: use one of them.", ("name",))
    channel = Channel(
        new_id("chn"),
        asked.name,
        asked.kind,
        orjson.dumps(dict(asked.settings)).decode(),
        orjson.dumps(dict(asked.secrets)).decode(),
        disabled=False,
        created_at=now,
    )
    write_rows(connection, channels, [channel_row(channel)])
    note(connection, now, [Deed(by, "createChannel", channel.id)])
    return channel


# ── drafts ────────────────────────────────────────────────────────────────────────────────────────


def create_campaign(
    connection: Connection, now: int, name: str, plan: Plan, by: Actor
) -> Campaign | Refusal:
    """A new campaign, as a draft."""
    if refusal := _lacks(connection, plan):
        return refusal
    campaign = Campaign(new_id("cmp"), name, "DRAFT", 0, to_json(plan), created_at=now)
    _save(connection, campaign)
    note(connection, now, [Deed(by, "createCampaign", campaign.id)])
    return campaign


def update_campaign(
    connection: Connection, now: int, campaign_id: str, name: str, plan: Plan, by: Actor
) -> Campaign | Refusal:
    """Change what is published next; what runs goes on as it was published."""
    found = _begin(connection, now, campaign_id, "update")
    if isinstance(found, Refusal):
        return found
    if refusal := _lacks(connection, plan):
        return refusal
    found.name, found.plan = name, to_json(plan)
    _save(connection, found)
    note(connection, now, [Deed(by, "updateCampaign", campaign_id)])
    return found


def clone_campaign(
    connection: Connection, now: int, campaign_id: str, name: str, by: Actor
) -> Campaign | Refusal:
    """A new draft of what another campaign is."""
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).first()
    if row is None:
        return _no_campaign()
    clone = Campaign(new_id("cmp"), name, "DRAFT", 0, Campaign(*row).plan, created_at=now)
    _save(connection, clone)
    note(connection, now, [Deed(by, "cloneCampaign", clone.id)])
    return clone


def _lacks(connection: Connection, plan: Plan) -> Refusal | None:
    """What a plan refers to that isn't there, or can't be as it says."""
    if plan.channel_id is not None:
        kind = _kind_of(connection, plan.channel_id)
        if kind is None:
            return ChannelNotFound("there is no such channel.", ("channelId",))
        if plan.message is None and kind != "CLEVERTAP":
            return InvalidInput("a channel needs a message to carry.", ("message",))
    reward = plan.reward
    if reward and reward.program_id is not None:
        program = find_programs(connection, [reward.program_id]).get(reward.program_id)
        if program is None:
            return ProgramNotFound("there is no such program.", ("reward", "programId"))
        if reward.points is not None and not fits(reward.points, program):
            decimals = program.rounding_decimals
            message = f"points must have at most {decimals} decimals: its program says so."
            return InvalidInput(message, ("reward", "points"))
    return None


def _kind_of(connection: Connection, channel_id: str) -> str | None:
    found = select(channels.c.kind).where(channels.c.id == channel_id)
    return connection.execute(found).scalar_one_or_none()


# ── moves ─────────────────────────────────────────────────────────────────────────────────────────


def publish_campaign(
    connection: Connection, now: int, campaign_id: str, by: Actor
) -> Campaign | Refusal:
    """Freeze the plan as a version: it holds for what happens from here on."""
    found = _begin(connection, now, campaign_id, "publish")
    if isinstance(found, Refusal):
        return found
    plan = from_json(found.plan)
    if plan.when.ends_at is not None and plan.when.ends_at <= now:
        return InvalidInput("its endsAt has passed: change that first.", ("id",))
    if refusal := _lacks(connection, plan):
        return refusal
    found.version += 1
    found.ends_at = NEVER if plan.when.ends_at is None else plan.when.ends_at
    _save(connection, found)
    version = Version(
        found.id,
        found.version,
        found.name,
        found.plan,
        plan.channel_id,
        plan.conversion_within,
        head(connection),
        now,
    )
    write_rows(connection, campaign_versions, [version_row(version)])
    note(connection, now, [Deed(by, "publishCampaign", campaign_id)])
    return found


def pause_campaign(
    connection: Connection, now: int, campaign_id: str, by: Actor
) -> Campaign | Refusal:
    """Send nothing until it is resumed. What happens meanwhile waits."""
    found = _begin(connection, now, campaign_id, "pause")
    if isinstance(found, Campaign):
        _save(connection, found)
        note(connection, now, [Deed(by, "pauseCampaign", campaign_id)])
    return found


def resume_campaign(
    connection: Connection, now: int, campaign_id: str, by: Actor
) -> Campaign | Refusal:
    """Go on. What has waited for more than a day is skipped: nobody gets a flood."""
    found = _begin(connection, now, campaign_id, "resume")
    if isinstance(found, Campaign):
        found.resumed_at = now
        _save(connection, found)
        note(connection, now, [Deed(by, "resumeCampaign", campaign_id)])
    return found


def stop_campaign(
    connection: Connection,
    now: int,
    campaign_id: str,
    finishes: bool,  # noqa: FBT001 - commit hands it on by its place
    by: Actor,
) -> Campaign | Refusal:
    """Hear no more events, for good. What waits is cancelled, or still sent if it `finishes`."""
    found = _begin(connection, now, campaign_id, "stop")
    if isinstance(found, Campaign):
        found.finishes, found.until_position = finishes, head(connection)
        _save(connection, found)
        note(connection, now, [Deed(by, "stopCampaign", campaign_id)])
    return found


def retry_delivery(
    connection: Connection, now: int, delivery_id: str, by: Actor
) -> Delivery | Refusal:
    """Try once more what FAILED, or what may not have arrived. It passes the gates again."""
    known = find_deliveries(connection, [delivery_id]).get(delivery_id)
    if known is None:
        return DeliveryNotFound("there is no such delivery.", ("id",))
    owner = lock_campaigns(connection, [known.campaign_id])[known.campaign_id]
    one = lock_deliveries(connection, [delivery_id])[delivery_id]
    if one.status not in {"FAILED", "UNKNOWN"}:
        message = f"this delivery is {one.status_at(now)}: only FAILED or UNKNOWN can be retried."
        return InvalidInput(message, ("id",))
    if one.is_test:
        return InvalidInput("this delivery is a test: send another.", ("id",))
    if status_at(owner.status, owner.ends_at, now) not in LISTENING and not owner.finishes:
        return InvalidInput(f"its campaign is {owner.status}: nothing more is sent.", ("id",))
    one.reason = one.detail = None
    one.wait("RETRYING", now)
    save_deliveries(connection, [one])
    note(connection, now, [Deed(by, "retryDelivery", delivery_id)])
    return one


def _begin(connection: Connection, now: int, campaign_id: str, by: Move) -> Campaign | Refusal:
    """The campaign, locked, as the move leaves it; or why it can't be moved so."""
    found = lock_campaigns(connection, [campaign_id]).get(campaign_id)
    if found is None:
        return _no_campaign()
    status = move(status_at(found.status, found.ends_at, now), by)
    if isinstance(status, Refusal):
        return status
    found.status = status
    return found


def _no_campaign() -> CampaignNotFound:
    return CampaignNotFound("there is no such campaign.", ("id",))


def _save(connection: Connection, campaign: Campaign) -> None:
    write_rows(connection, campaigns, [campaign_row(campaign)], *_STATE)
