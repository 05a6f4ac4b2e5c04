"""The feed, read slowly: one who stops reading costs the others nothing, and memory is bounded."""

import gc
import tracemalloc
from typing import Any

import pytest

from events import feed as feeds
from events.log import CreditedFilter, read_credited
from models.database import Unavailable
from tests.events.diary import Diary


async def test_a_follower_that_stops_reading_costs_the_others_nothing(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RECENT_MAX", 64)
    await diary.credit("ann")
    slow = diary.feed.follow(after=0)
    assert (await anext(slow)).position == 1
    quick = await diary.follow()
    for _ in range(40):
        await diary.credit(*(f"m{n}" for n in range(10)))

    await quick.hear(400)

    assert [event.position for event in quick.heard] == list(range(2, 402))
    # It reads on where it stopped, from the log where memory no longer reaches, and then live.
    heard = [(await anext(slow)).position for _ in range(400)]
    assert heard == list(range(2, 402))
    await diary.credit("last")
    assert (await anext(slow)).identity == "last"
    await slow.aclose()


async def test_memory_is_bounded_whatever_happens(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RECENT_MAX", 50)
    stopped = [diary.feed.follow(after=0) for _ in range(20)]
    await diary.credit("ann")
    for follower in stopped:
        await anext(follower)
    reader = await diary.follow()

    async def write(batches: int) -> int:
        before = len(reader.heard)
        for _ in range(batches):
            await diary.credit(*(f"m{n}" for n in range(100)))
        await reader.hear(before + batches * 100)
        reader.heard.clear()
        gc.collect()
        return sum(stat.size for stat in feed_memory())

    tracemalloc.start()
    few = await write(3)
    many = await write(20)
    tracemalloc.stop()

    assert many < few * 2 + 20_000
    for follower in stopped:
        await follower.aclose()


def feed_memory() -> list[tracemalloc.Statistic]:
    """What the events storey has allocated and still holds."""
    ours = [tracemalloc.Filter(inclusive=True, filename_pattern="*/events/*.py")]
    return tracemalloc.take_snapshot().filter_traces(ours).statistics("filename")


async def test_a_choosy_follower_reads_the_log_a_bounded_way_at_a_time(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "LAG_SPAN_MAX", 10)
    await diary.credit("ann", *(f"m{n}" for n in range(95)), "ann")

    reader = await diary.follow(CreditedFilter(identity="ann"), after=0)

    assert [event.position for event in await reader.hear(2)] == [1, 97]


@pytest.mark.parametrize("failures", [1, feeds.LAG_TRIES_MAX - 1])
async def test_a_follower_that_lags_outlives_a_database_that_fails_for_a_while(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    monkeypatch.setattr(feeds, "RETRY_S", 0)
    await diary.credit("ann", "bob")
    left = failures

    def fail_at_first(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise Unavailable("gone")
        return read_credited(*args)

    monkeypatch.setattr(feeds, "read_credited", fail_at_first)

    assert await (await diary.follow(after=0)).names(2) == ["ann", "bob"]
    assert left == -1


async def test_a_follower_that_lags_is_told_of_a_database_that_stays_away(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RETRY_S", 0)
    await diary.credit("ann")

    def fail(*_: Any) -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(feeds, "read_credited", fail)

    with pytest.raises(Unavailable):
        await (await diary.follow(after=0)).hear(1)
