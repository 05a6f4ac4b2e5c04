"""Claims: which deliveries are due, what their gates say, and who carries them.

    looked, claimed = take(connection, now, 32, versions, situations)      # one unit of work

A claim leases the delivery and writes its attempt before anything is sent: whoever dies with a
parcel in hand leaves a record that says so. The campaigns are locked first, so that what is counted
for their limits is counted once, whoever else claims.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)

from campaigns.deliveries import lock_deliveries, save_attempts, save_deliveries
from campaigns.gates import End, Go, Hold, judge
from campaigns.lifecycle import LISTENING
from campaigns.listeners import Compiled, Versions, compile_version
from campaigns.plans import from_json
from campaigns.records import Attempt, Campaign, Channel, Delivery, campaign_row
from campaigns.situations import Situation, Situations, pays
from events.log import head
from models.columns import WHOLE
from models.dialects import FirstOfEach, each, write_rows
from models.tables import campaigns, channels, deliveries
from models.windows import LIMIT

CLOSED_MAX: Final = 500
"""How many deliveries of ended campaigns one unit of work cancels."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery whose next step is whoever claimed it to take."""

    delivery: Delivery
    compiled: Compiled
    channel: Channel | None
    step: Literal["REWARD", "MESSAGE"]


def take(
    connection: Connection, now: int, limit: int, versions: Versions, situations: Situations
) -> tuple[int, list[Claimed]]:
    """Claim up to `limit` deliveries that are due, and settle those whose gates are shut.

    Gives how many were looked at, and those that are now to be carried.
    """
    looked = _close(connection, now)
    ids = _due(connection, now, limit)
    if not ids:
        return looked, []
    owners = lock_campaigns(connection, {campaign_id for _, campaign_id in ids})
    found = lock_deliveries(connection, [delivery_id for delivery_id, _ in ids])
    due = [one for one in found.values() if one.due_at is not None and one.due_at <= now]
    plans = {one.id: plan_of(connection, one, owners[one.campaign_id], versions) for one in due}
    ways = find_channels(connection, {plan.plan.channel_id for plan in plans.values()})
    claimed: list[Claimed] = []
    alive = [one for one in due if not _is_lost(one, plans[one.id], ways, situations, now)]
    for situation in situations.of(connection, now, alive, owners, plans, ways):
        step = _pass_gates(situation, now, situations.lease_us)
        if step:
            one = situation.delivery
            claimed.append(Claimed(one, situation.compiled, situation.channel, step))
    save_deliveries(connection, due)
    save_campaigns(connection, owners.values())
    messages = [claim.delivery for claim in claimed if claim.step == "MESSAGE"]
    save_attempts(connection, [Attempt(one.id, one.attempts, now) for one in messages])
    return looked + len(due), claimed


def _pass_gates(
    situation: Situation, now: int, lease_us: int
) -> Literal["REWARD", "MESSAGE"] | None:
    """Do as the gates say; the step to take, if they let the delivery through."""
    delivery, campaign = situation.delivery, situation.campaign
    match judge(situation.facts(now)):
        case End() if delivery.status == "SENDING" and not situation.pays:
            _lose(delivery, now)
            return None
        case End(status, reason, detail):
            give_back_place(delivery, campaign)
            delivery.end(status, now, reason, detail)
            return None
        case Hold(until):
            delivery.wait("RETRYING" if delivery.attempts else "WAITING", until)
            return None
        case Go(step):
            situation.take_place(now)
            delivery.wait("SENDING", now + lease_us)
            if step == "MESSAGE":
                situation.count_message(now)
                delivery.attempts += 1
            return step


def give_back_place(delivery: Delivery, campaign: Campaign) -> None:
    """What ends without having given anything frees its place under the campaign's limits."""
    if delivery.placed_at is not None and delivery.reward_id is None and not delivery.is_test:
        campaign.placed -= 1
        delivery.placed_at = None


def _is_lost(
    one: Delivery,
    compiled: Compiled,
    ways: dict[str, Channel],
    situations: Situations,
    now: int,
) -> bool:
    """A lease ran out over a message that must not be sent again unasked: it is UNKNOWN."""
    if one.status != "SENDING":
        return False
    channel = ways.get(compiled.plan.channel_id or "")
    if pays(one, compiled) or (
        channel and situations.is_repeatable(channel.kind) and not one.is_test
    ):
        return False
    _lose(one, now)
    return True


