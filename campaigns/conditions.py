"""Conditions: filters of a Who section, checked when they are saved, compiled when published.

    faults = [*check_filters(filters, SCHEMAS[event], ("who", "filters"))]
    holds = compile_filters("ALL", filters)
    holds(properties_of(occurrence), occurrence.at)

A property that isn't there, or isn't of the operator's type, makes every operator false but the
negative ones. Text is compared to the letter, case and all. Numbers are compared as the doubles
that JSON has: 12.3 points are the 12.3 of a filter. `BETWEEN` counts both its ends; `WITHIN_LAST d`
is from `now - d` to `now`, counting both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, Final, Literal

from typing_extensions import TypeIs

from campaigns.properties import (
    PROFILE,
    EventProperty,
    EventSchema,
    PropertyType,
    nearest,
    unknown_property,
)
from ledger.refusals import InvalidInput, Path
from models.notation import Unreadable, read_instant, read_span
from models.texts import fault_in

FILTERS_MAX: Final = 50
"""How many filters a campaign may have on its event, and as many on the profile."""

LISTED_MAX: Final = 100
"""How many values IN and NOT_IN may list."""

TEXT_MAX: Final = 500
NAME_MAX: Final = 100
NUMBER_MAX: Final = 10**15
"""Numbers of a filter are within this, either side of 0: every double carries them exactly."""

Match = Literal["ALL", "ANY"]
Condition = Callable[[Mapping[str, Any], int], bool]
"""Whether it holds of properties at an instant, the event's."""

Faults = Iterator[InvalidInput]


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """What is asked of one property. `value` is JSON, as given; dates and spans are text."""

    property: str
    op: str
    value: Any = None


_THERE: Final = ("EXISTS", "NOT_EXISTS")
OPS: Final[Mapping[PropertyType, tuple[str, ...]]] = {
    PropertyType.STRING: (
        *("EQUALS", "NOT_EQUALS", "IN", "NOT_IN", "CONTAINS", "NOT_CONTAINS"),
        *("STARTS_WITH", "ENDS_WITH"),
        *_THERE,
    ),
    PropertyType.NUMBER: (
        *("EQUALS", "NOT_EQUALS", "GT", "GTE", "LT", "LTE", "BETWEEN"),
        *_THERE,
    ),
    PropertyType.DATE: ("BEFORE", "AFTER", "BETWEEN", "WITHIN_LAST", *_THERE),
    PropertyType.BOOLEAN: ("EQUALS", "NOT_EQUALS", *_THERE),
}
"""The operators of each type of property."""

NEGATIONS: Final = {
    "NOT_EXISTS": "EXISTS",
    "NOT_EQUALS": "EQUALS",
    "NOT_IN": "IN",
    "NOT_CONTAINS": "CONTAINS",
}
"""The negative operators: each is true where its positive is not, so too of what isn't there."""

_ALL_OPS: Final = tuple(dict.fromkeys(op for ops in OPS.values() for op in ops))

# ── checking ─────────────────────────────────────────────────────────────────────────────────────


def check_filters(filters: Sequence[PropertyFilter], schema: EventSchema, path: Path) -> Faults:
    """All that is wrong with filters on an event's properties, each with its place."""
    yield from _check_count(filters, path)
    for number, asked in enumerate(filters[:FILTERS_MAX]):
        place = (*path, str(number))
        known = schema.properties.get(asked.property)
        if known is None:
            yield unknown_property(asked.property, schema, (*place, "property"))
        else:
            yield from _check_filter(asked, known, place)


def check_profile(filters: Sequence[PropertyFilter], path: Path) -> Faults:
    """All that is wrong with filters on a member's profile, each with its place.

    An attribute may be of any type, and so may have any operator.
    """
    yield from _check_count(filters, path)
    for number, asked in enumerate(filters[:FILTERS_MAX]):
        place = (*path, str(number))
        if asked.property in PROFILE:
            known = EventProperty(asked.property, PropertyType.STRING)
            yield from _check_filter(asked, known, place)
        elif fault := fault_in(asked.property, NAME_MAX):
            yield InvalidInput(f"property {fault}.", (*place, "property"))
        elif asked.op not in _ALL_OPS:
            yield _unfit(asked.op, _ALL_OPS, "an attribute", (*place, "op"))
        else:
            yield from _check_value(asked, _types_with(asked.op), (*place, "value"))


