"""Retries: so many, so far apart; what may be repeated unasked."""

import pytest

from campaigns.channels.parcels import Kind
from campaigns.channels.retries import is_repeatable, retry_delay

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def delays(kind: Kind, chance: float) -> list[int | None]:
    return [retry_delay(kind, attempt, chance) for attempt in range(1, 10)]


def test_a_webhook_is_tried_eight_times_within_28_hours() -> None:
    assert delays("WEBHOOK", 0.5) == [
        *(5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR),
        *(None, None),
    ]
    assert delays("CLEVERTAP", 0.5) == delays("WEBHOOK", 0.5)


def test_its_delays_vary_by_a_fifth_to_either_side() -> None:
    assert retry_delay("WEBHOOK", 1, 0.0) == 4 * SECOND
    assert retry_delay("WEBHOOK", 1, 0.25) == 4_500_000
    assert retry_delay("WEBHOOK", 1, 0.9999) == 5_995_000


def test_mail_is_tried_six_times() -> None:
    assert delays("EMAIL", 0.9) == [
        *(MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR),
        *(None, None, None, None),
    ]
    assert delays("APPRISE", 0.1) == delays("EMAIL", 0.1)


def test_an_inbox_is_tried_once() -> None:
    assert delays("INBOX", 0.5) == [None] * 9


def test_a_receivers_word_is_the_least_and_brings_no_further_attempt() -> None:
    assert retry_delay("WEBHOOK", 1, 0.5, retry_after_us=HOUR) == HOUR
    assert retry_delay("WEBHOOK", 1, 0.5, retry_after_us=0) == 5 * SECOND
    assert retry_delay("WEBHOOK", 8, 0.5, retry_after_us=HOUR) is None


def test_there_is_no_attempt_before_the_first() -> None:
    assert retry_delay("WEBHOOK", 0, 0.5) is None


@pytest.mark.parametrize(
    ("kind", "may"),
    [
        ("WEBHOOK", True),
        ("INBOX", True),
        ("EMAIL", False),
        ("APPRISE", False),
        ("CLEVERTAP", False),
    ],
)
def test_only_what_a_repetition_does_no_harm_may_be_repeated(kind: Kind, *, may: bool) -> None:
    assert is_repeatable(kind) is may
