"""Documents: each limit lets through what reaches it, and refuses by its name what is beyond it."""

from typing import Any

import pytest
from graphql import get_introspection_query

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.documents import CURSOR, mutation
from tests.harness.servers import Service, running
from tests.harness.stream import Stream
from tests.harness.values import Json

ERASE = 'eraseMember(input: {identity: "nobody"}) { erased }'
WALLETS = "wallets(first: %s) { edges { node { transactions(first: 100) { edges { cursor } } } } }"
PROGRAMS = "programs(first: %s) { edges { cursor } }"
LISTED = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def repeated(count: int, text: str = "eventCursor") -> str:
    return "{ " + " ".join(text.replace("#", str(n)) for n in range(count)) + " }"


def nested(depth: int) -> str:
    """Fields within each other, so many."""
    inner = "id"
    level = ["wallets(first: 1)", "edges", "node", "member"]
    for n in reversed(range(depth - 1)):
        inner = f"{level[n % 4]} {{ {inner} }}"
    return f"{{ {inner} }}"


def spread(definitions: int) -> str:
    """An operation and the fragments that it spreads, so many in all."""
    names = [f"f{n}" for n in range(definitions - 1)]
    fragments = " ".join(f"fragment {name} on Query {{ eventCursor }}" for name in names)
    return "{ " + " ".join(f"...{name}" for name in names) + " } " + fragments


def pages(rows: int) -> str:
    """Lists, and lists within lists, of so many rows in all."""
    wallets, programs = divmod(rows, 100)
    lists = [WALLETS % wallets] * (wallets > 0) + [PROGRAMS % programs] * (programs > 0)
    return "{ " + " ".join(lists) + " }"


# limit: its value, and a document that comes to a number
LIMITS: dict[str, tuple[int, Any]] = {
    "tokens": (2_000, lambda count: "#\n" * (count - 3) + "{ eventCursor }"),
    "depth": (12, nested),
    "aliases": (30, lambda count: repeated(count, "a#: eventCursor")),
    "root_mutations": (10, lambda count: "mutation " + repeated(count, f"m#: {ERASE}")),
    "fields": (500, repeated),
    "directives": (50, lambda count: repeated(count, "eventCursor @skip(if: false)")),
    "definitions": (100, spread),
    "page_product": (10_000, pages),
}


@pytest.mark.parametrize("limit", LIMITS)
async def test_what_reaches_a_limit_is_let_through(client: Client, limit: str) -> None:
    value, document = LIMITS[limit]

    await client.execute(document(value))


@pytest.mark.parametrize("limit", LIMITS)
async def test_what_is_beyond_a_limit_is_refused(client: Client, limit: str) -> None:
    value, document = LIMITS[limit]

    status, answer = await client.ask(document(value + 1), {})

    assert status == 400
    assert "data" not in answer
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": limit, "value": value}
    assert error["message"].startswith(f"{limit}: ")
    assert str(value) in error["message"]


@pytest.mark.parametrize("limit", LIMITS)
async def test_each_limit_is_a_setting(sqlite_url: str, clock: VirtualClock, limit: str) -> None:
    _, document = LIMITS[limit]

    setting: dict[str, Any] = {f"limit_{limit}": 4}
    async with running(sqlite_url, clock, **setting) as service:
        error = await refusal(service.client, document(5))

    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": limit, "value": 4}


async def test_a_refusal_says_what_was_asked(client: Client) -> None:
    error = await refusal(client, nested(13))

    assert error["message"] == "depth: must be at most 12, not 13"


async def test_an_answer_may_not_take_more_work(sqlite_url: str, clock: VirtualClock) -> None:
    document = "{ transactions(first: 10) { edges { node { wallet { status } } } } }"  # 580

    async with running(sqlite_url, clock, limit_work=580) as service:
        await service.client.execute(document)
    async with running(sqlite_url, clock, limit_work=579) as service:
        error = await refusal(service.client, document)

    assert error["message"] == "work: must be at most 579, not 580"


async def test_a_page_may_have_its_size_from_a_variable(client: Client) -> None:
    document = f"query ($first: Int = 100) {{ {WALLETS % '$first'} {PROGRAMS % '$first'} }}"

    await client.execute(document, first=99)
    await client.execute(document, first=None)
    for variables in ({"first": 100}, {}):
        error = await refusal(client, document, **variables)
        assert error["message"] == "page_product: must be at most 10000, not 10100"


async def test_a_list_among_the_variables_may_not_be_longer(client: Client) -> None:
    error = await refusal(client, LISTED, ids=["x"] * 2_001)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "items", "value": 2_000}

    (error,) = await client.refused(LISTED, ids=["x"] * 2_000)
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "ids", "value": 100}


async def test_a_list_within_the_variables_may_not_be_longer(client: Client) -> None:
    error = await refusal(client, mutation("creditPointsBatch"), input={"credits": [{}] * 2_001})

    assert error["message"] == "items: a list must have at most 2000, not 2001"


async def test_a_list_within_a_json_value_may_be_long(client: Client) -> None:
    fields = {
        "wallet": {"owner": {"identity": "ann"}},
        "points": 1,
        "idempotencyKey": "k",
        "metadata": {"all": [1] * 2_001},
    }

    answer = await client.mutate("creditPoints", fields)

    assert answer.error is None


async def test_fragments_within_fragments_are_refused_at_once(client: Client) -> None:
    """660 bytes that a count of each spread anew would need seconds for."""
    fragments = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(16))
    document = f"{{ ...f0 }} {fragments} fragment f16 on Query {{ eventCursor }}"
    assert len(document) < 660

    error = await refusal(client, document)

    assert error["message"] == "fields: must be at most 500, not 65536"