def _check_count(filters: Sequence[PropertyFilter], path: Path) -> Faults:
    if len(filters) > FILTERS_MAX:
        message = f"{path[-1]} must have at most {FILTERS_MAX} filters, not {len(filters)}."
        yield InvalidInput(message, path)


def _check_filter(filter: PropertyFilter, known: EventProperty, place: Path) -> Faults:
    ops = OPS[known.type]
    if filter.op not in ops:
        yield _unfit(filter.op, ops, f"{known.name}, a {known.type}", (*place, "op"))
        return
    path = (*place, "value")
    faults = [*_check_value(filter, (known.type,), path)]
    yield from faults
    if not faults and known.values is not None:
        yield from _check_possible(filter, known.name, known.values, path)


def _unfit(op: str, ops: Sequence[str], of: str, path: Path) -> InvalidInput:
    shown = op if op in _ALL_OPS else repr(op[:NAME_MAX])
    return InvalidInput(f"op must be one of {', '.join(ops)} for {of}, not {shown}.", path)


def _types_with(op: str) -> tuple[PropertyType, ...]:
    return tuple(kind for kind, ops in OPS.items() if op in ops)


def _check_value(filter: PropertyFilter, kinds: Sequence[PropertyType], path: Path) -> Faults:
    """What is wrong with a value that may be of these types."""
    op, value = filter.op, filter.value
    match op:
        case "EXISTS" | "NOT_EXISTS":
            if value is not None:
                yield InvalidInput(f"value must be left out: {op} takes none.", path)
        case "IN" | "NOT_IN":
            if not isinstance(value, list) or not 0 < len(value) <= LISTED_MAX:
                yield InvalidInput(f"value must be a list of 1 to {LISTED_MAX} texts.", path)
                return
            for number, one in enumerate(value):
                yield from _check_one(one, kinds, (*path, str(number)))
        case "BETWEEN":
            yield from _check_ends(value, kinds, path)
        case "WITHIN_LAST":
            try:
                if read_span(value) == 0:
                    yield InvalidInput("value must be more than no time at all.", path)
            except Unreadable as fault:
                yield InvalidInput(f"value {fault}.", path)
        case _:
            yield from _check_one(value, kinds, path)


def _check_ends(value: Any, kinds: Sequence[PropertyType], path: Path) -> Faults:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - from, to
        yield InvalidInput("value must be a list of two: the least and the greatest.", path)
        return
    texts = [isinstance(end, str) for end in value]
    if texts[0] != texts[1]:
        yield InvalidInput("value must be a list of two of a kind.", path)
        return
    faults = [
        fault
        for number, end in enumerate(value)
        for fault in _check_one(end, kinds, (*path, str(number)))
    ]
    yield from faults
    if not faults:
        least, greatest = map(read_instant, value) if texts[0] else value
        if least > greatest:
            yield InvalidInput("value must have the lesser of the two first.", path)


def _check_one(value: Any, kinds: Sequence[PropertyType], path: Path) -> Faults:
    """What is wrong with a single value that may be of these types: of the one that it looks like.

    A text is a date where no text can be.
    """
    if isinstance(value, bool) and PropertyType.BOOLEAN in kinds:
        return
    if isinstance(value, str) and PropertyType.STRING in kinds:
        if fault := fault_in(value, TEXT_MAX, breaks=True):
            yield InvalidInput(f"value {fault}.", path)
    elif isinstance(value, str) and PropertyType.DATE in kinds:
        try:
            read_instant(value)
        except Unreadable as fault:
            yield InvalidInput(f"value {fault}.", path)
    elif _is_number(value) and PropertyType.NUMBER in kinds:
        if not -NUMBER_MAX <= value <= NUMBER_MAX:  # so that NaN is refused, too
            yield InvalidInput(f"value must be within {-NUMBER_MAX} and {NUMBER_MAX}.", path)
    else:
        may_be = " or ".join(_IN_WORDS[kind] for kind in kinds)
        yield InvalidInput(f"value must be {may_be}.", path)


_IN_WORDS: Final = {
    PropertyType.STRING: "a text",
    PropertyType.NUMBER: "a number",
    PropertyType.DATE: "a date, like 2026-03-10T09:00:00Z",
    PropertyType.BOOLEAN: "true or false",
}


