"""Parcels and receipts: what is sent to one member for one delivery, and what came of one attempt.

Plain values: the post knows no table, and whoever hands it a parcel knows nothing of networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["WEBHOOK", "EMAIL", "INBOX", "APPRISE", "CLEVERTAP"]
Verdict = Literal["SENT", "RETRY", "REJECTED", "UNKNOWN"]
Reason = Literal["REJECTED", "TIMED_OUT", "UNREACHABLE"]

ERROR_MAX: Final = 300
"""How much of what went wrong is kept with an attempt."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A reward that was paid before its message: points of 1/1000, and the credit's id."""

    points: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent to one member for one delivery.

    `delivery_id` is the same in every attempt, so that a receiver can tell a repetition. `event`
    and the names in `properties` are those on the wire; `at` is this attempt's instant.
    """

    delivery_id: str
    attempt: int
    at: int
    campaign_id: str
    campaign_name: str
    identity: str
    event_id: str
    event: str
    properties: Mapping[str, Any]
    body: str | None = None
    subject: str | None = None
    html: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    reward: Payment | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one attempt.

    `RETRY`: it did not arrive, and may be tried again; `reason` says what it failed of, should this
    have been the last attempt. `UNKNOWN`: it may have arrived, and mustn't be repeated unasked.
    `status` is the answer's own code. `disables`: the channel is to be used no more.
    """

    verdict: Verdict
    reason: Reason | None = None
    status: int | None = None
    error: str | None = None
    retry_after_us: int | None = None
    disables: bool = False


def sent(status: int | None = None) -> Receipt:
    return Receipt("SENT", status=status)


def retry(
    reason: Reason, error: str, status: int | None = None, retry_after_us: int | None = None
) -> Receipt:
    return Receipt("RETRY", reason, status, error[:ERROR_MAX], retry_after_us)


def rejected(error: str, status: int | None = None, *, disables: bool = False) -> Receipt:
    return Receipt("REJECTED", "REJECTED", status, error[:ERROR_MAX], disables=disables)


def unknown(reason: Reason, error: str) -> Receipt:
    return Receipt("UNKNOWN", reason, error=error[:ERROR_MAX])
