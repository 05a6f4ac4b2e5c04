"""Compiled operations give what the executor gives: in its order, with its side effects."""

from collections import Counter
from typing import Any

import pytest
from graphql import ExecutionResult, parse, validate
from graphql.pyutils import is_awaitable

from graph.compiled import Compiler, NotCovered
from tests.compiled.pets import schema

Variables = dict[str, Any] | None

CAT = "id name color lives weight path"

OPERATIONS: list[tuple[str, Variables]] = [
    (f"{{ pets {{ __typename ... on Cat {{ {CAT} friend(deep: 2) {{ name }} }} }} }}", None),
    ("{ pets { ... on Dog { weight barks tags } ... on Pet { number: id } } }", None),
    ("{ pets { ... on Cat { likes { __typename ... on Dog { id } } } } }", None),
    ("{ a: pet { id ... on Dog { barks } } b: pet { ...D } } fragment D on Dog { id }", None),
    (f"{{ odd {{ {CAT} }} }}", None),
    ("{ odd { name friend { friend { path } } } pets { __typename } }", None),
    ("{ odd { name lives } fails pet { id } }", None),
    ("{ pets { ... on Cat { name friend(deep: 5) { id } } } fails }", None),
    ("{ pets { ...on Cat { maybe(later: true) { id } no: maybe(later: false) { id } } } }", None),
    ("{ pets { ... on Cat { secret name } } }", None),
    ("{ breaks fails generated pets { __typename } }", None),
    ("{ generated }", None),
    ("{ odd { __typename } }", None),
    ("{ extras { extra } }", None),
    ("{ cast { __typename } }", None),
    ("{ cast { ... on Dog { weight barks } ... on Cat { friend { id } } } }", None),
    ("{ nothing { friend { id } } }", None),
    ("query($w: Wish!) { echo(wish: $w) again: echo(wish: $w) }", {"w": {"toy": {"name": "Ball"}}}),
    ("query($w: Wish!) { echo(wish: $w) }", {"w": {"count": None}}),
    ("query($w: Wish!) { echo(wish: $w) }", {"w": {"names": "one", "toys": {"name": "x"}}}),
    ("query($w: Wish!) { echo(wish: $w) }", {"w": {"color": "RED"}}),
    ("query($w: Wish!) { echo(wish: $w) }", {"w": {"toy": {"name": 7, "price": "dear"}}}),
    ("query($w: Wish!) { echo(wish: $w) }", None),
    ("query($n: String!) { echo(wish: {toy: {name: $n}}) }", {"n": "Ball"}),
    ("query($n: String!) { echo(wish: {names: [$n, $n]}) }", {"n": "a"}),
    ("query($n: Int) { echo(wish: {count: 2, names: []}) pets(n: $n) { __typename } }", {"n": 1}),
    ("query($n: Int = 1) { pets(n: $n) { __typename } }", None),
    ("query($n: Int = 1) { pets(n: $n) { __typename } }", {"n": None}),
    ("query($n: Int!) { pets(n: $n) { __typename } }", {"n": 2**31}),
    ("query($o: Which!) { which(one: $o) }", {"o": {"id": 5}}),
    ("query($o: Which!) { which(one: $o, color: RED) }", {"o": {"wish": {}, "id": "1"}}),
    ("query($o: Which!) { which(one: $o) }", {"o": {"id": None}}),
    ("query($i: ID!, $c: Color!) { which(one: {id: $i}, color: $c) }", {"i": "x", "c": "BLUE"}),
    ("query($s: Boolean!) { pet @skip(if: $s) { id } pets { __typename } }", {"s": True}),
    ("query($s: Boolean!) { pet @skip(if: $s) { id } pets { __typename } }", {"s": False}),
    ("query($s: Boolean = true) { pet @include(if: $s) { id } }", None),
    ("mutation { a: first(n: 1) second(wish: {}) { name path } b: first(n: 2) }", None),
    ("mutation { second(wish: {count: -1}) { name } __typename first(n: 2) }", None),
]  # fmt: skip


class Given:
    """What an operation gave."""

    def __init__(self, result: Any, journal: list[Any]) -> None:
        self.data = result.data
        self.order = repr(result.data)
        self.errors = [repr(error.formatted) for error in result.errors or ()]
        self.journal = journal


