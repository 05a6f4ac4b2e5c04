"""The fast clock: it begins at an instant, runs so many times as fast as ours, and never back."""

from typing import Any

from campaigns.records import Delivery
from campaigns.situations import LEASE_US
from server.clock import FastClock, now, pace_of
from tests.campaigns.world import World, planning
from tests.harness.clock import VirtualClock

BEGINS_AT = 1_767_225_600_000_000
DAY_IN_10_S = 8_640
SECOND_NS = 1_000_000_000


class Ticks:
    """Nanoseconds of ours, from nowhere in particular; they pass as the test says."""

    def __init__(self) -> None:
        self.now = 5_000_000_000_123

    def __call__(self) -> int:
        return self.now


def test_it_begins_at_its_instant() -> None:
    ticks = Ticks()

    assert FastClock(BEGINS_AT, DAY_IN_10_S, ticks)() == BEGINS_AT


def test_a_day_passes_in_ten_seconds() -> None:
    ticks = Ticks()
    clock = FastClock(BEGINS_AT, DAY_IN_10_S, ticks)

    ticks.now += 10 * SECOND_NS

    assert clock() - BEGINS_AT == 86_400_000_000


def test_it_is_exact_to_the_microsecond() -> None:
    ticks = Ticks()
    clock = FastClock(BEGINS_AT, DAY_IN_10_S, ticks)

    ticks.now += 115
    assert clock() - BEGINS_AT == 993
    ticks.now += 1
    assert clock() - BEGINS_AT == 1_002


def test_it_never_goes_back_and_drives_nobody_elses_clock_forward() -> None:
    clock = FastClock(now(), DAY_IN_10_S)
    seen = [clock() for _ in range(1_000)]

    assert seen == sorted(seen)
    assert now() < seen[-1] + 1_000_000_000


def test_only_a_fast_clock_is_fast() -> None:
    assert pace_of(FastClock(BEGINS_AT, DAY_IN_10_S)) == 8_640
    assert pace_of(now) == 1
    assert pace_of(VirtualClock()) == 1


# ── what is timed by it ──────────────────────────────────────────────────────────────────────────


async def claimed(world: World) -> Delivery:
    """A delivery that was claimed just now, by a courier of whom nothing more is heard."""
    await world.publish()
    await world.client.credit("ann", 5)
    await world.campaigns.evaluate()
    await world.campaigns.courier._fill()  # noqa: SLF001 - no other way to die in the middle of it
    await world.campaigns.courier.drain(0)
    [delivery] = await world.deliveries()
    assert delivery.status == "SENDING"
    return delivery


async def test_a_lease_lasts_as_long_for_us_by_a_fast_clock(sqlite_url: str) -> None:
    clock: Any = FastClock(BEGINS_AT, DAY_IN_10_S, Ticks())
    async with planning(sqlite_url, clock) as world:
        delivery = await claimed(world)

    assert delivery.due_at == BEGINS_AT + DAY_IN_10_S * LEASE_US


async def test_a_lease_lasts_its_time_by_ours(sqlite_url: str, clock: VirtualClock) -> None:
    async with planning(sqlite_url, clock) as world:
        delivery = await claimed(world)

    assert delivery.due_at == clock() + LEASE_US
