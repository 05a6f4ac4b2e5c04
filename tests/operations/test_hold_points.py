"""holdPoints: sets active points aside for a checkout."""

from decimal import Decimal

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Balance, Hold, Lifetime


async def test_sets_points_aside(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)

    answer = await client.hold("ann", 30, description="Checkout", order={"id": "A-3"})

    hold, row = answer.held, answer.posted
    assert (answer.error, answer.replayed) == (None, False)
    assert hold == Hold(
        id=hold.id,
        wallet_id=row.wallet_id,
        points=30,
        captured=0,
        released=0,
        status="OPEN",
        expires_at=clock.after(minutes=15),
        created_at=clock.now,
    )
    assert hold.id.startswith("hld_")
    assert (row.kind, row.points, row.hold_id) == ("HOLD", 30, hold.id)
    assert row.change == Balance(active=-30, held=30)
    assert row.balance_after == Balance(active=20, held=30)
    assert row.description == "Checkout"
    assert await client.balance("ann") == Balance(active=20, held=30)
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50)
    assert (await client.holds("ann")).nodes == [hold]


async def test_lasts_as_long_as_it_says(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    expires_at = clock.after(days=30)

    answer = await client.hold("ann", 30, expires_at=expires_at)

    assert answer.held.expires_at == expires_at


async def test_refuses_to_last_longer_than_thirty_days_or_not_at_all(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50)

    async with unchanged():
        for at in (clock.after(days=30, microseconds=1), clock.now, clock.after(days=-1)):
            answer = await client.hold("ann", 30, expires_at=at)
            assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "expiresAt"))


async def test_the_very_balance_can_be_held_and_no_more(
    client: Client, unchanged: Unchanged
) -> None:
    await client.credit("ann", 50)

    async with unchanged():
        refused = await client.hold("ann", 51)
    answer = await client.hold("ann", 50)

    assert (refused.error, refused.error_path) == ("InsufficientPoints", ("input", "points"))
    assert refused.details == {"available": 50, "requested": 51}
    assert (refused.hold, refused.transaction, refused.wallet) == (None, None, None)
    assert answer.error is None
    assert await client.balance("ann") == Balance(held=50)


async def test_is_released_by_the_clock_at_the_very_instant(
    client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50)
    hold = (await client.hold("ann", 30)).held

    clock.set(hold.expires_at - MICROSECOND)
    assert await client.balance("ann") == Balance(active=20, held=30)
    assert [each.status for each in (await client.holds("ann")).nodes] == ["OPEN"]

    clock.set(hold.expires_at)
    assert await client.balance("ann") == Balance(active=50)
    [expired] = (await client.holds("ann")).nodes
    assert (expired.status, expired.captured, expired.released) == ("EXPIRED", 0, 30)
    assert (await client.holds("ann", status="OPEN")).nodes == []
    assert (await client.holds("ann", status="EXPIRED")).nodes == [expired]


async def test_the_sweep_writes_the_release_down(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50)
    hold = (await client.hold("ann", 30)).held
    clock.advance(days=1)

    assert await service.sweep() == 1

    row = (await client.history("ann"))[-1]
    assert (row.kind, row.points, row.hold_id) == ("RELEASE", 30, hold.id)
    assert row.change == Balance(active=30, held=-30)
    assert (row.effective_at, row.created_at) == (hold.expires_at, clock.now)
    [expired] = (await client.holds("ann")).nodes
    assert (expired.status, expired.released) == ("EXPIRED", 30)


async def test_held_points_do_not_expire(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    expires_at = clock.after(days=2)
    await client.credit("ann", 50, expires_at=expires_at)
    await client.hold("ann", 30, expires_at=clock.after(days=5))

    clock.set(expires_at)
    await service.sweep()

    assert await client.balance("ann") == Balance(held=30)
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50, expired=20)


async def test_points_released_past_their_expiry_expire_at_once(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=2))
    released_at = clock.after(days=5)
    await client.hold("ann", 30, expires_at=released_at)
    clock.advance(days=6)

    assert await client.balance("ann") == Balance()
    await service.sweep()

    rows = (await client.history("ann"))[2:]
    assert [(row.kind, row.points) for row in rows] == [
        ("EXPIRY", 20),
        ("RELEASE", 30),
        ("EXPIRY", 30),
    ]
    assert [row.effective_at for row in rows[1:]] == [released_at, released_at]
    assert rows[-1].balance_after == Balance()
    assert (await client.health()).violations == []


async def test_a_holds_points_come_from_what_expires_first(
    client: Client, clock: VirtualClock
) -> None:
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, expires_at=late)
    await client.credit("ann", 10, expires_at=soon)
    await client.hold("ann", 12, expires_at=clock.after(days=1))

    await client.debit("ann", 8)

    assert await client.balance("ann") == Balance(held=12)
    clock.advance(days=1)
    assert await client.expiring("ann") == [(soon, 10), (late, 2)]


async def test_holds_page_newest_first(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    made: list[str] = []
    for points in range(1, 6):
        made.insert(0, (await client.hold("ann", points)).held.id)
        clock.advance(seconds=1)

    first = await client.holds("ann", first=2)
    second = await client.holds("ann", first=2, after=first.end_cursor)
    third = await client.holds("ann", first=2, after=second.end_cursor)

    pages = [first, second, third]
    assert [hold.id for page in pages for hold in page.nodes] == made
    assert [page.has_next_page for page in pages] == [True, True, False]


async def test_refusals_of_the_wallet(client: Client, unchanged: Unchanged) -> None:
    await client.credit("eve", 50)
    await client.credit("ann", 50)
    await client.freeze("ann")

    async with unchanged():
        assert (await client.hold("ann", 1)).error == "WalletFrozen"
        assert (await client.hold("bob", 1)).error == "WalletNotFound"
        assert (await client.hold("ann", 1, program="Silver")).error == "ProgramNotFound"
        too_fine = await client.hold("eve", Decimal("0.5"))
        assert (too_fine.error, too_fine.error_path) == ("InvalidInput", ("input", "points"))
