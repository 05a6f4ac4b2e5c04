"""Soon: what is done a moment from now, once for all who ask for it meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Final

MOMENT_S: Final = 0.02


class Soon:
    """Does `do` within MOMENT_S of being asked; at once where there is no event loop to wait in."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._do = do
        self._asked_in: asyncio.AbstractEventLoop | None = None

    def ask(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._act()
            return
        if self._asked_in is not loop:  # one that has ended does nothing
            self._asked_in = loop
            loop.call_later(MOMENT_S, self._act)

    def _act(self) -> None:
        self._asked_in = None
        self._do()
