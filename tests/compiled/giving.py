"""Giving: values of a schema's input types, as literals and as variables, sound and spoilt."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)

Give = Callable[[Random], Any]
"""Makes a value of a scalar, as JSON has it."""

SPOILT: Final = (
    *[None, True, False, 0, 1, -1, 3, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53, 2**63],
    *[2**64, 10**40, 1.0, 1.5, -0.0, 1e308, "", "x", "1", "true", "é", "torn", "CALM", "calm"],
    *[[], [[]], [None], ["x"], [1, "x"], {}, {"x": 1}, {"least": 1}, {"name": "x", "chip": "y"}],
)
"""What may stand anywhere, and is wrong in most places."""

USUAL: Final[dict[str, Give]] = {
    "Int": lambda chance: chance.choice((0, 1, 2, 3, -1, 2**31 - 1)),
    "Float": lambda chance: chance.choice((0.0, 1.5, 2, -3, 1e20)),
    "String": lambda chance: chance.choice(("", "x", "a b", "ü€", '"\\\n', "true")),
    "Boolean": lambda chance: chance.random() < 0.5,
    "ID": lambda chance: chance.choice(("a", "7", 7, "")),
}
DEPTH_MAX: Final = 3
"""So deep an input stands in others of its kind."""
SOMETIMES: Final = 0.15
OFTEN: Final = 0.5
MOSTLY: Final = 0.8


class Giving:
    """Makes values of a schema's input types. `scalars` are the schema's own, by name."""

    def __init__(self, chance: Random, scalars: Mapping[str, Give]) -> None:
        self._chance = chance
        self._scalars = {**USUAL, **scalars}

    def value(self, kind: Any, depth: int = 0) -> Any:
        """A sound value of a type, as JSON has it."""
        chance = self._chance
        if not is_non_null_type(kind) and chance.random() < SOMETIMES:
            return None
        kind = get_nullable_type(kind)
        if is_list_type(kind):
            if chance.random() < SOMETIMES:
                return self.value(kind.of_type, depth + 1)  # an item is a list of one
            return [self.value(kind.of_type, depth + 1) for _ in range(chance.randrange(3))]
        if isinstance(kind, GraphQLEnumType):
            return chance.choice([*kind.values])
        if isinstance(kind, GraphQLInputObjectType):
            return {
                name: self.value(self.asked(kind, field), depth + 1)
                for name, field in self.fields(kind, depth).items()
            }
        return self._scalars[kind.name](chance)

    def fields(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, GraphQLInputField]:
        """Those of an input's fields that are given: all that must be, and some others."""
        if is_one_of(kind):
            name = self._chance.choice([*kind.fields])
            return {name: kind.fields[name]}
        rate = OFTEN if depth < DEPTH_MAX else 0
        given = {
            name: field
            for name, field in kind.fields.items()
            if is_required_input_field(field) or self._chance.random() < rate
        }
        names = [*given]
        self._chance.shuffle(names)
        return {name: given[name] for name in names}

    @staticmethod
    def asked(kind: GraphQLInputObjectType, field: GraphQLInputField) -> Any:
        """What a field's value must be: of a oneOf never null."""
        if is_one_of(kind) and not is_non_null_type(field.type):
            return GraphQLNonNull(field.type)  # type: ignore[arg-type]
        return field.type

    def spoilt(self, value: Any, kind: Any = None) -> Any:
        """The value, a part of which is something else, is missing, or is one too many."""
        chance, kind = self._chance, kind and get_nullable_type(kind)
        if isinstance(value, dict) and value and chance.random() < MOSTLY:
            return self._spoilt_object(value, kind)
        if isinstance(value, list) and value and chance.random() < MOSTLY:
            place = chance.randrange(len(value))
            item = self.spoilt(value[place], kind.of_type if is_list_type(kind) else None)
            return [*value[:place], item, *value[place + 1 :]]
        return chance.choice(SPOILT)

    def _spoilt_object(self, value: dict[str, Any], kind: Any) -> dict[str, Any]:
        chance, name = self._chance, self._chance.choice([*value])
        fields = kind.fields if isinstance(kind, GraphQLInputObjectType) else {}
        match chance.randrange(5):
            case 0:
                return {each: part for each, part in value.items() if each != name}
            case 1:
                return {**value, chance.choice(("unknown", "mots", name.upper())): 1}
            case 2 if fields:
                other = chance.choice([*fields])
                return {**value, other: self.value(fields[other].type, DEPTH_MAX)}
            case _:
                inner = fields[name].type if name in fields else None
                return {**value, name: self.spoilt(value[name], inner)}


def is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether one field of it is given: Strawberry checks it itself, where graphql-core doesn't."""
    return kind.is_one_of or kind.extensions["strawberry-definition"].is_one_of


def literal(kind: Any, value: Any) -> str:
    """A value of a type as a document has it."""
    kind = get_nullable_type(kind)
    if value is None:
        return "null"
    if is_list_type(kind):
        if isinstance(value, list):
            return f"[{', '.join(literal(kind.of_type, each) for each in value)}]"
        return literal(kind.of_type, value)
    if isinstance(kind, GraphQLEnumType):
        return str(value)
    if isinstance(kind, GraphQLInputObjectType):
        parts = [f"{name}: {literal(kind.fields[name].type, each)}" for name, each in value.items()]
        return f"{{{', '.join(parts)}}}"
    return plain(value)


def plain(value: Any) -> str:
    """A JSON value as a document has it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {plain(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    return json.dumps(value)
