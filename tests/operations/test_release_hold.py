"""releaseHold: gives back what a hold still holds."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Balance, Lifetime


async def held(client: Client) -> str:
    await client.credit("ann", 50)
    return (await client.hold("ann", 30)).held.id


async def test_gives_all_back(client: Client) -> None:
    hold_id = await held(client)

    answer = await client.release(hold_id)

    hold, row = answer.held, answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert (hold.status, hold.captured, hold.released) == ("CLOSED", 0, 30)
    assert (row.kind, row.points, row.hold_id) == ("RELEASE", 30, hold_id)
    assert row.change == Balance(active=30, held=-30)
    assert row.balance_after == Balance(active=50)
    wallet = await client.wallet("ann")
    assert (wallet.balance, wallet.lifetime) == (Balance(active=50), Lifetime(credited=50))


async def test_gives_back_what_was_not_captured(client: Client) -> None:
    hold_id = await held(client)
    await client.capture(hold_id, points=12)

    answer = await client.release(hold_id)

    assert (answer.held.status, answer.held.captured, answer.held.released) == ("CLOSED", 12, 18)
    assert answer.posted.points == 18
    assert await client.balance("ann") == Balance(active=38)


async def test_works_on_a_frozen_wallet(client: Client) -> None:
    hold_id = await held(client)
    await client.freeze("ann")

    answer = await client.release(hold_id)

    assert answer.error is None
    assert await client.balance("ann") == Balance(active=50)
    assert (await client.wallet("ann")).status == "FROZEN"


async def test_what_expired_meanwhile_expires_at_once(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 20, expires_at=clock.after(days=1))
    await client.credit("ann", 20)
    hold_id = (await client.hold("ann", 30, expires_at=clock.after(days=5))).held.id
    clock.advance(days=2)

    answer = await client.release(hold_id)

    assert await client.balance("ann") == Balance(active=20)
    release, expiry = (await client.history("ann"))[-2:]
    assert release.id == answer.posted.id
    assert (release.points, expiry.kind, expiry.points) == (30, "EXPIRY", 20)
    assert expiry.effective_at == release.effective_at == clock.now
    assert answer.wallet is not None
    assert answer.wallet.balance == Balance(active=20)
    assert (await client.health()).violations == []


async def test_released_points_keep_their_lots(client: Client, clock: VirtualClock) -> None:
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, expires_at=soon)
    await client.credit("ann", 10, expires_at=late)
    hold_id = (await client.hold("ann", 12)).held.id

    await client.release(hold_id)

    assert await client.expiring("ann") == [(soon, 10), (late, 10)]


async def test_refuses_a_hold_that_is_closed(client: Client, unchanged: Unchanged) -> None:
    released, captured = await held(client), (await client.hold("ann", 5)).held.id
    await client.release(released)
    await client.capture(captured)

    async with unchanged():
        for hold_id in (released, captured):
            answer = await client.release(hold_id)
            assert (answer.error, answer.error_path) == ("HoldClosed", ("input", "id"))


async def test_refuses_a_hold_that_timed_out(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    hold_id = await held(client)
    clock.advance(minutes=15)

    async with unchanged():
        answer = await client.release(hold_id)

    assert answer.error == "HoldClosed"
    assert await client.balance("ann") == Balance(active=50)


async def test_refuses_a_hold_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await client.release("hld_01jqtc38xmeegs4d2pf28aqkff")

    assert (answer.error, answer.error_path) == ("HoldNotFound", ("input", "id"))
