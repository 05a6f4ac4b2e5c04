"""Settling: what came of the deliveries that were carried is written down, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update

from campaigns.channels.parcels import Kind, Receipt
from campaigns.channels.retries import retry_delay
from campaigns.claims import give_back_place, lock_campaigns, save_campaigns
from campaigns.deliveries import lock_deliveries, save_attempts, save_deliveries
from campaigns.liquid import Aborted, MissingProperty, RenderError
from campaigns.records import Attempt, Campaign, Delivery, InboxMessage, inbox_row
from models.columns import NEVER, WHOLE
from models.dialects import each, write_rows
from models.ids import new_id
from models.tables import attempts, channels, inbox_messages, members

AGAIN_US: Final = 5 * 1_000_000
"""How soon something is tried again that could not be done."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The ledger's word on a reward: the credit's id, or why it was refused."""

    transaction_id: str | None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """Nothing could be done just now, and nothing was: it is tried again soon."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was rendered."""

    subject: str | None
    body: str | None
    html: str | None


Outcome = Paid | Postponed | Aborted | MissingProperty | RenderError | Receipt


@dataclass(frozen=True, slots=True)
class Landing:
    """What came of one delivery that was carried. `attempt` is the number of its attempts then."""

    delivery_id: str
    campaign_id: str
    attempt: int
    started_at: int
    outcome: Outcome
    has_message: bool
    channel_id: str | None = None
    kind: Kind | None = None
    message: Message | None = None
    chance: float = 0.0


def settle(connection: Connection, now: int, landings: Sequence[Landing]) -> None:
    """Write down what came of these deliveries.

    One that somebody else has dealt with meanwhile is left as it is: its lease had run out, or its
    member was erased.
    """
    owners = lock_campaigns(connection, {landing.campaign_id for landing in landings})
    found = lock_deliveries(connection, [landing.delivery_id for landing in landings])
    erased = _erased(connection, [one for one in found.values() if one.status == "UNKNOWN"])
    ours = [
        landing
        for landing in landings
        if (one := found[landing.delivery_id]).member_id not in erased and _is_ours(landing, one)
    ]
    for landing in ours:
        one = found[landing.delivery_id]
        _settle(landing, one, owners[landing.campaign_id], now)
        if one.status in {"SKIPPED", "FAILED"}:
            give_back_place(one, owners[landing.campaign_id])
    save_deliveries(connection, [found[landing.delivery_id] for landing in ours])
    save_campaigns(connection, owners.values())
    _write_attempts(connection, ours, now)
    _fill_inboxes(connection, ours, found, now)
    for gone in sorted({_gone(landing) for landing in ours} - {None}, key=str):
        connection.execute(_DISABLE, {"channel_id": gone})


def _is_ours(landing: Landing, one: Delivery) -> bool:
    """Nobody else has taken it in hand since; a late word on what was UNKNOWN is still welcome."""
    is_late = one.status == "UNKNOWN" and isinstance(landing.outcome, Receipt)
    return one.attempts == landing.attempt and (one.status == "SENDING" or is_late)


def _erased(connection: Connection, late: Sequence[Delivery]) -> set[str]:
    """Whose erasing found the delivery ended: what is now known of it must not be told any more."""
    if not late:
        return set()
    asked = {"ids": [one.member_id for one in late]}
    return set(connection.execute(_ERASED, asked).scalars())


def _settle(landing: Landing, one: Delivery, campaign: Campaign, now: int) -> None:
    if landing.message:
        message = landing.message
        one.subject, one.body, one.html = message.subject, message.body, message.html
    match landing.outcome:
        case Paid(transaction_id=None, refusal=refusal):
            one.end("FAILED", now, "REJECTED", refusal)
        case Paid(transaction_id=transaction_id):
            one.reward_id = transaction_id
            if landing.has_message:
                one.wait("WAITING", now)
            else:
                one.end("SENT", now)
        case Postponed():
            _unmake_attempt(landing, one)
            one.wait("RETRYING" if one.attempts else "WAITING", now + AGAIN_US)
        case Aborted(reason):
            _unmake_attempt(landing, one)
            one.end("SKIPPED", now, "TEMPLATE_ABORTED", reason or None)
        case MissingProperty(name):
            _unmake_attempt(landing, one)
            one.end("SKIPPED", now, "MISSING_PROPERTY", name)
        case RenderError(message):
            _unmake_attempt(landing, one)
            one.end("FAILED", now, "RENDER_ERROR", message)
        case Receipt() as receipt:
            _settle_attempt(receipt, landing, one, campaign, now)


def _unmake_attempt(landing: Landing, one: Delivery) -> None:
    """Nothing was sent: that is no attempt."""
    if landing.kind is not None:
        one.attempts -= 1


def _settle_attempt(
    receipt: Receipt, landing: Landing, one: Delivery, campaign: Campaign, now: int
) -> None:
    match receipt.verdict:
        case "SENT":
            one.end("SENT", now)
        case "UNKNOWN":
            one.end("UNKNOWN", now, receipt.reason, receipt.error)
        case "REJECTED":
            one.end("FAILED", now, receipt.reason, receipt.error)
        case "RETRY":
            assert landing.kind, "what is tried again went by a channel"
            delay = retry_delay(landing.kind, one.attempts, landing.chance, receipt.retry_after_us)
            ends_at = NEVER if one.is_test else campaign.ends_at
            if delay is None or one.is_test or now + delay >= ends_at:
                one.end("FAILED", now, receipt.reason, receipt.error)
            else:
                one.reason, one.detail = receipt.reason, receipt.error
                one.wait("RETRYING", now + delay)


# ── what stands beside ────────────────────────────────────────────────────────────────────────────


def _write_attempts(connection: Connection, ours: Sequence[Landing], now: int) -> None:
    """End the attempts that were made, and take back those that were not: nothing was sent."""
    made = [
        Attempt(
            landing.delivery_id,
            landing.attempt,
            landing.started_at,
            now,
            landing.outcome.status,
            landing.outcome.error,
        )
        for landing in ours
        if isinstance(landing.outcome, Receipt)
    ]
    save_attempts(connection, made)
    unmade = [
        {"delivery_id": landing.delivery_id, "number": landing.attempt}
        for landing in ours
        if landing.kind and not isinstance(landing.outcome, Receipt)
    ]
    if unmade:
        connection.execute(_UNMAKE, unmade)


_UNMAKE: Final = delete(attempts).where(
    attempts.c.delivery_id == bindparam("delivery_id"),
    attempts.c.number == bindparam("number", type_=WHOLE),
)
_ERASED: Final = select(members.c.id).where(
    members.c.id.in_(each("ids")), members.c.erased_at.is_not(None)
)
_DISABLE: Final = (
    update(channels).where(channels.c.id == bindparam("channel_id")).values(disabled=True)
)


def _fill_inboxes(
    connection: Connection, ours: Sequence[Landing], found: dict[str, Delivery], now: int
) -> None:
    rows = [
        inbox_row(
            InboxMessage(
                new_id("inb"), one.id, one.member_id, one.subject, one.body or "", now, None
            )
        )
        for landing in ours
        if landing.kind == "INBOX" and (one := found[landing.delivery_id]).status == "SENT"
    ]
    write_rows(connection, inbox_messages, rows)


def _gone(landing: Landing) -> str | None:
    is_gone = isinstance(landing.outcome, Receipt) and landing.outcome.disables
    return landing.channel_id if is_gone else None
