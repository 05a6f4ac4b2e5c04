"""Situations: the facts that the gates judge by, read together for all that is due.

A fixed number of statements, whatever the number of deliveries. What the deliveries of one claim
take from their campaign's limits counts for the next among them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import Connection, Select, false, func, select

from campaigns.gates import Facts, is_held_out, quiet_until
from campaigns.lifecycle import status_at
from campaigns.listeners import Compiled
from campaigns.properties import profile_of
from campaigns.records import Campaign, Channel, Delivery
from campaigns.standing import find_excluded
from ledger.reading import find_members, find_programs, find_wallets
from ledger.records import Member
from models.dialects import one_of
from models.tables import deliveries
from models.texts import ERASED

LEASE_US: Final = 120 * 1_000_000
"""How long a parcel may be on its way; then its outcome is not known."""

MINUTE_US: Final = 60 * 1_000_000

Place = tuple[str, str]
"""A campaign, and a member or wallet of which a delivery has taken a place under its limits."""


class Reaches(Protocol):
    """What is asked of the ways to members."""

    def has_address(
        self, kind: Any, settings: Mapping[str, Any], *, email: str | None, phone: str | None
    ) -> bool: ...


@dataclass(slots=True)
class Places:
    """Who has had something of a campaign, and when last."""

    last: dict[Place, int] = field(default_factory=dict[Place, int])

    def note(self, campaign_id: str, who: str | None, at: int) -> None:
        if who:
            self.last[campaign_id, who] = max(at, self.last.get((campaign_id, who), 0))


@dataclass(frozen=True, slots=True)
class Situation:
    """One delivery that is due, and all that its gates depend on."""

    delivery: Delivery
    campaign: Campaign
    compiled: Compiled
    channel: Channel | None
    member: Member
    zone: str
    excluded: str | None
    no_address: str | None
    places: Places

    @property
    def pays(self) -> bool:
        """Its reward is yet to be paid."""
        return pays(self.delivery, self.compiled)

    def facts(self, now: int) -> Facts:
        """What is so at `now`."""
        one, campaign, plan = self.delivery, self.campaign, self.compiled.plan
        when, limits, test = plan.when, plan.limits, one.is_test
        status = "RUNNING" if test else self._status(now)
        last = self.places.last.get((one.campaign_id, one.member_id))
        gap = limits.min_gap
        return Facts(
            status=status,
            finishes=bool(campaign.finishes),
            resumed_at=None if test else campaign.resumed_at,
            due_at=one.due_at or now,
            excluded=self.excluded,
            is_erased=self.member.identity.startswith(ERASED),
            suits=test or self.compiled.suits(profile_of(self.member), now),
            no_address=self.no_address,
            is_held_out=is_held_out(one.campaign_id, one.member_id, limits.control_percent),
            is_placed=test or one.placed_at is not None,
            is_taken=self._is_taken(),
            is_too_soon=gap is not None and last is not None and now - last < gap,
            is_full=limits.max_deliveries is not None and campaign.placed >= limits.max_deliveries,
            quiet_until=None if test else quiet_until(when, self.zone, now),
            drops_when_quiet=when.quiet_policy == "DROP",
            rate_until=None if test else self._rate_until(now),
            pays=self.pays,
            sends=plan.channel_id is not None,
        )

    def _status(self, now: int) -> str:
        """The campaign's; one that is stopped and finishes has its end, too."""
        campaign = self.campaign
        if campaign.finishes and campaign.ends_at <= now:
            return "COMPLETED"
        return status_at(campaign.status, campaign.ends_at, now)

    def _is_taken(self) -> bool:
        one, per = self.delivery, self.compiled.plan.limits.per
        who = {"ONCE_PER_MEMBER": one.member_id, "ONCE_PER_WALLET": one.wallet_id}.get(per)
        return who is not None and (one.campaign_id, who) in self.places.last

    def _rate_until(self, now: int) -> int | None:
        rate, campaign = self.compiled.plan.limits.per_minute, self.campaign
        if rate is None or now >= campaign.minute_at + MINUTE_US or campaign.minute_count < rate:
            return None
        return campaign.minute_at + MINUTE_US

    def take_place(self, now: int) -> None:
        """It has passed the caps, and counts for the others."""
        one = self.delivery
        if one.placed_at is not None or one.is_test:
            return
        one.placed_at = now
        self.campaign.placed += 1
        self.places.note(one.campaign_id, one.member_id, now)
        self.places.note(one.campaign_id, one.wallet_id, now)

    def count_message(self, now: int) -> None:
        """A message is begun, and counts for the rate."""
        campaign = self.campaign
        if self.delivery.is_test:
            return
        if now >= campaign.minute_at + MINUTE_US:
            campaign.minute_at, campaign.minute_count = now, 0
        campaign.minute_count += 1
        rate = self.compiled.plan.limits.per_minute
        if rate is not None and campaign.minute_count >= rate:
            campaign.rests_until = campaign.minute_at + MINUTE_US