def _lose(one: Delivery, now: int) -> None:
    """Nobody knows whether it was sent, and it is not sent again."""
    one.end("UNKNOWN", now, "TIMED_OUT", "it may have been sent: the service was interrupted")


# ── what is due ───────────────────────────────────────────────────────────────────────────────────


def _chosen(rows: FromClause) -> tuple[Any, list[Any]]:
    due = rows.c.due_at <= bindparam("now", type_=WHOLE)
    return and_(rows.c.campaign_id == campaigns.c.id, due), [rows.c.due_at, rows.c.id]


def _is_open(rows: FromClause) -> ColumnElement[bool]:
    """It has not ended: as the index has it."""
    return rows.c.due_at.is_not(None)


def _with_open() -> ColumnElement[bool]:
    """Campaigns of which some delivery is yet to end, however many there are that have none.

    Each is found from the one before it by a probe of the index, which has no others.
    """
    later = deliveries.alias()
    first = select(func.min(deliveries.c.campaign_id).label("id")).where(_is_open(deliveries))
    found = first.cte("with_open", recursive=True)
    following = select(func.min(later.c.campaign_id)).where(
        _is_open(later), later.c.campaign_id > found.c.id
    )
    rest = select(following.scalar_subquery()).where(found.c.id.is_not(None))
    return campaigns.c.id.in_(select(found.union_all(rest).c.id))


def _first_at(condition: Any) -> ScalarSelect[Any]:
    """When the first of a campaign's deliveries is due that are so.

    One probe of the index for each campaign, whatever the number of its deliveries: by its order,
    PostgreSQL sees so, too. (An EXISTS it takes for one that the whole table answers soon.)
    """
    found = select(deliveries.c.due_at).where(condition).order_by(deliveries.c.due_at)
    return found.limit(literal(1, WHOLE)).scalar_subquery()


# One that has sent all that it may in this minute is left alone until the next.
_sends: Final = and_(
    campaigns.c.status != literal("PAUSED"),
    campaigns.c.rests_until <= bindparam("now", type_=WHOLE),
)
_first_due: Final = _first_at(_chosen(deliveries)[0])
_firsts: Final = (
    select(campaigns.c.id, _first_due.label("first_at")).where(_with_open(), _sends).subquery()
)
_WITH_DUE: Final = (
    select(_firsts.c.id)
    .where(_firsts.c.first_at.is_not(None))
    .order_by(_firsts.c.first_at, _firsts.c.id)
    .limit(LIMIT)
)
_DUE: Final = FirstOfEach(
    campaigns,
    deliveries,
    _chosen,
    campaigns.c.id.in_(each("ids")),
    columns=("due_at", "id", "campaign_id"),
)


