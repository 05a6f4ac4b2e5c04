"""Records: the rows of campaigns' tables as plain values, their fields in the columns' order."""

from dataclasses import dataclass
from typing import Final

from ledger.records import row_of
from models.columns import NEVER

OPEN: Final = ("WAITING", "RETRYING", "SENDING")
"""The statuses of a delivery that has not ended."""


@dataclass(frozen=True, slots=True)
class Channel:
    """See models.campaigns.Channel."""

    id: str
    name: str
    kind: str
    settings: str
    secrets: str
    disabled: bool
    created_at: int


@dataclass(slots=True)
class Campaign:
    """See models.campaigns.Campaign."""

    id: str
    name: str
    status: str
    version: int
    plan: str
    ends_at: int = NEVER
    finishes: bool = False
    until_position: int = NEVER
    resumed_at: int | None = None
    placed: int = 0
    minute_at: int = 0
    minute_count: int = 0
    rests_until: int = 0
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    """See models.campaigns.CampaignVersion."""

    campaign_id: str
    version: int
    name: str
    plan: str
    channel_id: str | None
    conversion_within: int | None
    from_position: int
    published_at: int


@dataclass(slots=True)
class Delivery:
    """See models.deliveries.Delivery."""

    id: str
    campaign_id: str
    version: int
    trigger_key: str
    is_test: bool
    event_id: str
    member_id: str
    wallet_id: str | None
    lot_id: str | None
    sequence: int | None
    absence: str | None
    depth: int
    status: str
    reason: str | None = None
    detail: str | None = None
    due_at: int | None = None
    placed_at: int | None = None
    settled_at: int | None = None
    attempts: int = 0
    reward_id: str | None = None
    subject: str | None = None
    body: str | None = None
    html: str | None = None
    revision: int = 0
    created_at: int = 0

    def wait(self, status: str, until: int) -> None:
        """Look at it again then: WAITING, RETRYING, or SENDING under a lease."""
        self.status, self.due_at, self.settled_at = status, until, None

    def end(
        self, status: str, now: int, reason: str | None = None, detail: str | None = None
    ) -> None:
        """It has ended: nobody looks at it again by themselves."""
        self.status, self.reason, self.detail = status, reason, detail
        self.due_at, self.settled_at = None, now

    def status_at(self, now: int) -> str:
        """What it is at an instant: DUE once its wait is over, whether or not that is written."""
        waits = self.status in {"WAITING", "RETRYING"}
        return "DUE" if waits and self.due_at is not None and self.due_at <= now else self.status


@dataclass(slots=True)
class Attempt:
    """See models.deliveries.Attempt."""

    delivery_id: str
    number: int
    started_at: int
    finished_at: int | None = None
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """See models.deliveries.InboxMessage."""

    id: str
    delivery_id: str
    member_id: str
    subject: str | None
    body: str
    sent_at: int
    read_at: int | None


channel_row, campaign_row, version_row = row_of(Channel), row_of(Campaign), row_of(Version)
delivery_row, attempt_row, inbox_row = row_of(Delivery), row_of(Attempt), row_of(InboxMessage)
