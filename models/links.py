"""Links: a server's connections, bounded so that a network or a server gone silent holds nobody.

Of a statement the server is told how long it may take, and the answer is waited for a second
longer. The system asks the other end of a quiet connection whether it is there. One that has rested
is asked before it is used again. Whatever doesn't answer in time is hung up on.
"""

import asyncio
import socket
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

STATEMENT_TIMEOUT_MS: Final = 6_000
"""How long a statement may take.

With ANSWER_MS, and the two seconds that SQLAlchemy waits for a goodbye, it is over before the
caller's own ten seconds are: they hear what is so, and not just that it was late.
"""

LOCK_TIMEOUT_MS: Final = 2_000
"""How long it may wait for one lock; then its unit of work is run again."""

IDLE_TIMEOUT_MS: Final = 5_000
"""How long a unit of work may do nothing.

None does, for it waits for nobody: one that does is a frozen instance's, whose locks others need.
Shorter than all the runs of a unit of work that waits for such a lock: see collisions.ATTEMPTS_MAX.
"""

ANSWER_MS: Final = 1_000
"""How much longer than a statement may take its answer is waited for."""

CONNECT_S: Final = 5.0
"""How long it may take to connect."""

RESTED_S: Final = 5.0
"""After so long without use a connection is asked whether it lives."""

PING_S: Final = 2.0
"""How long it may take to say so."""

KEEPALIVE_S: Final = 5
"""How often the system asks the other end of a quiet connection whether it is there."""

KEEPALIVE_MISSED_MAX: Final = 3
"""How often it may fail to answer."""

IDLE: Final = "25P03"
"""The server has ended a session that did nothing within a unit of work, and rolled it back."""

READ_ONLY: Final = "25006"
"""The server takes no writes: it is a copy, or was made one."""

_USED_AT: Final = "used_at"
_CAUSES_MAX: Final = 8


def bounds(statement_timeout_ms: int, idle_timeout_ms: int = IDLE_TIMEOUT_MS) -> dict[str, Any]:
    """What a connection is opened with."""
    return {
        "timeout": CONNECT_S,
        "command_timeout": (statement_timeout_ms + ANSWER_MS) / 1000,
        "server_settings": {
            "application_name": "tuppence",
            "statement_timeout": str(statement_timeout_ms),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(idle_timeout_ms),
            "tcp_keepalives_idle": str(KEEPALIVE_S),
            "tcp_keepalives_interval": str(KEEPALIVE_S),
            "tcp_keepalives_count": str(KEEPALIVE_MISSED_MAX),
            "jit": "off",
        },
    }


def watch(engine: AsyncEngine) -> None:
    """See that no connection of this engine is used that has died unnoticed."""
    pool = engine.sync_engine
    event.listen(pool, "connect", _keep_alive)
    event.listen(pool, "checkin", _note_use)
    event.listen(pool, "checkout", _ask_the_rested)
    event.listen(pool, "handle_error", _leave_the_read_only)


def is_lost(connection: AsyncConnection) -> bool:
    """Whether it is known to have been cut off: nothing that it is told now is heard."""
    driver = _driver_of(connection)
    return driver is None or driver.is_closed()


def state_of(error: DBAPIError) -> str:
    """The server's own code for what went wrong; empty if it gave none.

    Where it also hung up, its last word is the cause of what the driver says.
    """
    cause: BaseException | None = error.orig
    states: list[str] = []
    for _ in range(_CAUSES_MAX):
        if cause is None:
            break
        states.append(str(getattr(cause, "sqlstate", None) or ""))
        cause = cause.__cause__
    return IDLE if IDLE in states else states[0]


def _driver_of(connection: AsyncConnection) -> Any:
    known = connection.sync_connection
    if known is None or known.closed or known.invalidated:
        return None
    return known.connection.driver_connection


def _leave_the_read_only(context: Any) -> None:
    """Hang up on a server that takes no writes: the next connection may lead to one that does."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def _keep_alive(connection: Any, _: Any) -> None:
    """Have the system notice when the other end is gone, also while an answer is waited for."""
    # asyncpg makes the socket itself, and has no other way to it.
    line = connection.driver_connection._transport.get_extra_info("socket")  # noqa: SLF001
    if line is None or line.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    given = {
        "TCP_KEEPIDLE": KEEPALIVE_S,
        "TCP_KEEPINTVL": KEEPALIVE_S,
        "TCP_KEEPCNT": KEEPALIVE_MISSED_MAX,
        "TCP_USER_TIMEOUT": KEEPALIVE_S * KEEPALIVE_MISSED_MAX * 1000,
    }
    for name, value in given.items():
        if hasattr(socket, name):  # not every system has them all
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _note_use(connection: Any, record: Any) -> None:
    if connection is not None:
        record.info[_USED_AT] = asyncio.get_running_loop().time()


def _ask_the_rested(connection: Any, record: Any, _: Any) -> None:
    """Ask one that has rested whether it lives; one that is in use shows it by itself.

    Raises DisconnectionError: another is opened in its place.
    """
    if _USED_AT not in record.info:
        return  # it has just been opened
    driver = connection.driver_connection
    if driver.is_closed():
        raise DisconnectionError
    if asyncio.get_running_loop().time() - record.info[_USED_AT] < RESTED_S:
        return
    try:
        connection.run_async(_ping)
    except Exception as error:
        driver.terminate()
        # The others rested as long, and by the same wire.
        raise InvalidatePoolError from error


async def _ping(driver: Any) -> None:
    await driver.execute("", timeout=PING_S)
