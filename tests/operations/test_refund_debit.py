"""refundDebit: gives a debit back, into the lots it was taken from."""

from datetime import timedelta

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Balance, Lifetime


async def test_gives_the_whole_debit_back(client: Client) -> None:
    await client.credit("ann", 50)
    debit = await client.debit("ann", 20)

    answer = await client.refund(debit.id, description="Sorry")

    row = answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert (row.kind, row.points, row.related_id) == ("REFUND", 20, debit.id)
    assert row.change == Balance(active=20)
    assert row.balance_after == Balance(active=50)
    assert row.description == "Sorry"
    wallet = await client.wallet("ann")
    assert wallet.balance == Balance(active=50)
    assert wallet.lifetime == Lifetime(credited=50)


async def test_a_removal_is_given_back_as_a_removal(client: Client) -> None:
    await client.credit("ann", 50)
    removal = await client.debit("ann", 20, manual=True)
    await client.debit("ann", 10)

    await client.refund(removal.id, points=15)

    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50, redeemed=10, removed=5)


async def test_a_capture_is_given_back_too(client: Client) -> None:
    await client.credit("ann", 50)
    hold_id = (await client.hold("ann", 30)).held.id
    capture = await client.capture(hold_id, points=20)

    answer = await client.refund(capture.id)

    assert answer.posted.change == Balance(active=20)
    assert await client.balance("ann") == Balance(active=40, held=10)


async def test_partial_refunds_add_up_to_the_debit_at_most(
    client: Client, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50)
    debit = await client.debit("ann", 20)
    await client.refund(debit.id, points=5)

    async with unchanged():
        over = await client.refund(debit.id, points=16)
    rest = await client.refund(debit.id)
    async with unchanged():
        none_left = await client.refund(debit.id)

    assert (over.error, over.error_path) == ("ExceedsOriginal", ("input", "points"))
    assert over.details == {"remaining": 15}
    assert rest.posted.points == 15
    assert (none_left.error, none_left.details) == ("ExceedsOriginal", {"remaining": 0})


async def test_points_go_back_to_their_lots_with_their_expiry(
    client: Client, clock: VirtualClock
) -> None:
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, expires_at=soon)
    await client.credit("ann", 10, expires_at=late)
    debit = await client.debit("ann", 15)

    await client.refund(debit.id)

    assert await client.expiring("ann") == [(soon, 10), (late, 10)]


async def test_what_was_taken_last_is_given_back_first(client: Client, clock: VirtualClock) -> None:
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, expires_at=soon)
    await client.credit("ann", 10, expires_at=late)
    debit = await client.debit("ann", 15)

    await client.refund(debit.id, points=7)
    assert await client.expiring("ann") == [(soon, 2), (late, 10)]

    await client.refund(debit.id, points=4)
    assert await client.expiring("ann") == [(soon, 6), (late, 10)]


async def test_what_expired_meanwhile_expires_again_at_once(
    client: Client, clock: VirtualClock
) -> None:
    late = clock.after(days=20)
    await client.credit("ann", 10, expires_at=clock.after(days=10))
    await client.credit("ann", 10, expires_at=late)
    debit = await client.debit("ann", 15)
    clock.advance(days=12)

    answer = await client.refund(debit.id)

    refund, expiry = (await client.history("ann"))[-2:]
    assert refund.id == answer.posted.id
    assert (refund.points, refund.balance_after) == (15, Balance(active=20))
    assert (expiry.kind, expiry.points, expiry.balance_after) == (
        "EXPIRY",
        10,
        Balance(active=10),
    )
    assert expiry.effective_at == refund.effective_at == clock.now
    assert await client.expiring("ann") == [(late, 10)]
    assert answer.wallet is not None
    assert answer.wallet.balance == Balance(active=10)
    assert answer.wallet.lifetime == Lifetime(credited=20, expired=10)
    assert (await client.health()).violations == []


async def test_grace_gives_what_expired_meanwhile_a_new_life(
    client: Client, clock: VirtualClock
) -> None:
    late = clock.after(days=20)
    await client.credit("ann", 10, expires_at=clock.after(days=10))
    await client.credit("ann", 10, expires_at=late)
    debit = await client.debit("ann", 15)
    clock.advance(days=12)

    answer = await client.refund(debit.id, grace=timedelta(days=3))

    assert (await client.history("ann"))[-1].id == answer.posted.id
    assert await client.expiring("ann") == [(clock.after(days=3), 10), (late, 10)]
    assert await client.balance("ann") == Balance(active=20)
    clock.advance(days=3)
    assert await client.balance("ann") == Balance(active=10)
    assert (await client.health()).violations == []


async def test_grace_changes_nothing_for_what_has_not_expired(
    client: Client, clock: VirtualClock
) -> None:
    late = clock.after(days=20)
    await client.credit("ann", 10, expires_at=late)
    debit = await client.debit("ann", 5)

    await client.refund(debit.id, grace="P90D")

    assert await client.expiring("ann") == [(late, 10)]


async def test_a_refund_counts_at_its_own_time(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    clock.advance(days=1)
    debit = await client.debit("ann", 20)
    clock.advance(days=1)
    day_two = clock.now

    await client.refund(debit.id)

    assert (await client.summary("Points", to=day_two)).redeemed == 20
    assert (await client.summary("Points", from_=day_two)).redeemed == -20
    assert (await client.summary("Points")).redeemed == 0


async def test_refuses_to_fill_a_wallet_over_its_limit(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Capped", max_balance=100)
    await client.credit("ann", 100, program="Capped")
    debit = await client.debit("ann", 30, program="Capped")
    await client.credit("ann", 20, program="Capped")

    async with unchanged():
        answer = await client.refund(debit.id, points=11)
    fits = await client.refund(debit.id, points=10)

    assert (answer.error, answer.details) == ("BalanceLimit", {"maxBalance": 100})
    assert fits.error is None


async def test_refuses_a_frozen_wallet(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 50)
    debit = await client.debit("ann", 20)
    await client.freeze("ann")

    async with unchanged():
        answer = await client.refund(debit.id)

    assert answer.error == "WalletFrozen"


async def test_refuses_a_transaction_that_is_not_there(
    client: Client, unchanged: Unchanged
) -> None:
    async with unchanged():
        answer = await client.refund("txn_01jqtc38xmeegs4d2pf28aqkff")

    assert (answer.error, answer.error_path) == (
        "TransactionNotFound",
        ("input", "transactionId"),
    )


@pytest.mark.parametrize("kind", ["CREDIT", "HOLD", "RELEASE", "TRANSFER_OUT", "REFUND"])
async def test_only_a_debit_can_be_refunded(
    client: Client, unchanged: Unchanged, kind: str
) -> None:
    credit = await client.credit("ann", 50)
    hold = await client.hold("ann", 5)
    debit = await client.debit("ann", 5)
    transaction = {
        "CREDIT": credit.transaction,
        "HOLD": hold.transaction,
        "RELEASE": (await client.release(hold.held.id)).transaction,
        "TRANSFER_OUT": (await client.transfer("ann", "bob", 5)).sent,
        "REFUND": (await client.refund(debit.id, points=2)).transaction,
    }[kind]
    assert transaction is not None
    assert transaction.kind == kind

    async with unchanged():
        answer = await client.refund(transaction.id, points=1)

    assert answer.error == "InvalidInput"
    assert answer.error_path == ("input", "transactionId")
