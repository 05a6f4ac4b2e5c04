"""Costs: what a document asks for, counted in one pass before it is validated.

Each fragment is counted once, and what it comes to is used wherever it is spread: fragments within
fragments cost no more to count than their text is long. Only what may be long to make is looked up
in the schema; what is wrong with a document is left to its validation.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from graph.pagination import PAGE_DEFAULT, PAGE_MAX

PLAIN: Final = 1
RESOLVED: Final = 50
"""What a value that is looked up takes, where one that is only printed takes 1: some µs each."""

Sizes = Mapping[str, int]
"""Of an operation's variables, those that say how long a list may be: whole numbers, and lists by
their lengths."""


class Costs(NamedTuple):
    """What one operation of a document comes to; each has a limit of the same name."""

    definitions: int = 0
    directives: int = 0
    aliases: int = 0
    depth: int = 0
    root_mutations: int = 0
    fields: int = 0
    page_product: int = 0
    work: int = 0


class _Part(NamedTuple):
    """What a selection comes to. `width` is how many fields stand in it itself."""

    depth: int = 0
    width: int = 0
    fields: int = 0
    rows: int = 0
    work: int = 0


_NOTHING: Final = _Part()


def up_to(count: int, *, pages: bool = True) -> dict[str, Any]:
    """Metadata of a field that gives a list: how many it may hold. An unmarked one holds few.

    Where it isn't one of `pages`, only the work counts that it takes.
    """
    return {_UP_TO: count, _IS_PAGE: pages}


_UP_TO: Final = "up_to"
_IS_PAGE: Final = "is_page"


def count_costs(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None, sizes: Sizes
) -> Costs:
    """What the operation of this name comes to; without one, the most that any does.

    A directive and an alias count once wherever they stand in the document. Raises RecursionError
    where fragments within fragments are nested beyond all measure.
    """
    counter = _Counter(schema, document, sizes)
    nodes = list(_selections(document))
    fixed = Costs(
        definitions=len(document.definitions),
        directives=sum(len(each.directives or ()) for each in (*nodes, *_heads(document))),
        aliases=sum(isinstance(each, FieldNode) and each.alias is not None for each in nodes),
    )
    counted = [counter.operation(each) for each in operations_of(document, operation_name)]
    return Costs(*map(max, zip(fixed, *counted, strict=True)))


def operations_of(
    document: DocumentNode, operation_name: str | None
) -> list[OperationDefinitionNode]:
    """Those of this name, or all where none is given."""
    return [
        each
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
        and (operation_name is None or (each.name and each.name.value == operation_name))
    ]


def introspects(document: DocumentNode) -> bool:
    """Whether the schema itself is asked for, anywhere. `__typename` isn't it."""
    return any(
        isinstance(each, FieldNode) and each.name.value in {"__schema", "__type"}
        for each in _selections(document)
    )


def _selections(document: DocumentNode) -> Iterator[SelectionNode]:
    """Every field and spread, wherever it stands."""
    stack = [
        each.selection_set
        for each in document.definitions
        if isinstance(each, (OperationDefinitionNode, FragmentDefinitionNode))
    ]
    while stack:
        for each in stack.pop().selections:
            yield each
            if isinstance(each, (FieldNode, InlineFragmentNode)) and each.selection_set:
                stack.append(each.selection_set)


def _heads(document: DocumentNode) -> Iterator[Any]:
    """The other nodes that directives may stand at."""
    for each in document.definitions:
        if isinstance(each, (OperationDefinitionNode, FragmentDefinitionNode)):
            yield each
            yield from each.variable_definitions or ()


