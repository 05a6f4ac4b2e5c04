"""Several instances on one database act as one: what they share, they share by it alone."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from itertools import cycle
from typing import Any

from sqlalchemy import text

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.patience import patience
from tests.harness.servers import Service
from tests.harness.values import Answer, Balance

TASKS = 50
PEOPLE = ("ann", "bob", "cyd", "dan")
TRANSFERS = 60
WRITERS = 8
CREDITS = 8  # of each writer
PAGE = 6
LOTS = 40


async def together(deeds: Iterable[Awaitable[Answer]]) -> list[Answer]:
    async with patience(60):
        return list(await asyncio.gather(*deeds))


def outcomes(answers: list[Answer]) -> Counter[str | None]:
    return Counter(answer.error for answer in answers)


def in_turn(three: list[Service], count: int) -> list[Client]:
    """Return so many clients, of one instance after another."""
    clients = cycle(each.client for each in three)
    return [next(clients) for _ in range(count)]


async def rows(service: Service, query: str) -> list[tuple[Any, ...]]:
    """Return what the database says."""
    found = await service.inside.database.read(lambda connection: connection.execute(text(query)))
    return [tuple(row) for row in found]


async def assert_sound(three: list[Service]) -> None:
    assert (await three[0].client.health()).violations == []
    places = [row[0] for row in await rows(three[0], "SELECT position FROM events ORDER BY 1")]
    assert places == list(range(1, len(places) + 1))


# ── one effect for each key ─────────────────────────────────────────────────────────────────────


async def test_fifty_tasks_with_one_key_make_one_row_and_get_one_answer(
    three: list[Service],
) -> None:
    clients = in_turn(three, TASKS)

    answers = await together(each.credit("ann", 50, key="order-1") for each in clients)

    assert outcomes(answers) == {None: TASKS}
    assert all(answer.posted == answers[0].posted for answer in answers)
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: TASKS - 1}
    assert await rows(three[1], "SELECT kind FROM transactions") == [("CREDIT",)]
    assert await three[2].client.balance("ann") == Balance(active=50)
    await assert_sound(three)


async def test_one_refusal_is_the_refusal_of_all_and_for_good(three: list[Service]) -> None:
    await three[0].client.credit("ann", 5)
    clients = in_turn(three, TASKS)

    answers = await together(each.debit("ann", 50, key="spend") for each in clients)
    await three[1].client.credit("ann", 500)
    later = await together(each.client.debit("ann", 50, key="spend") for each in three)

    assert outcomes(answers + later) == {"InsufficientPoints": TASKS + 3}
    assert all(answer.details == answers[0].details for answer in answers + later)
    assert Counter(answer.replayed for answer in answers + later) == {False: 1, True: TASKS + 2}
    assert await three[2].client.balance("ann") == Balance(active=505)


# ── no point is spent twice ─────────────────────────────────────────────────────────────────────


async def test_debits_holds_reversals_and_transfers_of_one_balance_exclude_each_other(
    three: list[Service],
) -> None:
    credit = await three[0].client.credit("ann", 50)
    deeds = [
        deed
        for client in in_turn(three, 9)
        for deed in (
            client.debit("ann", 50),
            client.hold("ann", 50),
            client.reverse(credit.id),
            client.transfer("ann", "bob", 50),
        )
    ]

    answers = await together(deeds)

    assert outcomes(answers)[None] == 1
    assert set(outcomes(answers)) <= {None, "InsufficientPoints", "ExceedsOriginal"}
    await assert_sound(three)


async def test_a_hold_is_captured_or_released_once(three: list[Service]) -> None:
    await three[0].client.credit("ann", 50)
    hold_id = (await three[0].client.hold("ann", 30)).held.id

    answers = await together(
        deed
        for client in in_turn(three, 15)
        for deed in (client.capture(hold_id), client.release(hold_id))
    )

    assert outcomes(answers) == {None: 1, "HoldClosed": 29}
    assert (await three[1].client.balance("ann")).held == 0
    await assert_sound(three)


async def test_transfers_both_ways_end_and_keep_the_sum_and_each_wallets_order(
    three: list[Service],
) -> None:
    for who in PEOPLE:
        await three[0].client.credit(who, 100)
    chance = random.Random(7)

    answers = await together(
        client.transfer(giver, taker, chance.randint(1, 90))
        for client in in_turn(three, TRANSFERS)
        for giver, taker in [chance.sample(PEOPLE, 2)]
    )

    assert set(outcomes(answers)) <= {None, "InsufficientPoints"}
    balances = [(await three[1].client.balance(who)).active for who in PEOPLE]
    assert (sum(balances), min(balances) >= 0) == (400, True)
    for who, balance in zip(PEOPLE, balances, strict=True):
        history = await three[2].client.history(who)
        assert [row.sequence for row in history] == list(range(1, len(history) + 1))
        so_far = 0
        for row in history:
            so_far += row.change.active
            assert row.balance_after.active == so_far >= 0
        assert so_far == balance
    await assert_sound(three)


async def test_first_credits_of_the_same_newcomers_in_any_order_open_each_once(
    three: list[Service],
) -> None:
    newcomers = [f"m{number}" for number in range(60)]

    async def open_all(service: Service, order: list[str]) -> list[Answer]:
        credits_ = [service.client.credit_of(who, 1) for who in order]
        return list((await service.client.credit_batch(credits_)).results)

    async with patience():
        answers = await asyncio.gather(
            open_all(three[0], newcomers),
            open_all(three[1], newcomers[::-1]),
            open_all(three[2], random.Random(1).sample(newcomers, len(newcomers))),
        )

    assert outcomes([answer for some in answers for answer in some]) == {None: 180}
    assert (await three[0].client.health()).wallets == 60
    await assert_sound(three)


# ── one order of all events ─────────────────────────────────────────────────────────────────────


async def test_whoever_reads_after_a_cursor_misses_nothing_that_eight_write_meanwhile(
    three: list[Service],
) -> None:
    done = asyncio.Event()

    async def write(number: int, client: Client) -> list[str]:
        given = [await client.credit(f"m{(number + n) % 5}", 1) for n in range(CREDITS)]
        return [each.id for each in given]

    async def read(client: Client) -> list[str]:
        """Read page after page, until nothing is left once all is written."""
        seen: list[str] = []
        cursor = None
        while True:
            is_last = done.is_set()
            page = await client.events(first=PAGE, after=cursor)
            seen += [event.transaction_id for event in page.nodes]
            cursor = page.end_cursor or cursor
            if is_last and not page.nodes:
                return seen

    async with patience(60), three[2].client.subscribe() as stream:
        await three[2].following(1)
        readers = [asyncio.create_task(read(each.client)) for each in three[:2]]
        written = await asyncio.gather(
            *(write(number, client) for number, client in enumerate(in_turn(three, WRITERS)))
        )
        done.set()
        first, second = await asyncio.gather(*readers)
        live = [event.transaction_id for event in await stream.take(WRITERS * CREDITS)]

    order = [row[0] for row in await rows(three[0], _IN_ORDER)]
    assert sorted(order) == sorted(each for some in written for each in some)
    assert first == second == live == order
    for some in written:  # who waits for an answer is before whoever is asked afterwards
        assert [each for each in order if each in set(some)] == some
    await assert_sound(three)


_IN_ORDER = "SELECT transaction_id FROM events ORDER BY position"


# ── the clock acts once ─────────────────────────────────────────────────────────────────────────


async def test_what_falls_due_is_written_once_whoever_sweeps(
    three: list[Service], clock: VirtualClock
) -> None:
    client = three[0].client
    for number in range(LOTS):
        who = f"m{number % 10}"
        await client.credit(
            who, 5, active_at=clock.after(days=1), expires_at=clock.after(days=5 + number % 3)
        )
    await client.credit("ann", 9, expires_at=clock.after(days=30))
    await client.hold("ann", 4, expires_at=clock.after(days=1))

    async with patience(60):
        for days in (1, 1, 4, 18, 12):
            clock.advance(days=days)
            await asyncio.gather(*(each.sweep() for each in three for _ in range(2)))

    written = Counter(row[0] for row in await rows(three[0], "SELECT kind FROM transactions"))
    assert written == {
        "CREDIT": LOTS + 1,
        "HOLD": 1,
        "ACTIVATION": LOTS,
        "RELEASE": 1,
        "EXPIRY": LOTS + 1,
    }
    warned = await rows(three[0], _WARNED)
    assert [times for _, times in warned] == [1] * len(warned)
    assert len(warned) == LOTS + 1
    await assert_sound(three)


_WARNED = "SELECT lot_id, count(*) FROM events WHERE name = 'POINTS_EXPIRING_SOON' GROUP BY 1"
