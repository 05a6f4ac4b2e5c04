"""Readers: threads for short reads, which run what was asked for together in one go.

    wallet = await readers.run(find_wallet, wallet_id)

A hop to a thread and back, and a transaction, each take longer than most reads. So reads wait in
a row, and a reader that is free takes as many as are there: one hop and one transaction for all of
them, in which all see one instant, after they were asked for. Each has its own result or error.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from models.kept import Kept

P = ParamSpec("P")
T = TypeVar("T")
Loop = asyncio.AbstractEventLoop

READERS: Final = 2

TOGETHER_MAX: Final = 32
"""How many reads are run in one go, and so have to wait for the slowest of them."""


class _Asked:
    """A read that somebody waits for, and what came of it."""

    __slots__ = ("args", "error", "future", "is_over", "kwargs", "result", "work")

    def __init__(
        self, work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], loop: Loop
    ) -> None:
        self.work = work
        self.args = args
        self.kwargs = kwargs
        self.future: asyncio.Future[Any] = loop.create_future()
        self.is_over = False
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        try:
            self.result = self.work(connection, *self.args, **self.kwargs)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
            self.error = error
            if isinstance(error, DBAPIError):
                connection.rollback()  # for those after it, a transaction that is in order
        self.is_over = True

    def fail(self, error: BaseException) -> None:
        """It can't be run."""
        if not self.is_over:
            self.error = error

    def tell(self) -> None:
        if self.future.done():  # given up
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Readers:
    """The threads, over connections that only read."""

    def __init__(self, connections: Kept) -> None:
        self._connections = connections
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._waiting: deque[_Asked] = deque()
        self._free = READERS
        self._sending_in: Loop | None = None
        self._lock = Lock()
        """Of what readers and the loop both change: what is waiting, and who is free."""

    async def run(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What a read gives. Raises what it raises, as SQLAlchemy tells it."""
        loop = asyncio.get_running_loop()
        asked = _Asked(work, args, kwargs, loop)
        with self._lock:  # so that no reader that finds nothing is free only after this has looked
            self._waiting.append(asked)
            is_free = self._free > 0
        # Not at once: others may ask in the same turn of the loop.
        if is_free and self._sending_in is not loop:
            self._sending_in = loop
            loop.call_soon(self._send)
        return cast("T", await asked.future)

    def close(self) -> None:
        """Close the connections, once what was asked for is read."""
        self._threads.shutdown()
        self._connections.close()

    def _send(self) -> None:
        """Have a reader that is free take what is waiting."""
        self._sending_in = None
        with self._lock:
            if not (self._waiting and self._free):
                return
            self._free -= 1
        try:
            self._threads.submit(self._read)
        except RuntimeError as error:  # closed meanwhile
            while taken := self._take():
                for each in taken:
                    each.fail(error)
                    each.tell()

    # ── in a reader's thread ────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        while taken := self._take():
            self._run(taken)
            of_loop: dict[Loop, list[_Asked]] = {}
            for each in taken:
                of_loop.setdefault(each.future.get_loop(), []).append(each)
            for loop, asked in of_loop.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_tell, asked)

    def _take(self) -> list[_Asked]:
        """What is waiting, as much as is run in one go; with nothing, this reader is free."""
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER_MAX))]
            if not taken:
                self._free += 1
        return taken

    def _run(self, taken: list[_Asked]) -> None:
        try:
            with self._connections.taken() as connection:
                for each in taken:
                    if not each.future.cancelled():
                        each.run(connection)
        except BaseException as error:  # noqa: BLE001 - as above
            for each in taken:
                each.fail(error)


def _tell(asked: list[_Asked]) -> None:
    for each in asked:
        each.tell()