async def both(document: str, variables: Variables) -> tuple[Given, Given, str]:
    """The same operation by its compiled function, and by the executor."""
    parsed = parse(document)
    assert not validate(schema._schema, parsed)  # noqa: SLF001
    ours: list[Any] = []
    left = ""
    try:
        result: Any = Compiler(schema).operation(parsed, None).run(variables, ours)
        result = await result if is_awaitable(result) else result
    except NotCovered as uncovered:
        left = uncovered.reason
        result = await schema.execute(document, variables, ours)
    theirs: list[Any] = []
    oracle = await schema.execute(document, variables, theirs)
    return Given(result, ours), Given(oracle, theirs), left


@pytest.mark.parametrize(("document", "variables"), OPERATIONS)
@pytest.mark.filterwarnings("ignore:coroutine 'later' was never awaited")
async def test_a_compiled_operation_gives_what_the_executor_gives(
    document: str, variables: Variables
) -> None:
    given, expected, _ = await both(document, variables)
    assert given.order == expected.order
    assert Counter(given.errors) == Counter(expected.errors)
    assert given.journal == expected.journal


@pytest.mark.filterwarnings("ignore:coroutine 'later' was never awaited")
async def test_what_is_well_formed_is_compiled() -> None:
    left = {
        index: reason for index, each in enumerate(OPERATIONS) if (reason := (await both(*each))[2])
    }
    # Variables that aren't as they should be, and lists of one that stand without brackets.
    assert left == dict.fromkeys((18, 19, 20, 21, 22, 28, 30, 31), "variables")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{ __schema { queryType { name } } }", "introspection"),
        ("query @other { pet { id } }", "directive"),
    ],
)
def test_what_is_not_covered_says_why_before_anything_is_run(document: str, reason: str) -> None:
    journal: list[Any] = []
    with pytest.raises(NotCovered) as refused:
        Compiler(schema).operation(parse(document), None).run(None, journal)
    assert refused.value.reason == reason
    assert journal == []


@pytest.mark.parametrize(
    ("document", "good", "others"),
    [
        (
            "query($w: Wish!) { echo(wish: $w) again: echo(wish: $w) }",
            {"w": {}},
            [{"w": {"color": "RED"}}, {"w": {"count": None}}, {"w": None}, {}, {"w": {"toy": {}}}],
        ),
        (
            "query($o: Which!) { which(one: $o) }",
            {"o": {"id": "1"}},
            [{"o": {"id": "1", "wish": {}}}, {"o": {"id": None}}, {"o": {}}],
        ),
        ("query($n: Int = 1) { pets(n: $n) { __typename } }", {"n": 2}, [{}, {"n": None}]),
        (
            "query($s: Boolean!) { pet @skip(if: $s) { id } other: pet { id } }",
            {"s": True},
            [{"s": False}, {"s": "true"}, {}],
        ),
    ],
)
async def test_what_one_run_has_taken_decides_nothing_of_the_next(
    document: str, good: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    operation = Compiler(schema).operation(parse(document), None)
    for variables in (good, *others, good):
        ours: list[Any] = []
        theirs: list[Any] = []
        oracle = await schema.execute(document, variables, theirs)
        try:
            result: Any = operation.run(variables, ours)
        except NotCovered:
            assert not ours, "it is told before anything is run"
            continue
        result = await result if is_awaitable(result) else result
        assert Given(result, ours).order == Given(oracle, theirs).order
        assert Given(result, ours).errors == Given(oracle, theirs).errors
        assert ours == theirs


async def test_each_field_is_given_an_input_of_its_own() -> None:
    document = "query($w: Wish!) { taken(wish: $w) again: taken(wish: $w) }"
    journal: list[Any] = []
    result: Any = Compiler(schema).operation(parse(document), None).run({"w": {}}, journal)
    assert result.data == {"taken": 3, "again": 3}
    assert journal[0] is not journal[1]


def test_more_than_250_fields_are_the_executors() -> None:
    many = " ".join(f"p{number}: pet {{ id }}" for number in range(84))
    with pytest.raises(NotCovered) as refused:
        Compiler(schema).operation(parse(f"{{ {many} }}"), None).run(None, [])
    assert refused.value.reason == "size"


def test_what_is_kept_is_bounded_and_the_oldest_is_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("graph.compiled.FIELDS_KEPT_MAX", 4)
    compiler = Compiler(schema)
    first, second = (
        compiler.operation(parse(document), None)
        for document in ("{ a: pet { id } }", "{ b: pet { id } }")
    )
    assert first.run(None, []) == ExecutionResult({"a": {"id": "2"}}, None)
    second.run(None, [])
    assert (first.variants, second.variants) == (0, 1)
    assert first.run(None, []) == ExecutionResult({"a": {"id": "2"}}, None)
