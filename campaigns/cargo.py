"""Cargo: all that a claimed delivery is rendered, paid and sent with, read in one hop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from campaigns.channels.parcels import Parcel, Payment
from campaigns.claims import Claimed
from campaigns.liquid import Scene
from campaigns.properties import DATES, EVENT_NAMES, profile_of, properties_of, sample, to_wire
from events.occurrences import find_occurrences
from ledger.reading import (
    find_members,
    find_programs,
    find_transactions,
    find_wallets,
    wallets_as_of,
)
from ledger.records import Member, Program, Wallet
from models.notation import print_points

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cargo:
    """A claimed delivery with its event, its member, their wallet and its program.

    `program` is that of the wallet, `pays_in` the one that the reward is paid in.
    """

    claimed: Claimed
    event: str
    properties: Mapping[str, Any]
    member: Member
    wallet: Wallet | None
    program: Program | None
    pays_in: Program | None
    paid: Payment | None
    now: int

    def scene(self) -> Scene:
        """The values that its message is rendered with."""
        compiled, member = self.claimed.compiled, self.member
        zone = member.time_zone or (self.program.time_zone if self.program else "UTC")
        return Scene(
            event=with_instants(self.properties),
            profile=profile_of(member),
            wallet=told_wallet(self.wallet, self.program),
            campaign={"id": self.claimed.delivery.campaign_id, "name": compiled.name},
            time_zone=zone,
            now=self.now,
        )

    def parcel(self, subject: str | None, body: str | None, html: str | None) -> Parcel:
        """What is sent: the message as rendered."""
        one, member = self.claimed.delivery, self.member
        return Parcel(
            delivery_id=one.id,
            attempt=one.attempts,
            at=self.now,
            campaign_id=one.campaign_id,
            campaign_name=self.claimed.compiled.name,
            identity=member.identity,
            event_id=one.event_id,
            event=self.event,
            properties=to_wire(self.properties),
            body=body,
            subject=subject,
            html=html,
            name=member.name,
            email=member.email,
            phone=member.phone,
            reward=self.paid,
            is_test=bool(one.is_test),
        )


def told_wallet(wallet: Wallet | None, program: Program | None) -> dict[str, Any]:
    """What a template may tell of a wallet: nothing, if there is none."""
    if wallet is None or program is None:
        return {}
    return {
        "id": wallet.id,
        "program": program.name,
        "pointsName": program.points_name,
        "active": print_points(wallet.active),
        "promised": print_points(wallet.promised),
        "held": print_points(wallet.held),
    }


def with_instants(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An event's properties with dates as aware datetimes."""
    dates = {
        name: _EPOCH + timedelta(microseconds=properties[name])
        for name in DATES
        if name in properties
    }
    return {**properties, **dates}


def load(connection: Connection, claimed: Sequence[Claimed], now: int) -> list[Cargo]:
    """What these deliveries are to carry, as it is now.

    A fixed number of statements, whatever their number. A test that names no event carries a
    believable one.
    """
    deliveries = [one.delivery for one in claimed]
    occurrences = find_occurrences(connection, {one.event_id for one in deliveries})
    members = find_members(connection, {one.member_id for one in deliveries})
    written = find_wallets(connection, {one.wallet_id for one in deliveries if one.wallet_id})
    wallets = wallets_as_of(connection, written.values(), now)
    rewards = [one.compiled.plan.reward for one in claimed]
    asked = {wallet.program_id for wallet in wallets.values()}
    asked |= {reward.program_id for reward in rewards if reward and reward.program_id}
    programs = find_programs(connection, asked)
    paid = find_transactions(connection, {one.reward_id for one in deliveries if one.reward_id})
    found: list[Cargo] = []
    for claim in claimed:
        one, plan = claim.delivery, claim.compiled.plan
        occurrence = occurrences.get(one.event_id)
        wallet = wallets.get(one.wallet_id or "")
        program = programs.get(wallet.program_id) if wallet else None
        named = programs.get(plan.reward.program_id or "") if plan.reward else None
        credit = paid.get(one.reward_id or "")
        payment = credit and Payment(credit.points, credit.id)
        found.append(
            Cargo(
                claim,
                EVENT_NAMES[occurrence.name] if occurrence else plan.who.event,
                properties_of(occurrence) if occurrence else sample(plan.who.event),
                members[one.member_id],
                wallet,
                program,
                named or program,
                payment,
                now,
            )
        )
    return found
