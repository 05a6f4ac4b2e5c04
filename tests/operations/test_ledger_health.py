"""ledgerHealth: every invariant, checked over the whole ledger."""

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Health


async def test_an_empty_ledger_is_sound(client: Client) -> None:
    assert await client.health() == Health(wallets=0, transactions=0, violations=[])


async def test_counts_wallets_and_written_transactions(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.credit("bob", 50)
    await client.transfer("bob", "cyd", 5)
    clock.advance(days=2)
    assert await client.health() == Health(wallets=3, transactions=4, violations=[])

    await service.sweep()

    assert await client.health() == Health(wallets=3, transactions=5, violations=[])


async def test_a_ledger_with_a_row_of_every_kind_is_sound(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    credit = await client.credit("ann", 100, expires_at=clock.after(days=5))
    await client.credit("ann", 40, active_at=clock.after(days=1))
    debit = await client.debit("ann", 30)
    hold = await client.hold("ann", 20)
    await client.capture(hold.held.id, points=5)
    await client.release(hold.held.id)
    await client.hold("ann", 7, expires_at=clock.after(days=10))
    await client.reverse(credit.id, points=10)
    await client.transfer("ann", "bob", 12)
    clock.advance(days=20)
    await service.sweep()
    await client.refund(debit.id, points=15)

    kinds = {row.kind for who in ("ann", "bob") for row in await client.history(who)}
    health = await client.health()

    assert kinds == {
        "CREDIT",
        "ACTIVATION",
        "DEBIT",
        "EXPIRY",
        "REVERSAL",
        "REFUND",
        "HOLD",
        "RELEASE",
        "TRANSFER_OUT",
        "TRANSFER_IN",
    }
    assert health.violations == []
