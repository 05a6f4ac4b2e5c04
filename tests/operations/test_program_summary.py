"""Program.summary: balances now and what flowed, summed over all of a program's wallets."""

import pytest

from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Summary

NOTHING = Summary(
    active=0,
    promised=0,
    held=0,
    credited=0,
    credited_by_source={},
    redeemed=0,
    removed=0,
    expired=0,
    reversed=0,
)


async def test_a_program_without_wallets_sums_to_nothing(client: Client) -> None:
    assert await client.summary("Points") == NOTHING


async def test_sums_every_flow_over_all_wallets(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Gold")
    await client.credit("zoe", 1_000, program="Gold")
    credit = await client.credit("ann", 100)
    await client.credit("ann", 30, source="MANUAL", expires_at=clock.after(days=1))
    await client.credit("bob", 50, source="CAMPAIGN")
    await client.credit("bob", 20, active_at=clock.after(days=30))
    await client.debit("bob", 15)
    await client.debit("bob", 5, manual=True)
    hold_id = (await client.hold("ann", 40)).held.id
    await client.capture(hold_id, points=10)
    await client.reverse(credit.id, points=25)
    await client.transfer("bob", "ann", 10)

    assert await client.summary("Points") == Summary(
        active=95,
        promised=20,
        held=30,
        credited=200,
        credited_by_source={"API": 120, "MANUAL": 30, "CAMPAIGN": 50},
        redeemed=25,
        removed=5,
        expired=0,
        reversed=25,
    )


async def test_flows_are_within_the_span_and_balances_are_of_now(
    client: Client, clock: VirtualClock
) -> None:
    start = clock.now
    await client.credit("ann", 100)
    clock.advance(days=1)
    day_two = clock.now
    await client.credit("ann", 7)
    await client.debit("ann", 20)
    clock.advance(days=1)

    first = await client.summary("Points", from_=start, to=day_two)
    second = await client.summary("Points", from_=day_two)
    up_to_two = await client.summary("Points", to=day_two + MICROSECOND)
    empty = await client.summary("Points", from_=start + MICROSECOND, to=day_two)

    assert (first.credited, first.redeemed, first.active) == (100, 0, 87)
    assert (second.credited, second.redeemed, second.active) == (7, 20, 87)
    assert (up_to_two.credited, up_to_two.redeemed) == (107, 20)
    assert (empty.credited, empty.redeemed, empty.active) == (0, 0, 87)


@pytest.mark.parametrize("swept", [False, True], ids=["unswept", "swept"])
async def test_what_is_due_counts_as_if_it_were_written(
    service: Service, client: Client, clock: VirtualClock, *, swept: bool
) -> None:
    expiry = clock.after(days=2)
    await client.credit("ann", 50, expires_at=expiry)
    await client.credit("ann", 7, active_at=clock.after(days=1))
    await client.credit("bob", 9)
    await client.hold("bob", 4)
    clock.advance(days=10)
    if swept:
        await service.sweep()

    summary = await client.summary("Points")
    before = await client.summary("Points", to=expiry)
    from_then = await client.summary("Points", from_=expiry)

    assert (summary.active, summary.promised, summary.held) == (16, 0, 0)
    assert (summary.credited, summary.expired) == (66, 50)
    assert (before.credited, before.expired) == (66, 0)
    assert (from_then.credited, from_then.expired) == (0, 50)


async def test_the_program_equals_the_sum_of_its_wallets(
    client: Client, clock: VirtualClock
) -> None:
    for n in range(5):
        await client.credit(f"m{n}", 10 * n + 1, expires_at=clock.after(days=n + 1))
        await client.debit(f"m{n}", n + 1)
    clock.advance(days=3)

    summary = await client.summary("Points")
    wallets = (await client.wallets()).nodes

    for part in ("active", "promised", "held"):
        total = sum(getattr(wallet.balance, part) for wallet in wallets)
        assert getattr(summary, part) == total
    for part in ("credited", "redeemed", "removed", "expired", "reversed"):
        total = sum(getattr(wallet.lifetime, part) for wallet in wallets)
        assert getattr(summary, part) == total
