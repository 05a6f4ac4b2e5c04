"""pointsCredited: every credit as it happens, from a cursor on, with no gap and no repeat."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service
from tests.harness.stream import Stream
from tests.harness.values import Json, PointsCredited

LEAN = """mutation Lean($input: CreditPointsBatchInput!) {
  creditPointsBatch(input: $input) { results { transaction { id } } } }"""
CREDITS_MAX = 200


async def many(client: Client, who: str, count: int) -> list[str]:
    """Credit one point so many times; return the transactions' ids in order."""
    credits_ = [client.credit_of(who, 1) for _ in range(count)]
    data = await client.execute(LEAN, input={"credits": credits_})
    return [each["transaction"]["id"] for each in data["creditPointsBatch"]["results"]]


async def take_while_connected(stream: Stream, count: int) -> list[PointsCredited]:
    """Take so many events, or those that came before the connection was lost."""
    taken: list[PointsCredited] = []
    try:
        while len(taken) < count:
            taken.append(await stream.next())
    except ConnectionClosed:
        pass
    return taken


async def test_a_credit_arrives_whole(client: Client) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(after=cursor) as stream:
        credit = await client.credit("ann", 50, description="Hello", order={"saleChannel": "web"})

        event = await stream.next()

    assert event.transaction_id == credit.id
    assert (event.name, event.points, event.identity) == ("CT Points Credited", 50, "ann")
    assert (event.points_description, event.sale_channel) == ("Hello", "web")
    [logged] = (await client.events()).nodes
    assert event == logged


async def test_without_a_cursor_it_is_live_from_now(client: Client) -> None:
    await client.credit("old", 1)
    async with client.subscribe() as stream:
        heard = asyncio.create_task(stream.next())
        made: list[str] = []
        # The subscription begins at a moment of its own: credit until it hears one.
        for _ in range(CREDITS_MAX):
            made.append((await client.credit("ann", 1)).id)
            if heard.done():
                break
        first = await heard
        marker = await client.credit("ann", 2)
        rest = await stream.take_until(marker.id)

    assert first.transaction_id in made
    later = made[made.index(first.transaction_id) + 1 :]
    assert [event.transaction_id for event in rest] == [*later, marker.id]


async def test_from_a_cursor_the_past_comes_first_and_then_the_present(client: Client) -> None:
    await client.credit("ann", 1)
    cursor = (await client.events()).end_cursor
    past = [(await client.credit("ann", points)).id for points in (2, 3, 4)]
    async with client.subscribe(after=cursor) as stream:
        before = await stream.take(3)
        live = [(await client.credit("ann", points)).id for points in (5, 6)]
        after = await stream.take(2)

    assert [event.transaction_id for event in before] == past
    assert [event.transaction_id for event in after] == live


async def test_a_subscriber_that_comes_and_goes_misses_nothing(client: Client) -> None:
    cursor = await client.event_cursor()
    made: list[str] = []
    heard: list[str] = []
    for turn in range(6):
        made += [(await client.credit("ann", 1)).id for _ in range(turn)]
        async with client.subscribe(after=cursor) as stream:
            made.append((await client.credit("bob", 1)).id)
            for event in await stream.take_until(made[-1]):
                heard.append(event.transaction_id)
                cursor = event.cursor

    assert heard == made


async def test_credits_made_while_it_catches_up_come_in_order(client: Client) -> None:
    cursor = await client.event_cursor()
    made = await many(client, "ann", 300)
    async with client.subscribe(after=cursor) as stream:
        made += await many(client, "ann", 300)
        made += await many(client, "bob", 10)
        heard = await stream.take(len(made))

    assert [event.transaction_id for event in heard] == made
    assert len({event.cursor for event in heard}) == len(made)


@pytest.mark.parametrize(
    "filter",
    [
        {"identity": "ann"},
        {"sources": ["MANUAL"]},
        {"minPoints": 50},
        {"identity": "ann", "sources": ["MANUAL", "CAMPAIGN"], "minPoints": 50},
    ],
    ids=str,
)
async def test_only_what_the_filter_lets_through_arrives(client: Client, filter: Json) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(filter, after=cursor) as stream:
        await client.credit("bob", 5)
        await client.debit("bob", 5)
        await client.credit("bob", 49)
        marker = await client.credit("ann", 50, source="MANUAL")

        await stream.is_silent_before(marker.id)


