"""Operations over a socket: queries, mutations and subscriptions, side by side under their ids."""

import json
from typing import Any

import pytest

from tests.harness import documents
from tests.harness.api_keys import create_key
from tests.harness.logs import logged
from tests.harness.servers import Service
from tests.harness.tables import spoil
from tests.sockets.talk import EVENTS, ONE, let_in

ANSWER = {"type": "next", "payload": {"data": {"__typename": "Query"}}}
NEWLINE_ID = 'a "quoted" id,\nand\tmore 💚 \u2028'


async def is_answered(client: Any, id: str) -> bool:
    """Whether a query under this id is answered once, and then complete."""
    await client.subscribe(id, ONE)
    return [await client.hear(), await client.hear()] == [
        {"id": id, **ANSWER},
        {"id": id, "type": "complete"},
    ]


@pytest.mark.parametrize("id", ["1", "x" * 256, NEWLINE_ID])
async def test_a_query_is_answered_once_and_complete(service: Service, id: str) -> None:
    async with let_in(service) as client:
        assert await is_answered(client, id)


async def test_a_mutation_is_done(service: Service) -> None:
    await service.client.create_program("main")
    text = documents.mutation("creditPoints")
    fields = {"wallet": {"owner": {"identity": "ann"}}, "points": 5, "idempotencyKey": "k-1"}
    async with let_in(service) as client:
        await client.subscribe("1", text, variables={"input": fields})

        answer = await client.hear()
        assert answer["payload"]["data"]["creditPoints"]["errors"] == []
        assert await client.hear() == {"id": "1", "type": "complete"}

    assert (await service.client.balance("ann")).active == 5


async def test_of_several_operations_the_named_one_is_run(service: Service) -> None:
    text = "query One { __typename } query Two { two: __typename }"
    async with let_in(service) as client:
        await client.subscribe("1", text, operationName="Two", variables=None, extensions={"a": 1})

        assert (await client.hear())["payload"] == {"data": {"two": "Query"}}


async def test_a_subscription_gives_each_event_until_it_is_stopped(service: Service) -> None:
    await service.client.create_program("main")
    async with let_in(service) as client:
        await client.subscribe("s", EVENTS)
        await service.following(1)
        await service.client.credit("ann", 5)
        await service.client.credit("bob", 7)

        heard = [await client.hear(), await client.hear()]
        await client.complete("s")
        await service.following(0)
        await service.client.credit("ann", 9)

        events = [each["payload"]["data"]["pointsCredited"] for each in heard]
        assert [each["id"] for each in heard] == ["s", "s"]
        assert events == [{"points": 5, "identity": "ann"}, {"points": 7, "identity": "bob"}]
        assert await client.is_alive()


async def test_an_id_in_use_closes_the_socket(service: Service) -> None:
    async with let_in(service) as client:
        await client.subscribe("same", EVENTS)
        await client.subscribe("same", ONE)

        assert await client.end() == (4409, "Subscriber for same already exists")


async def test_the_reason_is_cut_to_what_a_frame_holds(service: Service) -> None:
    async with let_in(service) as client:
        for _ in range(2):
            await client.subscribe("💚" * 256)

        assert await client.end() == (4409, "Subscriber for " + "💚" * 27)


async def test_an_id_is_free_again_after_complete_and_after_error(service: Service) -> None:
    async with let_in(service) as client:
        assert await is_answered(client, "1")
        await client.subscribe("1", "{ nonsense }")
        await client.error("1")
        await client.subscribe("1", EVENTS)
        await service.following(1)
        await client.complete("1")

        assert await is_answered(client, "1")


async def test_it_is_free_at_once_when_the_client_stops_it(service: Service) -> None:
    async with let_in(service) as client:
        for _ in range(20):
            await client.subscribe("1", EVENTS)
            await client.complete("1")

        assert await is_answered(client, "1")
        await service.following(0)