async def test_a_chain_of_fragments_without_end_is_refused(client: Client) -> None:
    inner = "ofType { " * 8
    chain = " ".join(
        f"fragment f{n} on __Type {{ {inner} ...f{n + 1} {'} ' * 8} }}" for n in range(60)
    )
    document = f'{{ __type(name: "Query") {{ ...f0 }} }} {chain} fragment f60 on __Type {{ name }}'

    error = await refusal(client, document)

    assert error["message"] == "depth: must be at most 12, and here is far more"


async def test_a_circle_of_fragments_is_a_mistake(client: Client) -> None:
    document = "{ ...a } fragment a on Query { ...b } fragment b on Query { eventCursor ...a }"

    (error,) = await client.refused(document)

    assert error["message"] == "Cannot spread fragment 'a' within itself via 'b'."


async def test_the_operation_that_is_run_is_the_one_that_is_counted(client: Client) -> None:
    document = f"query small {{ eventCursor }} query large {nested(13)}"

    async def run(name: str) -> tuple[int, Json]:
        body = {"query": document, "operationName": name}
        response = await client.http.post(client.url, json=body)
        return response.status_code, response.json()

    status, answer = await run("small")
    assert (status, list(answer)) == (200, ["data"])
    status, answer = await run("large")
    assert (status, answer["errors"][0]["extensions"]["limit"]) == (400, "depth")


async def test_over_a_socket_only_the_operation_is_refused(service: Service) -> None:
    stream = Stream(service.client.ws_url, nested(13), {})
    async with stream:
        message = await stream.receive()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["extensions"]["limit"] == "depth"

        await stream.send({"id": "2", "type": "subscribe", "payload": {"query": CURSOR}})
        message = await stream.receive()
        assert (message["type"], message["id"]) == ("next", "2")


# ── introspection ────────────────────────────────────────────────────────────────────────────────


async def test_introspection_may_be_as_deep_as_tools_ask(client: Client) -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )

    data = await client.execute(query)

    assert data["__schema"]["queryType"]["name"] == "Query"


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...q } fragment q on Query { ... { __schema { queryType { name } } } }",
    ],
)
async def test_the_schema_may_be_kept_to_oneself(
    sqlite_url: str, clock: VirtualClock, document: str
) -> None:
    async with running(sqlite_url, clock, introspection=False) as service:
        status, answer = await service.client.ask(document, {})
        assert status == 403
        assert answer["errors"][0]["extensions"] == {"code": "FORBIDDEN"}

        data = await service.client.execute("{ __typename }")
        assert data == {"__typename": "Query"}


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ eventCurso }", {}),
        ("{ wallets(firs: 1) { edges { cursor } } }", {}),
        ("query ($a: WalletFilte) { wallets(filter: $a) { edges { cursor } } }", {}),
        ('{ wallet(ref: {i: "a"}) { id } }', {}),
        ("{ transactions(filter: {kinds: [CREDI]}) { edges { cursor } } }", {}),
        ("query ($ref: WalletRef!) { wallet(ref: $ref) { id } }", {"ref": {"i": "a"}}),
        (
            "query ($f: TransactionFilter) { transactions(filter: $f) { edges { cursor } } }",
            {"f": {"kinds": ["CREDI"]}},
        ),
    ],
)
async def test_mistakes_tell_nothing_of_the_schema(
    client: Client, document: str, variables: Json
) -> None:
    """To guess what was meant takes long, too."""
    errors = await client.refused(document, **variables)

    assert "Did you mean" not in str(errors)


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (repeated(100, "nothing#"), {}),
        (LISTED, {"ids": [{}] * 100}),
    ],
)
async def test_of_many_mistakes_ten_are_told(
    client: Client, document: str, variables: Json
) -> None:
    errors = await client.refused(document, **variables)

    assert len(errors) == 11
    assert "error limit reached" in errors[-1]["message"]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("{ " + "a" * 100_000 + " }", {}),
        ("query ($ref: WalletRef!) { wallet(ref: $ref) { id } }", {"ref": {"a" * 100_000: 1}}),
        ("query ($after: String) { wallets(after: $after) { edges { cursor } } }", {"after": {}}),
        (
            "query ($f: TransactionFilter) { transactions(filter: $f) { edges { cursor } } }",
            {"f": {"kinds": ["A" * 100_000]}},
        ),
    ],
)
async def test_a_mistake_repeats_little_of_what_was_sent(
    client: Client, document: str, variables: Json
) -> None:
    for error in await client.refused(document, **variables):
        assert len(error["message"]) <= 1_001


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "document",
    [
        "{ wallets(first: %s) { edges { cursor } } }",
        "{ node(id: %s) { id } }",
        "query ($first: Int = %s) { wallets(first: $first) { edges { cursor } } }",
        "{ creditedNotRedeemed(since: %s.5, minPoints: -%s) { edges { cursor } } }",
        "mutation { creditPoints(input: {metadata: {a: [%s]}}) { replayed } }",
    ],
)
@pytest.mark.parametrize("digits", [401, 4_301, 100_000])
async def test_a_number_of_thousands_of_digits_is_a_mistake(
    client: Client, document: str, digits: int
) -> None:
    errors = await client.refused(document.replace("%s", "1" * digits))

    assert {error["extensions"]["code"] for error in errors} == {"BAD_REQUEST"}
    assert "set_int_max_str_digits" not in str(errors)


async def refusal(client: Client, document: str, **variables: object) -> Json:
    """The one error of a request that must not be begun."""
    status, answer = await client.ask(document, variables)
    assert status == 400, answer
    assert list(answer) == ["errors"], answer
    (error,) = answer["errors"]
    return error
