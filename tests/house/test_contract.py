"""contract.graphql: everything in it is in schema.graphql, of the same type."""

from collections.abc import Iterator, Mapping

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    is_required_argument,
    is_required_input_field,
    print_ast,
)

from tests.house.sources import ROOT

CONTRACT = ROOT / "tests" / "house" / "contract.graphql"


def differences() -> Iterator[str]:
    """What a client of the contract would miss, or be asked for besides."""
    contract = build_schema(CONTRACT.read_text(encoding="utf-8"))
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    for name, wanted in contract.type_map.items():
        found = schema.type_map.get(name)
        if type(found) is not type(wanted):
            yield f"{name}: wanted {type(wanted).__name__}, found {found!r}"
        elif isinstance(wanted, GraphQLEnumType | GraphQLUnionType):
            yield from missing_members(wanted, found)
        elif isinstance(wanted, GraphQLInputObjectType):
            yield from input_differences(wanted, found)
        elif isinstance(wanted, GraphQLObjectType | GraphQLInterfaceType):
            yield from output_differences(wanted, found)


def missing_members(wanted: GraphQLNamedType, found: GraphQLNamedType | None) -> Iterator[str]:
    for name in sorted(members(wanted) - members(found)):
        yield f"{wanted.name}: {name} is missing"


def members(named: GraphQLNamedType | None) -> set[str]:
    if isinstance(named, GraphQLEnumType):
        return set(named.values)
    if isinstance(named, GraphQLUnionType):
        return {member.name for member in named.types}
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return {interface.name for interface in named.interfaces}
    return set()


def input_differences(
    wanted: GraphQLInputObjectType, found: GraphQLNamedType | None
) -> Iterator[str]:
    assert isinstance(found, GraphQLInputObjectType)
    if wanted.is_one_of != found.is_one_of:
        yield f"{wanted.name}: @oneOf differs"
    yield from value_differences(wanted.name, wanted.fields, found.fields)


def output_differences(
    wanted: GraphQLObjectType | GraphQLInterfaceType, found: GraphQLNamedType | None
) -> Iterator[str]:
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    yield from missing_members(wanted, found)
    for name, field in wanted.fields.items():
        path = f"{wanted.name}.{name}"
        other: GraphQLField | None = found.fields.get(name)
        if other is None or str(other.type) != str(field.type):
            yield f"{path}: wanted {field.type}, found {other and str(other.type)}"
        else:
            yield from value_differences(path, field.args, other.args)


def value_differences(
    path: str,
    wanted: Mapping[str, GraphQLArgument | GraphQLInputField],
    found: Mapping[str, GraphQLArgument | GraphQLInputField],
) -> Iterator[str]:
    """Compare arguments, or input fields: types, defaults, and none required besides."""
    for name, value in wanted.items():
        if signature(value) != signature(found.get(name)):
            yield f"{path}({name}: wanted {signature(value)}, found {signature(found.get(name))})"
    for name in found.keys() - wanted.keys():
        if is_required(found[name]):
            yield f"{path}: {name} is required, and the contract has no such thing"


def signature(value: GraphQLArgument | GraphQLInputField | None) -> str:
    if value is None:
        return "nothing"
    default = value.ast_node and value.ast_node.default_value
    return f"{value.type} = {print_ast(default)}" if default else str(value.type)


def is_required(value: GraphQLArgument | GraphQLInputField) -> bool:
    if isinstance(value, GraphQLArgument):
        return is_required_argument(value)
    return is_required_input_field(value)


def test_is_kept_to_the_letter() -> None:
    broken = list(differences())

    assert not broken, "\n".join(
        ["clients rely on what tests/house/contract.graphql says; mend graph/:", *broken]
    )
