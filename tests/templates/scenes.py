"""A scene: Ann was credited 120 points; and short ways to render and check in this very process."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from campaigns.liquid import (
    MissingProperty,
    Outcome,
    Rendered,
    RenderError,
    Roots,
    Scene,
    Template,
    TemplateFault,
)
from campaigns.liquid.check import check
from campaigns.liquid.rendering import parse_message, render
from campaigns.liquid.sources import Fault

ROOTS = Roots(
    event={
        "CT Source": "STRING",
        "points": "NUMBER",
        "saleAmount": "NUMBER",
        "couponCode": "STRING",
        "eventTimestamp": "DATE",
    }
)
ANN = Scene(
    event={
        "CT Source": "API",
        "points": Decimal(120),
        "saleAmount": 12.5,
        "eventTimestamp": datetime(2026, 11, 5, 23, 30, 15, 250_000, tzinfo=UTC),
        "couponCode": None,
    },
    profile={"Name": "Ann <b>& Co</b>", "Email": "ann@example.com", "tier": "gold"},
    wallet={"id": "w-1", "program": "Points", "pointsName": "stars", "active": 200},
    campaign={"id": "c-1", "name": "Spring"},
    time_zone="Europe/Paris",
    now=1_780_000_000_000_000,
)


def made(source: str, scene: Scene = ANN) -> Outcome:
    """What comes of a body."""
    return of(Template(None, source), scene)


def of(message: Template, scene: Scene = ANN) -> Outcome:
    try:
        return render(parse_message(message), scene)
    except Fault as fault:
        return RenderError(fault.message)


def text(source: str, scene: Scene = ANN) -> str:
    """A body's text, which must come."""
    outcome = made(source, scene)
    assert isinstance(outcome, Rendered), outcome
    return outcome.body


def html(source: str) -> str | None:
    outcome = of(Template(None, "x", source))
    assert isinstance(outcome, Rendered), outcome
    return outcome.html


def subject(source: str, scene: Scene = ANN) -> str | None:
    outcome = of(Template(source, "x"), scene)
    assert isinstance(outcome, Rendered), outcome
    return outcome.subject


def missing(source: str) -> str:
    outcome = made(source)
    assert isinstance(outcome, MissingProperty), outcome
    return outcome.name


def refused(source: str, scene: Scene = ANN) -> str:
    """Why a body can't be rendered."""
    outcome = made(source, scene)
    assert isinstance(outcome, RenderError), outcome
    return outcome.message


def fault(source: str) -> tuple[str, int, int, str | None] | None:
    """What the check finds in a body: message, line, column, suggestion."""
    found = check(Template(None, source), ROOTS)
    return found and of_fault(found)


def of_fault(found: TemplateFault) -> tuple[str, int, int, str | None]:
    return found.message, found.line, found.column, found.suggestion


def with_event(**values: Any) -> Scene:
    return replace(ANN, event={**ANN.event, **values})
