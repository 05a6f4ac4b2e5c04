"""Deadlines: what isn't there in time is given up, and nothing else is."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from graph.deadlines import Deadlines
from tests.harness.patience import WAIT_S_MAX, patience

T = TypeVar("T")

FAR_S = 1_000


def now() -> float:
    return asyncio.get_running_loop().time()


async def keep(deadlines: Deadlines, value: Awaitable[T], ends_at: float) -> T:
    with deadlines.until(ends_at):
        return await value


class Lost(Exception):
    """Nobody gave it up."""


async def never() -> None:
    """Wait for ever, or so long that a deadline must have been lost."""
    await asyncio.sleep(WAIT_S_MAX)
    raise Lost


async def test_what_is_there_in_time_is_given() -> None:
    async def value() -> int:
        await asyncio.sleep(0)
        return 7

    assert await keep(Deadlines(), value(), now() + FAR_S) == 7


async def test_what_is_late_is_cancelled_and_its_task_goes_on() -> None:
    cancelled: list[bool] = []

    async def late() -> None:
        try:
            await never()
        finally:
            cancelled.append(True)

    with pytest.raises(TimeoutError):
        await keep(Deadlines(), late(), now())

    task = asyncio.current_task()
    assert task
    assert (cancelled, task.cancelling()) == ([True], 0)
    await asyncio.sleep(0)


async def test_an_earlier_deadline_behind_a_later_one_is_kept() -> None:
    deadlines = Deadlines()
    later = asyncio.create_task(keep(deadlines, never(), now() + FAR_S))
    await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await keep(deadlines, never(), now())

    assert not later.done()
    later.cancel()


async def test_the_next_deadline_is_looked_for_when_one_has_passed() -> None:
    deadlines, begun = Deadlines(), now()
    waits = [
        asyncio.create_task(keep(deadlines, never(), begun + seconds))
        for seconds in (0.02, 0.01, 0)
    ]

    outcomes = await asyncio.gather(*waits, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [TimeoutError] * 3


async def test_who_is_cancelled_by_somebody_else_is_cancelled() -> None:
    task = asyncio.create_task(keep(Deadlines(), never(), now() + FAR_S))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_is_cancelled_besides_being_late_is_cancelled() -> None:
    async def unlucky() -> None:
        task = asyncio.current_task()
        assert task
        try:
            await never()
        finally:
            task.cancel()

    task = asyncio.create_task(keep(Deadlines(), unlucky(), now()))

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_deadline_after_one_that_has_passed_is_kept() -> None:
    deadlines = Deadlines()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await keep(deadlines, never(), now())


async def test_whose_block_has_ended_is_let_alone() -> None:
    deadlines, later = Deadlines(), asyncio.Event()
    with deadlines.until(now() + 0.01):
        pass
    asyncio.get_running_loop().call_later(0.03, later.set)
    async with patience():
        await later.wait()


async def test_what_it_raises_is_raised() -> None:
    async def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await keep(Deadlines(), fail(), now() + FAR_S)