def pays(one: Delivery, compiled: Compiled) -> bool:
    """Whether a delivery's reward is yet to be paid. A test pays none."""
    return compiled.plan.reward is not None and one.reward_id is None and not one.is_test


@dataclass(frozen=True, slots=True)
class Situations:
    """Reads situations. What the ways to members can do, and how long they may take, is handed in.

    `lease_us` is by the clock that deliveries go by.
    """

    ways: Reaches
    is_repeatable: Callable[[Any], bool]
    lease_us: int = LEASE_US

    def of(
        self,
        connection: Connection,
        now: int,
        due: Sequence[Delivery],
        owners: Mapping[str, Campaign],
        plans: Mapping[str, Compiled],
        channels: Mapping[str, Channel],
    ) -> list[Situation]:
        """The situation of each of these deliveries, those first that have been due the longest."""
        members = find_members(connection, {one.member_id for one in due})
        zones = _zones(connection, due)
        waits = [one.id for one in due if one.absence]
        excluded = find_excluded(connection, waits, now) if waits else {}
        places = _places(connection, [one for one in due if _is_capped(plans[one.id])])
        found: list[Situation] = []
        for one in sorted(due, key=lambda one: (one.due_at or 0, one.id)):
            compiled, member = plans[one.id], members[one.member_id]
            channel = channels.get(compiled.plan.channel_id or "")
            situation = Situation(
                one,
                owners[one.campaign_id],
                compiled,
                channel,
                member,
                member.time_zone or zones.get(one.wallet_id or "", "UTC"),
                excluded.get(one.id),
                self.no_address(channel, member),
                places,
            )
            found.append(situation)
        return found

    def no_address(self, channel: Channel | None, member: Member) -> str | None:
        """Why a channel leads to nobody, if it doesn't."""
        if channel is None:
            return None
        if channel.disabled:
            return "the channel is disabled"
        settings: dict[str, Any] = orjson.loads(channel.settings)
        reached = self.ways.has_address(
            channel.kind, settings, email=member.email, phone=member.phone
        )
        return None if reached else f"the member has none that {channel.kind} reaches"


def _is_capped(compiled: Compiled) -> bool:
    limits = compiled.plan.limits
    return limits.per != "EVERY_TRIGGER" or limits.min_gap is not None


def _zones(connection: Connection, due: Iterable[Delivery]) -> dict[str, str]:
    """The time zones of the wallets' programs: those of members who have none of their own."""
    wallets = find_wallets(connection, {one.wallet_id for one in due if one.wallet_id})
    programs = find_programs(connection, {wallet.program_id for wallet in wallets.values()})
    return {wallet.id: programs[wallet.program_id].time_zone for wallet in wallets.values()}


def _places(connection: Connection, capped: Sequence[Delivery]) -> Places:
    """What these deliveries' members have had of these campaigns."""
    places = Places()
    if not capped:
        return places
    asked = {
        "campaign_ids": sorted({one.campaign_id for one in capped}),
        "member_ids": sorted({one.member_id for one in capped}),
    }
    for campaign_id, member_id, wallet_id, at in connection.execute(_PLACED, asked):
        places.note(campaign_id, member_id, at)
        places.note(campaign_id, wallet_id, at)
    return places


_PLACED: Final[Select[*tuple[Any, ...]]] = (
    select(
        deliveries.c.campaign_id,
        deliveries.c.member_id,
        deliveries.c.wallet_id,
        func.max(deliveries.c.placed_at),
    )
    .where(
        one_of(deliveries.c.campaign_id, "campaign_ids"),
        one_of(deliveries.c.member_id, "member_ids"),
        deliveries.c.placed_at.is_not(None),
        deliveries.c.is_test == false(),
    )
    .group_by(deliveries.c.campaign_id, deliveries.c.member_id, deliveries.c.wallet_id)
)
