"""The database: how a function of a connection is run, and all else that differs by database.

    database = open_database("sqlite:///data/tuppence.db")   # or postgresql://…
    await database.read(find_wallet, wallet_id)              # a short read, in one hop
    await database.write(write_batch, commands)              # one unit of work: BEGIN … COMMIT
    await database.survey(audit)                             # a long, quiet read

Every function takes a synchronous `Connection` first. On SQLite a read runs in a reader's thread, a
write in the one writer's thread (one connection does all commits and all checkpoints), a survey
through aiosqlite. On PostgreSQL all run through asyncpg.

    DatabaseError
    ├── Collision        another writer got there first: run the whole unit of work again
    ├── Unavailable      the database can't be reached, is full or is locked: nothing was written
    └── OutcomeUnknown   the connection was lost at COMMIT: only a retry with the same key can tell
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from typing_extensions import override

from models import links, pragmas, sending
from models.kept import Kept
from models.readers import READERS, Readers

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Connection, P], T]

SURVEY_TIMEOUT_MS: Final = 600_000
POOL_SIZE: Final = 8
POOL_WAIT_S: Final = 5
"""How long one waits for a connection while all are in use."""


class DatabaseError(Exception):
    """The database could not do what was asked."""


class Collision(DatabaseError):
    """Another writer got there first: the unit of work was rolled back and can run again whole."""


class Unavailable(DatabaseError):
    """The database can't be reached, is full or is locked. Nothing was written."""


class OutcomeUnknown(DatabaseError):
    """The connection was lost at COMMIT.

    Whether it was written, only a retry with the same key can tell.
    """