@pytest.mark.parametrize(
    ("query", "more", "message"),
    [
        ("", {}, 'Request data is missing a "query" value'),
        ("{ wallet", {}, "Syntax Error: Expected Name, found <EOF>."),
        ("subscription {", {}, "Syntax Error: Expected Name, found <EOF>."),
        (ONE, {"operationName": "Other"}, 'Unknown operation named "Other".'),
        (
            "query A { __typename } query B { __typename }",
            {},
            "operationName: it must say which of the document's operations to run",
        ),
        ("{ nonsense }", {}, "Cannot query field 'nonsense' on type 'Query'."),
        (
            "subscription { pointsCredited { nonsense } }",
            {},
            "Cannot query field 'nonsense' on type 'PointsCredited'.",
        ),
        (
            "query ($n: Int!) { programs(first: $n) { edges { cursor } } }",
            {"variables": {"n": "many"}},
            "Variable '$n' has invalid value: Int cannot represent non-integer value: 'many'",
        ),
        (
            "subscription ($a: String!) { pointsCredited(after: $a) { id } }",
            {},
            "Variable '$a' has invalid value: Expected a value of non-null type 'String!'",
        ),
        (
            'subscription { pointsCredited(filter: {walletId: "wal_none"}) { id } }',
            {},
            "filter.walletId: there is no such wallet",
        ),
        (
            'subscription { pointsCredited(after: "nonsense") { id } }',
            {},
            "after: this is not a cursor of this list",
        ),
        (
            ONE,
            {"variables": {"unread": [2**64]}},
            "a whole number of more than 64 bits can't be taken exactly",
        ),
    ],
)
async def test_a_mistake_in_an_operation_is_told_to_it_alone(
    service: Service, query: str, more: dict[str, Any], message: str
) -> None:
    async with let_in(service) as client:
        await client.subscribe("other", EVENTS)
        await client.subscribe("1", query, **more)

        error = await client.error("1")

        assert message in error["message"]
        assert error["extensions"]["code"] in {"BAD_REQUEST", "BAD_CURSOR"}
        assert await is_answered(client, "1")
        await service.following(1)


async def test_what_fails_within_a_query_stands_beside_its_data(service: Service) -> None:
    async with let_in(service) as client:
        await client.subscribe("1", "{ __typename programs(first: -1) { edges { cursor } } }")

        answer = await client.hear()

        assert answer["type"] == "next"
        assert answer["payload"]["errors"][0]["path"] == ["programs"]
        assert await client.hear() == {"id": "1", "type": "complete"}


async def test_what_a_key_may_not_follow_is_refused_and_the_socket_stays(
    service: Service,
) -> None:
    till = await create_key(service.client, "till", "points:credit")
    async with let_in(service, till.shown) as client:
        await client.subscribe("1", EVENTS)

        error = await client.error("1")

        assert error["extensions"] == {"code": "FORBIDDEN", "scopes": ["events:read"]}
        assert await is_answered(client, "1")


async def test_a_fault_of_ours_is_masked_and_leaves_the_socket_alone(
    service: Service, sqlite_url: str
) -> None:
    await spoil(sqlite_url, "ALTER TABLE log_head RENAME TO mislaid")
    with logged() as log:
        async with let_in(service) as client:
            await client.subscribe("1", 'subscription { pointsCredited(after: "x") { id } }')
            await client.subscribe("2", EVENTS)

            assert (await client.error("1"))["extensions"]["code"] == "BAD_CURSOR"
            error = await client.error("2")

            assert error["extensions"]["code"] == "INTERNAL"
            assert "log_head" not in json.dumps(error)
            assert error["extensions"]["id"] in log.text
            assert await client.is_alive()


@pytest.mark.parametrize(
    "payload", [{}, {"at": 1.5, "text": "💚", "nested": {"list": [1, None, {"a": True}]}}]
)
async def test_a_pong_says_what_the_ping_said(service: Service, payload: dict[str, Any]) -> None:
    async with let_in(service) as client:
        await client.say({"type": "ping", "payload": payload})

        assert await client.hear() == {"type": "pong", "payload": payload}


@pytest.mark.parametrize("ping", [{"type": "ping"}, {"type": "ping", "payload": None}])
async def test_a_ping_that_says_nothing_is_answered_so(
    service: Service, ping: dict[str, Any]
) -> None:
    async with let_in(service) as client:
        await client.say(ping)

        assert await client.hear() == {"type": "pong"}


async def test_what_one_operation_loaded_is_not_the_next_ones(service: Service) -> None:
    await service.client.create_program("main")
    await service.client.credit("ann", 5)
    wallet = await service.client.wallet("ann")
    text = "query ($id: ID!) { wallet(ref: {id: $id}) { balance { active } } }"
    async with let_in(service) as client:
        heard = []
        for _ in range(2):
            await client.subscribe("1", text, variables={"id": wallet.id})
            heard += [await client.hear(), await client.hear()]
            await service.client.credit("ann", 5)

    wallets = [each["payload"]["data"]["wallet"] for each in heard[::2]]
    assert wallets == [{"balance": {"active": 5}}, {"balance": {"active": 10}}]
