"""Promised points: given now, the member's to spend from their activation on."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.rules import after, end_of_calendar_year, inactivity
from tests.harness.servers import Service
from tests.harness.values import Balance, Lifetime


async def test_promised_points_are_in_the_wallet_and_not_spendable(
    client: Client, clock: VirtualClock
) -> None:
    active_at = clock.after(days=14)

    answer = await client.credit("ann", 50, active_at=active_at)

    assert answer.posted.kind == "CREDIT"
    assert answer.posted.change == Balance(promised=50)
    assert answer.posted.active_at == active_at
    assert await client.balance("ann") == Balance(promised=50)
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50)
    refused = await client.debit("ann", 1)
    assert refused.error == "InsufficientPoints"
    assert refused.details == {"available": 0, "requested": 1}
    assert (await client.hold("ann", 1)).error == "InsufficientPoints"
    assert (await client.transfer("ann", "bob", 1)).error == "InsufficientPoints"


async def test_they_become_active_at_the_very_instant_and_not_before(
    client: Client, clock: VirtualClock
) -> None:
    active_at = clock.after(days=14)
    await client.credit("ann", 50, active_at=active_at)

    clock.set(active_at - MICROSECOND)
    assert await client.balance("ann") == Balance(promised=50)
    assert (await client.debit("ann", 50, key="early")).error == "InsufficientPoints"

    clock.set(active_at)
    assert await client.balance("ann") == Balance(active=50)
    assert (await client.debit("ann", 50, key="in-time")).error is None


async def test_reading_writes_nothing(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50, active_at=clock.after(days=1))
    clock.advance(days=2)

    assert await client.balance("ann") == Balance(active=50)
    assert [row.kind for row in await client.history("ann")] == ["CREDIT"]


async def test_the_sweep_writes_the_activation_down(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    active_at = clock.after(days=1)
    credit = (await client.credit("ann", 50, active_at=active_at)).posted
    clock.set(active_at - MICROSECOND)
    assert await service.sweep() == 0
    clock.advance(days=2)

    assert await service.sweep() == 1

    [_, activation] = await client.history("ann")
    assert (activation.kind, activation.points, activation.sequence) == ("ACTIVATION", 50, 2)
    assert activation.change == Balance(active=50, promised=-50)
    assert activation.balance_after == Balance(active=50)
    assert activation.related_id == credit.id
    assert activation.effective_at == active_at
    assert activation.created_at == clock.now
    assert await service.sweep() == 0


async def test_a_command_writes_it_down_first(client: Client, clock: VirtualClock) -> None:
    active_at = clock.after(days=1)
    await client.credit("ann", 50, active_at=active_at)
    clock.advance(days=2)

    debit = (await client.debit("ann", 20)).posted

    rows = await client.history("ann")
    assert [row.kind for row in rows] == ["CREDIT", "ACTIVATION", "DEBIT"]
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert rows[1].effective_at == active_at
    assert debit.balance_after == Balance(active=30)


async def test_a_refused_command_writes_nothing_that_is_due(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50, active_at=clock.after(days=1))
    clock.advance(days=2)

    async with unchanged():
        answer = await client.debit("ann", 51)

    assert answer.details == {"available": 50, "requested": 51}
    assert [row.kind for row in await client.history("ann")] == ["CREDIT"]


async def test_the_programs_delay_promises_every_credit(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Slow", activation_delay="P14D")

    answer = await client.credit("ann", 50, program="Slow")

    assert answer.posted.active_at == clock.after(days=14)
    assert await client.balance("ann", program="Slow") == Balance(promised=50)
    clock.advance(days=14)
    assert await client.balance("ann", program="Slow") == Balance(active=50)


async def test_the_credits_own_activation_wins_over_the_delay(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Slow", activation_delay="P14D")

    await client.credit("ann", 50, program="Slow", active_at=clock.now)
    await client.credit("ann", 7, program="Slow", active_at=clock.after(days=1))

    assert await client.balance("ann", program="Slow") == Balance(active=50, promised=7)
    clock.advance(days=1)
    assert await client.balance("ann", program="Slow") == Balance(active=57)


async def test_expiry_counts_from_activation(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Gold", expiry=after(30))
    active_at = clock.after(days=10)

    credit = (await client.credit("ann", 50, program="Gold", active_at=active_at)).posted

    assert credit.expires_at == clock.after(days=40)


async def test_inactivity_counts_from_activation(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Idle", expiry=inactivity(30))
    active_at = clock.after(days=100)

    await client.credit("ann", 50, program="Idle", active_at=active_at)

    clock.set(active_at)
    assert await client.balance("ann", program="Idle") == Balance(active=50)
    clock.advance(days=30, microseconds=-1)
    assert await client.balance("ann", program="Idle") == Balance(active=50)
    clock.advance(microseconds=1)
    assert await client.balance("ann", program="Idle") == Balance()


async def test_refuses_an_activation_at_or_after_the_rules_expiry(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Yearly", expiry=end_of_calendar_year(0))

    async with unchanged():
        answer = await client.credit("ann", 50, program="Yearly", active_at="2027-01-01T00:00:00Z")

    assert answer.error == "InvalidInput"
    assert answer.error_path in {("input", "activeAt"), ("input", "expiresAt")}
    in_time = await client.credit(
        "ann", 50, program="Yearly", active_at="2026-12-31T23:59:59.999999Z"
    )
    assert in_time.error is None


async def test_two_promises_become_active_in_the_order_of_their_time(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 5, active_at=clock.after(days=2))
    await client.credit("ann", 7, active_at=clock.after(days=1))
    clock.advance(days=3)

    await service.sweep()

    rows = await client.history("ann")
    assert [(row.kind, row.points) for row in rows[2:]] == [("ACTIVATION", 7), ("ACTIVATION", 5)]
    assert [row.balance_after for row in rows[2:]] == [
        Balance(active=7, promised=5),
        Balance(active=12),
    ]


async def test_the_ledger_is_sound_before_and_after_the_sweep(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 5, active_at=clock.after(days=2), expires_at=clock.after(days=4))
    clock.advance(days=5)

    assert (await client.health()).violations == []
    await service.sweep()
    assert (await client.health()).violations == []
    assert [row.kind for row in await client.history("ann")] == ["CREDIT", "ACTIVATION", "EXPIRY"]
