"""docs/security.md: its tables of rights, limits and rates are the code's."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from graph.access import DECISIONS, OPEN, Right
from graph.limits import Limits
from server.settings import Settings, listing

SECURITY = (Path(__file__).resolve().parents[2] / "docs" / "security.md").read_text("utf-8")
ROOTS = ("Query", "Mutation", "Subscription")
SCHEMA_S_OWN = re.compile(r"^\| (`[a-z]+:[a-z]+`|`admin`|whoever)")


def rights() -> Iterator[str]:
    """A row for each right, with the fields that need it."""
    needing: dict[Right, list[str]] = {}
    for kind, decided in DECISIONS.items():
        for right, names in decided.items():
            if right is not OPEN or kind in ROOTS:
                prefix = "" if kind in ROOTS else f"{kind}."
                needing.setdefault(right, []).extend(f"`{prefix}{name}`" for name in names.split())
    for right, named in needing.items():
        yield f"| {who(right)} | {' '.join(named)} |"


def who(right: Right) -> str:
    if not right.scopes:
        return "whoever is let in"
    scopes = " and ".join(f"`{scope}`" for scope in right.scopes)
    return f"{scopes}; a member, of their own" if right.member else scopes


def test_every_right_is_told_as_it_is_decided() -> None:
    told = [row for row in SECURITY.splitlines() if SCHEMA_S_OWN.match(row)]

    assert told == [*rights()], "docs/security.md: make the table of rights these lines"


def test_every_limit_is_told_with_its_value() -> None:
    told = re.findall(r"^\| `([a-z_]+)` \| ([\d,]+) \| \w", SECURITY, flags=re.MULTILINE)
    limits = Limits()

    assert told == [(limit.name, f"{getattr(limits, limit.name):,}") for limit in fields(Limits)], (
        "docs/security.md: say what each limit keeps off"
    )


def test_every_rate_is_told_with_its_value() -> None:
    told = dict(re.findall(r"^\| `(rate_\w+)` \| `([^`]+)` \| \w", SECURITY, flags=re.MULTILINE))

    assert told == {
        entry.variable.removeprefix("TUPPENCE_").lower(): entry.default
        for entry in listing(Settings())
        if entry.variable.startswith("TUPPENCE_RATE_")
    }
