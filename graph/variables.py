"""Variables: what an operation's values come to, before they are read as the schema's types.

To read a value takes time for each part of it, so that lists are measured first.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLSchema,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    TypeNode,
    get_named_type,
    get_nullable_type,
    type_from_ast,
)

SIZE_MAX: Final = 1_000
"""Nothing that a variable may count is longer; what is, is refused where it stands."""

NUMBER_BOUND: Final = 2**63


class Variables:
    """Those of some operations that may be long, or say how long a list is."""

    def __init__(
        self, schema: GraphQLSchema, operations: Sequence[OperationDefinitionNode]
    ) -> None:
        defined = [each for one in operations for each in one.variable_definitions or ()]
        self._counting = [
            (each.variable.name.value, _size(each.default_value))
            for each in defined
            if _may_count(each.type)
        ]
        kinds = [(each.variable.name.value, type_from_ast(schema, each.type)) for each in defined]
        self._listing = [(name, kind) for name, kind in kinds if kind and _holds_lists(kind)]

    def sizes(self, values: Mapping[str, Any]) -> dict[str, int]:
        """Whole numbers as they are, and lists by length: of what is given, and else by default."""
        sizes: dict[str, int] = {}
        for name, default in self._counting:
            size = _size(values[name]) if name in values else default
            if size is not None:
                sizes[name] = min(max(size, 0), SIZE_MAX)
        return sizes

    def long_list(self, values: Mapping[str, Any], items_max: int) -> int | None:
        """The length of a list that is longer than this, where the types want one.

        A JSON value is none of them: it is taken as it is.
        """
        for name, kind in self._listing:
            for length in _lengths(values.get(name), kind):
                if length > items_max:
                    return length
        return None


def _may_count(kind: TypeNode) -> bool:
    if isinstance(kind, NonNullTypeNode):
        kind = kind.type
    return isinstance(kind, ListTypeNode) or (
        isinstance(kind, NamedTypeNode) and kind.name.value == "Int"
    )


def _size(value: Any) -> int | None:
    match value:
        case IntValueNode():
            return int(value.value)
        case ListValueNode():
            return len(value.values)
        case list():
            return len(value)
        case bool():
            return None
        case int() | float() if abs(value) < NUMBER_BOUND:
            return int(value)
        case _:
            return None


def _lengths(value: object, kind: Any) -> Iterator[int]:
    """Of each list in a value: a longer one before what is in it."""
    kind = get_nullable_type(kind)
    if not _holds_lists(kind):
        return
    if isinstance(kind, GraphQLList):
        items = value if isinstance(value, list) else [value]
        yield len(items)
        for each in items if _holds_lists(kind.of_type) else ():
            yield from _lengths(each, kind.of_type)
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        for name, field in kind.fields.items():
            yield from _lengths(value.get(name), field.type)


def _holds_lists(kind: Any) -> bool:
    kind = get_nullable_type(kind)
    return isinstance(kind, GraphQLList) or _inputs_hold_lists(get_named_type(kind))


@lru_cache(256)
def _inputs_hold_lists(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, GraphQLInputObjectType) and any(
        _holds_lists(field.type) for field in kind.fields.values()
    )
