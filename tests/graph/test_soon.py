"""Soon: what is asked for is done a moment later, once for all who ask meanwhile, and again."""

import asyncio

from graph.soon import Soon
from tests.harness.patience import patience


class Done(asyncio.Event):
    """How often it was done, for whoever waits until it is."""

    times = 0

    def count(self) -> None:
        self.times += 1
        self.set()


async def test_it_is_done_once_for_all_who_ask_meanwhile_and_again_for_the_next() -> None:
    done = Done()
    soon = Soon(done.count)
    for times in (1, 2):
        for _ in range(3):
            soon.ask()
        assert done.times == times - 1

        async with patience():
            await done.wait()
        assert done.times == times
        done.clear()


async def test_after_a_fault_it_is_done_again() -> None:
    done = Done()

    def fail_first() -> None:
        done.count()
        if done.times == 1:
            raise KeyError

    soon, faults = Soon(fail_first), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: faults.append(told))
    for _ in range(2):
        soon.ask()
        async with patience():
            await done.wait()
        done.clear()

    assert (done.times, len(faults)) == (2, 1)
