"""Gates: what a delivery must pass before it is made, in one order. Pure.

    running → end date → ledger → member → address → control group → caps → quiet hours → rate

A delivery with a reward and a message comes to the gates twice: the reward is paid once the caps
are passed, and the message is sent when the rest are. A message that is skipped keeps the reward.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Final, Literal
from zoneinfo import ZoneInfo

from campaigns.lifecycle import LISTENING
from campaigns.plans import When

STALE_US: Final = 86_400_000_000
"""How long something may have waited when a pause ends, and still be sent."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so of a delivery, its campaign and its member at an instant.

    `status` is the campaign's then. `is_placed` is a delivery that has passed the caps before.
    `is_taken` says that another of its campaign has the member's, or the wallet's, only place.
    `pays` is one whose reward is yet to be paid, `sends` one with a message.
    """

    status: str
    finishes: bool
    resumed_at: int | None
    due_at: int
    excluded: str | None
    is_erased: bool
    suits: bool
    no_address: str | None
    is_held_out: bool
    is_placed: bool
    is_taken: bool
    is_too_soon: bool
    is_full: bool
    quiet_until: int | None
    drops_when_quiet: bool
    rate_until: int | None
    pays: bool
    sends: bool


@dataclass(frozen=True, slots=True)
class End:
    """It ends here."""

    status: str
    reason: str | None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits until an instant."""

    until: int


@dataclass(frozen=True, slots=True)
class Go:
    """Its next step is taken."""

    step: Literal["REWARD", "MESSAGE"]


def judge(facts: Facts) -> End | Hold | Go:
    """What becomes of a delivery that is due."""
    ended = _ended(facts)
    if ended:
        return ended
    if facts.no_address and not facts.pays:
        return End("SKIPPED", "NO_ADDRESS", facts.no_address)
    if not facts.is_placed:
        capped = _capped(facts)
        if capped:
            return capped
    if facts.pays:
        return Go("REWARD")
    if facts.quiet_until is not None:
        if facts.drops_when_quiet:
            return End("SKIPPED", "QUIET_HOURS")
        return Hold(facts.quiet_until)
    if facts.rate_until is not None:
        return Hold(facts.rate_until)
    return Go("MESSAGE")


def _ended(facts: Facts) -> End | None:
    """Why it is not to be sent at all any more."""
    if facts.status == "COMPLETED":
        return End("CANCELLED", "CAMPAIGN_ENDED")
    if facts.status not in LISTENING and not facts.finishes:
        return End("CANCELLED", "CAMPAIGN_STOPPED")
    if facts.resumed_at is not None and facts.due_at < facts.resumed_at - STALE_US:
        return End("SKIPPED", "STALE")
    if facts.excluded:
        return End("CANCELLED", facts.excluded)
    if facts.is_erased:
        return End("CANCELLED", "MEMBER_ERASED")
    if not facts.suits:
        return End("SKIPPED", "PROFILE_MISMATCH")
    return None


def _capped(facts: Facts) -> End | None:
    """Why it gets no place under the limits."""
    if facts.is_held_out:
        return End("HELD_OUT", None)
    if facts.is_taken or (facts.is_too_soon and facts.sends):
        return End("SKIPPED", "FREQUENCY_LIMIT")
    if facts.is_full:
        return End("SKIPPED", "CAP_REACHED")
    return None


def is_held_out(campaign_id: str, member_id: str, percent: float) -> bool:
    """Whether the member is in the campaign's control group: for ever the same answer."""
    digest = sha256(f"{campaign_id}|{member_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < percent / 100 * 2**64


def quiet_until(when: When, zone: str, now: int) -> int | None:
    """When the quiet hours end that `now` lies in, in the member's zone; None outside of them.

    They begin at their first minute and end before their last; over midnight, too. Where the clock
    is put forward over their end, they end with the jump.
    """
    if when.quiet_from is None or when.quiet_to is None:
        return None
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(zone))
    begins, ends = time.fromisoformat(when.quiet_from), time.fromisoformat(when.quiet_to)
    at = local.timetz().replace(tzinfo=None)
    over_midnight = begins > ends
    is_quiet = at >= begins or at < ends if over_midnight else begins <= at < ends
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and at >= begins else 0)
    end = datetime.combine(day, ends, tzinfo=local.tzinfo).astimezone(UTC)
    return max((end - _EPOCH) // _MICROSECOND, now + 1)