def _due(connection: Connection, now: int, limit: int) -> list[tuple[str, str]]:
    """The deliveries to look at, with their campaigns': each campaign's next in turn.

    The campaign that has waited the longest comes first, so that none waits for ever.
    """
    owners = connection.execute(_WITH_DUE, {"now": now, "limit": limit}).scalars().all()
    if not owners:
        return []
    fair, most = -(-limit // len(owners)), limit - len(owners) + 1
    queues = _queues(connection, now, owners, fair)
    found = sum(map(len, queues.values()))
    if found < limit and fair < most and any(len(queue) == fair for queue in queues.values()):
        queues = _queues(connection, now, owners, most)  # some have what others leave room for
    in_turn = [
        (delivery_id, campaign_id)
        for turn in zip_longest(*queues.values())
        for campaign_id, delivery_id in zip(queues, turn, strict=True)
        if delivery_id is not None
    ]
    return in_turn[:limit]


def _queues(
    connection: Connection, now: int, owners: Sequence[str], share: int
) -> dict[str, list[str]]:
    """The first deliveries that are due of each of these campaigns, those first that were first."""
    asked = {"now": now, "limit": share, "ids": owners}
    found = [tuple[Any, ...](row) for row in connection.execute(_DUE.on(connection), asked)]
    queues: dict[str, list[str]] = {campaign_id: [] for campaign_id in owners}
    for _, delivery_id, campaign_id in sorted(found):
        queues[campaign_id].append(delivery_id)
    return queues


def _open_rows(rows: FromClause) -> tuple[Any, list[Any]]:
    waits = and_(_is_open(rows), rows.c.status != literal("SENDING"))
    return and_(rows.c.campaign_id == campaigns.c.id, waits), [rows.c.due_at, rows.c.id]


_is_past: Final = campaigns.c.ends_at <= bindparam("now", type_=WHOLE)
_has_ended: Final = or_(
    and_(campaigns.c.status == literal("STOPPED"), or_(campaigns.c.finishes.is_(False), _is_past)),
    campaigns.c.status == literal("COMPLETED"),
)
_ends: Final = and_(campaigns.c.status.in_(LISTENING), _is_past)
_ENDING: Final = select(campaigns).where(_ends).order_by(campaigns.c.id).with_for_update()
_LEFT: Final = FirstOfEach(
    campaigns,
    deliveries,
    _open_rows,
    and_(_with_open(), _has_ended),
    columns=("id", "campaign_id"),
    limits_all=True,
)
_ANYTHING: Final = (
    select(campaigns.c.id)
    .where(
        or_(
            _ends,
            and_(
                _with_open(),
                or_(
                    and_(_sends, _first_due.is_not(None)),
                    and_(_has_ended, _first_at(_open_rows(deliveries)[0]).is_not(None)),
                ),
            ),
        )
    )
    .limit(1)
)


def is_due(connection: Connection, now: int) -> bool:
    """Whether there is anything for `take` to do."""
    return connection.execute(_ANYTHING, {"now": now}).first() is not None


def _close(connection: Connection, now: int) -> int:
    """Write down the ends that have come, and cancel what waits of campaigns that have ended."""
    ending = [Campaign(*row) for row in connection.execute(_ENDING, {"now": now})]
    for campaign in ending:
        campaign.status, campaign.until_position = "COMPLETED", head(connection)
    save_campaigns(connection, ending)
    found: Sequence[Any] = connection.execute(
        _LEFT.on(connection), {"now": now, "limit": CLOSED_MAX}
    ).all()
    left: dict[str, str] = {row[0]: row[1] for row in found}
    if not left:
        return len(ending)
    owners = lock_campaigns(connection, set(left.values()))
    cancelled = list(lock_deliveries(connection, left).values())
    cancelled = [one for one in cancelled if one.status in {"WAITING", "RETRYING"}]
    for one in cancelled:
        owner = owners[one.campaign_id]
        give_back_place(one, owner)
        is_stopped = owner.status == "STOPPED" and not owner.finishes
        one.end("CANCELLED", now, "CAMPAIGN_STOPPED" if is_stopped else "CAMPAIGN_ENDED")
    save_deliveries(connection, cancelled)
    save_campaigns(connection, owners.values())
    return len(ending) + len(cancelled)


# ── campaigns, versions, channels ─────────────────────────────────────────────────────────────────

_LOCKED: Final = (
    select(campaigns)
    .where(campaigns.c.id.in_(each("ids")))
    .order_by(campaigns.c.id)
    .with_for_update()
)
_CHANNELS: Final = select(channels).where(channels.c.id.in_(each("ids")))
_COUNTED: Final = (
    *("status", "until_position", "placed", "minute_at", "minute_count", "rests_until"),
)


def lock_campaigns(connection: Connection, ids: Iterable[str]) -> dict[str, Campaign]:
    """These campaigns, kept from other writers until this unit of work ends."""
    return {row[0]: Campaign(*row) for row in connection.execute(_LOCKED, {"ids": sorted(ids)})}


def save_campaigns(connection: Connection, changed: Iterable[Campaign]) -> None:
    """Write what was counted, and whether they have ended."""
    write_rows(connection, campaigns, [campaign_row(one) for one in changed], *_COUNTED)


def find_channels(connection: Connection, ids: Iterable[str | None]) -> dict[str, Channel]:
    """The channels with these ids, those that there are."""
    asked = sorted(filter(None, set(ids)))
    return {row[0]: Channel(*row) for row in connection.execute(_CHANNELS, {"ids": asked})}


def plan_of(
    connection: Connection, one: Delivery, campaign: Campaign, versions: Versions
) -> Compiled:
    """What a delivery goes by: its version; a test, what is to be published next."""
    if one.is_test:
        return compile_version(campaign.name, from_json(campaign.plan))
    return versions.compiled(connection, (one.campaign_id, one.version))
