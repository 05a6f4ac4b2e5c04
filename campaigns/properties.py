"""Properties: which events campaigns listen to, and what each says, by the names on the wire.

    schema = SCHEMAS["CT Points Credited"]          # what a Who section offers
    properties = properties_of(occurrence)          # {"points": 12.5, "source": "Campaign", …}

Inside, a number is an int or a float as JSON has it, and a date an instant in microseconds; what an
event hasn't is left out, never None. `to_wire` writes dates as RFC 3339 text, `from_wire` reads
them back.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

import orjson

from events.occurrences import Occurrence
from ledger.checks import json_object
from ledger.records import Member
from ledger.refusals import InvalidInput, Path
from models.notation import Unreadable, print_instant, print_points, read_instant

ALIKE_MIN: Final = 0.65
"""How alike two names are, of 1, for one to be meant by the other."""

SUGGESTED_LENGTH_MAX: Final = 100
"""The longest name for which a like one is sought: the search takes the square of it."""


class PropertyType(StrEnum):
    """What a property's values are."""

    STRING = "STRING"
    NUMBER = "NUMBER"
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"


@dataclass(frozen=True, slots=True)
class EventProperty:
    """A property by its name on the wire. `values` are all that it can have, if they are few."""

    name: str
    type: PropertyType
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EventSchema:
    """An event by its name on the wire, and the properties it may have, in the order told.

    `log_name` is its name on the event log.
    """

    name: str
    log_name: str
    properties: Mapping[str, EventProperty]


_SOURCES: Final = {
    "CAMPAIGN": "Campaign",
    "API": "API",
    "MANUAL": "Manual",
    "CASHBACK_COUPON": "Cashback Coupon",
}
_CREDITS: Final = tuple(_SOURCES.values())
_DEBITS: Final = ("API", "Manual")

_COMMON: Final = (
    ("CT Source", "ct_source", PropertyType.STRING),
    ("walletId", "wallet_id", PropertyType.STRING),
    ("transactionId", "transaction_id", PropertyType.STRING),
    ("points", "points", PropertyType.NUMBER),
    ("source", "source", PropertyType.STRING),
    ("campaignId", "campaign_id", PropertyType.STRING),
    ("pointsDescription", "description", PropertyType.STRING),
    ("eventTimestamp", "at", PropertyType.DATE),
    ("pointsExpiry", "expires_at", PropertyType.DATE),
    ("couponCode", "coupon_code", PropertyType.STRING),
    ("couponId", "coupon_id", PropertyType.STRING),
    ("saleChannel", "sale_channel", PropertyType.STRING),
    ("locationId", "location_id", PropertyType.STRING),
    ("saleAmount", "sale_amount", PropertyType.NUMBER),
)
_OF_CREDITS: Final = frozenset(("campaignId", "couponCode", "couponId"))
_EXPIRY: Final = frozenset(("pointsExpiry",))
DATES: Final = tuple(name for name, _, kind in _COMMON if kind is PropertyType.DATE)


def _schema(
    name: str,
    log_name: str,
    sources: tuple[str, ...],
    ct_sources: tuple[str, ...],
    lacks: Collection[str] = (),
) -> EventSchema:
    values = {"source": sources, "CT Source": ct_sources}
    properties = {
        wire: EventProperty(wire, kind, values.get(wire))
        for wire, _, kind in _COMMON
        if wire not in lacks
    }
    return EventSchema(name, log_name, properties)


_ALL: Final = (
    _schema(
        "CT Points Credited",
        "POINTS_CREDITED",
        _CREDITS,
        ("API", "Dashboard", "Campaign", "System"),
    ),
    _schema(
        "CT Points Debited",
        "POINTS_DEBITED",
        _DEBITS,
        ("API", "Dashboard"),
        lacks=_OF_CREDITS | _EXPIRY,
    ),
    _schema("Points Promised", "POINTS_PROMISED", _CREDITS, ("API", "Dashboard", "Campaign")),
    _schema("Points Expiring Soon", "POINTS_EXPIRING_SOON", _CREDITS, ("System",)),
    _schema("Points Expired", "POINTS_EXPIRED", _CREDITS, ("System",), lacks=_EXPIRY),
    _schema("Points Reversed", "POINTS_REVERSED", _CREDITS, ("API",), lacks=_EXPIRY),
    _schema("Points Refunded", "POINTS_REFUNDED", _DEBITS, ("API",), lacks=_OF_CREDITS | _EXPIRY),
)
SCHEMAS: Final[Mapping[str, EventSchema]] = {schema.name: schema for schema in _ALL}
"""The events that campaigns listen to, by their names on the wire."""

EVENT_NAMES: Final[Mapping[str, str]] = {schema.log_name: schema.name for schema in _ALL}
"""The name on the wire of each name on the log."""

_FIELDS: Final = {wire: field for wire, field, _ in _COMMON}
_READ: Final = {
    schema.log_name: (
        tuple(schema.properties),
        attrgetter(*(_FIELDS[wire] for wire in schema.properties)),
    )
    for schema in _ALL
}