async def test_one_wallet_or_one_program_can_be_followed(client: Client) -> None:
    await client.create_program("Gold")
    wallet_id = (await client.credit("ann", 1)).posted.wallet_id
    gold = (await client.credit("bob", 1, program="Gold")).wallet
    assert gold is not None
    cursor = await client.event_cursor()
    async with (
        client.subscribe({"walletId": wallet_id}, after=cursor) as of_wallet,
        client.subscribe({"programId": gold.program_id}, after=cursor) as of_program,
    ):
        await client.credit("bob", 2)
        in_gold = await client.credit("cyd", 3, program="Gold")
        for_ann = await client.credit("ann", 4)

        await of_wallet.is_silent_before(for_ann.id)
        await of_program.is_silent_before(in_gold.id)


async def test_a_filter_that_finds_nothing_for_long_still_hears_what_comes(
    client: Client,
) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe({"identity": "ann"}, after=cursor) as stream:
        for _ in range(3):
            await many(client, "bob", 400)
        marker = await client.credit("ann", 1)

        await stream.is_silent_before(marker.id)


async def test_a_promise_arrives_when_it_becomes_active(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(after=cursor) as stream:
        promise = await client.credit("ann", 50, active_at=clock.after(days=1))
        clock.advance(days=1)
        await service.sweep()

        event = await stream.next()

    assert (event.transaction_id, event.ct_source) == (promise.id, "System")


async def test_replays_and_refusals_raise_nothing(client: Client) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(after=cursor) as stream:
        first = await client.credit("ann", 50, key="once")
        await client.credit("ann", 50, key="once")
        await client.credit("ann", 60, key="once")
        await client.credit("ann", 0)
        marker = await client.credit("ann", 1)

        assert (await stream.next()).transaction_id == first.id
        await stream.is_silent_before(marker.id)


async def test_a_subscriber_that_stops_reading_costs_the_others_nothing(client: Client) -> None:
    cursor = await client.event_cursor()
    async with (
        client.subscribe(after=cursor, frames_max=1) as slow,
        client.subscribe(after=cursor) as keen,
    ):
        made: list[str] = []
        for _ in range(5):
            made += await many(client, "ann", 1_000)
            kept_up = await keen.take(1_000)
            assert [event.transaction_id for event in kept_up] == made[-1_000:]

        # It wakes up. If the service has hung up on it by now, it resumes: nothing is missing.
        caught_up = await take_while_connected(slow, len(made))
    last = caught_up[-1].cursor if caught_up else cursor
    async with client.subscribe(after=last) as resumed:
        caught_up += await resumed.take(len(made) - len(caught_up))

    assert [event.transaction_id for event in caught_up] == made


async def test_many_subscribers_all_hear_the_same(client: Client) -> None:
    cursor = await client.event_cursor()
    streams = [client.subscribe(after=cursor) for _ in range(20)]
    for stream in streams:
        await stream.__aenter__()
    made = [(await client.credit("ann", points)).id for points in (1, 2, 3)]

    heard = [await stream.take(3) for stream in streams]

    for stream in streams:
        await stream.__aexit__(None, None, None)
    assert all([event.transaction_id for event in each] == made for each in heard)


async def test_after_erasure_nobody_is_told_who_it_was(client: Client) -> None:
    cursor = await client.event_cursor()
    wallet = (await client.credit("ann", 50, description="Dear Ann")).wallet
    assert wallet is not None
    async with client.subscribe(after=cursor) as stream:
        assert (await stream.next()).identity == "ann"

    await client.erase_member("ann")

    async with client.subscribe(after=cursor) as stream:
        event = await stream.next()
    assert event.identity == f"erased:{wallet.member_id}"
    assert event.points_description is None


@pytest.mark.parametrize("cursor", ["", "nonsense", "MTIz", "💥", "9" * 400])
async def test_refuses_a_cursor_that_is_none(client: Client, cursor: str) -> None:
    async with client.subscribe(after=cursor) as stream:
        [error] = await stream.refused()

    assert error["extensions"]["code"] == "BAD_CURSOR"
    assert "after" in str(error)


async def test_refuses_a_cursor_of_another_list(client: Client) -> None:
    await client.credit("ann", 50)
    cursor = (await client.wallets()).end_cursor

    async with client.subscribe(after=cursor) as stream:
        [error] = await stream.refused()

    assert error["extensions"]["code"] == "BAD_CURSOR"


async def test_a_subscription_survives_the_end_of_another(client: Client) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(after=cursor) as stays:
        async with client.subscribe(after=cursor) as goes:
            first = await client.credit("ann", 1)
            assert (await goes.next()).transaction_id == first.id
        second = await client.credit("ann", 2)

        assert [each.transaction_id for each in await stays.take(2)] == [first.id, second.id]
