"""Standard Liquid: what our tags and filters make is what python-liquid makes, byte by byte.

python-liquid passes nearly all of the language's golden cases. What differs on purpose has tests
of its own: what is missing, dates, booleans in texts, and what is bounded.
"""

import pytest
from liquid import Environment

from campaigns.liquid import Rendered, Template
from campaigns.liquid.environment import TAGS as OUR_TAGS
from campaigns.liquid.filters import FILTERS as OUR_FILTERS
from tests.templates.cases import FILTERS, TAGS, VALUES
from tests.templates.scenes import html, of, text

CASES = [case for cases in (FILTERS, TAGS) for templates in cases.values() for case in templates]
TESTED_ELSEWHERE = {"date"}
IN_ANOTHER_GROUP = {"break": "for", "continue": "for", "decrement": "increment", "#": "comment"}
OURS = {"abort"}


@pytest.mark.parametrize("source", CASES)
def test_makes_what_python_liquid_makes(source: str) -> None:
    assert text(VALUES + source) == Environment().from_string(VALUES + source).render()


@pytest.mark.parametrize("source", CASES)
def test_makes_what_python_liquid_makes_as_html(source: str) -> None:
    expected = Environment(autoescape=True).from_string(VALUES + source).render()

    assert html(VALUES + source) == expected


def test_the_cases_are_enough_and_leave_nothing_out() -> None:
    assert len(CASES) >= 150
    assert {*FILTERS, *TESTED_ELSEWHERE} == set(OUR_FILTERS)
    groups = {IN_ANOTHER_GROUP.get(tag.name, tag.name) for tag in OUR_TAGS} - OURS
    assert groups <= set(TAGS)


@pytest.mark.parametrize(
    ("source", "ours", "theirs"),
    [
        ("{{ true | append: '!' }}", "true!", "True!"),
        ("{{ '05-11-2026' | date: '%d %B' }}", "05-11-2026", "11 May"),
        ("{{ 'March 14, 2016' | date: '%d' }}", "March 14, 2016", "14"),
        ("{% if now %}now{% endif %}", "", "now"),
        ("a\x00b", "ab", "a\x00b"),
    ],
)
def test_what_differs_on_purpose(source: str, ours: str, theirs: str) -> None:
    assert of(Template(None, source)) == Rendered(None, ours, None)
    assert Environment().from_string(source).render() == theirs
