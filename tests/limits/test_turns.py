"""Turns: what goes on in turns does what it would have done, and lets others come between."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from graph import turns
from graph.turns import InTurns, Turns


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


async def test_it_gives_what_the_awaitable_gives(short: Turns) -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    done.set_result(8)

    assert await InTurns(work(), short) == 7
    assert await InTurns(done, short) == 8


async def test_each_step_is_taken_in_a_turn(short: Turns) -> None:
    steps = 0

    async def work() -> None:
        nonlocal steps
        for _ in range(5):
            steps += 1
            await asyncio.sleep(0)

    # One to be waited for in the turn, one for the work's own: each step has both.
    assert await others_between(lambda: InTurns(work(), short)) >= 10
    assert steps == 5


async def test_it_raises_what_the_awaitable_raises(short: Turns) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        message = "it does"
        raise ValueError(message)

    with pytest.raises(ValueError, match="it does"):
        await InTurns(work(), short)


async def test_what_it_waits_for_may_fail(short: Turns) -> None:
    fails: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await fails
        except ValueError as error:
            return str(error)
        return "nothing"

    task = asyncio.ensure_future(InTurns(work(), short))
    await asyncio.sleep(0)
    fails.set_exception(ValueError("it does"))

    assert await task == "it does"


async def test_cancelled_it_cancels_what_it_runs(short: Turns) -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    task = asyncio.ensure_future(InTurns(work(), short))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ends == ["cancelled"]


async def test_cancelled_before_its_turn_it_ends_what_it_runs(short: Turns) -> None:
    begun = False

    async def work() -> None:
        nonlocal begun
        begun = True

    task = asyncio.ensure_future(InTurns(work(), short))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert not begun
    await short.take()  # and nobody waits behind it
