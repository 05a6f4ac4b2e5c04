"""Idempotency of refusals: what the business refuses sticks to its key; what was wrong does not."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Answer


async def refused_for_good(client: Client, deed: Callable[[], Awaitable[Answer]]) -> None:
    """Ask again and assert that the first refusal is repeated, whatever has changed since."""
    cursor = await client.event_cursor()
    again = await deed()
    assert again.replayed is True
    assert (again.transaction, again.wallet, again.hold) == (None, None, None)
    assert await client.event_cursor() == cursor


async def test_too_few_points_stick_to_the_key(client: Client) -> None:
    await client.credit("ann", 5)

    async def deed() -> Answer:
        return await client.debit("ann", 10, key="spend")

    first = await deed()
    await client.credit("ann", 50)

    await refused_for_good(client, deed)
    again = await deed()
    assert (first.error, first.replayed) == ("InsufficientPoints", False)
    assert (again.error, again.details) == ("InsufficientPoints", first.details)
    assert again.error_path == first.error_path
    assert (await client.debit("ann", 10, key="spend again")).error is None


async def test_a_frozen_wallet_sticks_to_the_key(client: Client) -> None:
    await client.credit("ann", 5)
    await client.freeze("ann")

    async def deed() -> Answer:
        return await client.credit("ann", 10, key="gift")

    assert (await deed()).error == "WalletFrozen"
    await client.thaw("ann")

    await refused_for_good(client, deed)
    assert (await deed()).error == "WalletFrozen"


async def test_too_much_of_the_original_sticks_to_the_key(client: Client) -> None:
    await client.credit("ann", 50)
    hold_id = (await client.hold("ann", 10)).held.id
    debit = await client.debit("ann", 10)

    async def capture() -> Answer:
        return await client.capture(hold_id, key="ship", points=11)

    async def refund() -> Answer:
        return await client.refund(debit.id, key="sorry", points=11)

    for deed in (capture, refund):
        assert (await deed()).error == "ExceedsOriginal"
        await refused_for_good(client, deed)
        again = await deed()
        assert (again.error, again.details) == ("ExceedsOriginal", {"remaining": 10})


async def test_a_closed_hold_sticks_to_the_key(client: Client) -> None:
    await client.credit("ann", 50)
    hold_id = (await client.hold("ann", 10)).held.id
    await client.release(hold_id)

    async def deed() -> Answer:
        return await client.capture(hold_id, key="ship")

    assert (await deed()).error == "HoldClosed"
    await refused_for_good(client, deed)
    assert (await deed()).error == "HoldClosed"


async def test_a_full_wallet_sticks_to_the_key(client: Client) -> None:
    await client.create_program("Capped", max_balance=100)
    await client.credit("ann", 100, program="Capped")

    async def deed() -> Answer:
        return await client.credit("ann", 10, key="gift", program="Capped")

    assert (await deed()).error == "BalanceLimit"
    await client.debit("ann", 50, program="Capped")

    await refused_for_good(client, deed)
    assert (await deed()).details == {"maxBalance": 100}


async def test_a_refused_key_used_for_something_else_is_a_conflict_without_a_transaction(
    client: Client, unchanged: Unchanged
) -> None:
    await client.credit("ann", 5)
    await client.debit("ann", 10, key="spend")

    async with unchanged():
        answer = await client.debit("ann", 5, key="spend")

    assert answer.error == "IdempotencyConflict"
    assert answer.details == {"transaction": None}


async def test_what_was_not_found_does_not_stick(client: Client) -> None:
    assert (await client.credit("ann", 5, key="a", program="Gold")).error == "ProgramNotFound"
    assert (await client.debit("ann", 5, key="b")).error == "WalletNotFound"
    await client.create_program("Gold")
    await client.credit("ann", 50)

    assert (await client.credit("ann", 5, key="a", program="Gold")).error is None
    assert (await client.debit("ann", 5, key="b")).error is None


async def test_bad_input_does_not_stick(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    gone_by = clock.after(days=-1)
    assert (await client.credit("ann", Decimal("0.5"), key="a")).error == "InvalidInput"
    assert (await client.credit("ann", 5, key="b", expires_at=gone_by)).error == "InvalidInput"
    assert (await client.transfer("ann", "ann", 5, key="c")).error == "InvalidInput"

    assert (await client.credit("ann", 5, key="a")).error is None
    assert (await client.credit("ann", 5, key="b")).error is None
    assert (await client.transfer("ann", "bob", 5, key="c")).error is None


async def test_a_conflict_does_not_stick(client: Client) -> None:
    first = await client.credit("ann", 50, key="order-1")
    await client.credit("ann", 60, key="order-1")

    again = await client.credit("ann", 50, key="order-1")

    assert (again.error, again.replayed) == (None, True)
    assert again.posted == first.posted
