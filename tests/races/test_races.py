"""Many at once: whatever the order, no point is made, lost or spent twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterable

from tests.harness.client import Client
from tests.harness.values import Answer, Balance


async def together(deeds: Iterable[Awaitable[Answer]]) -> list[Answer]:
    return list(await asyncio.gather(*deeds))


def outcomes(answers: list[Answer]) -> Counter[str | None]:
    return Counter(answer.error for answer in answers)


async def assert_sound(client: Client) -> None:
    assert (await client.health()).violations == []


async def test_of_a_hundred_debits_of_the_whole_balance_exactly_one_succeeds(
    client: Client,
) -> None:
    await client.credit("ann", 50)

    answers = await together(client.debit("ann", 50) for _ in range(100))

    assert outcomes(answers) == {None: 1, "InsufficientPoints": 99}
    assert await client.balance("ann") == Balance()
    assert [row.kind for row in await client.history("ann")] == ["CREDIT", "DEBIT"]
    await assert_sound(client)


async def test_debits_holds_reversals_and_transfers_of_one_balance_exclude_each_other(
    client: Client,
) -> None:
    credit = await client.credit("ann", 50)
    deeds = [
        deed
        for _ in range(10)
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
    await assert_sound(client)


async def test_fifty_tasks_with_one_key_make_one_row_and_get_one_answer(client: Client) -> None:
    answers = await together(client.credit("ann", 50, key="order-1") for _ in range(50))

    assert outcomes(answers) == {None: 50}
    assert len({answer.id for answer in answers}) == 1
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 49}
    assert all(answer.posted == answers[0].posted for answer in answers)
    assert await client.balance("ann") == Balance(active=50)
    assert (await client.health()).transactions == 1
    assert len((await client.events()).nodes) == 1


async def test_fifty_tasks_with_one_key_and_two_amounts_agree_on_one(client: Client) -> None:
    answers = await together(client.credit("ann", 50 + n % 2, key="order-1") for n in range(50))

    assert outcomes(answers) == {None: 25, "IdempotencyConflict": 25}
    assert len({answer.id for answer in answers if answer.error is None}) == 1
    assert (await client.health()).transactions == 1


async def test_one_refusal_is_the_refusal_of_all(client: Client) -> None:
    await client.credit("ann", 5)

    answers = await together(client.debit("ann", 50, key="spend") for _ in range(50))

    assert outcomes(answers) == {"InsufficientPoints": 50}
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: 49}


async def test_first_credits_at_once_open_one_member_and_one_wallet(client: Client) -> None:
    answers = await together(client.credit("ann", 1) for _ in range(50))

    assert len({answer.posted.wallet_id for answer in answers}) == 1
    assert sorted(answer.posted.sequence for answer in answers) == list(range(1, 51))
    assert (await client.health()).wallets == 1
    await assert_sound(client)


async def test_transfers_both_ways_keep_the_sum(client: Client) -> None:
    people = ("ann", "bob", "cyd")
    for who in people:
        await client.credit(who, 100)
    chance = random.Random(7)
    pairs = [chance.sample(people, 2) for _ in range(120)]

    answers = await together(
        client.transfer(sender, receiver, chance.randint(1, 90)) for sender, receiver in pairs
    )

    assert set(outcomes(answers)) <= {None, "InsufficientPoints"}
    balances = [(await client.balance(who)).active for who in people]
    assert sum(balances) == 300
    assert min(balances) >= 0
    await assert_sound(client)


async def test_captures_and_releases_of_one_hold_settle_it_once(client: Client) -> None:
    await client.credit("ann", 50)
    hold_id = (await client.hold("ann", 30)).held.id

    captures = [client.capture(hold_id) for _ in range(25)]
    releases = [client.release(hold_id) for _ in range(25)]
    answers = await together(deed for pair in zip(captures, releases, strict=True) for deed in pair)

    assert outcomes(answers) == {None: 1, "HoldClosed": 49}
    assert (await client.balance("ann")).held == 0
    await assert_sound(client)


async def test_partial_captures_never_take_more_than_was_held(client: Client) -> None:
    await client.credit("ann", 50)
    hold_id = (await client.hold("ann", 30)).held.id

    answers = await together(client.capture(hold_id, points=4) for _ in range(40))

    assert outcomes(answers) == {None: 7, "ExceedsOriginal": 33}
    [hold] = (await client.holds("ann")).nodes
    assert (hold.status, hold.captured) == ("OPEN", 28)
    await assert_sound(client)


async def test_refunds_of_one_debit_add_up_to_it_at_most(client: Client) -> None:
    await client.credit("ann", 50)
    debit = await client.debit("ann", 30)

    answers = await together(client.refund(debit.id, points=4) for _ in range(40))

    assert outcomes(answers) == {None: 7, "ExceedsOriginal": 33}
    assert await client.balance("ann") == Balance(active=48)
    await assert_sound(client)


async def test_many_wallets_at_once_each_get_their_own(client: Client) -> None:
    answers = await together(client.credit(f"m{n % 20}", n + 1, key=f"k{n}") for n in range(120))

    assert outcomes(answers) == {None: 120}
    for m in range(20):
        expected = sum(n + 1 for n in range(120) if n % 20 == m)
        assert await client.balance(f"m{m}") == Balance(active=expected)
    positions = [event.transaction_id for event in (await client.events(first=100)).nodes]
    assert len(set(positions)) == 100
    await assert_sound(client)


async def test_a_refusal_in_the_crowd_touches_nobody_else(client: Client) -> None:
    await client.credit("ann", 10)
    deeds = [client.credit(f"m{n}", 5) if n % 3 else client.debit("ann", 1_000) for n in range(90)]

    answers = await together(deeds)

    assert outcomes(answers) == {None: 60, "InsufficientPoints": 30}
    assert await client.balance("ann") == Balance(active=10)
    assert (await client.summary("Points")).active == 10 + 60 * 5
    await assert_sound(client)
