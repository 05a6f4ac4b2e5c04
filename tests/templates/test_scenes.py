"""A message's values: the roots, what is missing, numbers, HTML, subjects, and the abort."""

from dataclasses import replace
from decimal import Decimal

import pytest

from campaigns.liquid import Aborted, Rendered, Template
from tests.templates.scenes import ANN, html, made, missing, of, refused, subject, text, with_event


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ Event.points }}", "120"),
        ('{{ Event["CT Source"] }}', "API"),
        ('{{ Profile.Name | default: "there" }}', "Ann <b>& Co</b>"),
        ('{{ Profile.nickname | default: "there" }}', "there"),
        ("{{ Profile.tier }}", "gold"),
        ("{{ Wallet.active }} {{ Wallet.pointsName }}", "200 stars"),
        ("{{ Campaign.name }}", "Spring"),
        ("{{ Event.points | plus: Wallet.active }}", "320"),
    ],
)
def test_the_roots_have_the_values_under_their_names_on_the_wire(source: str, shown: str) -> None:
    assert text(source) == shown


@pytest.mark.parametrize(
    ("points", "shown"),
    [
        (120, "120"),
        (120.0, "120"),
        (12.5, "12.5"),
        (Decimal("120.000"), "120"),
        (Decimal("12.5"), "12.5"),
        (Decimal("0.001"), "0.001"),
        (0, "0"),
        (9_007_199_254_740_991, "9007199254740991"),
    ],
)
def test_points_are_shown_without_a_needless_fraction(points: object, shown: str) -> None:
    assert text("{{ Event.points }}", with_event(points=points)) == shown


def test_arithmetic_is_exact_for_what_decimals_can_tell() -> None:
    assert text("{{ 0.1 | plus: 0.2 }} {{ Event.points | times: 0.15 }}") == "0.3 18.0"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{{ Event.couponCode }}", "Event.couponCode"),
        ('{{ Event["Sale Day"] }}', 'Event["Sale Day"]'),
        ("{{ Profile.nickname | upcase }}", "Profile.nickname"),
        ("{{ Profile.nickname | size }}", "Profile.nickname"),
        ("{{ 'x' | append: Profile.nickname }}", "Profile.nickname"),
        ("{{ Event.points | times: Profile.factor }}", "Profile.factor"),
        ("{{ Profile.factor | times: 2 }}", "Profile.factor"),
        ("{{ Profile.birthday | date: '%d' }}", "Profile.birthday"),
        ("{{ Profile.nickname | default: Profile.alias }}", "Profile.alias"),
        ("{% assign x = Profile.nickname %}{{ x }}", "Profile.nickname"),
        ("{% for x in Profile.list %}{{ x }}{% endfor %}", "Profile.list"),
        ("{% if false %}{% assign x = 1 %}{% endif %}{{ x }}", "x"),
        ("{{ Profile.first }}", "Profile.first"),
        ("{{ Profile.size }}", "Profile.size"),
    ],
)
def test_what_is_missing_and_unguarded_is_named(source: str, name: str) -> None:
    assert missing(source) == name


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{% if Event.couponCode %}with{% else %}without{% endif %}", "without"),
        ("{% unless Event.couponCode %}without{% endunless %}", "without"),
        ("{% if Event.couponCode == 'X' %}X{% else %}not X{% endif %}", "not X"),
        ("{% if Event.couponCode > 5 %}more{% else %}not more{% endif %}", "not more"),
        ("{% if Profile.tags contains 'x' %}x{% else %}no x{% endif %}", "no x"),
        ("{% if Event.couponCode and Event.couponCode == 'X' %}X{% endif %}.", "."),
        ("{% case Event.couponCode %}{% when 'X' %}X{% else %}none{% endcase %}", "none"),
        ("{{ Event.couponCode | default: 'none' | upcase }}", "NONE"),
        ("{% assign c = Event.couponCode | default: 'none' %}{{ c }}", "none"),
        ("{{ Profile.a | default: Profile.b | default: 'c' }}", "c"),
    ],
)
def test_a_missing_property_can_be_guarded(source: str, shown: str) -> None:
    assert text(source) == shown


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% abort %}", ""),
        ("{% abort 'too few points' %}", "too few points"),
        ("x{% if Event.points > 100 %}{% abort 'many' %}{% endif %}", "many"),
        ("{% for i in (1..3) %}{% if i == 2 %}{% abort i %}{% endif %}{% endfor %}", "2"),
        ("{% abort Profile.tier | append: '!' %}", "gold!"),
        ("{% capture x %}{% abort 'within' %}{% endcapture %}", "within"),
        ("{% case 1 %}{% when 1 %}{% abort 'a\nb' %}{% endcase %}", "a b"),
        ("{% assign a = '0123456789' %}{% abort a | append: a %}", "01234567890123456789"),
    ],
)
def test_abort_cancels_the_send_with_its_reason(source: str, reason: str) -> None:
    assert made(source) == Aborted(reason)


