"""The sweeper's loop: at once while there is something to write, else after a short rest."""

import asyncio
from collections.abc import Sequence

import pytest

from models.database import Unavailable
from server.workers import FAILED_S_MAX, IDLE_S, rest_s, run_sweeper, wait
from tests.harness.logs import logged
from tests.harness.patience import patience

Result = int | Exception


class Dues:
    """What each sweep comes to, in order; after the last one the loop is told to stop."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = list(results)
        self.stopping = asyncio.Event()
        self.told: list[str | float] = []
        self.noted = 0

    async def sweep(self) -> int:
        self.told.append("sweep")
        result = self.results.pop(0)
        if not self.results:
            self.stopping.set()
        if isinstance(result, Exception):
            raise result
        return result

    def note(self) -> None:
        self.noted += 1

    async def rest(self, stopping: asyncio.Event, seconds: float) -> None:
        assert stopping is self.stopping
        self.told.append(seconds)


async def swept(*results: Result) -> list[str | float]:
    dues = Dues(results)
    await run_sweeper(dues, dues.stopping, dues.note, dues.rest)
    return dues.told


async def test_it_sweeps_again_at_once_while_rows_were_written() -> None:
    assert await swept(1_000, 1_000, 7) == ["sweep", "sweep", "sweep"]


async def test_it_rests_a_quarter_of_a_second_when_nothing_was_due() -> None:
    assert await swept(0, 3, 0) == ["sweep", 0.25, "sweep", "sweep", 0.25]


@pytest.mark.parametrize(
    "failure", [Unavailable("the disk is full"), ValueError("a fault")], ids=repr
)
async def test_a_failure_ends_nothing(failure: Exception) -> None:
    with logged() as lines:
        assert await swept(failure, 5, 1) == ["sweep", 0.5, "sweep", "sweep"]

    (line,) = lines.of("sweeping failed")
    assert line["again_in_s"] == 0.5
    assert line["level"] == ("warning" if isinstance(failure, Unavailable) else "error")
    assert ("exception" in line) == isinstance(failure, ValueError)


async def test_each_sweep_that_succeeds_is_noted() -> None:
    dues = Dues([3, Unavailable("down"), 0, 2])

    await run_sweeper(dues, dues.stopping, dues.note, dues.rest)

    assert dues.noted == 3


async def test_each_failure_in_a_row_doubles_the_rest_and_success_ends_the_row() -> None:
    down = Unavailable("down")

    assert await swept(down, down, down, 0, down, 0) == [
        *("sweep", 0.5, "sweep", 1.0, "sweep", 2.0),
        *("sweep", 0.25),
        *("sweep", 0.5),
        *("sweep", 0.25),
    ]


def test_the_rest_is_bounded() -> None:
    assert rest_s(0) == IDLE_S
    assert {rest_s(failed) for failed in (6, 60, 6_000_000)} == {FAILED_S_MAX}


async def test_it_does_not_begin_once_it_is_told_to_stop() -> None:
    dues = Dues([1])
    dues.stopping.set()

    await run_sweeper(dues, dues.stopping, dues.note, dues.rest)

    assert dues.told == []


async def test_a_rest_ends_as_soon_as_it_is_told_to_stop() -> None:
    stopping = asyncio.Event()
    resting = asyncio.create_task(wait(stopping, 3_600))
    await asyncio.sleep(0)

    stopping.set()

    async with patience():
        await resting


async def test_a_rest_ends_when_its_time_is_over() -> None:
    await wait(asyncio.Event(), 0)
