"""schema.graphql: printed from the code, and told to the people who explore it."""

from collections.abc import Iterator
from functools import cache

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from ledger.refusals import Refusal
from tests.house.sources import ROOT


@cache
def printed() -> GraphQLSchema:
    return build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))


def own_types() -> list[GraphQLNamedType]:
    types = printed().type_map.values()
    return [
        each
        for each in types
        if not is_introspection_type(each) and not is_specified_scalar_type(each)
    ]


def parts_of(named: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """Every part of a type that may have a description, by its path, with what it has."""
    yield named.name, named.description
    if isinstance(named, GraphQLEnumType):
        for value_name, value in named.values.items():
            yield f"{named.name}.{value_name}", value.description
    if isinstance(named, GraphQLInputObjectType):
        for field_name, input_field in named.fields.items():
            yield f"{named.name}.{field_name}", input_field.description
    if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        for field_name, field in named.fields.items():
            yield f"{named.name}.{field_name}", field.description
            for argument_name, argument in field.args.items():
                yield f"{named.name}.{field_name}({argument_name}:)", argument.description


def refusals(base: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for refusal in base.__subclasses__():
        yield refusal
        yield from refusals(refusal)


def test_is_what_the_code_says() -> None:
    from graph.schema import schema  # noqa: PLC0415 - the other tests here need only the file

    written = (ROOT / "schema.graphql").read_text(encoding="utf-8")

    assert written.strip() == schema.as_str().strip(), (
        "schema.graphql is stale: run `.venv/bin/tuppence schema > schema.graphql`"
    )


def test_describes_every_type_field_argument_and_value() -> None:
    silent = [
        path
        for named in own_types()
        for path, description in parts_of(named)
        if not (description or "").strip()
    ]

    assert not silent, f"give each a `description=` in graph/, then print the schema anew: {silent}"


def test_tells_every_refusal_of_the_ledger() -> None:
    types = printed().type_map
    unions = [each for each in types.values() if isinstance(each, GraphQLUnionType)]
    told = {member.name for union in unions for member in union.types}
    untold = [
        refusal.__name__
        for refusal in refusals()
        if refusal.__name__ not in told or not is_user_error(types.get(refusal.__name__))
    ]

    assert not untold, (
        "graph/errors.py must have a type of the same name that implements UserError, "
        f"in the union of each payload that can answer it: {untold}"
    )


def is_user_error(named: GraphQLNamedType | None) -> bool:
    return isinstance(named, GraphQLObjectType) and any(
        interface.name == "UserError" for interface in named.interfaces
    )
