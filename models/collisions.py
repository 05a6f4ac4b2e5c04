"""Collisions: a unit of work that another writer got ahead of is run again, whole."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from models.database import Collision, Unavailable

ATTEMPTS_MAX: Final = 8
"""How often a unit of work is run that collides with another writer's."""

_PAUSE_S: Final = 0.01

T = TypeVar("T")


async def until_it_stands(write: Callable[[], Awaitable[T]]) -> T:
    """Run a unit of work, again after each Collision and a moment of chance.

    Raises Unavailable if others were always first, or what `write` raises.
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return await write()
        except Collision as error:
            if attempt == ATTEMPTS_MAX:
                message = (
                    "other writers were always first: try again in a moment, with the same key."
                )
                raise Unavailable(message) from error
            await asyncio.sleep(random.uniform(0, _PAUSE_S * attempt))  # noqa: S311
    raise AssertionError