def test_an_abort_in_any_part_is_one_of_the_message() -> None:
    assert of(Template("{% abort 'subject' %}", "x")) == Aborted("subject")
    assert of(Template("s", "x", "<p>{% abort 'html' %}</p>")) == Aborted("html")


def test_an_abort_that_is_not_reached_does_nothing() -> None:
    assert text("a{% if Event.points > 1000 %}{% abort %}{% endif %}b") == "ab"


def test_html_escapes_values_and_text_does_not() -> None:
    message = Template("{{ Profile.Name }}", "{{ Profile.Name }}", "<p>{{ Profile.Name }}</p>")

    assert of(message) == Rendered(
        "Ann <b>& Co</b>", "Ann <b>& Co</b>", "<p>Ann &lt;b&gt;&amp; Co&lt;/b&gt;</p>"
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{ Profile.Name | append: '<i>' | prepend: '<i>' }}",
        "{{ Profile.Name | replace: 'Ann', '<i>' }}",
        "{{ Profile.Name | split: ' ' | join: '<i>' }}",
        "{{ Profile.Name | escape | escape_once }}",
        "{{ Profile.Name | url_encode | url_decode }}",
        "{{ Profile.Name | strip_newlines | newline_to_br }}",
        "{% capture x %}{{ Profile.Name }}{% endcapture %}{{ x }}",
        "{% assign x = Profile.Name | slice: 0, 12 %}{{ x }}",
        "{{ '' | default: Profile.Name }}",
        "{{ Profile.Name | truncate: 12 | upcase }}",
        "{% cycle Profile.Name, 'x' %}",
        "{% for x in Profile.Name %}{{ x }}{% endfor %}",
        "{{ Profile.Name | date: '%d' }}",
    ],
)
def test_no_filter_lets_a_value_become_markup(source: str) -> None:
    shown = html(source)

    assert shown
    assert "<b>" not in shown.lower()


@pytest.mark.parametrize("filter_", ["safe", "escapejs", "base64_decode"])
def test_filters_that_undo_escaping_are_not_there(filter_: str) -> None:
    assert refused(f"{{{{ 'x' | {filter_} }}}}") == f"unknown filter '{filter_}'"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("Two\nlines", "Two lines"),
        ("{{ Profile.Name }}\r\nBcc: all@example.com", "Ann <b>& Co</b> Bcc: all@example.com"),
        ("  a \t b\u2028c\x0bd  ", "a b cd"),
        ("a\x00b\x1bc\x7fd\x85e", "abcde"),
        ("family: 👨\u200d👩\u200d👧", "family: 👨\u200d👩\u200d👧"),
    ],
)
def test_a_subject_is_one_line_without_control_characters(source: str, shown: str) -> None:
    assert subject(source) == shown


def test_values_break_no_subject_either() -> None:
    ann = replace(ANN, profile={"Name": "Ann\r\nBcc: all@example.com"})

    assert subject("For {{ Profile.Name }}", ann) == "For Ann Bcc: all@example.com"


def test_a_body_keeps_its_lines_and_loses_control_characters() -> None:
    assert text("a\r\n\tb\n\x00c{{ '%00%1B' | url_decode }}") == "a\r\n\tb\nc"


def test_what_differs_from_python_liquid_in_spelling_is_as_in_liquid() -> None:
    assert text("{{ true | append: '!' }} {{ 'a' | append: false }}") == "true! afalse"


def test_a_zone_that_is_none_is_an_outcome() -> None:
    outcome = refused("x", replace(ANN, time_zone="Mars/Olympus"))

    assert "Mars/Olympus" in outcome
