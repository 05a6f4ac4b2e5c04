"""Rendering: a message's parts made of its templates and one scene, within bounds.

Runs in the worker. What it can't bound itself, time and memory, is bounded by the process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from liquid.exceptions import LiquidError, UndefinedError
from liquid.template import BoundTemplate

from campaigns.liquid.bounds import Budget
from campaigns.liquid.dates import instant_of
from campaigns.liquid.environment import (
    HTML,
    TEXT,
    Abort,
    MessageContext,
    Values,
    one_line,
    output_buffer,
    printable,
)
from campaigns.liquid.sources import Fault, scan
from campaigns.liquid.templates import (
    Aborted,
    MissingProperty,
    Outcome,
    Part,
    Rendered,
    RenderError,
    Scene,
    Template,
    Value,
)

ZONES_MAX: Final = 64
"""Time zones kept at hand: each is read from a file."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A message's templates, ready to be rendered. What the message hasn't is None."""

    subject: BoundTemplate | None
    body: BoundTemplate
    html: BoundTemplate | None

    def parts(self) -> Iterator[tuple[Part, BoundTemplate]]:
        if self.subject:
            yield "subject", self.subject
        yield "body", self.body
        if self.html:
            yield "html", self.html


@dataclass(frozen=True, slots=True)
class Setting:
    """What a message's parts are rendered in: the roots, and whose time it is."""

    roots: Mapping[str, Values]
    zone: tzinfo
    now: datetime


def parse(source: str, part: Part) -> BoundTemplate:
    """Raises Fault."""
    scan(source)
    try:
        return (HTML if part == "html" else TEXT).from_string(source)
    except LiquidError as error:
        raise fault_of(error, source) from error


def fault_of(error: LiquidError, source: str) -> Fault:
    at = error.token.start_index if error.token and error.token.source == source else len(source)
    return Fault(str(error.message), at)


def parse_message(message: Template) -> Parsed:
    """Raises Fault."""
    return Parsed(
        subject=None if message.subject is None else parse(message.subject, "subject"),
        body=parse(message.body, "body"),
        html=None if message.html is None else parse(message.html, "html"),
    )


def render(parsed: Parsed, scene: Scene) -> Outcome:
    """Never raises: whatever a template does, it is one of the outcomes."""
    try:
        setting = setting_of(scene)
        budget = Budget()
        made = {
            part: render_part(template, setting, budget, part) for part, template in parsed.parts()
        }
        return Rendered(made.get("subject"), made["body"], made.get("html"))
    except Abort as abort:
        return Aborted(abort.reason)
    except UndefinedError as missing:
        return MissingProperty(str(missing.message))
    except LiquidError as error:
        return RenderError(str(error.message))
    except MemoryError:
        return RenderError("took too much memory")
    except Exception as error:  # noqa: BLE001 - python-liquid lets many kinds through
        return RenderError(f"{type(error).__name__}: {error}")


def render_part(template: BoundTemplate, setting: Setting, budget: Budget, part: Part) -> str:
    context = MessageContext(
        template, roots=setting.roots, zone=setting.zone, now=setting.now, budget=budget
    )
    buffer = output_buffer()
    template.render_with_context(context, buffer)
    made = buffer.getvalue()
    return one_line(made) if part == "subject" else printable(made)


def setting_of(scene: Scene) -> Setting:
    zone = _zone(scene.time_zone)
    return Setting(
        roots={
            "Event": _values(scene.event, zone),
            "Profile": _values(scene.profile, zone),
            "Wallet": _values(scene.wallet, zone),
            "Campaign": _values(scene.campaign, zone),
        },
        zone=zone,
        now=instant_of(scene.now),
    )


def _values(given: Mapping[str, Value], zone: tzinfo) -> Values:
    return Values({name: _shown(value, zone) for name, value in given.items() if value is not None})


def _shown(value: Value, zone: tzinfo) -> object:
    """120 for 120.0, never a Decimal, and instants to the second in the member's zone."""
    if isinstance(value, float | Decimal):
        return int(value) if value == value // 1 else float(value)
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(microsecond=0)
    return value


@lru_cache(maxsize=ZONES_MAX)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
