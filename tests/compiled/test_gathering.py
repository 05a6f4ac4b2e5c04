"""What is awaited side by side is gathered as graphql-core does it, to the turn."""

import asyncio
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from graphql.pyutils import gather_with_cancel
from hypothesis import given
from hypothesis import strategies as st

from graph.compiled.gathering import gather
from tests.compiled.chance import examples

TURNS_MAX = 4
TURNS_IN_ALL = 4 * TURNS_MAX
ENDS = ("value", "error", "cancelled", "stubborn")

Gather = Callable[[list[Awaitable[Any]]], Awaitable[list[Any]]]


class Work(NamedTuple):
    """So many turns of the loop, and then its end. One that is stubborn won't be cancelled."""

    turns: int
    end: str


WORKS = st.lists(
    st.builds(Work, st.integers(0, TURNS_MAX), st.sampled_from(ENDS)), min_size=2, max_size=5
)


async def theirs(values: list[Awaitable[Any]]) -> list[Any]:
    return await gather_with_cancel(*values)


async def a_turn() -> None:
    """It takes one, and waits for something meanwhile."""
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    loop.call_soon(lambda: passed.done() or passed.set_result(None))
    await passed


async def journal_of(gather: Gather, works: list[Work], cancelled_at: int | None) -> list[str]:
    """All that happens, and in which turn."""
    journal: list[str] = []
    turn = 0

    def note(*what: object) -> None:
        journal.append(f"{turn}: {' '.join(map(str, what))}")

    async def do(number: int, work: Work) -> str:
        note(number, "begins")
        try:
            for _ in range(work.turns):
                await (asyncio.sleep(0) if number % 2 else a_turn())
        except CancelledError as error:
            note(number, "is cancelled", error.args)
            if work.end != "stubborn":
                raise
        note(number, work.end)
        if work.end == "error":
            raise ValueError(number)
        if work.end == "cancelled":
            raise CancelledError(number)
        return f"value {number}"

    async def whole() -> None:
        try:
            note(await gather([do(number, work) for number, work in enumerate(works)]))
        except (Exception, CancelledError) as error:  # noqa: BLE001 - whichever it is
            note(repr(error))

    task = asyncio.ensure_future(whole())
    for turn in range(TURNS_IN_ALL):
        if turn == cancelled_at:
            task.cancel("enough")
        await asyncio.sleep(0)
    assert task.done()
    return journal


@examples(400)
@given(WORKS, st.none() | st.integers(0, TURNS_MAX + 2))
def test_it_differs_in_nothing(works: list[Work], cancelled_at: int | None) -> None:
    async def compare() -> None:
        right = await journal_of(theirs, works, cancelled_at)
        assert await journal_of(gather, works, cancelled_at) == right
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(compare())


async def test_what_is_no_coroutine_is_awaited_too() -> None:
    later = asyncio.get_running_loop().create_future()
    later.set_result("there")

    async def soon() -> str:
        return "soon"

    assert await gather([soon(), later]) == ["soon", "there"]
