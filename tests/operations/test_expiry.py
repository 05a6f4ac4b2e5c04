"""Expiry: the four rules, to the microsecond, whether or not anything was written down."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.clock import MICROSECOND, VirtualClock, instant
from tests.harness.rules import NEVER, after, end_of_calendar_year, inactivity
from tests.harness.servers import Service
from tests.harness.values import Balance, Lifetime


async def expiry_of(client: Client, clock: VirtualClock, at: str, **rules: Any) -> datetime:
    """Return when a credit at that moment expires under the rules."""
    await client.create_program("Ruled", **rules)
    clock.set(at)
    expires_at = (await client.credit("ann", 50, program="Ruled")).posted.expires_at
    assert expires_at is not None
    return expires_at


async def test_a_program_that_never_expires_never_does(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Ever", expiry=NEVER)
    credit = (await client.credit("ann", 50, program="Ever")).posted

    clock.advance(days=300 * 365)

    assert credit.expires_at is None
    assert await client.expiring("ann", program="Ever") == []
    assert await client.balance("ann", program="Ever") == Balance(active=50)


async def test_points_are_usable_until_the_instant_they_expire(
    client: Client, clock: VirtualClock
) -> None:
    expires_at = clock.after(days=10)
    await client.credit("ann", 50, expires_at=expires_at)

    clock.set(expires_at - MICROSECOND)
    assert await client.balance("ann") == Balance(active=50)

    clock.set(expires_at)
    assert await client.balance("ann") == Balance()
    assert (await client.wallet("ann")).lifetime == Lifetime(credited=50, expired=50)
    assert (await client.summary("Points")).expired == 50
    assert [row.kind for row in await client.history("ann")] == ["CREDIT"]


async def test_the_sweep_writes_one_row_for_each_lot_in_the_order_of_their_time(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    later, soon = clock.after(days=3), clock.after(days=2)
    await client.credit("ann", 5, expires_at=later)
    await client.credit("ann", 7, expires_at=soon)
    await client.credit("ann", 11, expires_at=later)
    clock.advance(days=10)

    assert await service.sweep() == 3

    rows = (await client.history("ann"))[3:]
    assert {row.kind for row in rows} == {"EXPIRY"}
    assert [row.effective_at for row in rows] == [soon, later, later]
    assert rows[0].points == 7
    assert {row.points for row in rows[1:]} == {5, 11}
    assert [row.created_at for row in rows] == [clock.now] * 3
    assert rows[0].balance_after == Balance(active=16)
    assert rows[-1].balance_after == Balance()
    assert (rows[0].source, rows[0].change) == (None, Balance(active=-7))


async def test_only_what_is_left_of_a_lot_expires(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.debit("ann", 20)
    clock.advance(days=1)

    await service.sweep()

    assert (await client.history("ann"))[-1].points == 30


async def test_a_lot_used_up_leaves_no_row(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.debit("ann", 50)
    clock.advance(days=1)

    await service.sweep()

    assert [row.kind for row in await client.history("ann")] == ["CREDIT", "DEBIT"]


async def test_at_one_instant_activation_comes_before_release_before_expiry(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    at = clock.after(days=1)
    await client.credit("ann", 5, expires_at=at)
    await client.credit("ann", 20)
    await client.hold("ann", 15, expires_at=at)
    await client.credit("ann", 7, active_at=at)
    clock.advance(days=2)

    await service.sweep()

    rows = (await client.history("ann"))[4:]
    assert [row.kind for row in rows] == ["ACTIVATION", "RELEASE", "EXPIRY"]
    assert {row.effective_at for row in rows} == {at}
    assert await client.balance("ann") == Balance(active=27)


@pytest.mark.parametrize(
    ("at", "count", "unit", "expires_at"),
    [
        ("2026-04-01T10:30:00Z", 1, "DAY", "2026-04-02T10:30:00Z"),
        ("2026-04-01T10:30:00Z", 365, "DAY", "2027-04-01T10:30:00Z"),
        ("2026-08-31T10:30:00Z", 1, "MONTH", "2026-09-30T10:30:00Z"),
        ("2027-01-31T10:30:00Z", 1, "MONTH", "2027-02-28T10:30:00Z"),
        ("2028-01-31T10:30:00Z", 1, "MONTH", "2028-02-29T10:30:00Z"),
        ("2026-11-30T10:30:00Z", 3, "MONTH", "2027-02-28T10:30:00Z"),
        ("2027-02-28T10:30:00Z", 1, "MONTH", "2027-03-28T10:30:00Z"),
        ("2026-12-15T10:30:00.000001Z", 13, "MONTH", "2028-01-15T10:30:00.000001Z"),
        ("2028-02-29T10:30:00Z", 1, "YEAR", "2029-02-28T10:30:00Z"),
        ("2028-02-29T10:30:00Z", 4, "YEAR", "2032-02-29T10:30:00Z"),
    ],
)
async def test_a_period_after_activation_clamps_to_the_months_last_day(
    client: Client, clock: VirtualClock, at: str, count: int, unit: str, expires_at: str
) -> None:
    found = await expiry_of(client, clock, at, expiry=after(count, unit))

    assert found == instant(expires_at)


@pytest.mark.parametrize(
    ("zone", "at", "unit", "expires_at"),
    [
        # In Kiritimati (+14:00) it is the 31st already: a month later is the 28th there.
        ("Pacific/Kiritimati", "2027-01-30T12:00:00Z", "MONTH", "2027-02-27T12:00:00Z"),
        # In New York (-05:00) it is still the 31st of January.
        ("America/New_York", "2027-02-01T03:00:00Z", "MONTH", "2027-03-01T03:00:00Z"),
        # Berlin goes over to summer time on 28 March 2027: noon stays noon, a day has 23 hours.
        ("Europe/Berlin", "2027-03-27T11:00:00Z", "DAY", "2027-03-28T10:00:00Z"),
        ("Europe/Berlin", "2027-03-15T11:00:00Z", "MONTH", "2027-04-15T10:00:00Z"),
    ],
)
async def test_a_period_is_counted_on_the_calendar_of_the_programs_zone(
    client: Client, clock: VirtualClock, zone: str, at: str, unit: str, expires_at: str
) -> None:
    found = await expiry_of(client, clock, at, expiry=after(1, unit), time_zone=zone)

    assert found == instant(expires_at)


@pytest.mark.parametrize(
    ("zone", "count", "at", "expires_at"),
    [
        ("UTC", 0, "2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00Z"),
        ("UTC", 0, "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        ("UTC", 1, "2026-06-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        ("UTC", 2, "2026-06-01T00:00:00Z", "2029-01-01T00:00:00Z"),
        ("Europe/Berlin", 0, "2026-06-01T00:00:00Z", "2026-12-31T23:00:00Z"),
        # In Berlin the new year has begun.
        ("Europe/Berlin", 0, "2026-12-31T23:00:00Z", "2027-12-31T23:00:00Z"),
        ("America/New_York", 0, "2027-01-01T04:59:59Z", "2027-01-01T05:00:00Z"),
        ("Pacific/Kiritimati", 0, "2026-12-31T09:59:59Z", "2026-12-31T10:00:00Z"),
        ("Pacific/Kiritimati", 0, "2026-12-31T10:00:00Z", "2027-12-31T10:00:00Z"),
    ],
)
async def test_the_calendar_year_ends_in_the_programs_zone(
    client: Client, clock: VirtualClock, zone: str, count: int, at: str, expires_at: str
) -> None:
    rule = end_of_calendar_year(count)

    found = await expiry_of(client, clock, at, expiry=rule, time_zone=zone)

    assert found == instant(expires_at)


async def test_the_calendar_year_is_that_of_issuance_not_of_activation(client: Client) -> None:
    await client.create_program("Yearly", expiry=end_of_calendar_year(1))

    credit = await client.credit("ann", 50, program="Yearly", active_at="2027-05-01T00:00:00Z")

    assert credit.posted.expires_at == instant("2028-01-01T00:00:00Z")


async def idle_program(client: Client) -> None:
    await client.create_program("Idle", expiry=inactivity(30))


async def do(client: Client, activity: str, hold_id: str) -> None:
    answer = {
        "credit": lambda: client.credit("ann", 1, program="Idle"),
        "debit": lambda: client.debit("ann", 1, program="Idle"),
        "capture": lambda: client.capture(hold_id, points=1),
        "send": lambda: client.transfer("ann", "bob", 1, program="Idle"),
        "receive": lambda: client.transfer("bob", "ann", 1, program="Idle"),
        "hold": lambda: client.hold("ann", 1, program="Idle"),
        "release": lambda: client.release(hold_id),
        "freeze": lambda: client.freeze("ann", program="Idle"),
        "thaw": lambda: client.thaw("ann", program="Idle"),
        "refused": lambda: client.debit("ann", 1_000, program="Idle"),
    }[activity]
    done = await answer()
    assert (done.error is None) == (activity != "refused")


async def test_an_idle_wallet_loses_all_after_the_period(
    client: Client, clock: VirtualClock
) -> None:
    await idle_program(client)
    credit = (await client.credit("ann", 50, program="Idle")).posted
    assert credit.expires_at == clock.after(days=30)

    clock.advance(days=30, microseconds=-1)
    assert await client.balance("ann", program="Idle") == Balance(active=50)
    clock.advance(microseconds=1)
    assert await client.balance("ann", program="Idle") == Balance()


@pytest.mark.parametrize("activity", ["credit", "debit", "capture", "send", "receive"])
async def test_an_activity_starts_the_period_anew(
    client: Client, clock: VirtualClock, activity: str
) -> None:
    await idle_program(client)
    for who in ("ann", "bob"):
        await client.credit(who, 50, program="Idle")
    hold = await client.hold("ann", 10, program="Idle", expires_at=clock.after(days=29))
    clock.advance(days=20)

    await do(client, activity, hold.held.id)

    left = {"credit": 41, "debit": 39, "capture": 40, "send": 39, "receive": 41}[activity]
    [(expires_at, _)] = await client.expiring("ann", program="Idle")
    assert expires_at == clock.after(days=30)
    assert (await client.balance("ann", program="Idle")).active == left
    clock.set(expires_at - MICROSECOND)
    assert (await client.balance("ann", program="Idle")).active >= left
    clock.set(expires_at)
    assert (await client.balance("ann", program="Idle")).active == 0


@pytest.mark.parametrize("activity", ["hold", "release", "freeze", "thaw", "refused"])
async def test_what_is_no_activity_leaves_the_period_running(
    client: Client, clock: VirtualClock, activity: str
) -> None:
    await idle_program(client)
    await client.credit("ann", 50, program="Idle")
    last = clock.after(days=30)
    hold = await client.hold("ann", 10, program="Idle", expires_at=clock.after(days=29))
    clock.advance(days=20)

    await do(client, activity, hold.held.id)

    clock.set(last - MICROSECOND)
    assert (await client.balance("ann", program="Idle")).active > 0
    clock.set(last)
    assert (await client.balance("ann", program="Idle")).active == 0


async def test_an_expiry_of_its_own_is_not_moved_by_activity(
    client: Client, clock: VirtualClock
) -> None:
    await idle_program(client)
    own = clock.after(days=25)
    await client.credit("ann", 50, program="Idle", expires_at=own)
    clock.advance(days=20)

    await client.credit("ann", 7, program="Idle")

    assert await client.expiring("ann", program="Idle") == [(own, 50), (clock.after(days=30), 7)]


async def test_what_has_expired_stays_expired(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await idle_program(client)
    await client.credit("ann", 50, program="Idle")
    lapsed = clock.after(days=30)
    clock.advance(days=40)

    await client.credit("ann", 7, program="Idle")

    assert await client.balance("ann", program="Idle") == Balance(active=7)
    rows = await client.history("ann", program="Idle")
    assert [row.kind for row in rows] == ["CREDIT", "EXPIRY", "CREDIT"]
    assert rows[1].effective_at == lapsed
    await service.sweep()
    assert len(await client.history("ann", program="Idle")) == 3


async def test_a_new_start_moves_every_lot_without_its_own_expiry_together(
    client: Client, clock: VirtualClock
) -> None:
    await idle_program(client)
    for _ in range(3):
        await client.credit("ann", 10, program="Idle")
        clock.advance(days=10)

    assert await client.expiring("ann", program="Idle") == [(clock.after(days=20), 30)]


async def test_due_rows_never_run_backwards(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.hold("ann", 30, expires_at=clock.after(days=4))
    await client.credit("ann", 9, active_at=clock.after(days=2), expires_at=clock.after(days=3))
    clock.advance(days=10)
    await client.credit("ann", 1)
    await service.sweep()

    rows = await client.history("ann")

    assert [row.kind for row in rows[3:]] == [
        "EXPIRY",
        "ACTIVATION",
        "EXPIRY",
        "RELEASE",
        "EXPIRY",
        "CREDIT",
    ]
    for earlier, later in pairwise(rows):
        assert later.sequence == earlier.sequence + 1
        assert later.effective_at >= earlier.effective_at
        assert later.created_at >= earlier.created_at
