"""The tests' own patience: a standstill fails no test; what never comes says who waits where."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from tests.harness.patience import TICK_S, OutOfPatience, patience, poll


async def test_a_machine_that_stands_still_for_a_while_fails_no_test() -> None:
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.call_soon(time.sleep, 3 * TICK_S)
    loop.call_later(TICK_S, arrived.set)

    async with patience(2 * TICK_S):
        await arrived.wait()


async def wait_in_vain() -> None:
    await asyncio.Event().wait()


async def test_what_never_comes_says_who_waited_where() -> None:
    with pytest.raises(OutOfPatience) as never:
        async with patience(TICK_S):
            await wait_in_vain()

    assert str(never.value).startswith(f"it did not come within {TICK_S} s of:\n")
    assert "test_what_never_comes_says_who_waited_where" in str(never.value)


async def test_another_tasks_place_is_told_down_to_what_it_waits_for() -> None:
    waiting = asyncio.create_task(wait_in_vain(), name="in vain")
    with pytest.raises(OutOfPatience, match=r"in vain: wait_in_vain:\d+ > Event.wait:\d+"):
        async with patience(TICK_S):
            await asyncio.Event().wait()
    waiting.cancel()


async def follow_in_vain() -> AsyncGenerator[None]:
    await wait_in_vain()
    yield


async def test_a_follower_of_a_stream_is_told_of_down_to_what_the_stream_waits_for() -> None:
    async def follow() -> None:
        async for _ in follow_in_vain():
            pass

    following = asyncio.create_task(follow(), name="following")
    with pytest.raises(OutOfPatience, match=r"follow:\d+ > follow_in_vain:\d+ > wait_in_vain:"):
        async with patience(TICK_S):
            await asyncio.Event().wait()
    following.cancel()


async def test_polling_ends_when_it_is_so_or_within_its_bound() -> None:
    asked: list[int] = []

    async def is_third() -> bool:
        asked.append(len(asked))
        return len(asked) == 3

    async def never() -> bool:
        return False

    assert await poll(is_third, TICK_S)
    assert len(asked) == 3
    assert not await poll(never, TICK_S)


async def test_an_error_in_the_block_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError):
        async with patience(TICK_S):
            raise TimeoutError