class Database(ABC):
    """One database, open. `url` is the address as SQLAlchemy writes it for synchronous use."""

    def __init__(self, url: URL) -> None:
        """Open nothing yet: connections are made when they are first needed."""
        self.url = url

    @property
    @abstractmethod
    def engines(self) -> list[Engine]:
        """The synchronous engines below: for those who listen to what is sent."""

    @abstractmethod
    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a short read, in one hop."""

    @abstractmethod
    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one unit of work: all of it is committed, durably, or none. One at a time on SQLite.

        Raises Collision, Unavailable or OutcomeUnknown, or what `work` raises.
        """

    @abstractmethod
    async def survey(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a read that may take long, beside the short ones. All of it sees one instant."""

    @abstractmethod
    async def scrub(self) -> None:
        """See that what was erased is nowhere in the database's files that we can help."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection."""


def make_private(file: Path) -> None:
    """Make a database's file, and the folders above it, where there is none: its owner's alone.

    What SQLite puts beside a file may be read by whoever may read the file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)


def open_database(address: str, *, checkpoints: bool = True) -> Database:
    """The database at `sqlite:///path` or `postgresql://…`; ValueError for any other.

    Of all the processes that have a SQLite file, one may do `checkpoints`: the one that serves it.
    """
    url = make_url(address)
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return Sqlite(url.set(drivername="sqlite"), checkpoints=checkpoints)
        case "postgresql":
            return Postgres(url.set(drivername="postgresql+asyncpg"))
        case _:
            message = (
                f"the database address must be sqlite:///FILE or postgresql://…, not {address!r}"
            )
            raise ValueError(message)


# ── SQLite ────────────────────────────────────────────────────────────────────────────────────────


class Sqlite(Database):
    """A file beside the service.

    WAL with `synchronous=FULL`: what is committed survives a power cut. SQLite before 3.51.3 can
    lose committed pages when a commit races another connection's checkpoint: so only the writer's
    connection commits or checkpoints, and readers are `query_only`.
    """

    def __init__(self, url: URL, *, checkpoints: bool = True) -> None:
        """Make the file; see Database and open_database."""
        super().__init__(url)
        make_private(Path(str(url.database)))
        prepared = pragmas.for_writer if checkpoints else pragmas.for_visitor
        self._writer = _sqlite_engine(url, prepared, "BEGIN IMMEDIATE", pool_size=1)
        self._reader = _sqlite_engine(url, pragmas.for_reader, "BEGIN", pool_size=READERS)
        self._surveyor = _sqlite_surveyor(url)
        self._readers, self._writers = Readers(Kept(self._reader)), Kept(self._writer)
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    @property
    @override
    def engines(self) -> list[Engine]:
        return [self._writer, self._reader, self._surveyor.sync_engine]

    @override
    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translated(_sqlite_fault):
            return await self._readers.run(work, *args, **kwargs)

    @override
    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._hop(self._writer_thread, lambda: self._write(work, *args, **kwargs))

    @override
    async def survey(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translated(_sqlite_fault):
            async with self._surveyor.connect() as connection:
                return await connection.run_sync(work, *args, **kwargs)

    @override
    async def scrub(self) -> None:
        """Bring the log into the file and empty it; `secure_delete` has overwritten the rest."""
        await self._hop(self._writer_thread, self._checkpoint)

    def _checkpoint(self) -> None:
        with self._writers.taken() as connection:
            connection.rollback()  # a checkpoint can't be in a transaction
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    @override
    async def close(self) -> None:
        await self._surveyor.dispose()
        await asyncio.to_thread(self._readers.close)
        await self._hop(self._writer_thread, self._writers.close)
        self._writer_thread.shutdown()

    async def _hop(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def _write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with _translated(_sqlite_fault), self._writers.taken() as connection, connection.begin():
            return work(connection, *args, **kwargs)


def _sqlite_engine(url: URL, prepare: Callable[[Any], None], begin: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "isolation_level": None},
    )
    _prepare(engine, prepare, begin)
    return engine


def _sqlite_surveyor(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None},
    )
    _prepare(engine.sync_engine, pragmas.for_reader, "BEGIN")
    return engine


def _prepare(engine: Engine, prepare: Callable[[Any], None], begin: str) -> None:
    """Begin every unit of work and every read by hand: all of it sees one instant."""
    event.listen(engine, "connect", lambda connection, _: prepare(connection))
    event.listen(engine, "begin", lambda connection: sending.begin(connection, begin))


def _sqlite_fault(error: DBAPIError) -> DatabaseError | None:
    cause = error.orig
    if isinstance(cause, sqlite3.IntegrityError):
        taken = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
        return Collision(str(cause)) if cause.sqlite_errorcode in taken else None
    if isinstance(cause, sqlite3.OperationalError):
        lost = {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_READONLY,
        }
        return (
            Unavailable(str(cause))
            if getattr(cause, "sqlite_errorcode", 0) & 0xFF in lost
            else None
        )
    return None


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────


class Postgres(Database):
    """A PostgreSQL that several instances may share.

    READ COMMITTED; rows are locked before they are looked at. A survey sees one instant.
    """

    def __init__(self, url: URL) -> None:
        """See Database."""
        super().__init__(url)
        self._engine = create_async_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=0,
            pool_timeout=POOL_WAIT_S,
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            connect_args=links.bounds(links.STATEMENT_TIMEOUT_MS),
        )
        self._surveyor = create_async_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            # It holds no lock that a writer waits for, and thinks between its statements.
            connect_args=links.bounds(SURVEY_TIMEOUT_MS, SURVEY_TIMEOUT_MS),
        )
        links.watch(self._engine)
        links.watch(self._surveyor)

    @property
    @override
    def engines(self) -> list[Engine]:
        return [self._engine.sync_engine, self._surveyor.sync_engine]

    @override
    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translated(_postgres_fault):
            async with self._engine.connect() as connection:
                return await connection.run_sync(work, *args, **kwargs)

    @override
    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translated(_postgres_fault):
            async with self._unit_of_work() as connection:
                return await connection.run_sync(work, *args, **kwargs)

    @asynccontextmanager
    async def _unit_of_work(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection, connection.begin() as work:
            yield connection
            if links.is_lost(connection):
                raise Unavailable("the connection was lost before the commit")
            try:
                await work.commit()
            except (DBAPIError, OSError, TimeoutError) as error:
                if isinstance(error, DBAPIError) and _is_rolled_back(links.state_of(error)):
                    raise
                raise OutcomeUnknown(_reason(error)) from error

    @override
    async def survey(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        with _translated(_postgres_fault):
            async with self._surveyor.connect() as connection:
                return await connection.run_sync(work, *args, **kwargs)

    @override
    async def scrub(self) -> None:
        """Nothing: its own vacuum overwrites dead rows, its keeper says how long logs live."""

    @override
    async def close(self) -> None:
        await self._surveyor.dispose()
        await self._engine.dispose()


def _is_rolled_back(state: str) -> bool:
    """Whether the server itself says, at a COMMIT, that there was none."""
    return state[:2] in {"23", "40"} or state == links.IDLE


def _postgres_fault(error: DBAPIError) -> DatabaseError | None:
    state = links.state_of(error)
    if state in {"23505", "40P01", "40001", "55P03"}:
        return Collision(str(error.orig))
    if error.connection_invalidated or state[:2] in {"08", "53", "57", "58"}:
        return Unavailable(str(error.orig))
    return None


# ── both ──────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _translated(fault: Callable[[DBAPIError], DatabaseError | None]) -> Generator[None]:
    """Turn the drivers' errors into the three that callers can act on."""
    try:
        yield
    except DBAPIError as error:
        known = fault(error)
        if known is None:
            raise
        raise known from error
    except (PoolTimeout, TimeoutError, OSError) as error:
        raise Unavailable(_reason(error)) from error


def _reason(error: BaseException) -> str:
    """What the driver says; a time that has run out says nothing."""
    return str(getattr(error, "orig", error)) or "no answer in time"
