"""The check of a message when it is saved: whatever a send would fail on, told with its place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from liquid.exceptions import LiquidError, UndefinedError

from campaigns.liquid.bounds import Budget
from campaigns.liquid.environment import Abort, Values
from campaigns.liquid.names import inspect
from campaigns.liquid.rendering import Setting, fault_of, parse, render_part
from campaigns.liquid.sources import Fault, place
from campaigns.liquid.templates import Kind, Part, Roots, Template, TemplateFault

SAMPLE_AT: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)
SAMPLES: Final[Mapping[Kind, object]] = {
    # A text that is a number, too: the sample shall not fail where a real value wouldn't.
    "STRING": "1",
    "NUMBER": 120,
    "DATE": SAMPLE_AT,
    "BOOLEAN": True,
}


def check(message: Template, roots: Roots) -> TemplateFault | None:
    """Find the first thing wrong: syntax, names, filters, bounds, and what one render shows.

    May take long with a template that is made to: the service asks the renderer for it.
    """
    if not message.body.strip():
        return TemplateFault("a message needs a body", "body", 1, 1)
    setting = _sample(roots)
    budget = Budget()
    parts: tuple[tuple[Part, str | None], ...] = (
        ("subject", message.subject),
        ("body", message.body),
        ("html", message.html),
    )
    for part, source in parts:
        if source is None:
            continue
        try:
            _check_part(source, part, roots, setting, budget)
        except Fault as fault:
            line, column = place(source, fault.at)
            return TemplateFault(fault.message, part, line, column, fault.suggestion)
    return None


def _check_part(source: str, part: Part, roots: Roots, setting: Setting, budget: Budget) -> None:
    template = parse(source, part)
    inspect(template, roots)
    try:
        render_part(template, setting, budget, part)
    except (Abort, UndefinedError):
        return
    except LiquidError as error:
        raise fault_of(error, source) from error
    except MemoryError as error:
        raise Fault("takes too much memory", 0) from error
    except Exception as error:
        raise Fault(f"{type(error).__name__}: {error}", 0) from error


def _sample(roots: Roots) -> Setting:
    return Setting(
        roots={
            "Event": _samples(roots.event),
            "Profile": _AnyProfile({}),
            "Wallet": _samples(roots.wallet),
            "Campaign": _samples(roots.campaign),
        },
        zone=UTC,
        now=SAMPLE_AT,
    )


def _samples(kinds: Mapping[str, Kind]) -> Values:
    return Values({name: SAMPLES[kind] for name, kind in kinds.items()})


class _AnyProfile(Values):
    """A profile that has every attribute."""

    __slots__ = ()

    def __getitem__(self, name: str) -> object:
        return SAMPLES["STRING"]
