"""Lines: what they tell of a request, they tell from then on, in its own task."""

import asyncio

from graph.lines import tell_in_lines, told_in_lines


async def test_what_is_told_later_stands_beside_what_was_told_before() -> None:
    tell_in_lines(request_id="id-1")
    tell_in_lines(trace_id="trace-1")

    assert told_in_lines() == {"request_id": "id-1", "trace_id": "trace-1"}


async def test_another_task_tells_nothing_of_it() -> None:
    async def tell() -> None:
        tell_in_lines(request_id="id-1")

    await asyncio.create_task(tell())

    assert "request_id" not in told_in_lines()
