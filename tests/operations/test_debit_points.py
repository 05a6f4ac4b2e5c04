"""debitPoints: takes points from a wallet, never more than it has to spend."""

from decimal import Decimal

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.rules import decimals
from tests.harness.values import Balance, Lifetime, Order


async def test_takes_points_as_a_redemption(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)

    answer = await client.debit(
        "ann",
        20,
        description="A mug",
        order={"id": "A-2", "saleAmount": 12.5},
        metadata={"sku": 7},
    )

    debit = answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert (debit.kind, debit.sequence, debit.points) == ("DEBIT", 2, 20)
    assert debit.change == Balance(active=-20)
    assert debit.balance_after == Balance(active=30)
    assert debit.source == "API"
    assert (debit.description, debit.metadata) == ("A mug", {"sku": 7})
    assert debit.order == Order("A-2", Decimal("12.5"))
    assert (debit.active_at, debit.expires_at, debit.hold_id) == (None, None, None)
    assert debit.effective_at == clock.now
    assert answer.wallet == await client.wallet("ann")
    assert answer.wallet is not None
    assert answer.wallet.balance == Balance(active=30)
    assert answer.wallet.lifetime == Lifetime(credited=50, redeemed=20)


async def test_a_manual_debit_removes_and_does_not_redeem(client: Client) -> None:
    await client.credit("ann", 50)

    answer = await client.debit("ann", 20, manual=True)

    assert answer.posted.source == "MANUAL"
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50, removed=20)


async def test_the_very_balance_can_be_spent(client: Client) -> None:
    await client.create_program("Fine", rounding=decimals(3))
    await client.credit("ann", Decimal("10.001"), program="Fine")

    answer = await client.debit("ann", Decimal("10.001"), program="Fine")

    assert answer.error is None
    assert await client.balance("ann", program="Fine") == Balance()


async def test_refuses_a_thousandth_more_than_the_balance(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Fine", rounding=decimals(3))
    await client.credit("ann", 10, program="Fine")

    async with unchanged():
        answer = await client.debit("ann", Decimal("10.001"), program="Fine")

    assert (answer.error, answer.error_path) == ("InsufficientPoints", ("input", "points"))
    assert answer.details == {"available": 10, "requested": Decimal("10.001")}
    assert (answer.transaction, answer.wallet, answer.replayed) == (None, None, False)


async def test_takes_what_expires_first(client: Client, clock: VirtualClock) -> None:
    late, soon, later = (clock.after(days=days) for days in (20, 10, 30))
    for expires_at in (late, soon, later):
        await client.credit("ann", 10, expires_at=expires_at)
    await client.credit("ann", 10)

    await client.debit("ann", 15)

    assert await client.expiring("ann") == [(late, 5), (later, 10)]


async def test_takes_what_never_expires_last(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 10)
    clock.advance(seconds=1)
    await client.credit("ann", 10, expires_at=clock.after(days=3_000))

    await client.debit("ann", 10)

    assert await client.expiring("ann") == []
    assert await client.balance("ann") == Balance(active=10)


async def test_takes_what_was_issued_first_where_the_program_says_so(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Fifo", consumption="EARLIEST_ISSUANCE")
    late, soon = clock.after(days=20), clock.after(days=10)
    await client.credit("ann", 10, program="Fifo", expires_at=late)
    clock.advance(seconds=1)
    await client.credit("ann", 10, program="Fifo", expires_at=soon)

    await client.debit("ann", 4, program="Fifo")

    assert await client.expiring("ann", program="Fifo") == [(soon, 10), (late, 6)]


async def test_issuance_not_activation_decides_where_the_program_says_so(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Fifo", consumption="EARLIEST_ISSUANCE")
    first, second = clock.after(days=40), clock.after(days=30)
    await client.credit("ann", 10, program="Fifo", expires_at=first, active_at=clock.after(days=2))
    clock.advance(days=1)
    await client.credit("ann", 10, program="Fifo", expires_at=second)
    clock.advance(days=5)

    await client.debit("ann", 4, program="Fifo")

    assert await client.expiring("ann", program="Fifo") == [(second, 10), (first, 6)]


async def test_of_equal_expiries_the_earlier_activation_goes_first(
    client: Client, clock: VirtualClock
) -> None:
    expires_at = clock.after(days=30)
    promised = await client.credit("ann", 10, expires_at=expires_at, active_at=clock.after(days=2))
    clock.advance(days=1)
    at_once = await client.credit("ann", 10, expires_at=expires_at)
    clock.advance(days=5)

    await client.debit("ann", 10)

    assert (await client.reverse(at_once.id)).error == "InsufficientPoints"
    assert (await client.reverse(promised.id)).error is None


async def test_points_can_not_be_spent_from_the_instant_they_expire(
    client: Client, clock: VirtualClock
) -> None:
    expires_at = clock.after(days=10)
    await client.credit("ann", 50, expires_at=expires_at)
    await client.credit("ann", 7)

    clock.set(expires_at - MICROSECOND)
    assert (await client.debit("ann", 10)).error is None

    clock.set(expires_at)
    refused = await client.debit("ann", 8)
    assert refused.details == {"available": 7, "requested": 8}
    assert (await client.debit("ann", 7)).error is None
    assert [row.kind for row in await client.history("ann")] == [
        "CREDIT",
        "CREDIT",
        "DEBIT",
        "EXPIRY",
        "DEBIT",
    ]


async def test_held_points_can_not_be_spent(client: Client) -> None:
    await client.credit("ann", 50)
    await client.hold("ann", 30)

    refused = await client.debit("ann", 21)

    assert refused.details == {"available": 20, "requested": 21}


async def test_a_debit_may_take_from_very_many_lots(client: Client) -> None:
    await client.credit_batch([client.credit_of("ann", 1) for _ in range(300)])

    answer = await client.debit("ann", 299)

    assert answer.error is None
    assert await client.balance("ann") == Balance(active=1)
    assert (await client.health()).violations == []


async def test_refuses_an_owner_without_a_wallet(client: Client, unchanged: Unchanged) -> None:
    await client.upsert_member("ann")

    async with unchanged():
        known = await client.debit("ann", 1)
        unknown = await client.debit("bob", 1)

    assert (known.error, unknown.error) == ("WalletNotFound", "WalletNotFound")
    assert known.error_path[:2] == ("input", "wallet")
    assert await client.member("bob") is None


async def test_refuses_a_program_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await client.debit("ann", 1, program="Silver")

    assert answer.error == "ProgramNotFound"
    assert answer.error_path[:2] == ("input", "wallet")


async def test_refuses_a_frozen_wallet(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 50)
    await client.freeze("ann")

    async with unchanged():
        answer = await client.debit("ann", 1)

    assert answer.error == "WalletFrozen"


async def test_refuses_more_decimals_than_the_program_has(
    client: Client, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50)

    async with unchanged():
        answer = await client.debit("ann", Decimal("0.5"))

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "points"))
