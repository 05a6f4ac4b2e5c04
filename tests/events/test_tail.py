"""The tail: a ring while it begins is not lost."""

import asyncio
from typing import Any

import pytest

from events.log import ANY, log_end
from tests.events.diary import Diary


async def test_hears_what_is_committed_while_the_tail_begins(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = diary.database.read

    async def overtaken(work: Any, *asked: Any) -> Any:
        answer = await read(work, *asked)
        if work is log_end:
            await diary.credit("late")
            for _ in range(10):  # the tail hears the ring, and passes it over
                await asyncio.sleep(0)
        return answer

    monkeypatch.setattr(diary.database, "read", overtaken)

    reader = await diary.reader(diary.feed, ANY, 0)

    assert await reader.names(1) == ["late"]
