"""Where rules meet: lapses, holds, transfers, refunds and erasure, two at a time."""

from asyncio import gather
from collections import Counter
from datetime import timedelta

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.rules import inactivity
from tests.harness.servers import Service
from tests.harness.values import Balance


async def test_what_had_lapsed_is_not_brought_back_by_a_refund(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Idle", expiry=inactivity(30))
    await client.credit("ann", 50, program="Idle")
    debit = await client.debit("ann", 20, program="Idle")
    clock.advance(days=31)
    await client.credit("ann", 7, program="Idle")

    await client.refund(debit.id)

    assert [row.kind for row in await client.history("ann", program="Idle")][-2:] == [
        "REFUND",
        "EXPIRY",
    ]
    assert await client.balance("ann", program="Idle") == Balance(active=7)


async def test_what_lapsed_while_held_expires_as_its_hold_runs_out(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Idle", expiry=inactivity(30))
    await client.credit("ann", 50, program="Idle")
    clock.advance(days=10)
    await client.hold("ann", 20, program="Idle", expires_at=clock.after(days=30))
    clock.advance(days=21)
    await client.credit("ann", 7, program="Idle")  # too late for the 50: they lapsed yesterday

    clock.advance(days=9)

    assert await client.balance("ann", program="Idle") == Balance(active=7)
    assert await client.expiring("ann", program="Idle") == [(clock.after(days=21), 7)]
    await service.sweep()
    assert await client.balance("ann", program="Idle") == Balance(active=7)
    kinds = [row.kind for row in await client.history("ann", program="Idle")]
    assert kinds == ["CREDIT", "HOLD", "EXPIRY", "CREDIT", "RELEASE", "EXPIRY"]


async def test_points_that_follow_activity_follow_the_receivers(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Idle", expiry=inactivity(30))
    await client.credit("ann", 50, program="Idle")
    clock.advance(days=10)
    await client.debit("ann", 1, program="Idle")
    clock.advance(days=25)  # past the lot's first expiry, which ann's activity has moved

    await client.transfer("ann", "bob", 49, program="Idle")

    assert await client.expiring("bob", program="Idle") == [(clock.after(days=30), 49)]
    clock.advance(days=20)
    await client.credit("bob", 1, program="Idle")
    assert await client.expiring("bob", program="Idle") == [(clock.after(days=30), 50)]


async def test_points_keep_their_age(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Fifo", consumption="EARLIEST_ISSUANCE")
    soon, late = clock.after(days=10), clock.after(days=20)
    await client.credit("ann", 10, program="Fifo", expires_at=late)
    clock.advance(days=1)
    await client.credit("bob", 10, program="Fifo", expires_at=soon)
    await client.transfer("ann", "bob", 10, program="Fifo")

    await client.debit("bob", 4, program="Fifo")

    assert await client.expiring("bob", program="Fifo") == [(soon, 10), (late, 6)]


async def test_other_lots_make_up_for_what_is_held_of_its_own(client: Client) -> None:
    credit = await client.credit("ann", 50)
    await client.hold("ann", 30)
    await client.credit("ann", 40)

    answer = await client.reverse(credit.id, from_other_lots=True)

    assert answer.posted.change == Balance(active=-50)
    assert await client.balance("ann") == Balance(active=10, held=30)
    assert (await client.health()).violations == []


async def test_grace_saves_what_expires_at_the_very_instant(
    client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 10, expires_at=clock.after(days=10))
    debit = await client.debit("ann", 10)
    clock.advance(days=10)

    await client.refund(debit.id, grace=timedelta(days=3))

    assert await client.expiring("ann") == [(clock.after(days=3), 10)]


async def test_a_hold_runs_out_after_something_else_was_written(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50)
    await client.hold("ann", 30, expires_at=clock.after(days=3))
    await client.credit("ann", 10, expires_at=clock.after(days=1))
    clock.advance(days=2)
    await service.sweep()  # writes the expiry; the hold's end is still to come
    clock.advance(days=1)

    assert await client.balance("ann") == Balance(active=50)
    assert await service.sweep() == 1
    assert (await client.history("ann"))[-1].kind == "RELEASE"


async def test_refunds_at_once_never_give_back_what_another_debit_took(client: Client) -> None:
    await client.credit("ann", 50)
    debit = await client.debit("ann", 30)
    await client.debit("ann", 20)  # leaves room in the lot

    answers = await gather(*(client.refund(debit.id, points=4) for _ in range(40)))

    assert Counter(answer.error for answer in answers) == {None: 7, "ExceedsOriginal": 33}
    assert await client.balance("ann") == Balance(active=28)


async def test_a_live_stream_tells_nothing_of_the_erased(client: Client) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(after=cursor) as stream:
        await client.credit("ann", 50, description="Happy birthday")
        await stream.next()  # it is in the feed's memory now
        wallet = await client.wallet("ann")
        await client.erase_member("ann")
        async with client.subscribe(after=cursor) as late:
            event = await late.next()

    assert event.identity == f"erased:{wallet.member_id}"
    assert event.points_description is None
