"""Templates: what they are made of, what they may name, and what comes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

Kind = Literal["STRING", "NUMBER", "DATE", "BOOLEAN"]
Part = Literal["subject", "body", "html"]
Value = str | int | float | bool | Decimal | datetime | None

PROFILE: Final = ("Name", "Email", "Phone", "Identity", "TimeZone")
WALLET: Final[Mapping[str, Kind]] = {
    "id": "STRING",
    "program": "STRING",
    "pointsName": "STRING",
    "active": "NUMBER",
    "promised": "NUMBER",
    "held": "NUMBER",
}
CAMPAIGN: Final[Mapping[str, Kind]] = {"id": "STRING", "name": "STRING"}


@dataclass(frozen=True, slots=True)
class Template:
    """A message's sources: `subject` and `body` are text, `html` is HTML."""

    subject: str | None
    body: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Roots:
    """What is known of the roots when a template is saved: names on the wire, and kinds.

    A profile has attributes of any name besides `profile`.
    """

    event: Mapping[str, Kind]
    profile: tuple[str, ...] = PROFILE
    wallet: Mapping[str, Kind] = field(default_factory=lambda: WALLET)
    campaign: Mapping[str, Kind] = field(default_factory=lambda: CAMPAIGN)


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """Why a template can't be saved. `line` and `column` count from 1 and point at the culprit."""

    message: str
    field: Part
    line: int
    column: int
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The values one message is rendered with.

    What is None or absent is missing. Instants are aware datetimes; they, and `now` (microseconds
    UTC), are shown in `time_zone`, the member's. Decimals are shown as ints or floats.
    """

    event: Mapping[str, Value]
    profile: Mapping[str, Value]
    wallet: Mapping[str, Value]
    campaign: Mapping[str, Value]
    time_zone: str
    now: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as it is sent. Its subject is one line."""

    subject: str | None
    body: str
    html: str | None


@dataclass(frozen=True, slots=True)
class Aborted:
    """The template said `{% abort %}`: nothing is to be sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class MissingProperty:
    """The template names, unguarded, what this member or event doesn't have: `Event.couponCode`."""

    name: str


@dataclass(frozen=True, slots=True)
class RenderError:
    """The template can't be rendered with these values, or takes too much to render."""

    message: str


Outcome = Rendered | Aborted | MissingProperty | RenderError
