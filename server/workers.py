"""Workers: the loops that run beside the requests.

The sweeper writes down what has fallen due, and so raises its events. Balances don't wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from ledger import Overloaded
from models.database import DatabaseError

IDLE_S: Final = 0.25
"""How long the sweeper rests when nothing was due."""

FAILED_S_MAX: Final = 8.0
"""The longest it rests after failures: each in a row doubles the rest."""

log = structlog.get_logger()

Wait = Callable[[asyncio.Event, float], Awaitable[None]]


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


async def run_sweeper(
    ledger: Sweeps, stopping: asyncio.Event, swept: Callable[[], None], wait: Wait = wait
) -> None:
    """Sweep again at once while there was something to write, else rest a moment; until `stopping`.

    `swept` is called after each sweep that succeeded. The sweep under way when it is told to stop
    is finished. A failure is logged and ends nothing.
    """
    failed = 0
    while not stopping.is_set():
        try:
            written = await ledger.sweep()
            swept()
            failed = 0
        except Exception as error:  # noqa: BLE001 - whatever it was, what falls due next is due too
            written = 0
            failed += 1
            _log(error, rest_s(failed))
        if not written:
            await wait(stopping, rest_s(failed))


def rest_s(failed: int) -> float:
    """How long to rest after so many failures in a row."""
    return min(IDLE_S * 2 ** min(failed, 16), FAILED_S_MAX)


def _log(error: Exception, rest: float) -> None:
    if isinstance(error, DatabaseError | Overloaded):
        log.warning("sweeping failed", again_in_s=rest, reason=type(error).__name__)
    else:
        log.error("sweeping failed", again_in_s=rest, exc_info=error)
