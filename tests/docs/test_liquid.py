"""docs/liquid.md: its examples make what it says, and its tables are the code's."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from campaigns.liquid import Template, bounds
from campaigns.liquid.check import check
from campaigns.liquid.environment import TAGS
from campaigns.liquid.filters import FILTERS
from campaigns.liquid.sources import TAG_NAMES
from campaigns.liquid.templates import CAMPAIGN, PROFILE, WALLET
from campaigns.liquid.worker import CPU_S_MAX, MEMORY_BYTES_MAX
from tests.templates.scenes import ANN, ROOTS, text

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "liquid.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```liquid\n(.*?)^```\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LIMITS = (
    bounds.SOURCE_CHARS_MAX,
    bounds.TAGS_AND_PIPES_MAX,
    bounds.TAG_CHARS_MAX,
    bounds.NESTING_MAX,
    bounds.TEXT_CHARS_MAX,
    bounds.LIST_ITEMS_MAX,
    bounds.ITERATIONS_MAX,
    bounds.STEPS_MAX,
    bounds.OUTPUT_BYTES_MAX,
    CPU_S_MAX,
    MEMORY_BYTES_MAX,
)
NAMES_OF_TAGS_WITHIN = {"else", "elsif", "when"}

SCENE = replace(
    ANN,
    event={**ANN.event, "pointsExpiry": datetime(2026, 12, 31, 12, tzinfo=UTC)},
    profile={"Name": "Ann"},
)
KNOWN = replace(ROOTS, event={**ROOTS.event, "pointsExpiry": "DATE"})


def section(title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found


def first_cells(title: str) -> list[str]:
    rows = re.findall(r"^\| (`[^|]+) \|", section(title), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize(("source", "made"), EXAMPLES)
def test_every_example_makes_what_it_says(source: str, made: str) -> None:
    assert check(Template(None, source), KNOWN) is None
    assert text(source, SCENE) == made


def test_no_example_is_without_what_it_makes() -> None:
    assert len(EXAMPLES) == PAGE.count("```liquid") == 4


def test_every_filter_is_told() -> None:
    told = first_cells("Filters")

    assert len(told) == len(set(told))
    assert set(told) == set(FILTERS), "docs/liquid.md: name each filter in the table"


def test_every_tag_is_told() -> None:
    told = first_cells("Tags")
    within = {name for name in TAG_NAMES if not name.startswith("end")}

    assert set(told) == within == {*(tag.name for tag in TAGS), *NAMES_OF_TAGS_WITHIN, "raw"}


def test_every_limit_is_told_with_its_value() -> None:
    told = re.findall(r"^\| \w[^|]+ \| ([\d,.]+) \|", section("Limits"), re.MULTILINE)

    assert told == [f"{limit:,}" for limit in LIMITS]


@pytest.mark.parametrize(
    ("root", "names"), [("Profile", PROFILE), ("Wallet", WALLET), ("Campaign", CAMPAIGN)]
)
def test_every_property_is_told(root: str, names: "tuple[str, ...]") -> None:
    (row,) = re.findall(rf"^\| `{root}` \| (.*) \|$", PAGE, re.MULTILINE)

    assert re.findall(r"`(\w+)`", row) == [*names]
