"""Conversions: inputs, made into the objects that resolvers take.

Strawberry finds out anew with each value how it is to be converted. Here it is found once for each
field: with a batch of a thousand credits, that is most of what would hold up everyone else.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from functools import partial
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.lazy_type import LazyType

Convert = Callable[[Any, InputContext], Any]


def plan_conversions(schema: GraphQLSchema, config: StrawberryConfig) -> None:
    """Have each type of input made by a plan of its own."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            definition: StrawberryObjectDefinition = kind.extensions["strawberry-definition"]
            definition.from_input = Conversion(definition, config)


class Conversion:
    """How one type of input is made from what is given of its fields."""

    def __init__(self, definition: StrawberryObjectDefinition, config: StrawberryConfig) -> None:
        self._fields = {
            config.name_converter.from_field(field): (
                field.python_name,
                _conversion(field.resolve_type(type_definition=definition)),
            )
            for field in definition.fields
        }
        # As Strawberry has it: what is left out and has no default of its own is null.
        self._nulls = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }

    def __call__(self, kind: type, given: Mapping[str, Any], context: InputContext) -> Any:
        made: dict[str, Any] = self._nulls.copy()
        for name, value in given.items():
            attribute, convert = self._fields[name]
            if convert and value is not None:
                made[attribute] = convert(value, context)
            else:
                made[attribute] = value
        return kind(**made)


def _conversion(kind: Any) -> Convert | None:
    """How a value of this type is converted; None where graphql-core has made it already."""
    if isinstance(kind, StrawberryOptional):
        return _conversion(kind.of_type)
    if isinstance(kind, StrawberryList):
        return partial(_convert_each, _conversion(kind.of_type) or _as_it_is)
    if isinstance(kind, LazyType):
        return _conversion(kind.resolve_type())
    if has_object_definition(kind):
        definition: Any = kind.__strawberry_definition__
        return lambda value, context: definition.from_input(kind, value, context)
    return None


def _convert_each(convert: Convert, values: list[Any], context: InputContext) -> list[Any]:
    return [None if value is None else convert(value, context) for value in values]


def _as_it_is(value: Any, _: InputContext) -> Any:
    return value
