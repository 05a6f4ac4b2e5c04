"""Who ask the same with the same rights are answered by one execution, and everyone as if alone."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode

from graph import shelf as shelves
from server.wires import WiredProtocol
from tests.harness.api_keys import create_key
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.logs import logged
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.sockets.sharing import (
    CREDITS_MAX,
    WALLET,
    WATCH,
    Shared,
    points,
    settle,
    shared,
    shared_by,
)
from tests.sockets.talk import Talk, let_in

DEEP_MAX = 600
ANSWERED = "an operation was answered"
SKIPPING = """subscription Skipping($more: Boolean!, $after: String) {
  pointsCredited(after: $after) { points identity @include(if: $more) } }"""
TWO = """subscription One($after: String) { pointsCredited(after: $after) { points } }
subscription Two($after: String) { two: pointsCredited(after: $after) { points identity } }"""


@pytest.fixture
async def cursor(service: Service) -> str:
    """Where the log ends before anything is heard."""
    await service.client.create_program("main")
    return await service.client.event_cursor()


async def payload(client: Talk) -> object:
    return (await client.hear())["payload"]


# ── one execution ───────────────────────────────────────────────────────────────────────────────


async def test_who_ask_the_same_are_answered_by_one_execution_each_under_its_id(
    service: Service, cursor: str
) -> None:
    ids = ["1", 'a "quoted" 💚', "x" * 256]
    async with let_in(service) as one, let_in(service) as two:
        await one.subscribe(ids[0], WATCH, variables={"after": cursor})
        await one.subscribe(ids[1], WATCH, variables={"after": cursor})
        await two.subscribe(ids[2], WATCH, variables={"after": cursor})
        await settle(service, one, one, two)

        before = shared(service)
        await service.client.credit("ann", 7)

        assert sorted([(await one.hear())["id"], (await one.hear())["id"]]) == sorted(ids[:2])
        assert await two.hear() == {
            "id": ids[2],
            "type": "next",
            "payload": {"data": {"pointsCredited": {"identity": "ann", "points": 7}}},
        }
        assert shared(service) == Shared(before.executions + 1, before.answers + 3)


async def test_variables_may_come_in_any_order_and_from_anywhere(
    service: Service, cursor: str
) -> None:
    filter_ = {"identity": "ann", "minPoints": 1}
    other = {"minPoints": 1, "identity": "ann"}
    await service.client.credit("ann", 5)
    later = await service.client.event_cursor()
    async with let_in(service) as one, let_in(service) as two:
        await one.subscribe("1", WATCH, variables={"filter": filter_, "after": cursor})
        await two.subscribe("1", WATCH, variables={"after": later, "filter": other})
        assert await points(one) == 5

        await settle(service, one, two)


async def test_who_comes_without_a_cursor_joins_and_hears_what_comes_from_then_on(
    service: Service, cursor: str
) -> None:
    async with let_in(service) as old, let_in(service) as new:
        await old.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, old)
        await new.subscribe("1", WATCH)
        first = asyncio.create_task(points(new))
        # It begins at a moment of its own: credit until it hears one.
        given = 0
        while not first.done() and given < CREDITS_MAX:
            given += 1
            await service.client.credit("ann", given)
            assert await points(old) == given
        await service.client.credit("ann", 500)
        heard = [await first]
        while heard[-1] != 500:
            heard.append(await points(new))
        assert await points(old) == 500

        assert heard == [*range(heard[0], given + 1), 500]
        await settle(service, old, new)


async def test_many_events_at_once_come_to_each_in_order_and_once(
    service: Service, cursor: str
) -> None:
    async with let_in(service) as one, let_in(service) as two:
        for client in (one, two):
            await client.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, one, two)
        many = [service.client.credit_of("ann", each) for each in range(1, 201)]

        await service.client.credit_batch(many)

        for client in (one, two):
            assert [await points(client) for _ in range(200)] == list(range(1, 201))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_message_of_any_size_is_framed_as_the_protocol_says(size: int) -> None:
    text = b"x" * size

    framed = WiredProtocol.frame(None, text)  # type: ignore[arg-type]

    assert framed == Frame(Opcode.TEXT, text).serialize(mask=False)


# ── what isn't the same ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("first", ["reader", "admin"])
async def test_what_a_right_lets_one_read_is_kept_from_the_other(
    service: Service, cursor: str, first: str
) -> None:
    follower = (await create_key(service.client, "follower", "events:read")).shown
    async with let_in(service, follower) as reader, let_in(service) as admin:
        clients = [reader, admin] if first == "reader" else [admin, reader]
        for client in clients:
            await client.subscribe("1", WALLET, variables={"after": cursor})
        await settle(service, *clients, executions=2)
        before = (await service.client.balance("ann")).active

        await service.client.credit("ann", 5)

        assert await payload(admin) == {
            "data": {"pointsCredited": {"points": 5, "wallet": {"balance": {"active": before + 5}}}}
        }
        refused = await reader.hear()
        assert refused["payload"]["data"] is None
        assert [each["extensions"]["code"] for each in refused["payload"]["errors"]] == [
            "FORBIDDEN"
        ]


async def test_two_members_who_ask_the_same_hear_each_of_their_own(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, **identities.settings) as service,
        let_in(service, identities.token("ann")) as ann,
        let_in(service, identities.token("bob")) as bob,
        let_in(service) as everyone,
    ):
        await service.client.create_program("main")
        cursor = await service.client.event_cursor()
        for client in (ann, bob, everyone):
            await client.subscribe("1", WATCH, variables={"after": cursor})
        await service.following(3)
        for number in range(3):
            await service.client.credit("ann", 10 + number)
            await service.client.credit("bob", 20 + number)

        assert [await points(ann) for _ in range(3)] == [10, 11, 12]
        assert [await points(bob) for _ in range(3)] == [20, 21, 22]
        assert [await points(everyone) for _ in range(6)] == [10, 20, 11, 21, 12, 22]


async def test_of_one_document_each_hears_by_its_own_variables(
    service: Service, cursor: str
) -> None:
    async with let_in(service) as short, let_in(service) as long:
        await short.subscribe("1", SKIPPING, variables={"more": False, "after": cursor})
        await long.subscribe("1", SKIPPING, variables={"more": True, "after": cursor})
        await settle(service, short, long, executions=2)
        for given in (3, 4):
            await service.client.credit("ann", given)

            told = {"points": given, "identity": "ann"}
            assert await payload(long) == {"data": {"pointsCredited": told}}
            assert await payload(short) == {"data": {"pointsCredited": {"points": given}}}


async def test_one_filter_is_not_anothers(service: Service, cursor: str) -> None:
    async with let_in(service) as client:
        for name in ("ann", "bob"):
            variables = {"filter": {"identity": name}, "after": cursor}
            await client.subscribe(name, WATCH, variables=variables)
        await service.following(2)
        for given, name in enumerate(["ann", "bob", "bob", "ann"]):
            await service.client.credit(name, 1 + given)

            assert await points(client, name) == 1 + given


async def test_of_one_document_each_hears_the_operation_that_it_names_under_its_alias(
    service: Service, cursor: str
) -> None:
    async with let_in(service) as client:
        for name in ("One", "Two"):
            await client.subscribe(name, TWO, operationName=name, variables={"after": cursor})
        await settle(service, client, client, executions=2)
        await service.client.credit("ann", 9)
        heard = [await client.hear(), await client.hear()]

    assert {each["id"]: each["payload"]["data"] for each in heard} == {
        "One": {"pointsCredited": {"points": 9}},
        "Two": {"two": {"points": 9, "identity": "ann"}},
    }


async def test_from_a_cursor_each_hears_its_own_past_and_then_the_same(
    service: Service, cursor: str
) -> None:
    cursors = [cursor]
    for given in (1, 2, 3):
        await service.client.credit("ann", given)
        cursors.append(await service.client.event_cursor())
    async with let_in(service) as client, let_in(service) as other:
        await other.subscribe("1", WATCH, variables={"after": cursors[3]})
        await settle(service, other)
        for place, after in enumerate(cursors):
            await client.subscribe(str(place), WATCH, variables={"after": after})
        await service.client.credit("ann", 500)
        heard: dict[str, list[int]] = {}
        while sum(told[-1] == 500 for told in heard.values()) < len(cursors):
            told = await client.hear()
            event = told["payload"]["data"]["pointsCredited"]
            heard.setdefault(told["id"], []).append(event["points"])

        since = heard["3"]
        assert since[-1] == 500
        assert heard == {
            "0": [1, 2, 3, *since],
            "1": [2, 3, *since],
            "2": [3, *since],
            "3": since,
        }


async def test_a_cursor_in_the_document_itself_is_not_shared_away(
    service: Service, cursor: str
) -> None:
    await service.client.credit("ann", 1)
    text = 'subscription { pointsCredited(after: "%s") { points } }'
    given = "subscription ($c: String = %s) { pointsCredited(after: $c) { points } }"
    async with let_in(service) as client:
        for number, kind in enumerate([text % cursor, given % f'"{cursor}"'] * 2):
            await client.subscribe(f"{number}", kind)
            assert await points(client, f"{number}") == 1


@pytest.mark.parametrize("wrong", ["nonsense", 5, ["a"], {"a": 1}])
async def test_a_wrong_cursor_is_refused_though_others_hear_already(
    service: Service, cursor: str, wrong: object
) -> None:
    async with let_in(service) as client:
        await client.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, client)
        await client.subscribe("2", WATCH, variables={"after": wrong})

        assert (await client.error("2"))["extensions"]["code"] in {"BAD_CURSOR", "BAD_REQUEST"}
        assert await shared_by(service, client) == Shared(1, 1)


async def test_variables_nested_too_deeply_to_be_written_are_shared_with_nobody(
    service: Service, cursor: str
) -> None:
    deep: object = 1
    for _ in range(DEEP_MAX):
        deep = [deep]
    variables = {"after": cursor, "unused": deep}
    async with let_in(service) as client:
        for id_ in ("1", "2"):
            await client.subscribe(id_, WATCH, variables=variables)
        await service.following(2)
        await service.client.credit("ann", 5)
        heard = [await client.hear(), await client.hear()]

    assert sorted(each["id"] for each in heard) == ["1", "2"]


# ── each for itself ─────────────────────────────────────────────────────────────────────────────


async def test_each_has_its_own_line_with_its_own_answers_and_its_own_key(
    service: Service, cursor: str
) -> None:
    till = await create_key(service.client, "till", "admin")
    with logged("info") as log:
        async with let_in(service, till.shown) as one, let_in(service) as two:
            await one.subscribe("1", WATCH, variables={"after": cursor})
            await two.subscribe("1", WATCH, variables={"after": cursor})
            await settle(service, one, two)
            await two.complete("1")
            assert await two.is_alive()
            for _ in range(3):
                await shared_by(service, one)
        await service.following(0)
        lines = [each for each in log.of(ANSWERED) if each["kind"] == "subscription"]

    told = {line["principal"]: line for line in lines}
    assert told.keys() == {till.key.id, ADMIN[:30].replace("tpk_", "key_")}
    assert len({line["request_id"] for line in lines}) == 2
    mine, other = told.pop(till.key.id), *told.values()
    assert mine["answers"] == other["answers"] + 3
    assert {mine["name"], other["name"]} == {"Watch"}


async def test_errors_of_a_shared_answer_are_each_ones(service: Service, cursor: str) -> None:
    follower = (await create_key(service.client, "follower", "events:read")).shown
    with logged("info") as log:
        async with let_in(service, follower) as one, let_in(service, follower) as two:
            for client in (one, two):
                await client.subscribe("1", WALLET, variables={"after": cursor})
            await settle(service, one, two)
        await service.following(0)
        lines = [each for each in log.of(ANSWERED) if each["kind"] == "subscription"]

    assert [line["codes"] for line in lines] == ["FORBIDDEN", "FORBIDDEN"]


async def test_a_document_that_was_forgotten_meanwhile_is_known_as_another(
    service: Service, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "KEPT_MAX", 1)
    async with let_in(service) as one, let_in(service) as two:
        await one.subscribe("1", WATCH, variables={"after": cursor})
        await settle(service, one)
        await service.client.execute("{ forgetting: __typename }")
        await two.subscribe("1", WATCH, variables={"after": await service.client.event_cursor()})

        await settle(service, one, two, executions=2)
