"""Quiet hours by the member's clock, also on the days when it is put forward or back."""

from datetime import datetime

import pytest

from campaigns.gates import quiet_until
from campaigns.plans import When
from tests.harness.clock import EPOCH, MICROSECOND

NIGHT = When(quiet_from="22:00", quiet_to="08:00")
NOON = When(quiet_from="12:00", quiet_to="13:00")


def at(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


@pytest.mark.parametrize(
    ("when", "zone", "now", "until"),
    [
        (NIGHT, "UTC", "2026-03-10T21:59:59.999999Z", None),
        (NIGHT, "UTC", "2026-03-10T22:00:00Z", "2026-03-11T08:00:00Z"),
        (NIGHT, "UTC", "2026-03-11T00:00:00Z", "2026-03-11T08:00:00Z"),
        (NIGHT, "UTC", "2026-03-11T07:59:59.999999Z", "2026-03-11T08:00:00Z"),
        (NIGHT, "UTC", "2026-03-11T08:00:00Z", None),
        (NOON, "UTC", "2026-03-10T11:59:00Z", None),
        (NOON, "UTC", "2026-03-10T12:00:00Z", "2026-03-10T13:00:00Z"),
        (NOON, "UTC", "2026-03-10T13:00:00Z", None),
        (NIGHT, "Asia/Tokyo", "2026-03-10T13:00:00Z", "2026-03-10T23:00:00Z"),
        (NIGHT, "America/New_York", "2026-03-11T02:00:00Z", "2026-03-11T12:00:00Z"),
        # In Berlin the night of 28 March has no hour from 2 to 3, that of 24 October two of them.
        (NIGHT, "Europe/Berlin", "2026-03-28T21:00:00Z", "2026-03-29T06:00:00Z"),
        (NIGHT, "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T07:00:00Z"),
        (
            When(quiet_from="01:00", quiet_to="02:30"),
            "Europe/Berlin",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:30:00Z",
        ),
        (When(), "UTC", "2026-03-10T23:00:00Z", None),
    ],
)
def test_quiet_hours_end_where_the_member_is(
    when: When, zone: str, now: str, until: str | None
) -> None:
    assert quiet_until(when, zone, at(now)) == (None if until is None else at(until))
