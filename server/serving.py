"""Serving: the application on a socket of this machine, until it is told to stop."""

import asyncio
import gc
import secrets
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_network
from types import FrameType
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from typing_extensions import override

from server import clock, terminal
from server.app import create_app
from server.connections import Config
from server.listening import listen, origin, refuse_exposure
from server.logs import log_to_stderr
from server.settings import Settings
from server.upkeep import prepare

TOKEN_BYTES: Final = 32
OPEN_FILES_MAX: Final = 65_536
"""As many sockets may be open, if the machine lets us."""

LOOPBACK: Final = ip_network("127.0.0.0/8")
STOP_S_MAX: Final = 3.0
"""How long answers under way may take to end before their connections are cut."""

GC_THRESHOLDS: Final = (20_000, 20, 50)
"""After how many objects, and how many looks at the younger ones, the collector looks."""

WAL_FAULT_SINCE: Final = (3, 7, 0)
WAL_FAULT_UNTIL: Final = (3, 51, 2)

log = structlog.get_logger()


def serve(settings: Settings, *, dev: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; `dev` signs GraphiQL in. Raises CannotRun."""
    refuse_exposure(settings, dev=dev)
    if dev:
        settings = reaching_this_machine(settings)
    log_to_stderr(settings.log_level, settings.log_format)
    with listen(settings.host, settings.port) as listener:
        warn_of_sqlite(settings)
        first_key = asyncio.run(prepare(settings, clock.now))
        raise_open_files()

        def greet() -> None:
            terminal.greet(origin(listener, "https" if settings.tls_key else "http"))
            terminal.show_first_key(first_key, settings.admin_key)
            if dev:
                terminal.tell_of_dev()

        # Whoever has it is an administrator: it is made anew each time, and kept nowhere.
        developer_token = secrets.token_urlsafe(TOKEN_BYTES) if dev else None
        app = create_app(settings, developer_token=developer_token)
        Server(configuration(settings, app), greet, settings.drain_seconds).run_until_told(listener)


def reaching_this_machine(settings: Settings) -> Settings:
    """The same, but that webhooks may go to this machine: nobody elsewhere can ask for one.

    For what listens on a loopback address alone, as `--dev` does.
    """
    allowed = (*settings.webhook_allowed_networks, LOOPBACK)
    return replace(settings, webhook_allowed_networks=allowed)


def configuration(settings: Settings, app: Starlette) -> Config:
    """How the application is served."""
    return Config(
        app,
        settings.limits,
        app.state.service.drain,
        loop="auto",  # uvloop, where there is one
        ssl_certfile=settings.tls_certificate or None,
        ssl_keyfile=settings.tls_key or None,
        timeout_graceful_shutdown=round(2 * STOP_S_MAX),
    )


class Server(uvicorn.Server):
    """uvicorn's server, which says so once it answers, and waits for nobody for ever.

    Told to stop, it isn't ready any more, and goes on serving for `drain_s` seconds, or until it is
    told again. Then it closes its listener and ends.
    """

    def __init__(
        self,
        config: Config,
        greet: Callable[[], None] = lambda: None,
        drain_s: float = 0.0,
    ) -> None:
        super().__init__(config)
        self.servers = []  # before it has started there is none
        self._greet = greet
        self._drain = config.drain
        self._drain_s = drain_s
        self._stops_at: float | None = None
        self._is_told_again = False

    def run_until_told(self, listener: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT."""
        # uvicorn stops on these, then raises them once more for us: the work is done by then.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self.run(sockets=[listener])

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._drain.is_begun and self.is_serving:
            self._is_told_again = True
        else:
            self._drain.is_begun = True
            super().handle_exit(sig, frame)

    @property
    def is_serving(self) -> bool:
        """Whether its listener is still open."""
        return any(server.is_serving() for server in self.servers)

    @override
    async def on_tick(self, counter: int) -> bool:
        if not await super().on_tick(counter):
            return False
        now = asyncio.get_running_loop().time()
        if self._stops_at is None:
            self._drain.is_begun = True
            self._stops_at = now + self._drain_s
            log.info("the service is told to stop", drains_s=self._drain_s)
        return self._is_told_again or now >= self._stops_at

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What there is by now stays: the collector need not look at it ever again. What a request
        # makes is mostly gone with it, without the collector: it looks seldom.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        if self.started:
            self._greet()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        cutting = asyncio.get_running_loop().call_later(STOP_S_MAX, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def warn_of_sqlite(settings: Settings) -> None:
    """Say so where SQLite's own library has the fault that one careful writer avoids."""
    version = sqlite3.sqlite_version_info
    if settings.database_file is None or not WAL_FAULT_SINCE <= version <= WAL_FAULT_UNTIL:
        return
    terminal.note(
        f"SQLite {sqlite3.sqlite_version} has a rare fault in its write-ahead log, mended in"
        " 3.51.3; Tuppence keeps clear of it as long as one process at a time writes the file."
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
