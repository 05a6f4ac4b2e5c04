"""Costs: what a document comes to, counted in one pass, each fragment once."""

import pytest
from graphql import get_introspection_query, parse

from graph.costs import Costs, count_costs
from graph.schema import schema

SIZED = """query ($first: Int = 7, $ids: [ID!]!) {
  transactions(first: $first) { edges { node { id } } }
  nodes(ids: $ids) { id }
}"""

MUTATIONS = """mutation { __typename ...m } fragment m on Mutation {
  a: eraseMember(input: {identity: "a"}) { erased }
  b: eraseMember(input: {identity: "b"}) { erased } }"""


def costs(document: str, name: str | None = None, **sizes: int) -> Costs:
    return count_costs(schema._schema, parse(document), name, sizes)  # noqa: SLF001


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ eventCursor }", Costs(definitions=1, depth=1, fields=1, work=50)),
        ("{ __typename }", Costs(definitions=1, depth=1, fields=1, work=1)),
        (
            "{ a: eventCursor @skip(if: false) ... @include(if: true) { b: eventCursor } }",
            Costs(definitions=1, directives=2, aliases=2, depth=1, fields=2, work=100),
        ),
        (
            "query ($a: Int @x) @y { eventCursor } fragment f on Query @z { a: eventCursor }",
            Costs(definitions=2, directives=3, aliases=1, depth=1, fields=1, work=50),
        ),
        (
            MUTATIONS,
            Costs(definitions=2, aliases=2, depth=2, root_mutations=2, fields=5, work=103),
        ),
    ],
)
def test_everything_is_counted(document: str, expected: Costs) -> None:
    assert costs(document) == expected


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ("{ wallets { edges { node { id } } } }", 20),
        ("{ wallets(first: 3) { pageInfo { endCursor } } }", 3),
        ("{ wallets(last: 4) { edges { node { id } } } }", 4),
        ("{ wallets(first: 3, last: 9) { edges { node { id } } } }", 9),
        ("{ wallets(first: 3) { edges { node { transactions { edges { cursor } } } } } }", 60),
        ("{ a: wallets(first: 3) { edges { cursor } } b: programs { edges { cursor } } }", 23),
        ('{ wallet(ref: {id: "a"}) { holds(first: 5) { edges { cursor } } } }', 5),
        ('{ nodes(ids: ["a", "b"]) { ... on Wallet { transactions(first: 3) { ...c } } } }', 6),
        ('{ nodes(ids: "a") { id } }', 100),
        ('{ wallet(ref: {id: "a"}) { expiring { points } } }', 0),
        ("mutation { creditPointsBatch(input: {credits: []}) { results { replayed } } }", 1_000),
        # What is no size is refused where it stands.
        ("{ wallets(first: 0) { edges { cursor } } }", 20),
        ("{ wallets(first: 101) { edges { cursor } } }", 100),
        ('{ wallets(first: "many") { edges { cursor } } }', 20),
        ("{ nowhere(first: 100) { edges { cursor } } }", 0),
    ],
)
def test_pages_within_pages_multiply_and_pages_beside_pages_add_up(
    document: str, rows: int
) -> None:
    spread = " fragment c on TransactionConnection { edges { cursor } }"
    assert costs(document + spread).page_product == rows


def test_sizes_come_from_variables() -> None:
    assert costs(SIZED, first=50, ids=3).page_product == 53
    assert costs(SIZED, first=1_000, ids=1_000).page_product == 200
    assert costs(SIZED).page_product == 120


def test_what_is_printed_takes_less_than_what_is_looked_up() -> None:
    printed = "{ transactions(first: 10) { edges { node { points } } } }"
    looked_up = "{ transactions(first: 10) { edges { node { wallet { status } } } } }"

    assert costs(printed).work == 50 + 10 * 3
    assert costs(looked_up).work == 50 + 10 * (2 + 50 + 1)


def test_fragments_within_fragments_are_counted_once_each() -> None:
    """Were each spread counted anew, this would not end."""
    levels = 98
    chain = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    document = f"{{ ...f0 }} {chain} fragment f{levels} on Query {{ eventCursor }}"

    assert costs(document).fields == 2**levels


def test_fragments_in_a_circle_come_to_an_end() -> None:
    document = "{ ...a } fragment a on Query { eventCursor ...b } fragment b on Query { ...a }"

    assert costs(document).fields == 1


def test_the_named_operation_is_counted_and_without_a_name_the_costliest() -> None:
    document = "query a { eventCursor } query b { programs { edges { cursor } } }"

    assert costs(document, "a").depth == 1
    assert costs(document, "b").depth == 3
    assert costs(document).depth == 3


def test_introspection_is_no_deeper_than_its_root_and_has_no_pages() -> None:
    asked = costs(get_introspection_query(type_depth=9))

    assert (asked.depth, asked.page_product) == (1, 0)
    assert asked.fields < 500


def test_introspection_within_introspection_takes_work() -> None:
    fields = "fields { type { ofType { name } } }"
    nested = "fields { type { fields { type { ofType { name } } } } }"

    assert costs(f"{{ __schema {{ types {{ {fields} }} }} }}").work < 10_000
    assert costs(f"{{ __schema {{ types {{ {nested} }} }} }}").work > 10_000
