"""captureHold: redeems what was held, in part or whole."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Balance, Lifetime

NOBODYS = "hld_01jqtc38xmeegs4d2pf28aqkff"


async def held(client: Client) -> str:
    await client.credit("ann", 50)
    return (await client.hold("ann", 30)).held.id


async def test_captures_all_that_is_left_if_points_are_left_out(client: Client) -> None:
    hold_id = await held(client)

    answer = await client.capture(hold_id, description="Shipped", order={"id": "A-4"})

    hold, row = answer.held, answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert (hold.status, hold.points, hold.captured, hold.released) == ("CLOSED", 30, 30, 0)
    assert (row.kind, row.points, row.source, row.hold_id) == ("DEBIT", 30, "API", hold_id)
    assert row.change == Balance(held=-30)
    assert row.balance_after == Balance(active=20)
    assert row.description == "Shipped"
    assert row.order is not None
    assert row.order.id == "A-4"
    wallet = await client.wallet("ann")
    assert wallet.balance == Balance(active=20)
    assert wallet.lifetime == Lifetime(credited=50, redeemed=30)


async def test_a_partial_capture_leaves_the_hold_open_for_the_rest(client: Client) -> None:
    hold_id = await held(client)

    first = await client.capture(hold_id, points=12)
    second = await client.capture(hold_id, points=8)
    rest = await client.capture(hold_id)

    assert (first.held.status, first.held.captured) == ("OPEN", 12)
    assert (second.held.status, second.held.captured) == ("OPEN", 20)
    assert (rest.held.status, rest.held.captured) == ("CLOSED", 30)
    assert rest.posted.points == 10
    assert await client.balance("ann") == Balance(active=20)


async def test_capturing_the_very_rest_closes_the_hold(client: Client) -> None:
    hold_id = await held(client)
    await client.capture(hold_id, points=29)

    answer = await client.capture(hold_id, points=1)

    assert answer.held.status == "CLOSED"


async def test_refuses_more_than_is_left(client: Client, unchanged: Unchanged) -> None:
    hold_id = await held(client)
    await client.capture(hold_id, points=12)

    async with unchanged():
        answer = await client.capture(hold_id, points=19)

    assert (answer.error, answer.error_path) == ("ExceedsOriginal", ("input", "points"))
    assert answer.details == {"remaining": 18}
    assert (answer.hold, answer.transaction, answer.wallet) == (None, None, None)


async def test_refuses_a_hold_that_is_closed(client: Client, unchanged: Unchanged) -> None:
    hold_id = await held(client)
    await client.capture(hold_id)

    async with unchanged():
        answer = await client.capture(hold_id, points=1)

    assert (answer.error, answer.error_path) == ("HoldClosed", ("input", "id"))


async def test_a_hold_can_be_captured_up_to_its_expiry_and_not_at_it(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    hold_id = await held(client)
    expires_at = clock.after(minutes=15)

    clock.set(expires_at - MICROSECOND)
    assert (await client.capture(hold_id, points=10)).error is None

    clock.set(expires_at)
    async with unchanged():
        answer = await client.capture(hold_id, points=10)
    assert answer.error == "HoldClosed"
    assert await client.balance("ann") == Balance(active=40)


async def test_a_hold_that_timed_out_after_a_partial_capture_releases_the_rest(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    hold_id = await held(client)
    await client.capture(hold_id, points=10)
    clock.advance(days=1)

    await service.sweep()

    [hold] = (await client.holds("ann")).nodes
    assert (hold.id, hold.status) == (hold_id, "EXPIRED")
    assert (hold.captured, hold.released) == (10, 20)


async def test_what_expired_while_it_was_held_can_still_be_captured(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    hold_id = (await client.hold("ann", 30, expires_at=clock.after(days=5))).held.id
    clock.advance(days=2)
    await service.sweep()

    answer = await client.capture(hold_id)

    assert answer.error is None
    assert answer.posted.balance_after == Balance()
    lifetime = (await client.wallet("ann")).lifetime
    assert lifetime == Lifetime(credited=50, redeemed=30, expired=20)
    assert (await client.health()).violations == []


async def test_takes_first_what_the_hold_took_first(client: Client, clock: VirtualClock) -> None:
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, expires_at=soon)
    await client.credit("ann", 10, expires_at=late)
    hold_id = (await client.hold("ann", 20)).held.id

    await client.capture(hold_id, points=15)
    await client.release(hold_id)

    assert await client.expiring("ann") == [(late, 5)]


async def test_refuses_a_frozen_wallet(client: Client, unchanged: Unchanged) -> None:
    hold_id = await held(client)
    await client.freeze("ann")

    async with unchanged():
        answer = await client.capture(hold_id)

    assert answer.error == "WalletFrozen"


async def test_refuses_a_hold_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await client.capture(NOBODYS)

    assert (answer.error, answer.error_path) == ("HoldNotFound", ("input", "id"))
