"""The check of a template when it is saved: what is wrong, where, and what was probably meant."""

import pytest

from campaigns.liquid import Template, TemplateFault
from campaigns.liquid.check import check
from campaigns.liquid.environment import TAGS
from campaigns.liquid.filters import FILTERS
from tests.templates.scenes import ROOTS, fault


@pytest.mark.parametrize(
    "source",
    [
        "plain text",
        "{{ Event.points }}",
        '{{ Event["CT Source"] }}{{ Event[\'points\'] }}{{ ["Event"].points }}',
        '{{ Profile.Name | default: "there" }}',
        "{{ Profile.anything }}{{ Profile['any thing'] }}{{ Profile.tags.first }}",
        "{{ Event.couponCode.size }}",
        "{% if Event.points > 100 and Wallet.active > 0 %}{{ Campaign.name }}{% endif %}",
        "{% assign x = Event.points | times: 2 %}{{ x }}",
        "{% capture x %}a{% endcapture %}{{ x }}",
        "{% for i in (1..Event.points) %}{{ i }}{{ forloop.index }}{% endfor %}",
        "{% for i in (1..2) %}{% if seen %}{{ seen }}{% endif %}{% assign seen = i %}{% endfor %}",
        "{% tablerow i in (1..2) %}{{ tablerowloop.col }}{% endtablerow %}",
        "{% increment n %}{{ n }}",
        "{% assign list = 'a,b' | split: ',' %}{% assign n = 1 %}{{ list[n] }}{{ list[0] }}",
        "{% raw %}{{ event.points }}{% oops %}{% endraw %}",
        "{% comment %}{{ event.points }}{% oops %}{% comment %}{% endcomment %}{% endcomment %}",
        "{% # a comment %}",
        "{% abort %}",
        "{% abort Profile.tier %}",
        "{{ 'now' | date: '%d' }}{{ Event.eventTimestamp | date: '%H:%M' }}",
        "{%- if true -%} a {%- else -%} b {%- endif -%}",
        "{{ Event.couponCode | split: ',' | first | divided_by: 2 }}",
        "{{ 100 | divided_by: Profile.factor }}",
    ],
)
def test_finds_nothing_in(source: str) -> None:
    assert fault(source) is None


