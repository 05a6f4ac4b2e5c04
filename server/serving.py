"""Serving: the application on a socket of this machine, until it is told to stop."""

import asyncio
import gc
import logging
import signal
import socket
import sqlite3
import sys
from contextlib import suppress
from typing import Final

import typer
import uvicorn
from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server import clock
from server.app import create_app
from server.listening import listen, origin, refuse_exposure
from server.settings import Settings
from server.upkeep import prepare

OUR_LOGGERS: Final = ("tuppence", "server", "graph", "access", "ledger", "events", "models")
OPEN_FILES_MAX: Final = 65_536
"""As many sockets may be open, if the machine lets us."""

WS_BYTES_MAX: Final = 65_536
WS_PING_S: Final = 10.0
STOP_S_MAX: Final = 3.0
"""How long answers under way may take to end before their connections are cut."""

WAL_FAULT_SINCE: Final = (3, 7, 0)
WAL_FAULT_UNTIL: Final = (3, 51, 2)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotRun."""
    refuse_exposure(settings, dev=False)
    log_to_stderr(settings.log_level)
    with listen(settings.host, settings.port) as listener:
        warn_of_sqlite(settings)
        show_first_key(asyncio.run(prepare(settings, clock.now)), settings)
        raise_open_files()
        server = Server(configuration(settings))
        # uvicorn stops on these, then raises them once more for us: the work is done by then.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        server.run(sockets=[listener])


def show_first_key(token: str | None, settings: Settings) -> None:
    """Tell the first admin key, where one was made now: it is never told again."""
    if token:
        typer.echo(f"The first admin key (also in {settings.admin_key}, shown only now): {token}")


def configuration(settings: Settings) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        create_app(settings),
        loop="auto",  # uvloop, where there is one
        http="httptools",
        ws=Socket,
        ws_max_size=WS_BYTES_MAX,
        ws_ping_interval=WS_PING_S,
        ws_ping_timeout=WS_PING_S,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=round(2 * STOP_S_MAX),
    )


class Socket(WebSocketsSansIOProtocol):
    """A WebSocket that is let go of when its peer doesn't answer: one that has stopped reading."""

    @override
    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # Closing waits until all that was written is read. Nobody reads.
        self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn's server, which says where it is once it answers, and waits for nobody for ever."""

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What there is by now stays: the collector need not look at it ever again.
        gc.collect()
        gc.freeze()
        for listener in sockets or ():
            typer.echo(f"Tuppence is at {origin(listener)}/graphql. Stop it with Ctrl-C.")

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cutting = asyncio.get_running_loop().call_later(STOP_S_MAX, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def log_to_stderr(level: str) -> None:
    """Log our own storeys from `level` up, everyone else from warnings up."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING
    )
    for name in OUR_LOGGERS:
        logging.getLogger(name).setLevel(level.upper())


def warn_of_sqlite(settings: Settings) -> None:
    """Say so where SQLite's own library has the fault that one careful writer avoids."""
    version = sqlite3.sqlite_version_info
    if settings.database_file is None or not WAL_FAULT_SINCE <= version <= WAL_FAULT_UNTIL:
        return
    typer.echo(
        f"Note: SQLite {sqlite3.sqlite_version} has a rare fault in its write-ahead log, mended in"
        " 3.51.3; Tuppence keeps clear of it as long as one process at a time writes the file.",
        err=True,
    )


def raise_open_files() -> None:
    """Take as many open files as the machine gives without asking: each subscriber is one."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not there on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
