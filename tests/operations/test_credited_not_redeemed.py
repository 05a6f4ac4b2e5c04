"""creditedNotRedeemed: who was given points lately and has not redeemed since."""

from datetime import datetime

from tests.harness import documents
from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock
from tests.harness.values import Points


async def audience(
    client: Client,
    since: datetime,
    min_points: Points | None = None,
    program: str = "Points",
) -> list[str]:
    page = await client.credited_not_redeemed(program=program, since=since, minPoints=min_points)
    return [wallet.identity for wallet in page.nodes]


async def test_the_newest_credit_comes_first(client: Client, clock: VirtualClock) -> None:
    since = clock.now
    for who in ("ann", "bob", "cyd"):
        await client.credit(who, 50)
        clock.advance(hours=1)
    await client.credit("bob", 1)

    assert await audience(client, since) == ["bob", "cyd", "ann"]


async def test_a_redemption_after_the_credit_takes_one_out(client: Client) -> None:
    since = (await client.credit("ann", 50)).posted.created_at
    await client.debit("ann", 1)

    assert await audience(client, since) == []


async def test_a_redemption_before_the_credit_does_not(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    await client.debit("ann", 1)
    clock.advance(hours=1)
    since = clock.now
    await client.credit("ann", 50)

    assert await audience(client, since) == ["ann"]


async def test_a_capture_counts_and_a_hold_a_removal_and_a_transfer_do_not(
    client: Client, clock: VirtualClock
) -> None:
    since = clock.now
    holds: dict[str, str] = {}
    for who in ("captured", "held", "removed", "sent"):
        await client.credit(who, 50)
        clock.advance(seconds=1)
    for who in ("captured", "held"):
        holds[who] = (await client.hold(who, 10)).held.id
    await client.capture(holds["captured"], points=1)
    await client.debit("removed", 10, manual=True)
    await client.transfer("sent", "held", 10)

    assert await audience(client, since) == ["sent", "removed", "held"]


async def test_only_credits_since_then_qualify(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    at = clock.now

    assert await audience(client, at) == ["ann"]
    assert await audience(client, at + MICROSECOND) == []


async def test_only_credits_of_so_many_points_qualify(client: Client, clock: VirtualClock) -> None:
    since = clock.now
    await client.credit("ann", 50)
    clock.advance(seconds=1)
    await client.credit("bob", 49)
    clock.advance(seconds=1)
    await client.credit("ann", 1)

    assert await audience(client, since, min_points=50) == ["ann"]
    assert await audience(client, since, min_points=49) == ["bob", "ann"]


async def test_its_own_points_must_still_be_there(client: Client, clock: VirtualClock) -> None:
    since = clock.now
    await client.credit("expired", 50, expires_at=clock.after(days=1))
    await client.credit("removed", 50)
    await client.debit("removed", 50, manual=True)
    reversed_ = await client.credit("reversed", 50)
    await client.reverse(reversed_.id)
    await client.credit("ann", 50, expires_at=clock.after(days=2))
    clock.advance(days=1)

    assert await audience(client, since) == ["ann"]


async def test_it_is_the_newest_qualifying_credit_that_counts(
    client: Client, clock: VirtualClock
) -> None:
    since = clock.now
    await client.credit("ann", 50)
    clock.advance(hours=1)
    await client.credit("ann", 10, expires_at=clock.after(days=1))
    assert await audience(client, since) == ["ann"]

    clock.advance(days=2)

    assert await audience(client, since) == []
    assert await audience(client, since, min_points=50) == ["ann"]


async def test_programs_are_kept_apart(client: Client, clock: VirtualClock) -> None:
    since = clock.now
    await client.create_program("Gold")
    await client.credit("ann", 50)
    await client.credit("bob", 50, program="Gold")

    assert await audience(client, since) == ["ann"]
    assert await audience(client, since, program="Gold") == ["bob"]


async def test_pages_without_gap(client: Client, clock: VirtualClock) -> None:
    since = clock.now
    for n in range(5):
        await client.credit(f"m{n}", 50)
        clock.advance(seconds=1)

    first = await client.credited_not_redeemed(program="Points", since=since, first=2)
    second = await client.credited_not_redeemed(
        program="Points", since=since, first=2, after=first.end_cursor
    )
    third = await client.credited_not_redeemed(
        program="Points", since=since, first=2, after=second.end_cursor
    )

    pages = (first, second, third)
    assert [each.identity for page in pages for each in page.nodes] == [
        "m4",
        "m3",
        "m2",
        "m1",
        "m0",
    ]
    assert [page.has_next_page for page in pages] == [True, True, False]


async def test_refuses_a_program_that_is_not_there(client: Client, clock: VirtualClock) -> None:
    [error] = await client.refused(documents.AUDIENCE, program="Silver", since=clock.now)

    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert "program" in error["message"]