class _Counter:
    """Counts the operations of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, sizes: Sizes) -> None:
        self._schema = schema
        self._sizes = sizes
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._known: dict[str, _Part] = {}

    def operation(self, node: OperationDefinitionNode) -> Costs:
        part = self._selected(self._schema.get_root_type(node.operation), node.selection_set)
        return Costs(
            depth=part.depth,
            root_mutations=part.width if node.operation is OperationType.MUTATION else 0,
            fields=part.fields,
            page_product=part.rows,
            work=part.work,
        )

    def _selected(self, kind: GraphQLNamedType | None, node: SelectionSetNode) -> _Part:
        parts = [self._selection(kind, each) for each in node.selections]
        return _Part(
            depth=max((part.depth for part in parts), default=0),
            width=sum(part.width for part in parts),
            fields=sum(part.fields for part in parts),
            rows=sum(part.rows for part in parts),
            work=sum(part.work for part in parts),
        )

    def _selection(self, kind: GraphQLNamedType | None, node: SelectionNode) -> _Part:
        if isinstance(node, FieldNode):
            return self._field(kind, node)
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        assert isinstance(node, InlineFragmentNode)
        if node.type_condition:
            kind = self._schema.get_type(node.type_condition.name.value)
        return self._selected(kind, node.selection_set)

    def _fragment(self, name: str) -> _Part:
        part = self._known.get(name)
        if part is None:
            self._known[name] = _NOTHING  # of one that spreads itself: no document is valid so
            fragment = self._fragments.get(name)
            if fragment is None:
                return _NOTHING
            kind = self._schema.get_type(fragment.type_condition.name.value)
            part = self._known[name] = self._selected(kind, fragment.selection_set)
        return part

    def _field(self, kind: GraphQLNamedType | None, node: FieldNode) -> _Part:
        name = node.name.value
        field = self._definition(kind, name)
        inner = _NOTHING
        if node.selection_set:
            of = get_named_type(field.type) if field else None
            inner = self._selected(of, node.selection_set)
        size = self._size(kind, name, field, node) if field else None
        is_page = field is not None and _metadata(field).get(_IS_PAGE, "first" in field.args)
        return _Part(
            depth=1 if name in {"__schema", "__type"} else 1 + inner.depth,
            width=0 if name == "__typename" else 1,
            fields=1 + inner.fields,
            rows=(size or 1) * max(1, inner.rows) if is_page else inner.rows,
            work=_weight(kind, name) + (size or 1) * inner.work,
        )

    def _definition(self, kind: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)):
            return self._schema.get_field(kind, name)
        return None

    def _size(
        self, kind: GraphQLNamedType | None, name: str, field: GraphQLField, node: FieldNode
    ) -> int | None:
        """How many a field may give; None where that is one, or few."""
        assert kind
        if kind.name.startswith("__"):
            return _described(self._schema).get(name)
        given = {each.name.value: each.value for each in node.arguments or ()}
        if "first" in field.args:
            named = [self._number(given[each]) for each in ("first", "last") if each in given]
            return _within(PAGE_MAX, max(filter(None, named), default=PAGE_DEFAULT))
        bound = _metadata(field).get(_UP_TO)
        if bound is not None:
            for argument, about in field.args.items():
                if argument in given and isinstance(get_nullable_type(about.type), GraphQLList):
                    return _within(bound, self._number(given[argument]) or bound)
        return bound

    def _number(self, value: ValueNode) -> int | None:
        """The number that is written or stands in a variable; of a list, its length."""
        if isinstance(value, VariableNode):
            return self._sizes.get(value.name.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        if isinstance(value, IntValueNode) and len(value.value) <= _DIGITS_MAX:
            return int(value.value)
        return None


_DIGITS_MAX: Final = 18


def _within(bound: int, size: int) -> int:
    """A size that can't be asked for is refused where it is asked for, by its field."""
    return min(max(1, size), bound)


def _metadata(field: GraphQLField) -> Mapping[str, Any]:
    definition = field.extensions.get("strawberry-definition")
    return definition.metadata if definition else {}


def _weight(kind: GraphQLNamedType | None, name: str) -> int:
    """A field that only gives an attribute is printed; see graph.execution."""
    if name.startswith("__") or not isinstance(kind, GraphQLObjectType):
        return PLAIN
    is_printed = kind.name.startswith("__") or name in kind.extensions.get("printed", ())
    return PLAIN if is_printed else RESOLVED


@lru_cache(1)
def _described(schema: GraphQLSchema) -> dict[str, int]:
    """How long the lists are, by and large, in which the schema describes itself."""
    kinds = list(schema.type_map.values())
    objects = [each for each in kinds if isinstance(each, GraphQLObjectType)]
    fields = [field for each in objects for field in each.fields.values()]
    inputs = [each for each in kinds if isinstance(each, GraphQLInputObjectType)]
    enums = [each for each in kinds if isinstance(each, GraphQLEnumType)]
    unions = [each for each in kinds if isinstance(each, GraphQLUnionType)]
    return {
        "types": len(kinds),
        "directives": len(schema.directives),
        "fields": _mean(objects, lambda each: each.fields),
        "args": _mean(fields, lambda each: each.args),
        "inputFields": _mean(inputs, lambda each: each.fields),
        "enumValues": _mean(enums, lambda each: each.values),
        "possibleTypes": _mean(unions, lambda each: each.types),
    }


def _mean(owners: Iterable[Any], of: Callable[[Any], Sequence[Any] | Mapping[str, Any]]) -> int:
    """How many they have, rounded up: of those that have any."""
    counts = [len(of(each)) for each in owners if of(each)]
    return -(-sum(counts) // len(counts)) if counts else 1
