"""Workers: the loops that run beside the requests.

The sweeper writes down what has fallen due, and so raises its events. Balances don't wait for it.
The evaluator makes deliveries of events, the courier carries them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from ledger import Overloaded
from models.database import DatabaseError

IDLE_S: Final = 0.25
"""How long a worker rests when there was nothing to do."""

GATHERED_S: Final = 0.02
"""How long a worker that is rung for lets more gather, so that it works once for many."""

FAILED_S_MAX: Final = 8.0
"""The longest it rests after failures: each in a row doubles the rest."""

log = structlog.get_logger()

Wait = Callable[[asyncio.Event, float], Awaitable[None]]
Work = Callable[[], Awaitable[int]]


class Sweeps(Protocol):
    """What the sweeper works on: the ledger."""

    async def sweep(self) -> int:
        """Write some of what is due; return how many rows and warnings that made."""
        ...


async def wait(stopping: asyncio.Event, seconds: float) -> None:
    """Until it is to stop, or for so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


def until_rung(bell: asyncio.Event) -> Wait:
    """A rest that also ends a moment after the bell has rung."""

    async def wait(stopping: asyncio.Event, seconds: float) -> None:
        ears = [asyncio.create_task(event.wait()) for event in (bell, stopping)]
        await asyncio.wait(ears, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for ear in ears:
            ear.cancel()
        if bell.is_set() and not stopping.is_set():
            await asyncio.sleep(GATHERED_S)
        bell.clear()

    return wait


async def run_sweeper(
    ledger: Sweeps, stopping: asyncio.Event, swept: Callable[[], None], wait: Wait = wait
) -> None:
    """Sweep as long as the service runs. `swept` is called after each sweep that succeeded."""

    async def sweep() -> int:
        written = await ledger.sweep()
        swept()
        return written

    await run_worker("sweeping", sweep, stopping, wait)


async def run_worker(name: str, work: Work, stopping: asyncio.Event, wait: Wait = wait) -> None:
    """Work again at once while there was something to do, else rest a moment; until `stopping`.

    What is under way when it is told to stop is finished. A failure is logged and ends nothing.
    """
    failed = 0
    while not stopping.is_set():
        try:
            done = await work()
            failed = 0
        except Exception as error:  # noqa: BLE001 - whatever it was, what comes next is to be done
            done = 0
            failed += 1
            _log(name, error, rest_s(failed))
        if not done:
            await wait(stopping, rest_s(failed))


def rest_s(failed: int) -> float:
    """How long to rest after so many failures in a row."""
    return min(IDLE_S * 2 ** min(failed, 16), FAILED_S_MAX)


def _log(name: str, error: Exception, rest: float) -> None:
    if isinstance(error, DatabaseError | Overloaded):
        log.warning("%s failed", name, again_in_s=rest, reason=type(error).__name__)
    else:
        log.error("%s failed", name, again_in_s=rest, exc_info=error)