def properties_of(occurrence: Occurrence) -> dict[str, Any]:
    """What an occurrence says, by the names on the wire. What it hasn't is left out."""
    names, read = _READ[occurrence.name]
    found = {
        name: value
        for name, value in zip(names, read(occurrence), strict=True)
        if value is not None
    }
    found["points"] = print_points(occurrence.points)
    if occurrence.source is not None:
        found["source"] = _SOURCES[occurrence.source]
    return found


def to_wire(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An event's properties as JSON: dates become RFC 3339 text in UTC."""
    dates = {name: print_instant(properties[name]) for name in DATES if name in properties}
    return {**properties, **dates}


def from_wire(properties: Mapping[str, Any]) -> dict[str, Any]:
    """An event's properties out of their JSON. Raises Unreadable for a date that is none."""
    dates = {name: read_instant(properties[name]) for name in DATES if name in properties}
    return {**properties, **dates}


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Which of the names was likely meant, whatever its case; None if none is like it."""
    if len(name) > SUGGESTED_LENGTH_MAX:
        return None
    folded = {known.casefold(): known for known in names}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=ALIKE_MIN)
    return folded[found[0]] if found else None


def unknown_property(name: str, schema: EventSchema, path: Path) -> InvalidInput:
    """That an event has no such property, and which was likely meant."""
    meant = nearest(name, schema.properties)
    right = f"did you mean {meant}?" if meant else f"it has {', '.join(schema.properties)}."
    shown = name if len(name) <= SUGGESTED_LENGTH_MAX else f"{name[:SUGGESTED_LENGTH_MAX]}…"
    return InvalidInput(f"{schema.name} has no property {shown!r}: {right}", path)


# ── samples ──────────────────────────────────────────────────────────────────────────────────────

_SAMPLE_AT: Final = 1_773_133_200_000_000  # 2026-03-10T09:00:00Z
_MONTH_US: Final = 30 * 86_400_000_000


def sample(event: str) -> dict[str, Any]:
    """What a believable event of this name says: every property that it may have."""
    schema = SCHEMAS[event]
    sources = schema.properties["source"].values or ()
    source = "CASHBACK_COUPON" if _SOURCES["CASHBACK_COUPON"] in sources else "API"
    return properties_of(
        Occurrence(
            position=1,
            id="evt_sample",
            name=schema.log_name,
            wallet_id="wal_sample",
            program_id="prg_sample",
            member_id="mem_sample",
            identity="ann@example.com",
            transaction_id="txn_sample",
            origin_id="txn_sample",
            sequence=1,
            lot_id="lot_sample",
            points=250_000,
            source=source,
            campaign_id="cmp_sample",
            description="Thank you for your order",
            sale_channel="web",
            location_id="lyon-2",
            sale_amount=49.9,
            coupon_code="SPRING10",
            coupon_id="cpn_sample",
            ct_source=(schema.properties["CT Source"].values or ("API",))[0],
            at=_SAMPLE_AT,
            expires_at=_SAMPLE_AT + _MONTH_US,
        )
    )


def check_sample(given: object, schema: EventSchema, path: Path) -> Iterator[InvalidInput]:
    """What is wrong with an event's properties in JSON that somebody made up.

    Those without a fault `from_wire` can read. Any property may be missing.
    """
    faults = [*json_object(given, *path)]
    yield from faults
    if faults or not isinstance(given, Mapping):
        return
    for name, value in given.items():
        known = schema.properties.get(name)
        if known is None:
            yield unknown_property(name, schema, path)
        elif fault := _fault_of(value, known.type):
            yield InvalidInput(f"{name} {fault}.", (*path, name))


def _fault_of(value: object, kind: PropertyType) -> str | None:
    match kind:
        case PropertyType.STRING:
            return None if isinstance(value, str) else "must be a text"
        case PropertyType.NUMBER:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return None if is_number else "must be a number"
        case PropertyType.BOOLEAN:
            return None if isinstance(value, bool) else "must be true or false"
        case PropertyType.DATE:
            try:
                read_instant(value)
            except Unreadable as fault:
                return str(fault)
            return None


# ── profiles ─────────────────────────────────────────────────────────────────────────────────────

PROFILE: Final = ("Name", "Email", "Phone", "Identity", "TimeZone")
"""What every member may have. Attributes stand beside it by their own names."""


def profile_of(member: Member) -> dict[str, Any]:
    """What is known of a member, by the names on the wire; an attribute can't hide one of PROFILE.

    What isn't known is left out. Attributes are as they were given: any JSON, dates as text.
    """
    attributes: dict[str, Any] = orjson.loads(member.attributes)
    own = (member.name, member.email, member.phone, member.identity, member.time_zone)
    known = attributes | dict(zip(PROFILE, own, strict=True))
    return {name: value for name, value in known.items() if value is not None}
