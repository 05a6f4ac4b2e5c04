"""Rewriting: documents of hypothesis-graphql, some of whose literals become variables."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from graphql import (
    ArgumentNode,
    GraphQLSchema,
    NameNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    parse_type,
    parse_value,
    print_ast,
    value_from_ast_untyped,
    visit,
)
from hypothesis import strategies as st

from tests.compiled.giving import Give, Giving, plain
from tests.compiled.writing import Asked

OFTEN: Final = 0.4
SPOILT: Final = 0.1


def nodes_of(scalars: Mapping[str, Give]) -> dict[str, st.SearchStrategy[ValueNode]]:
    """A schema's scalars as hypothesis-graphql wants them."""

    def made(give: Give) -> st.SearchStrategy[ValueNode]:
        return st.integers(0, 2**16).map(lambda seed: parse_value(plain(give(Random(seed)))))

    return {name: made(give) for name, give in scalars.items()}


class _Lifting(Visitor):
    """Lifts values out of a document into variables."""

    def __init__(self, chance: Random, types: TypeInfo) -> None:
        super().__init__()
        self.chance = chance
        self.types = types
        self.kinds: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def leave_argument(self, node: ArgumentNode, *_: Any) -> Any:
        return ArgumentNode(name=node.name, value=self.lifted(node.value))

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        return ObjectFieldNode(name=node.name, value=self.lifted(node.value))

    def lifted(self, value: ValueNode) -> ValueNode:
        kind = self.types.get_input_type()
        if kind is None or "$" in print_ast(value) or self.chance.random() > OFTEN:
            return value
        name = f"v{len(self.kinds)}"
        self.kinds[name] = str(kind)
        self.values[name] = value_from_ast_untyped(value)
        return VariableNode(name=NameNode(value=name))


def rewritten(schema: GraphQLSchema, text: str, chance: Random) -> Asked:
    """The operation with some of its values in variables, a few of which are spoilt."""
    types = TypeInfo(schema)
    lifting = _Lifting(chance, types)
    document = visit(parse(text), TypeInfoVisitor(types, lifting))
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    defined = tuple(
        VariableDefinitionNode(
            variable=VariableNode(name=NameNode(value=name)), type=parse_type(kind)
        )
        for name, kind in lifting.kinds.items()
    )
    anew = OperationDefinitionNode(
        operation=operation.operation,
        name=NameNode(value="Anew"),
        variable_definitions=defined,
        selection_set=operation.selection_set,
    )
    giving = Giving(chance, {})
    values = {
        name: giving.spoilt(value) if chance.random() < SPOILT else value
        for name, value in lifting.values.items()
    }
    return Asked(print_ast(anew), values)