@pytest.mark.parametrize(
    ("source", "found"),
    [
        # roots
        ("{{ event.points }}", ("unknown name `event`", 1, 4, "Event")),
        ("{{ profile.Name }}", ("unknown name `profile`", 1, 4, "Profile")),
        ("a\nbc {{ Evnt.points }}", ("unknown name `Evnt`", 2, 7, "Event")),
        ("{{ points }}", ("unknown name `points`", 1, 4, "Event.points")),
        ("{{ pointsName }}", ("unknown name `pointsName`", 1, 4, "Wallet.pointsName")),
        ("{{ qqq }}", ("unknown name `qqq`", 1, 4, None)),
        ("{{ now }}", ("unknown name `now`", 1, 4, None)),
        ("{% assign total = 1 %}{{ totl }}", ("unknown name `totl`", 1, 26, "total")),
        ("{% for i in (1..2) %}{% endfor %}{{ i }}", ("unknown name `i`", 1, 37, None)),
        ("{{ 1 }}{{ forloop.index }}", ("unknown name `forloop`", 1, 11, None)),
        # properties
        ("{{ Event.ponts }}", ("`Event` has no property `ponts`", 1, 10, "Event.points")),
        ("{{ Event.Points }}", ("`Event` has no property `Points`", 1, 10, "Event.points")),
        (
            "{{ Event['CT source'] }}",
            ("`Event` has no property `CT source`", 1, 11, 'Event["CT Source"]'),
        ),
        ("{{ Wallet.actve }}", ("`Wallet` has no property `actve`", 1, 11, "Wallet.active")),
        ("{{ Campaign.title }}", ("`Campaign` has no property `title`", 1, 13, None)),
        ("{{ Event.size }}", ("`Event` has no property `size`", 1, 10, None)),
        ("{{ Event[0] }}", ("`Event` has no property `0`", 1, 10, None)),
        (
            "{% if true %}\n  {{ 1 | plus: Event.pionts }}{% endif %}",
            ("`Event` has no property `pionts`", 2, 22, "Event.points"),
        ),
        (
            "{{ Event.points.sum }}",
            ("`Event.points` is one value, without properties", 1, 10, "Event.points"),
        ),
        # bare roots, dynamic segments
        (
            "{{ Event }}",
            (
                "`Event` has no value of its own: name a property of it",
                1,
                4,
                'Event["CT Source"]',
            ),
        ),
        (
            "{% for p in Profile %}{% endfor %}",
            ("`Profile` has no value of its own: name a property of it", 1, 13, "Profile.Name"),
        ),
        (
            "{% assign e = Wallet %}",
            ("`Wallet` has no value of its own: name a property of it", 1, 15, "Wallet.id"),
        ),
        (
            "{% assign k = 'points' %}{{ Event[k] }}",
            ("a property of `Event` must be written out", 1, 29, None),
        ),
        (
            "{% assign k = 'a' %}{{ Profile[k] }}",
            ("a property of `Profile` must be written out", 1, 24, None),
        ),
        (
            "{{ Profile.tags[Event.points] }}",
            ("a property of `Profile` must be written out", 1, 4, None),
        ),
        ("{% assign k = 'a' %}{{ [k].x }}", ("a name must be written out here", 1, 24, None)),
        (
            "{% assign Event = 1 %}",
            ("`Event` has a meaning of its own: take another name", 1, 11, None),
        ),
        (
            "{% for Profile in (1..2) %}{% endfor %}",
            ("`Profile` has a meaning of its own: take another name", 1, 8, None),
        ),
        # filters and tags
        ("{{ 'a' | upcas }}", ("unknown filter `upcas`", 1, 10, "upcase")),
        ("{% assign x = 1 | pluss: 1 %}", ("unknown filter `pluss`", 1, 19, "plus")),
        ("{{ 'a' | safe }}", ("unknown filter `safe`", 1, 10, None)),
        ("{% unles true %}{% endunles %}", ("unknown tag `unles`", 1, 4, "unless")),
        ("{% abbort %}", ("unknown tag `abbort`", 1, 4, "abort")),
        ("{% include 'x' %}", ("unknown tag `include`", 1, 4, None)),
        ("{% render 'x' %}", ("unknown tag `render`", 1, 4, None)),
        ("{% extends 'x' %}", ("unknown tag `extends`", 1, 4, None)),
        ("{% macro x %}", ("unknown tag `macro`", 1, 4, None)),
        ("{% liquid\necho 1 %}", ("unknown tag `liquid`", 1, 4, None)),
        ("{% %}", ("a tag without a name", 1, 4, None)),
        # syntax
        ("a {{ Event.points", ("`{{` is never closed", 1, 3, None)),
        ("a {% if true", ("`{%` is never closed", 1, 3, None)),
        ("a\n{% if true %}b", ("`{% if %}` is never closed", 2, 4, "{% endif %}")),
        ("{% raw %}", ("`{% raw %}` is never closed", 1, 4, "{% endraw %}")),
        ("{% comment %}", ("`{% comment %}` is never closed", 1, 4, "{% endcomment %}")),
        (
            "{% if true %}{% endfor %}",
            ("`{% endfor %}` closes nothing that is open here", 1, 17, "endif"),
        ),
        ("{% endif %}", ("`{% endif %}` closes nothing that is open here", 1, 4, None)),
        ("{% else %}", ("unexpected tag 'else'", 1, 4, None)),
        ("{% break %}", ("unexpected 'break'", 1, 4, None)),
        ("{{ Event. }}", ("expected an identifier, found end of expression", 1, 4, None)),
        (
            "{{ Event.points | plus 2 }}",
            ("expected end of expression, found integer", 1, 24, None),
        ),
        ("{% assign x %}", ("expected '=', found end of expression", 1, 11, None)),
        # what one render shows
        ("ab {{ 1 | divided_by: 0 }}", ("divided_by: can't divide by 0", 1, 11, None)),
        ("{{ 'now' | date: '%Q' }}", ("date: unknown directive '%Q'", 1, 12, None)),
        ("{{ 'a' | slice }}", ("slice: can't be used so: see what it takes", 1, 10, None)),
        ("{{ 'a' | upcase: 1 }}", ("upcase: can't be used so: see what it takes", 1, 10, None)),
        (
            "{% if 'a' > 1 %}{% endif %}",
            ("'<' and '>' are not supported between 'int' and 'str'", 1, 11, None),
        ),
    ],
)
def test_finds_where_it_is_and_what_was_meant(
    source: str, found: tuple[str, int, int, str | None]
) -> None:
    assert fault(source) == found


@pytest.mark.parametrize("body", ["", "   ", "\n\t"])
def test_a_message_needs_a_body(body: str) -> None:
    assert check(Template("s", body, "<p>x</p>"), ROOTS) == TemplateFault(
        "a message needs a body", "body", 1, 1
    )


def test_every_part_is_checked_and_named() -> None:
    bad = "{{ Event.ponts }}"
    said = ("`Event` has no property `ponts`", 1, 10, "Event.points")

    for part, message in {
        "subject": Template(bad, "x"),
        "body": Template("s", bad, bad),
        "html": Template("s", "x", bad),
    }.items():
        found = check(message, ROOTS)
        assert found
        assert (found.message, found.line, found.column, found.suggestion) == said
        assert found.field == part


def test_what_one_part_assigns_the_others_do_not_know() -> None:
    found = check(Template("{% assign x = 1 %}s", "{{ x }}"), ROOTS)

    assert found
    assert (found.message, found.field) == ("unknown name `x`", "body")


def test_a_line_is_counted_whatever_ends_it() -> None:
    assert fault("a\r\nb\r\n  {{ x }}") == ("unknown name `x`", 3, 6, None)


def test_every_tag_and_filter_is_known_to_the_check() -> None:
    """A tag that the scan doesn't know, or a filter without its bounds, would show here."""
    assert fault("{% nosuchtag %}") == ("unknown tag `nosuchtag`", 1, 4, None)
    assert {tag.name for tag in TAGS} >= {"abort", "assign", "for", "if", "#"}
    assert all(getattr(act, "with_context", False) for act in FILTERS.values())
