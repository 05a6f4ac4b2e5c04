"""transferPoints: moves active points between two wallets of one program."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Balance, Lifetime


async def test_moves_points_and_opens_the_receivers_wallet(
    client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50)

    answer = await client.transfer("ann", "bob", 20, description="Birthday")

    sent, received = answer.sent, answer.received
    assert (answer.error, answer.replayed) == (None, False)
    assert sent is not None
    assert received is not None
    assert (sent.kind, sent.points, sent.change) == ("TRANSFER_OUT", 20, Balance(active=-20))
    assert (received.kind, received.points) == ("TRANSFER_IN", 20)
    assert received.change == Balance(active=20)
    assert (sent.related_id, received.related_id) == (received.id, sent.id)
    assert (sent.sequence, received.sequence) == (2, 1)
    assert sent.effective_at == received.effective_at == clock.now
    assert (sent.description, received.description) == ("Birthday", "Birthday")
    assert await client.balance("ann") == Balance(active=30)
    assert await client.balance("bob") == Balance(active=20)
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50, transferred_out=20)
    assert (await client.wallet("bob")).lifetime == Lifetime(transferred_in=20)


async def test_points_keep_their_expiry(client: Client, clock: VirtualClock) -> None:
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, expires_at=soon)
    await client.credit("ann", 10, expires_at=late)

    await client.transfer("ann", "bob", 15)

    assert await client.expiring("ann") == [(late, 5)]
    assert await client.expiring("bob") == [(soon, 10), (late, 5)]
    clock.set(soon)
    assert await client.balance("bob") == Balance(active=5)


async def test_changes_no_sum_of_the_program(client: Client) -> None:
    await client.credit("ann", 50)

    await client.transfer("ann", "bob", 20)

    summary = await client.summary("Points")
    assert (summary.active, summary.credited, summary.redeemed) == (50, 50, 0)
    assert (await client.health()).violations == []


async def test_the_very_balance_can_be_sent_and_no_more(
    client: Client, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50)

    async with unchanged():
        refused = await client.transfer("ann", "bob", 51)
    assert await client.member("bob") is None
    answer = await client.transfer("ann", "bob", 50)

    assert (refused.error, refused.error_path) == ("InsufficientPoints", ("input", "points"))
    assert refused.details == {"available": 50, "requested": 51}
    assert (refused.sent, refused.received) == (None, None)
    assert answer.error is None


async def test_wallets_can_be_named_by_their_ids(client: Client) -> None:
    ann = (await client.credit("ann", 50)).posted.wallet_id
    bob = (await client.credit("bob", 1)).posted.wallet_id

    await client.transfer(ann, bob, 20)

    assert await client.balance("bob") == Balance(active=21)


async def test_what_was_received_can_be_sent_on_and_spent(client: Client) -> None:
    await client.credit("ann", 50)
    await client.transfer("ann", "bob", 30)
    await client.transfer("bob", "cyd", 20)

    await client.debit("cyd", 20)

    assert await client.balance("bob") == Balance(active=10)
    assert await client.balance("cyd") == Balance()
    assert (await client.health()).violations == []


async def test_refuses_a_transfer_to_itself(client: Client, unchanged: Unchanged) -> None:
    wallet_id = (await client.credit("ann", 50)).posted.wallet_id

    async with unchanged():
        for to in ("ann", wallet_id):
            answer = await client.transfer("ann", to, 5)
            assert answer.error == "InvalidInput"
            assert answer.error_path[:2] == ("input", "to")


async def test_refuses_a_transfer_across_programs(client: Client, unchanged: Unchanged) -> None:
    await client.create_program("Gold")
    await client.credit("ann", 50)
    await client.credit("bob", 1, program="Gold")

    async with unchanged():
        answer = await client.transfer("ann", "bob", 5, to_program="Gold")

    assert answer.error == "InvalidInput"
    assert answer.error_path[:2] == ("input", "to")


async def test_refuses_a_frozen_sender_and_a_frozen_receiver(
    client: Client, unchanged: Unchanged
) -> None:
    for who in ("ann", "bob", "ice"):
        await client.credit(who, 50)
    await client.freeze("ice")

    async with unchanged():
        from_ice = await client.transfer("ice", "bob", 5)
        to_ice = await client.transfer("ann", "ice", 5)

    assert (from_ice.error, from_ice.error_path[:2]) == ("WalletFrozen", ("input", "from"))
    assert (to_ice.error, to_ice.error_path[:2]) == ("WalletFrozen", ("input", "to"))


async def test_refuses_to_fill_the_receiver_over_the_limit(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Capped", max_balance=100)
    await client.credit("ann", 90, program="Capped")
    await client.credit("bob", 90, program="Capped")

    async with unchanged():
        answer = await client.transfer("ann", "bob", 11, program="Capped")
    fits = await client.transfer("ann", "bob", 10, program="Capped")

    assert (answer.error, answer.details) == ("BalanceLimit", {"maxBalance": 100})
    assert fits.error is None


async def test_refuses_wallets_and_programs_that_are_not_there(
    client: Client, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50)

    async with unchanged():
        no_sender = await client.transfer("bob", "ann", 5)
        no_receiver = await client.transfer("ann", "wal_01jqtc38xmeegs4d2pf28aqkff", 5)
        no_program = await client.transfer("ann", "bob", 5, program="Silver")

    assert (no_sender.error, no_sender.error_path[:2]) == ("WalletNotFound", ("input", "from"))
    assert (no_receiver.error, no_receiver.error_path[:2]) == ("WalletNotFound", ("input", "to"))
    assert no_program.error == "ProgramNotFound"


async def test_due_rows_of_both_wallets_are_written_first(
    client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50)
    for who in ("ann", "bob"):
        await client.credit(who, 5, expires_at=clock.after(days=1))
    clock.advance(days=2)

    await client.transfer("ann", "bob", 20)

    assert [row.kind for row in await client.history("ann")][2:] == ["EXPIRY", "TRANSFER_OUT"]
    assert [row.kind for row in await client.history("bob")][1:] == ["EXPIRY", "TRANSFER_IN"]