def _check_possible(filter: PropertyFilter, name: str, values: Sequence[str], path: Path) -> Faults:
    """Whether the property can have the value at all."""
    positive = NEGATIONS.get(filter.op, filter.op)
    if positive == "IN":
        places = {(*path, str(number)): one for number, one in enumerate(filter.value)}
    elif positive == "EQUALS":
        places = {path: filter.value}
    else:
        return
    for place, value in places.items():
        if value not in values:
            meant = nearest(value, values)
            right = f"did you mean {meant}?" if meant else f"it is one of {', '.join(values)}."
            yield InvalidInput(f"{name} is never {value[:NAME_MAX]!r} here: {right}", place)


def _is_number(value: object) -> TypeIs[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


# ── compiling ────────────────────────────────────────────────────────────────────────────────────


def compile_filters(match: Match, filters: Sequence[PropertyFilter]) -> Condition:
    """One condition of checked filters on an event's properties; without any it always holds."""
    return _joined(match, [_condition(asked, _instant) for asked in filters])


def compile_profile(match: Match, filters: Sequence[PropertyFilter]) -> Condition:
    """The same of filters on a profile, where a date is a text that can be read as one."""
    return _joined(match, [_condition(asked, _instant_of_text) for asked in filters])


def _joined(match: Match, conditions: list[Condition]) -> Condition:
    if not conditions:
        return lambda _properties, _now: True
    if len(conditions) == 1:
        return conditions[0]

    joined = all if match == "ALL" else any
    return lambda properties, now: joined(holds(properties, now) for holds in conditions)


_Date = Callable[[Any], int | None]


def _instant(found: Any) -> int | None:
    return found if isinstance(found, int) else None


def _instant_of_text(found: Any) -> int | None:
    try:
        return read_instant(found)
    except Unreadable:
        return None


def _condition(filter: PropertyFilter, date: _Date) -> Condition:
    positive = NEGATIONS.get(filter.op)
    if positive:
        holds = _condition(PropertyFilter(filter.property, positive, filter.value), date)
        return lambda properties, now: not holds(properties, now)
    name, value = filter.property, filter.value
    match filter.op:
        case "EXISTS":
            return lambda properties, _now: name in properties
        case "EQUALS":
            return _equals(name, value)
        case "IN" | "CONTAINS" | "STARTS_WITH" | "ENDS_WITH":
            return _of_text(name, filter.op, value)
        case "BEFORE" | "AFTER" | "WITHIN_LAST":
            return _of_date(name, filter.op, value, date)
        case "BETWEEN" if isinstance(value[0], str):
            return _of_date(name, filter.op, value, date)
        case _:
            return _of_number(name, filter.op, value)


def _equals(name: str, value: Any) -> Condition:
    if _is_number(value):
        return lambda properties, _now: _is_number(found := properties.get(name)) and found == value
    kind = type(value)
    return lambda properties, _now: (
        isinstance(found := properties.get(name), kind) and found == value
    )


def _of_text(name: str, op: str, value: Any) -> Condition:
    tests: dict[str, Callable[[str], bool]] = {
        "IN": frozenset(value).__contains__,
        "CONTAINS": lambda found: value in found,
        "STARTS_WITH": lambda found: found.startswith(value),
        "ENDS_WITH": lambda found: found.endswith(value),
    }
    test = tests[op]
    return lambda properties, _now: isinstance(found := properties.get(name), str) and test(found)


def _of_number(name: str, op: str, value: Any) -> Condition:
    if op == "BETWEEN":
        least, greatest = value
        return lambda properties, _now: (
            _is_number(found := properties.get(name)) and least <= found <= greatest
        )
    compare: Callable[[float, float], bool] = {"GT": gt, "GTE": ge, "LT": lt, "LTE": le}[op]
    return lambda properties, _now: (
        _is_number(found := properties.get(name)) and compare(found, value)
    )


def _of_date(name: str, op: str, value: Any, date: _Date) -> Condition:
    if op == "WITHIN_LAST":
        span = read_span(value)
        return lambda properties, now: (
            (found := date(properties.get(name))) is not None and now - span <= found <= now
        )
    if op == "BETWEEN":
        least, greatest = map(read_instant, value)
        return lambda properties, _now: (
            (found := date(properties.get(name))) is not None and least <= found <= greatest
        )
    compare, than = (lt if op == "BEFORE" else gt), read_instant(value)
    return lambda properties, _now: (
        (found := date(properties.get(name))) is not None and compare(found, than)
    )
