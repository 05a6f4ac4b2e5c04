"""Resuming: by which variable a subscription says where it begins, if by nothing else.

Those who ask the same from different places get the same answers from there on: what is said by
that variable is no part of what they ask.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from graphql import (
    DocumentNode,
    FieldNode,
    NamedTypeNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)

from graph.documents import Operation

RESUMES: Final = "after"
"""The argument of a subscription's field that says where to begin, and nothing else."""


class Resuming(NamedTuple):
    """`by` is the variable; without one, `is_said` is whether the document itself says where."""

    by: str | None
    is_said: bool


SAID: Final = Resuming(None, is_said=True)
NOT_SAID: Final = Resuming(None, is_said=False)


def resuming_of(operation: Operation) -> Resuming | None:
    """How it is said where an operation begins; None for one that is no subscription."""
    if len(operation.nodes) != 1 or operation.nodes[0].operation is not OperationType.SUBSCRIPTION:
        return None
    found = _known.get(operation)
    if found is None:
        found = _known[operation] = _find(operation.document, operation.nodes[0])
    return found


_known: Final[WeakKeyDictionary[Operation, Resuming]] = WeakKeyDictionary()


def _find(document: DocumentNode, operation: OperationDefinitionNode) -> Resuming:
    """Whatever is unusual counts as said."""
    chosen = operation.selection_set.selections
    field = chosen[0] if len(chosen) == 1 else None
    if not isinstance(field, FieldNode):
        return SAID
    values = [each.value for each in field.arguments or () if each.name.value == RESUMES]
    if not values:
        return NOT_SAID
    (value,) = values
    if not isinstance(value, VariableNode):
        return SAID
    name = value.name.value
    defined = operation.variable_definitions or ()
    may_be_absent = any(
        each.variable.name.value == name
        and each.default_value is None
        and isinstance(each.type, NamedTypeNode)
        for each in defined
    )
    # Once where it is defined, and once in the argument.
    is_only_there = sum(found == name for found in _variables_in(document)) == 2  # noqa: PLR2004
    return Resuming(name, is_said=False) if may_be_absent and is_only_there else SAID


def _variables_in(node: Node) -> Iterator[str]:
    """The name of each variable, as often as it stands there."""
    if isinstance(node, VariableNode):
        yield node.name.value
        return
    for key in node.keys:
        for each in _nodes(getattr(node, key)):
            yield from _variables_in(each)


def _nodes(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, (list, tuple)):
        yield from (each for each in value if isinstance(each, Node))
