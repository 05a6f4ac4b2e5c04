"""The event log: exactly one event for each committed transaction, in the order of commits."""

import pytest

from tests.harness.client import Client
from tests.harness.clock import EPOCH, MICROSECOND, VirtualClock
from tests.harness.rules import inactivity
from tests.harness.servers import Service
from tests.harness.tables import rows

EVENTS = (
    "SELECT position, name, transaction_id, wallet_id, points, at FROM events ORDER BY position"
)
EVENT_OF_KIND = {
    "ACTIVATION": "POINTS_CREDITED",
    "DEBIT": "POINTS_DEBITED",
    "EXPIRY": "POINTS_EXPIRED",
    "REVERSAL": "POINTS_REVERSED",
    "REFUND": "POINTS_REFUNDED",
    "HOLD": "POINTS_HELD",
    "RELEASE": "POINTS_RELEASED",
    "TRANSFER_OUT": "POINTS_TRANSFERRED",
    "TRANSFER_IN": "POINTS_TRANSFERRED",
}


async def a_row_of_every_kind(service: Service, client: Client, clock: VirtualClock) -> None:
    credit = await client.credit("ann", 100)
    await client.credit("ann", 40, active_at=clock.after(days=1))
    debit = await client.debit("ann", 30)
    hold = await client.hold("ann", 20)
    await client.capture(hold.held.id, points=5)
    await client.release(hold.held.id)
    await client.hold("ann", 7, expires_at=clock.after(days=10))
    await client.reverse(credit.id, points=10)
    await client.transfer("ann", "bob", 12)
    await client.refund(debit.id, points=15)
    await client.credit("ann", 3, expires_at=clock.after(hours=1))
    clock.advance(days=20)
    await service.sweep()


async def test_every_transaction_has_exactly_one_event_of_its_kind(
    service: Service, client: Client, clock: VirtualClock, database_url: str
) -> None:
    await a_row_of_every_kind(service, client, clock)

    found = await rows(database_url, EVENTS)
    told = {row[2]: row for row in found if row[1] != "POINTS_EXPIRING_SOON"}
    written = [row for who in ("ann", "bob") for row in await client.history(who)]

    assert len(told) == len([row for row in found if row[2] is not None])
    assert set(told) == {row.id for row in written}
    for row in written:
        promised = row.kind == "CREDIT" and row.change.promised
        of_credit = "POINTS_PROMISED" if promised else "POINTS_CREDITED"
        _, name, _, wallet_id, points, at = told[row.id]
        assert name == EVENT_OF_KIND.get(row.kind, of_credit)
        assert (wallet_id, points) == (row.wallet_id, row.points * 1_000)
        assert EPOCH + at * MICROSECOND == row.effective_at


async def test_positions_are_dense_and_a_wallets_events_follow_its_rows(
    service: Service, client: Client, clock: VirtualClock, database_url: str
) -> None:
    await a_row_of_every_kind(service, client, clock)

    found = await rows(database_url, EVENTS)

    assert [row[0] for row in found] == list(range(1, len(found) + 1))
    for who in ("ann", "bob"):
        ids = [row.id for row in await client.history(who)]
        assert [row[2] for row in found if row[2] in ids] == ids


async def test_a_refusal_and_a_replay_leave_no_event(client: Client, database_url: str) -> None:
    await client.credit("ann", 50, key="once")
    await client.credit("ann", 50, key="once")
    await client.credit("ann", 60, key="once")
    await client.debit("ann", 51)

    assert len(await rows(database_url, EVENTS)) == 1


async def warnings(database_url: str) -> int:
    found = await rows(database_url, EVENTS)
    return len([row for row in found if row[1] == "POINTS_EXPIRING_SOON"])


@pytest.mark.parametrize("days", [0, 2])
async def test_warns_of_a_lot_once_so_many_days_before_it_expires(
    service: Service, client: Client, clock: VirtualClock, database_url: str, days: int
) -> None:
    await client.create_program("Gold", expiring_soon_days=3)
    warned_at = clock.after(days=7)
    await client.credit("ann", 50, program="Gold", expires_at=clock.after(days=10))
    await client.credit("ann", 60, program="Gold", expires_at=clock.after(days=100))
    clock.set(warned_at - MICROSECOND)
    await service.sweep()
    assert await warnings(database_url) == 0

    clock.set(warned_at)
    clock.advance(days=days)
    await service.sweep()
    await service.sweep()

    assert await warnings(database_url) == 1


async def test_a_new_start_of_inactivity_warns_anew(
    service: Service, client: Client, clock: VirtualClock, database_url: str
) -> None:
    await client.create_program("Idle", expiry=inactivity(30), expiring_soon_days=3)
    await client.credit("ann", 50, program="Idle")
    clock.advance(days=28)
    await service.sweep()
    assert await warnings(database_url) == 1

    await client.debit("ann", 1, program="Idle")
    clock.advance(days=1)
    await service.sweep()
    assert await warnings(database_url) == 1

    clock.advance(days=27)
    await service.sweep()
    assert await warnings(database_url) == 2
