"""docs/campaigns.md: its events, properties and operators are the code's."""

import re
from pathlib import Path

from campaigns.conditions import FILTERS_MAX, LISTED_MAX, NEGATIONS, OPS, TEXT_MAX
from campaigns.properties import PROFILE, SCHEMAS, EventProperty

CAMPAIGNS = (Path(__file__).resolve().parents[2] / "docs" / "campaigns.md").read_text("utf-8")


def table(head: str) -> list[list[str]]:
    """The cells of each row of the table whose head begins with this cell."""
    rows = CAMPAIGNS.partition(f"\n| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def code(names: object) -> str:
    assert isinstance(names, list | tuple)
    return " ".join(f"`{name}`" for name in names)


def properties() -> dict[str, EventProperty]:
    return {name: one for schema in SCHEMAS.values() for name, one in schema.properties.items()}


def of(name: str) -> str:
    """Which events have a property."""
    without = [event for event, schema in SCHEMAS.items() if name not in schema.properties]
    return f"all but {code(without)}" if without else "all"


def test_every_event_is_told_with_its_sources() -> None:
    told = [(event, *values) for event, _, *values in table("event")]

    assert told == [
        (
            f"`{name}`",
            code(schema.properties["CT Source"].values),
            code(schema.properties["source"].values),
        )
        for name, schema in SCHEMAS.items()
    ]


def test_every_property_is_told_with_its_type_and_its_events() -> None:
    told = [(name, kind, events) for name, kind, events, _ in table("property")]

    assert told == [(f"`{name}`", one.type, of(name)) for name, one in properties().items()]
    assert f"A profile has {', '.join(f'`{name}`' for name in PROFILE)}," in CAMPAIGNS


def test_every_operator_is_told_with_its_type() -> None:
    assert table("type") == [[kind, code(ops)] for kind, ops in OPS.items()]
    (negative,) = re.findall(
        r"\*\*What is missing\*\* makes every operator false but (.*)\.", CAMPAIGNS
    )
    assert negative == code([*NEGATIONS])


def test_every_bound_is_told() -> None:
    assert (
        f"has 1 to {TEXT_MAX} characters; `IN` and `NOT_IN` list 1 to {LISTED_MAX} of" in CAMPAIGNS
    )
    assert f"At most {FILTERS_MAX} filters on the event, and {FILTERS_MAX} on the" in CAMPAIGNS
