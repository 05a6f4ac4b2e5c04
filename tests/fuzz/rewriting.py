"""The same question in other words: fragments, aliases, doubles, directives and variables."""

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
)

from tests.fuzz.documents import SCHEMA, replaced

ALIASES_MAX: Final = 10
DIRECTIVES_MAX: Final = 16
ALIAS: Final = re.compile(r"_also[0-9]+$")


@dataclass
class Rewriter:
    """Writes a document with one query anew, so that it asks for the same."""

    chance: Random
    fragments: list[FragmentDefinitionNode] = field(default_factory=list)
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """By its name, a variable's type and value."""
    words: dict[tuple[str, str], ValueNode] = field(default_factory=dict)
    """What stands for a value of a type: fields that are merged must have the same arguments."""
    aliases: int = 0
    directives: int = 0

    def rewrite(self, text: str) -> tuple[str, dict[str, Any]]:
        """The document anew, and its variables."""
        (operation,) = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert SCHEMA.query_type
        anew = replaced(
            operation,
            name=NameNode(value="Anew"),
            selection_set=self.selections(operation.selection_set, SCHEMA.query_type),
            variable_definitions=tuple(
                VariableDefinitionNode(
                    variable=VariableNode(name=NameNode(value=name)), type=parse_type(kind)
                )
                for name, (kind, _) in self.variables.items()
            ),
        )
        whole = [anew, *self.fragments]
        self.chance.shuffle(whole)
        values = {name: value for name, (_, value) in self.variables.items()}
        return print_ast(DocumentNode(definitions=tuple(whole))), values

    def now_and_then(self) -> bool:
        return self.chance.random() > 0.8

    def selections(self, old: SelectionSetNode, kind: GraphQLNamedType) -> SelectionSetNode:
        anew: list[SelectionNode] = []
        for each in old.selections:
            selection = self.with_variables(each, kind)
            anew.append(self.selection(selection, kind))
            if self.now_and_then():
                anew.append(self.selection(selection, kind))
        self.chance.shuffle(anew)
        if self.now_and_then():
            anew.append(FieldNode(name=NameNode(value="__typename"), directives=self.never()))
        if self.now_and_then():
            cut = self.chance.randint(0, len(anew) - 1)
            anew = [*anew[:cut], self.fragment(anew[cut:], kind)]
        return SelectionSetNode(selections=tuple(anew))

    def selection(self, old: SelectionNode, kind: GraphQLNamedType) -> SelectionNode:
        if isinstance(old, InlineFragmentNode):
            on = SCHEMA.type_map[old.type_condition.name.value] if old.type_condition else kind
            return replaced(old, selection_set=self.selections(old.selection_set, on))
        assert isinstance(old, FieldNode)
        inner = get_named_type(_field_of(kind, old).type)
        return replaced(
            old,
            alias=self.alias(old),
            directives=self.always(),
            selection_set=self.selections(old.selection_set, inner) if old.selection_set else None,
        )

    def with_variables(self, old: SelectionNode, kind: GraphQLNamedType) -> SelectionNode:
        """The field, some of its arguments by variables."""
        if not isinstance(old, FieldNode) or not old.arguments:
            return old
        known = _field_of(kind, old)
        return replaced(old, arguments=tuple(self.argument(each, known) for each in old.arguments))

    def alias(self, old: FieldNode) -> NameNode | None:
        if self.aliases == ALIASES_MAX or not self.now_and_then():
            return old.alias
        self.aliases += 1
        return NameNode(value=f"{(old.alias or old.name).value}_also{self.aliases}")

    def argument(self, old: ArgumentNode, known: GraphQLField) -> ArgumentNode:
        """The argument, at times by a variable: the same wherever the same is meant."""
        kind = str(known.args[old.name.value].type)
        meant = (kind, print_ast(old.value))
        if meant not in self.words:
            self.words[meant] = self.variable(kind, old.value) if self.now_and_then() else old.value
        return replaced(old, value=self.words[meant])

    def variable(self, kind: str, value: ValueNode) -> VariableNode:
        name = f"v{len(self.variables)}"
        self.variables[name] = (kind, value_from_ast_untyped(value))
        return VariableNode(name=NameNode(value=name))

    def fragment(self, parts: list[SelectionNode], kind: GraphQLNamedType) -> SelectionNode:
        """These parts as a fragment, by a name or without one."""
        assert is_composite_type(kind)
        inside = SelectionSetNode(selections=tuple(parts))
        on = NamedTypeNode(name=NameNode(value=kind.name))
        if self.chance.random() < 0.5:
            return InlineFragmentNode(
                type_condition=self.chance.choice([on, None]),
                directives=self.always(),
                selection_set=inside,
            )
        name = NameNode(value=f"F{len(self.fragments)}")
        self.fragments.append(
            FragmentDefinitionNode(name=name, type_condition=on, selection_set=inside)
        )
        return FragmentSpreadNode(name=name, directives=self.always())

    def always(self) -> tuple[DirectiveNode, ...]:
        """At times a directive that changes nothing."""
        if self.directives >= DIRECTIVES_MAX or not self.now_and_then():
            return ()
        self.directives += 1
        name, value = self.chance.choice([("include", True), ("skip", False)])
        return (_directive(name, value=value),)

    def never(self) -> tuple[DirectiveNode, ...]:
        self.directives += 1
        name, value = self.chance.choice([("include", False), ("skip", True)])
        return (_directive(name, value=value),)


def _field_of(kind: GraphQLNamedType, node: FieldNode) -> GraphQLField:
    assert is_composite_type(kind)
    known = SCHEMA.get_field(kind, node.name.value)
    assert known, node
    return known


def _directive(name: str, *, value: bool) -> DirectiveNode:
    condition = ArgumentNode(name=NameNode(value="if"), value=BooleanValueNode(value=value))
    return DirectiveNode(name=NameNode(value=name), arguments=(condition,))


def plainly(value: Any) -> Any:
    """What was answered, as if nothing had been asked for by an alias of the rewriter's."""
    if isinstance(value, list):
        return [plainly(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain: dict[str, Any] = {}
    for name, part in value.items():
        called, told = ALIAS.sub("", name), plainly(part)
        plain[called] = _merged(plain[called], told) if called in plain else told
    return plain


def _merged(one: Any, other: Any) -> Any:
    """Two answers to parts of the same question; where they overlap, they agree."""
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: _merged(one[name], other[name]) for name in one.keys() & other.keys()}
        return one | other | both
    if isinstance(one, list) and isinstance(other, list):
        return [_merged(*pair) for pair in zip(one, other, strict=True)]
    assert one == other, (one, other)
    return one
