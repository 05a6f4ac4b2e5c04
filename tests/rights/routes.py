"""Ways to every field: documents made from the schema itself, so that no field is left out."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

Step = tuple[str, str]
"""A type's name, and one of its fields."""


@dataclass(frozen=True)
class Way:
    """The steps from a root field to a field."""

    kind: str
    steps: tuple[Step, ...]
    ends_in_object: bool

    def document(self, arguments: dict[str, str]) -> str:
        """Ask for nothing but the last field; `arguments` are by `Type.field`."""
        text = "{ __typename }" if self.ends_in_object else ""
        for kind, name in reversed(self.steps[1:]):
            text = f"{{ ... on {kind} {{ {name}{arguments.get(f'{kind}.{name}', '')} {text} }} }}"
        kind, name = self.steps[0]
        return f"{self.kind} {{ {name}{arguments.get(f'{kind}.{name}', '')} {text} }}"

    def follow(self, answer: Any) -> Any:
        """What the answer holds at the way's end; None if there is nothing on the way."""
        for _, name in self.steps:
            while isinstance(answer, list):
                answer = answer[0] if answer else None
            answer = None if answer is None else answer.get(name)
        return answer


def object_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """Every object type of the schema's own."""
    return [
        kind
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
    ]


def fields_of(schema: GraphQLSchema) -> set[Step]:
    """Every field of every object type."""
    return {(kind.name, name) for kind in object_types(schema) for name in kind.fields}


def ways(schema: GraphQLSchema) -> Iterator[Way]:
    """A shortest way to every field, by queries rather than by mutations."""
    roots = (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    )
    seen: set[str] = set()
    for word, root in roots:
        waiting = deque([(cast("GraphQLObjectType", root), cast("tuple[Step, ...]", ()))])
        while waiting:
            kind, before = waiting.popleft()
            if kind.name in seen:
                continue
            seen.add(kind.name)
            for name, field in kind.fields.items():
                steps = (*before, (kind.name, name))
                found = get_named_type(field.type)
                yield Way(word, steps, is_composite_type(found))
                waiting.extend((each, steps) for each in _objects_of(found))


def _objects_of(kind: GraphQLNamedType) -> list[GraphQLObjectType]:
    """The objects that a field of this type may give, where the type alone tells them."""
    each = kind.types if isinstance(kind, GraphQLUnionType) else (kind,)
    return [one for one in each if isinstance(one, GraphQLObjectType)]


def needed_arguments(schema: GraphQLSchema) -> set[str]:
    """The fields that can't be asked for without arguments."""
    return {
        f"{kind.name}.{name}"
        for kind in object_types(schema)
        for name, field in kind.fields.items()
        if any(is_required_argument(argument) for argument in field.args.values())
    }
