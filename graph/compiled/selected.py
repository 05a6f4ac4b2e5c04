"""Selected: what an operation selects of each object, as the executor itself collects it.

Fields that are merged, fragments that apply, and what `@skip` and `@include` leave: nothing of it
is found here anew. The lists that the executor gives are kept, for it knows by them where a field
stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from graphql.execution.collect_fields import collect_fields

TYPENAME: Final = "__typename"

FIELDS_MAX: Final = 250
"""Of an operation that is compiled, each counted for each type that an object may have there. One
takes 0.1 ms to write, and nothing else is done meanwhile."""


class NotCovered(Exception):
    """An operation, or one of its runs, that is left to the executor. `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, eq=False)
class Objects:
    """What is selected of objects of one type. `grouped` is the executor's own."""

    kind: GraphQLObjectType
    grouped: dict[str, Any]
    fields: "list[Field]" = field(default_factory=list)


@dataclass(eq=False)
class Field:
    """One field of them, by the name that it has in the answer. `details` is the executor's own."""

    name: str
    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[Any]
    objects: dict[str, Objects] = field(default_factory=dict)
    """What is selected of what it gives, by the name of each type that this may be of."""

    @property
    def node(self) -> Any:
        """The first of its places in the document."""
        return self.details[0].node

    @property
    def is_typename(self) -> bool:
        """Whether it only asks for the name of the type that it is of."""
        return self.node.name.value == TYPENAME

    @cached_property
    def strawberry(self) -> Any:
        """Strawberry's field behind it; None behind GraphQL's own."""
        return self.definition.extensions.get("strawberry-definition")


class Selection:
    """All that one operation selects. `executor` is one for it, which collects."""

    def __init__(self, executor: Any) -> None:
        """Raises NotCovered."""
        self._executor = executor
        self.count = 0
        self._schema: GraphQLSchema = executor.schema
        kind = self._schema.get_root_type(executor.operation.operation)
        if kind is None:
            raise NotCovered("root")
        grouped, deferred, _ = collect_fields(
            self._schema,
            executor.fragments,
            executor.variable_values,
            kind,
            executor.operation,
            executor.hide_suggestions,
        )
        if deferred:
            raise NotCovered("defer")
        self.root = self._objects(kind, grouped)

    def _objects(self, kind: GraphQLObjectType, grouped: Any) -> Objects:
        objects = Objects(kind, grouped)
        for name, details in grouped.items():
            self.count += 1
            if self.count > FIELDS_MAX:
                raise NotCovered("size")
            objects.fields.append(self._field(kind, name, details))
        return objects

    def _field(self, parent: GraphQLObjectType, name: str, details: Any) -> Field:
        asked = details[0].node.name.value
        definition = self._schema.get_field(parent, asked)
        if definition is None or (asked.startswith("__") and asked != TYPENAME):
            raise NotCovered("introspection")
        found = Field(name, parent, definition, details)
        for kind in self._possible(definition):
            grouped, deferred, _ = self._executor.collect_subfields(kind, details)
            if deferred:
                raise NotCovered("defer")
            found.objects[kind.name] = self._objects(kind, grouped)
        return found

    def _possible(self, definition: GraphQLField) -> Iterator[GraphQLObjectType]:
        kind = get_named_type(definition.type)
        if is_object_type(kind):
            yield kind
        elif is_abstract_type(kind):
            yield from self._schema.get_possible_types(kind)
