"""Our own database through another library: what SQLAlchemy asks of `sqlite3`, done by apsw.

    database = open_database(address_on(disk, file))

All above stays as it is: the engines, threads, pragmas and statements of models/. Only that the
library beneath lets its file system be replaced.
"""

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import URL, CreateEnginePlugin
from typing_extensions import override

from tests.faults.disk import Disk

PLUGIN: Final = "lossy_disk"
VFS: Final = "vfs"


def address_on(disk: Disk, file: Path) -> str:
    return f"sqlite:///{file}?plugin={PLUGIN}&{VFS}={disk.name}"


class Plugin(CreateEnginePlugin):
    """Puts apsw in the place of `sqlite3`, for an address that asks for it."""

    @override
    def update_url(self, url: URL) -> URL:
        return url.difference_update_query([VFS])

    @override
    def handle_dialect_kwargs(self, dialect_cls: type[Any], dialect_args: dict[str, Any]) -> None:
        if dialect_cls.driver == "pysqlite":
            dialect_args["dbapi"] = Library(str(self.url.query[VFS]))


plugins.register(PLUGIN, __name__, Plugin.__name__)


class Library:
    """What the dialect looks for in `sqlite3`."""

    paramstyle = "qmark"
    sqlite_version_info = tuple(map(int, apsw.sqlite_lib_version().split(".")))
    Error = sqlite3.Error
    InterfaceError = sqlite3.InterfaceError
    DatabaseError = sqlite3.DatabaseError
    InternalError = sqlite3.InternalError
    OperationalError = sqlite3.OperationalError
    ProgrammingError = sqlite3.ProgrammingError
    IntegrityError = sqlite3.IntegrityError
    DataError = sqlite3.DataError
    NotSupportedError = sqlite3.NotSupportedError

    def __init__(self, vfs: str) -> None:
        self._vfs = vfs

    def connect(self, file: str, *, isolation_level: None, **_: object) -> "_Connection":
        """Open the file. Units of work are begun by hand, as `isolation_level` None says."""
        with _translated():
            return _Connection(apsw.Connection(file, vfs=self._vfs), isolation_level)


class _Connection:
    def __init__(self, connection: apsw.Connection, isolation_level: None) -> None:
        self._connection = connection
        self.isolation_level = isolation_level

    def cursor(self) -> "_Cursor":
        return _Cursor(self._connection)

    def create_function(self, name: str, narg: int, function: Any, **options: bool) -> None:
        self._connection.create_scalar_function(name, function, narg, **options)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        if self._connection.in_transaction:
            with _translated():
                self._connection.execute(statement)

    def close(self) -> None:
        with _translated():
            self._connection.close()


class _Cursor:
    arraysize = 1

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.exec_trace = self._begin
        self.description: tuple[Any, ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def _begin(self, cursor: apsw.Cursor, _statement: str, _bindings: object) -> bool:
        # Once the last row is read apsw knows no columns any more.
        told = cursor.get_description()
        self.description = tuple((name, *(None,) * 6) for name, _ in told) or None
        return True

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> "_Cursor":
        with _translated():
            self._cursor.execute(statement, tuple(parameters))
        self.rowcount = -1 if self.description else self._connection.changes()
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> "_Cursor":
        changed = 0
        for row in rows:
            self.execute(statement, row)
            changed += max(0, self.rowcount)
        self.rowcount = changed
        return self

    def fetchone(self) -> Any:
        with _translated():
            return self._cursor.fetchone()

    def fetchmany(self, size: int = arraysize) -> list[Any]:
        return [row for _ in range(size) if (row := self.fetchone()) is not None]

    def fetchall(self) -> list[Any]:
        with _translated():
            return self._cursor.fetchall()

    def close(self) -> None:
        self._cursor.close()


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from error
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error
