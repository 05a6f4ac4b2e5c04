"""The tail: a ring while it begins is not lost."""

import asyncio

import pytest

from events.log import ANY
from tests.events.diary import Diary


async def test_hears_what_is_committed_while_the_tail_begins(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = diary.feed.position

    async def overtaken() -> int:
        end = await position()
        await diary.credit("late")
        for _ in range(10):  # the tail hears the ring, and passes it over
            await asyncio.sleep(0)
        return end

    monkeypatch.setattr(diary.feed, "position", overtaken)

    reader = await diary.reader(diary.feed, ANY, 0)

    assert await reader.names(1) == ["late"]
