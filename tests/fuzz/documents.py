"""Random documents brought nearer to what the service takes: a mistake hides what comes after."""

from random import Random
from typing import Any, Final

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    IntValueNode,
    ListValueNode,
    NameNode,
    Node,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    SelectionSetNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_required_argument,
    parse,
    print_ast,
    visit,
)

from graph.schema import schema
from tests.fuzz.books import Known

SCHEMA: Final = schema._schema  # noqa: SLF001 - no other way
ID: Final = FieldNode(name=NameNode(value="id"))
PAGE_MAX: Final = 100
MOSTLY: Final = 0.8
OFTEN: Final = 0.6
PAGING: Final = frozenset({"first", "last", "after", "before"})


class Tamer(Visitor):
    """Of what may be left out leaves out much, and writes what stands for something.

    hypothesis-graphql writes every argument there is, and every field of a oneOf.
    """

    def __init__(self, known: Known, chance: Random, types: TypeInfo) -> None:
        super().__init__()
        self.known = known
        self.chance = chance
        self.types = types

    def mostly(self) -> bool:
        return self.chance.random() < MOSTLY

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
        """Keep those arguments that must be there, some others, and one way of paging."""
        kept = [each for each in node.arguments or () if not self.may_go(each)]
        if self.mostly():
            names = {each.name.value for each in kept}
            other = {"last", "before"} if names & {"first", "after"} else set()
            kept = [each for each in kept if each.name.value not in other]
        return replaced(node, arguments=tuple(kept))

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode:
        """Ask for the id of whatever has one: it says what was found."""
        kind = self.types.get_parent_type()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and "id" in kind.fields:
            return replaced(node, selections=(*node.selections, ID))
        return node

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode:
        return replaced(node, value=self.fitting(node.name.value, node.value))

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode:
        return replaced(node, value=self.fitting(node.name.value, node.value))

    def leave_object_value(self, node: ObjectValueNode, *_: Any) -> ObjectValueNode:
        """Keep one field of a oneOf."""
        kind = get_named_type(self.types.get_input_type())
        given = [each for each in node.fields if not isinstance(each.value, NullValueNode)]
        if isinstance(kind, GraphQLInputObjectType) and kind.is_one_of and given and self.mostly():
            return replaced(node, fields=(self.chance.choice(given),))
        return node

    def may_go(self, argument: ArgumentNode) -> bool:
        field = self.types.get_field_def()
        known = field.args.get(argument.name.value) if field else None
        return (
            known is not None and not is_required_argument(known) and self.chance.random() < OFTEN
        )

    def fitting(self, name: str, value: Node) -> Node:
        """Mostly a text that there is, and a size that is allowed."""
        fit = self.known.fitting(name)
        if isinstance(value, ListValueNode):
            return replaced(value, values=tuple(self.fitting(name, each) for each in value.values))
        if isinstance(value, StringValueNode) and fit and self.mostly():
            return StringValueNode(value=self.chance.choice(fit))
        if isinstance(value, IntValueNode) and name in PAGING and self.mostly():
            return IntValueNode(value=str(self.chance.randint(1, PAGE_MAX)))
        return value


def replaced(node: Any, **parts: Any) -> Any:
    """The node with other parts."""
    there = {name: getattr(node, name, None) for name in node.keys}
    return type(node)(**there | parts)


def tame(text: str, known: Known, chance: Random) -> str:
    """The document, nearer to one that is answered."""
    types = TypeInfo(SCHEMA)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, Tamer(known, chance, types))))
