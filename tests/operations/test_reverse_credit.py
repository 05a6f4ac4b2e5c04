"""reverseCredit: takes back a credit, as far as its points are still there to take."""

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Balance, Lifetime

NOBODYS = "txn_01jqtc38xmeegs4d2pf28aqkff"


async def test_takes_the_whole_credit_back(client: Client) -> None:
    credit = await client.credit("ann", 50)

    answer = await client.reverse(credit.id, description="Order returned")

    row = answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert (row.kind, row.points, row.related_id) == ("REVERSAL", 50, credit.id)
    assert row.change == Balance(active=-50)
    assert row.balance_after == Balance()
    assert (row.source, row.description) == (None, "Order returned")
    wallet = await client.wallet("ann")
    assert wallet.balance == Balance()
    assert wallet.lifetime == Lifetime(credited=50, reversed=50)


async def test_takes_part_of_it_and_later_the_rest(client: Client) -> None:
    credit = await client.credit("ann", 50)

    part = await client.reverse(credit.id, points=20)
    rest = await client.reverse(credit.id)

    assert (part.posted.points, rest.posted.points) == (20, 30)
    assert await client.balance("ann") == Balance()


async def test_partial_reversals_add_up_to_the_credit_at_most(
    client: Client, unchanged: Unchanged
) -> None:
    credit = await client.credit("ann", 50)
    await client.credit("ann", 50)
    await client.reverse(credit.id, points=20)

    async with unchanged():
        for shortfall in ("REJECT", "CLAMP"):
            answer = await client.reverse(
                credit.id, points=31, shortfall=shortfall, from_other_lots=True
            )
            assert (answer.error, answer.error_path) == ("ExceedsOriginal", ("input", "points"))
            assert answer.details == {"remaining": 30}


async def test_a_credit_reversed_whole_has_nothing_left_to_reverse(
    client: Client, unchanged: Unchanged
) -> None:
    credit = await client.credit("ann", 50)
    await client.reverse(credit.id)

    async with unchanged():
        named = await client.reverse(credit.id, points=1)
        left_out = await client.reverse(credit.id)

    assert (named.error, named.details) == ("ExceedsOriginal", {"remaining": 0})
    assert (left_out.error, left_out.details) == ("ExceedsOriginal", {"remaining": 0})


async def test_takes_promised_points_back(client: Client, clock: VirtualClock) -> None:
    credit = await client.credit("ann", 50, active_at=clock.after(days=1))
    await client.credit("ann", 7)

    answer = await client.reverse(credit.id, points=20)

    assert answer.posted.change == Balance(promised=-20)
    assert await client.balance("ann") == Balance(active=7, promised=30)
    clock.advance(days=1)
    assert await client.balance("ann") == Balance(active=37)


