"""The filter `date`: the member's time zone, ISO's order, and nothing guessed."""

from dataclasses import replace

import pytest

from tests.templates.scenes import ANN, refused, text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        # 23:30 UTC is half past midnight of the next day in Paris.
        ("{{ Event.eventTimestamp | date: '%d %B %Y, %H:%M' }}", "06 November 2026, 00:30"),
        ("{{ Event.eventTimestamp }}", "2026-11-06 00:30:15+01:00"),
        ("{{ Event.eventTimestamp | date: '%s' }}", "1793921415"),
        ("{{ Event.eventTimestamp | date: '%Z %z' }}", "CET +0100"),
        ("{{ Event.eventTimestamp | date: '%-d/%-m %e %I %p %%s' }}", "6/11  6 12 AM %s"),
        ("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", "2026-05-28 22:26"),
        ("{{ 'today' | date: '%A' }}", "Thursday"),
        ("{{ '2026-07-01T10:00:00Z' | date: '%H:%M' }}", "12:00"),
        ("{{ '2026-07-01T10:00:00+05:30' | date: '%H:%M' }}", "06:30"),
        ("{{ '2026-07-01 10:00' | date: '%H:%M %Z' }}", "10:00 CEST"),
        ("{{ '2026-07-01' | date: '%d.%m.%Y' }}", "01.07.2026"),
        ("{{ 0 | date: '%Y-%m-%d %H:%M' }}", "1970-01-01 01:00"),
        ("{{ '1793921415' | date: '%Y' }}", "2026"),
        ("{% assign d = Event.eventTimestamp %}{{ d | date: '%d' }}", "06"),
    ],
)
def test_dates_are_shown_in_the_members_zone(source: str, shown: str) -> None:
    assert text(source) == shown


def test_another_member_sees_another_day() -> None:
    in_new_york = replace(ANN, time_zone="America/New_York")

    assert text("{{ Event.eventTimestamp | date: '%d %H:%M' }}", in_new_york) == "05 18:30"


@pytest.mark.parametrize(
    "given",
    ["05-11-2026", "11/05/2026", "5 Nov 2026", "20261105", "2026-11-5", "2026-13-40", "tomorrow"],
)
def test_what_can_be_read_in_two_ways_is_left_as_it_is(given: str) -> None:
    assert text(f"{{{{ '{given}' | date: '%Y' }}}}") == given


def test_a_number_too_great_for_a_date_is_left_as_it_is() -> None:
    assert text("{{ 99999999999999 | date: '%Y' }}") == "99999999999999"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 'now' | date: '%Q' }}", "date: unknown directive '%Q'"),
        ("{{ 'now' | date: '%1000000000d' }}", "date: unknown directive '%1'"),
        ("{{ 'now' | date: 'at %' }}", "date: unknown directive '%'"),
        ("{{ 'now' | date }}", "date: name a format, as in `date: '%d %B %Y'`"),
        ("{{ (1..3) | date: '%d' }}", "date: a list is no date"),
    ],
)
def test_a_format_that_is_none_is_refused(source: str, message: str) -> None:
    assert refused(source) == message


def test_a_format_is_short() -> None:
    assert text(f"{{{{ 0 | date: '{'%Y' * 50}' }}}}") == "1970" * 50
    assert refused(f"{{{{ 0 | date: '{'%Y' * 50}.' }}}}") == (
        "date: a format has 100 characters at most"
    )


def test_an_empty_format_shows_the_date_as_it_is() -> None:
    assert text("{{ 'now' | date: '' }}") == "now"


@pytest.mark.parametrize("name", ["now", "today"])
def test_the_servers_own_time_is_nowhere(name: str) -> None:
    assert text(f"{{% if {name} %}}there{{% else %}}nowhere{{% endif %}}") == "nowhere"
