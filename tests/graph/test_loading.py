"""Loading: what is asked for in one turn of the event loop is read together, each thing once."""

import asyncio
from collections.abc import Sequence

import pytest

from graph.loading import Loader
from tests.harness.patience import patience


class Shelf:
    """Doubles numbers, and remembers what it was asked for together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.is_reading = asyncio.Event()

    async def read(self, keys: list[int]) -> Sequence[int]:
        self.asked.append(list(keys))
        self.is_reading.set()
        await asyncio.sleep(0)
        if 13 in keys:
            raise LookupError("there is no 13")
        return [2 * key for key in keys]


async def test_what_is_asked_in_one_turn_is_read_together_and_the_same_once() -> None:
    shelf = Shelf()
    loader = Loader(shelf.read)

    told = await asyncio.gather(*(loader.load(key) for key in (1, 2, 1, 3)))

    assert told == [2, 4, 2, 6]
    assert shelf.asked == [[1, 2, 3]]


async def test_what_is_known_is_not_read_again() -> None:
    shelf = Shelf()
    loader = Loader(shelf.read)

    assert await loader.load(1) == 2
    assert await asyncio.gather(loader.load(1), loader.load(2)) == [2, 4]

    assert shelf.asked == [[1], [2]]


async def test_what_is_asked_for_while_it_is_being_read_is_read_once() -> None:
    shelf = Shelf()
    loader = Loader(shelf.read)
    first = asyncio.create_task(loader.load(1))
    async with patience():
        await shelf.is_reading.wait()

    assert await asyncio.gather(loader.load(1), first) == [2, 2]
    assert shelf.asked == [[1]]


async def test_keys_of_one_name_are_the_same() -> None:
    shelf = Shelf()
    loader = Loader(shelf.read, lambda key: key % 10)

    assert await asyncio.gather(loader.load(1), loader.load(11)) == [2, 2]
    assert shelf.asked == [[1]]


async def test_what_fails_is_told_to_all_who_asked_and_to_those_who_ask_later() -> None:
    loader = Loader(Shelf().read)

    told = await asyncio.gather(loader.load(13), loader.load(1), return_exceptions=True)

    assert [str(each) for each in told] == ["there is no 13"] * 2
    with pytest.raises(LookupError, match="there is no 13"):
        await loader.load(13)


async def test_one_that_is_given_up_takes_nothing_from_the_others() -> None:
    loader = Loader(Shelf().read)
    one, other = (asyncio.create_task(loader.load(1)) for _ in range(2))
    await asyncio.sleep(0)

    one.cancel()

    async with patience():
        assert await other == 2
        assert await loader.load(1) == 2
