"""What a template may cost: each bound stops what python-liquid's own limits let through."""

import pytest

from tests.templates.scenes import ANN, fault, made, refused, text, with_event

LONG = with_event(couponCode="y" * 20_000)
DOUBLED = "{% assign a = a | append: a %}"
TEN = "{% assign a = '0123456789' %}"


def test_a_source_has_8_000_characters() -> None:
    assert text("x" * 8_000) == "x" * 8_000
    assert refused("x" * 8_001) == "a template has 8000 characters at most"


def test_tags_outputs_and_pipes_are_counted_before_anything_is_parsed() -> None:
    assert text("{{ 1 }}" * 200) == "1" * 200
    assert text("{{ 1 | plus: 1 }}" * 100) == "2" * 100
    # The last one isn't Liquid at all; nobody looks at it.
    assert refused("{{ 1 }}" * 200 + "{{ ) }}") == "a template has 200 tags and filters at most"
    assert refused("{{ 1" + " | plus: 1" * 200 + "}}") == "a tag has 1000 characters at most"
    assert refused("{{1" + "|abs" * 200 + "}}") == "a template has 200 tags and filters at most"
    assert fault("{% comment %}" * 201) == (
        "a template has 200 tags and filters at most",
        1,
        2601,
        None,
    )


@pytest.mark.parametrize("brace", ["{{", "{%", "{", "{{ {% ", "{%-", "{% raw %}"])
def test_what_is_never_closed_is_never_parsed(brace: str) -> None:
    """8 KB of `{{` take python-liquid's lexer 6 s."""
    source = (brace * 8_000)[:8_000]

    assert "is never closed" in refused(source)


def test_a_tag_has_1_000_characters() -> None:
    assert text("{{" + " " * 990 + "1}}") == "1"
    assert refused("{{" + " " * 999 + "1}}") == "a tag has 1000 characters at most"


def test_blocks_are_nested_10_deep() -> None:
    assert text("{% if true %}" * 10 + "x" + "{% endif %}" * 10) == "x"
    assert refused("{% if true %}" * 11 + "{% endif %}" * 11) == "blocks are nested 10 deep at most"


@pytest.mark.parametrize(
    "source",
    [
        "{{ (1..10000000) | join }}",
        "{% for i in (1..10000000) reversed %}{% endfor %}",
        "{% for i in (1..1000000000) offset: 999999999 limit: 1 %}{% endfor %}",
        "{% assign r = (1..10000000) %}{% if r contains 'a' %}{% endif %}",
        "{% assign a = 1 %}{% assign z = 10000000 %}{% for i in (a..z) %}{% endfor %}",
        "{% tablerow i in (1..10000000) %}{% endtablerow %}",
        "{% if (1..99999999999999999999999) contains 'a' %}{% endif %}",
        "{% case (1..5000) %}{% when 1 %}{% endcase %}",
        "{{ 'a' | append: (1..5000) }}",
        "{% cycle (1..5000) %}",
        "{% assign r = (5..1005) %}",
    ],
)
def test_a_range_has_1_000_numbers(source: str) -> None:
    assert refused(source) == "a range of more than 1000 numbers"


def test_a_range_of_1_000_numbers_is_one() -> None:
    assert text("{{ (5..1004) | size }} {{ (3..1) | size }} {{ ('a'..3) | join }}") == (
        "1000 0 0 1 2 3"
    )


LOOPS = "the template's loops go round more than 5000 times"


def test_loops_are_added_up_one_after_another() -> None:
    """Thousands of sequential loops take python-liquid 5 s."""
    assert text("{% for i in (1..1000) %}{% endfor %}" * 5) == ""
    assert refused("{% for i in (1..1000) %}{% endfor %}" * 6) == LOOPS
    assert refused("{% tablerow i in (1..900) %}{% endtablerow %}" * 6) == LOOPS


def test_loops_are_added_up_within_one_another() -> None:
    inner = "{% for j in (1..98) %}{% endfor %}"

    assert text("{% for i in (1..50) %}" + inner + "{% endfor %}") == ""
    assert refused("{% for i in (1..51) %}" + inner + "{% endfor %}") == LOOPS


STEPS = "the template takes more than 20000 steps"


def test_steps_are_counted_whatever_repeats_them() -> None:
    """Loop times body takes python-liquid 37 s; a `when` may repeat its block without a loop."""
    again = ",".join("1" * 100)
    case = "{% case 1 %}{% when " + again + " %}"

    assert text("{% for i in (1..200) %}" + "{{ i }}" * 95 + "{% endfor %}")
    assert refused("{% for i in (1..1000) %}" + "{{ i | times: i }}" * 50 + "{% endfor %}") == STEPS
    assert refused(case * 4 + "x" + "{% endcase %}" * 4) == STEPS


