"""Turns: what goes on in turns does what it would have done, and lets others come between."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from graph import turns
from graph.turns import Turns, turns_of_loop


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Turns whose slices are over as soon as they begin."""
    monkeypatch.setattr(turns, "TURN_S", 0.0)
    return Turns()


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """Turns whose first slice lasts."""
    monkeypatch.setattr(turns, "TURN_S", 1_000.0)
    return Turns()


async def others_between(work: Callable[[], Awaitable[object]]) -> int:
    """How often the loop came round while something went on."""
    rounds = 0

    async def go_round() -> None:
        nonlocal rounds
        while True:
            await asyncio.sleep(0)
            rounds += 1

    other = asyncio.create_task(go_round())
    await asyncio.sleep(0)
    rounds = 0
    await work()
    other.cancel()
    return rounds


async def test_between_two_slices_the_loop_goes_round(short: Turns) -> None:
    async def work() -> None:
        for _ in range(10):
            await short.take()

    assert await others_between(work) >= 10


async def test_within_a_slice_nothing_waits(long: Turns) -> None:
    async def work() -> None:
        for _ in range(10):
            await long.take()

    assert await others_between(work) == 1


async def test_turns_come_in_the_order_in_which_they_were_asked_for(short: Turns) -> None:
    taken: list[int] = []

    async def work(number: int) -> None:
        for _ in range(3):
            await short.take()
            taken.append(number)

    await asyncio.gather(*map(work, range(4)))

    assert taken == [0, 1, 2, 3] * 3


async def test_whoever_gives_up_waiting_holds_up_nobody(short: Turns) -> None:
    tasks = [asyncio.create_task(short.take()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks[:2]:
        task.cancel()

    await tasks[2]
    await short.take()


async def test_a_loop_has_its_turns_for_all() -> None:
    assert turns_of_loop() is turns_of_loop()
