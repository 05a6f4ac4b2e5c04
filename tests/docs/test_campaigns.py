"""docs/campaigns.md: its events, states, gates, reasons and bounds are the code's."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from campaigns.channels.retries import REPEATABLE
from campaigns.checks import DAY_US, OF_CREDITS, SPAN_MAX_US
from campaigns.conditions import FILTERS_MAX, LISTED_MAX, NEGATIONS, OPS, TEXT_MAX
from campaigns.evaluator import DEPTH_MAX
from campaigns.gates import STALE_US, End, Facts, Go, Hold, judge
from campaigns.lifecycle import LISTENING, MOVES
from campaigns.properties import PROFILE, SCHEMAS, EventProperty
from campaigns.reach import EVENTS_MAX
from models.campaigns import KINDS
from models.deliveries import ABSENCES, REASONS, STATUSES

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGNS = (ROOT / "docs" / "campaigns.md").read_text("utf-8")


def table(head: str) -> list[list[str]]:
    """The cells of each row of the table whose head begins with this cell."""
    rows = (
        CAMPAIGNS.partition(f"\n| {head} |" if head else "\n| | ")[2]
        .partition("\n\n")[0]
        .splitlines()[2:]
    )
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
    assert f"looks through the log's last {EVENTS_MAX:,} events at most" in CAMPAIGNS
    assert f"at most {DEPTH_MAX} rewards follow from one another" in CAMPAIGNS
    assert f"a gap or a goal's time is at most {SPAN_MAX_US // DAY_US} days" in CAMPAIGNS
    assert STALE_US == DAY_US
    assert "what had been due for more than a day is" in CAMPAIGNS


# ── what becomes of campaigns and deliveries ──────────────────────────────────────────────────────


def steps(after: str) -> set[tuple[str, str, str]]:
    """From where to where by what, of the diagram that comes first after a heading."""
    diagram = CAMPAIGNS.partition(f"\n## {after}\n")[2].partition("```mermaid")[2]
    found = re.findall(r"^ +(\S+) --> (\S+)(?:: (.*))?$", diagram.partition("```")[0], re.MULTILINE)
    return {(one, other, by) for one, other, by in found if one != "[*]"}


def test_every_move_of_a_campaign_is_drawn() -> None:
    moves = {
        (one, other, f"{move}Campaign")
        for move, becomes in MOVES.items()
        for one, other in becomes.items()
        if move != "update"
    }

    assert steps("A campaign's life") == moves | {
        (status, "COMPLETED", "endsAt") for status in LISTENING
    }


def test_every_status_of_a_delivery_is_drawn() -> None:
    drawn = steps("What becomes of a delivery")

    assert {status for one, other, _ in drawn for status in (one, other)} == {*STATUSES, "DUE"}


def test_every_absence_is_told() -> None:
    assert [name for name, _ in table("absence")] == [f"`{name}`" for name in ABSENCES]
    told = [name for name in SCHEMAS if name in OF_CREDITS]
    assert f"goes with what tells of one credit: {code(told)}." in CAMPAIGNS


def test_every_reason_is_told_and_given_somewhere() -> None:
    assert [name for name, _ in table("reason")] == [f"`{name}`" for name in REASONS]
    files = [*(ROOT / "campaigns").rglob("*.py"), *(ROOT / "ledger").glob("*.py")]
    written = "".join(path.read_text("utf-8") for path in files)
    assert [name for name in REASONS if f'"{name}"' not in written] == []


SHUT = Facts(
    status="COMPLETED",
    finishes=False,
    resumed_at=STALE_US + 1,
    due_at=0,
    excluded="CREDIT_REDEEMED",
    is_erased=True,
    suits=False,
    no_address="none",
    is_held_out=True,
    is_placed=False,
    is_taken=True,
    is_too_soon=False,
    is_full=True,
    quiet_until=1,
    drops_when_quiet=True,
    rate_until=2,
    pays=False,
    sends=True,
)
OPENED: list[dict[str, Any]] = [
    {"status": "STOPPED"},
    {"status": "RUNNING"},
    {"resumed_at": None},
    {"excluded": None},
    {"is_erased": False},
    {"suits": True},
    {"no_address": None},
    {"is_held_out": False},
    {"is_taken": False},
    {"is_full": False},
    {"quiet_until": None},
    {"rate_until": None},
]
"""What opens each gate, in their order."""


def test_the_gates_stand_in_the_order_told() -> None:
    """With all of them shut, the first ends it; once that is open, the next does."""
    facts, gates = SHUT, [cell for _, _, cell in table("")]
    for told, opened in zip(gates, OPENED, strict=True):
        match judge(facts):
            case End(status, reason):
                named = re.findall(r"`(\w+)`", told)
                assert named[0] == status
                assert reason in named[1:] if reason else named[1:] == []
            case verdict:
                assert (told, verdict) == ("", Hold(2))
        facts = replace(facts, **opened)

    assert judge(facts) == Go("MESSAGE")


def test_a_reward_is_paid_past_the_gates_told() -> None:
    paid_at = next(
        place for place, row in enumerate(table("")) if "now the reward is paid" in row[1]
    )
    facts = replace(SHUT, pays=True)
    for opened in OPENED[:paid_at]:
        if "no_address" not in opened:
            facts = replace(facts, **opened)

    assert judge(facts) == Go("REWARD")


def test_every_channel_is_told_with_what_may_be_sent_again() -> None:
    told = {name: fate for names, _, fate in table("channel") for name in names.split()}

    assert told.keys() == {f"`{kind}`" for kind in KINDS}
    assert {name.strip("`") for name, fate in told.items() if "UNKNOWN" in fate} == (
        {*KINDS} - REPEATABLE
    )