def test_a_filter_of_long_texts_takes_more_steps() -> None:
    body = "{% for i in (1..999) %}{% assign a = Event.couponCode | upcase %}{% endfor %}"

    assert refused(body, LONG) == STEPS


def test_the_parts_of_a_message_share_steps_and_loops() -> None:
    loop = "{% for i in (1..1000) %}{% endfor %}" * 3

    assert text(loop) == ""
    assert fault(loop) is None
    assert made(loop + loop) == made("{% for i in (1..1000) %}{% endfor %}" * 6)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (TEN + DOUBLED * 12, "a text of more than 20000 characters"),
        (
            "{{ '0000000000'" + " | replace: '0', '0000000000'" * 5 + " }}",
            "replace: a text of more than 20000 characters",
        ),
        (
            TEN + DOUBLED * 10 + "{{ a | replace: '', 'xx' }}",
            "replace: a text of more than 20000 characters",
        ),
        (TEN + "{{ (1..1000) | join: a | join: a }}", None),
        (
            TEN + DOUBLED + "{{ (1..1000) | join: a }}",
            "join: a text of more than 20000 characters",
        ),
        (TEN + DOUBLED * 7 + "{{ a | split: '' }}", "a list of more than 1000 items"),
        (
            "{% assign a = (1..600) | reverse %}{{ a | concat: a }}",
            "a list of more than 1000 items",
        ),
        (
            TEN.replace("0", "&&&&&") + DOUBLED * 10 + "{{ a | escape }}",
            "a text of more than 20000 characters",
        ),
    ],
)
def test_texts_and_lists_are_bounded_before_they_are_made(source: str, message: str | None) -> None:
    """Chained `append` and `replace` take python-liquid a gigabyte."""
    if message is None:
        assert text(source)
    else:
        assert refused(source) == message


@pytest.mark.parametrize(
    "source",
    [
        "{% assign a = 999999999 %}" + "{% assign a = a | times: a %}" * 30,
        "{{ 9223372036854775807 | plus: 1 }}",
        "{{ -9223372036854775807 | minus: 1 }}",
        "{{ 1 | plus: " + "9" * 900 + " }}",
        "{{ '" + "9" * 900 + "' | plus: 1 }}",
    ],
)
def test_whole_numbers_have_64_bits(source: str) -> None:
    assert refused(source) == "a number beyond 9223372036854775807"


@pytest.mark.parametrize(
    "source",
    ["{{ '1e999999999' | split: ',' | sum }}", "{{ 1.5 | modulo: 0 }}", "{{ '1e999' | floor }}"],
)
def test_arithmetic_that_ends_nowhere_is_an_outcome(source: str) -> None:
    assert refused(source)


def test_what_comes_out_is_bounded() -> None:
    body = "{% for i in (1..5) %}{{ Event.couponCode }}{% endfor %}"

    assert len(text(body, LONG)) == 100_000
    assert refused(body + ".", LONG) == "output stream limit reached"
    captured = "{% capture a %}" + body + ".{% endcapture %}"
    assert refused(captured, LONG) == "output stream limit reached"


def test_what_is_kept_is_bounded() -> None:
    kept = "".join(f"{{% assign a{i} = Event.couponCode | append: '' %}}" for i in range(95))
    wide = with_event(couponCode="𝄞" * 20_000)

    assert text(kept, LONG) == ""
    assert refused(kept, wide) == "local namespace limit reached"


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 900 + " }}",
        "{{ " + "a[" * 450 + " }}",
        "{% if " + "a and " * 160 + "%}{% endif %}",
        "{{ " + "'\"" * 450 + " }}",
        "{{ 'a' | " + ": " * 400 + "}}",
    ],
)
def test_nonsense_is_a_fault_with_a_place(source: str) -> None:
    found = fault(source)

    assert found
    assert found[1] == 1
    assert 1 <= found[2] <= len(source) + 1


def test_the_sample_render_meets_the_same_bounds() -> None:
    assert fault("{% for i in (1..1000) %}{% endfor %}" * 6) == (LOOPS, 1, 184, None)
    assert fault("ab {{ 9223372036854775807 | plus: 1 }}") == (
        "a number beyond 9223372036854775807",
        1,
        29,
        None,
    )


def test_a_value_of_any_length_is_shown_but_not_worked_on() -> None:
    scene = with_event(couponCode="y" * 20_001)

    assert len(text("{{ Event.couponCode }}", scene)) == 20_001
    assert refused("{{ Event.couponCode | upcase }}", scene) == (
        "a text of more than 20000 characters"
    )


def test_ann_is_unharmed() -> None:
    assert text("{{ Event.points }}", ANN) == "120"