async def test_a_promise_reversed_whole_is_never_activated(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    credit = await client.credit("ann", 50, active_at=clock.after(days=1))
    await client.reverse(credit.id)
    clock.advance(days=2)

    await service.sweep()

    assert [row.kind for row in await client.history("ann")] == ["CREDIT", "REVERSAL"]


async def test_refuses_when_its_own_points_were_spent(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    credit = await client.credit("ann", 50, expires_at=clock.after(days=5))
    await client.credit("ann", 100)
    await client.debit("ann", 30)

    async with unchanged():
        answer = await client.reverse(credit.id)

    assert answer.error == "InsufficientPoints"
    assert answer.details == {"available": 20, "requested": 50}


async def test_takes_from_other_lots_when_told(client: Client, clock: VirtualClock) -> None:
    credit = await client.credit("ann", 50, expires_at=clock.after(days=5))
    late, later = clock.after(days=20), clock.after(days=30)
    await client.credit("ann", 20, expires_at=later)
    await client.credit("ann", 20, expires_at=late)
    await client.debit("ann", 30)

    answer = await client.reverse(credit.id, from_other_lots=True)

    assert answer.posted.points == 50
    assert await client.expiring("ann") == [(later, 10)]
    assert await client.balance("ann") == Balance(active=10)
    assert (await client.health()).violations == []


async def test_even_other_lots_may_be_too_few(client: Client, unchanged: Unchanged) -> None:
    credit = await client.credit("ann", 50)
    await client.debit("ann", 30)
    await client.credit("ann", 20)

    async with unchanged():
        answer = await client.reverse(credit.id, from_other_lots=True)

    assert answer.error == "InsufficientPoints"
    assert answer.details == {"available": 40, "requested": 50}


async def test_clamp_takes_what_is_there(client: Client) -> None:
    credit = await client.credit("ann", 50)
    await client.debit("ann", 30)

    answer = await client.reverse(credit.id, shortfall="CLAMP")

    assert answer.posted.points == 20
    assert answer.posted.change == Balance(active=-20)
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50, redeemed=30, reversed=20)


async def test_what_was_clamped_off_can_be_reversed_later(client: Client) -> None:
    credit = await client.credit("ann", 50)
    debit = await client.debit("ann", 30)
    await client.reverse(credit.id, shortfall="CLAMP")
    await client.refund(debit.id)

    answer = await client.reverse(credit.id)

    assert answer.posted.points == 30
    assert await client.balance("ann") == Balance()


async def test_clamp_to_nothing_is_refused(client: Client, unchanged: Unchanged) -> None:
    credit = await client.credit("ann", 50)
    await client.debit("ann", 50)

    async with unchanged():
        answer = await client.reverse(credit.id, shortfall="CLAMP")

    assert answer.error == "InsufficientPoints"
    assert answer.details == {"available": 0, "requested": 50}


async def test_never_takes_held_points(client: Client, unchanged: Unchanged) -> None:
    credit = await client.credit("ann", 50)
    await client.hold("ann", 30)

    async with unchanged():
        refused = await client.reverse(credit.id, from_other_lots=True)
    clamped = await client.reverse(credit.id, shortfall="CLAMP")

    assert refused.details == {"available": 20, "requested": 50}
    assert clamped.posted.points == 20
    assert await client.balance("ann") == Balance(held=30)


async def test_what_expired_can_not_be_reversed(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    credit = await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.credit("ann", 100)
    clock.advance(days=1)

    async with unchanged():
        answer = await client.reverse(credit.id, points=1, from_other_lots=True)

    assert (answer.error, answer.details) == ("ExceedsOriginal", {"remaining": 0})


async def test_what_was_spent_before_the_rest_expired_is_still_reversible(
    client: Client, clock: VirtualClock
) -> None:
    credit = await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.debit("ann", 30)
    await client.credit("ann", 100)
    clock.advance(days=1)

    too_much = await client.reverse(credit.id, points=31, from_other_lots=True)
    answer = await client.reverse(credit.id, from_other_lots=True)

    assert too_much.details == {"remaining": 30}
    assert answer.posted.points == 30
    assert await client.balance("ann") == Balance(active=70)


async def test_refuses_a_frozen_wallet(client: Client, unchanged: Unchanged) -> None:
    credit = await client.credit("ann", 50)
    await client.freeze("ann")

    async with unchanged():
        answer = await client.reverse(credit.id)

    assert answer.error == "WalletFrozen"


async def test_refuses_a_transaction_that_is_not_there(
    client: Client, unchanged: Unchanged
) -> None:
    async with unchanged():
        answer = await client.reverse(NOBODYS)

    assert (answer.error, answer.error_path) == (
        "TransactionNotFound",
        ("input", "transactionId"),
    )


@pytest.mark.parametrize("kind", ["DEBIT", "HOLD", "TRANSFER_OUT", "TRANSFER_IN", "REVERSAL"])
async def test_only_a_credit_can_be_reversed(
    client: Client, unchanged: Unchanged, kind: str
) -> None:
    credit = await client.credit("ann", 50)
    made = {
        "DEBIT": (await client.debit("ann", 5)).transaction,
        "HOLD": (await client.hold("ann", 5)).transaction,
        "REVERSAL": (await client.reverse(credit.id, points=5)).transaction,
    }
    transfer = await client.transfer("ann", "bob", 5)
    made |= {"TRANSFER_OUT": transfer.sent, "TRANSFER_IN": transfer.received}
    transaction = made[kind]
    assert transaction is not None
    assert transaction.kind == kind

    async with unchanged():
        answer = await client.reverse(transaction.id, points=1)

    assert answer.error == "InvalidInput"
    assert answer.error_path == ("input", "transactionId")
