"""Sending: how the statements that are run often reach the database, with little on the way.

    rows = read_rows(connection, OWNERS, {"identities": ["ann"]})     # all of them

Where the database is SQLite in this thread, and nobody listens to what is sent, a statement goes to
the driver as it is, its text made once: what SQLAlchemy does around it takes longer than to run it.
It is the same connection and the same unit of work, and errors are told as SQLAlchemy tells them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Row = Sequence[Any]


def read_rows(connection: Connection, statement: Any, given: Mapping[str, Any]) -> Sequence[Row]:
    """All rows that a statement finds, or tells of having written.

    It must be one that is kept: a constant, or cached by what it depends on.
    """
    if not _is_near(connection):
        return connection.execute(statement, given).all()
    said = _said.get(statement) or _say(statement, connection.dialect)
    if said is _OTHERWISE:
        return connection.execute(statement, given).all()
    with _Cursor(connection, said.text) as cursor:
        rows: list[Row] = cursor.execute(said.text, said.values(given)).fetchall()
    return rows


def send_each(connection: Connection, text: str, rows: Sequence[Row]) -> int:
    """Send a text once for each row of values; how many rows of a table that changed."""
    if not _is_near(connection):
        return connection.exec_driver_sql(text, list(map(tuple, rows))).rowcount
    with _Cursor(connection, text) as cursor:
        changed: int = cursor.executemany(text, rows).rowcount
    return changed


def begin(connection: Connection, text: str) -> None:
    """Begin a unit of work by this statement, when SQLAlchemy says that it begins."""
    if not _is_near(connection):
        connection.exec_driver_sql(text)
        return
    try:
        connection.connection.cursor().execute(text).close()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_told(connection, text, error) from error


def _is_near(connection: Connection) -> bool:
    """Whether the driver is called in this thread, and nobody wants to hear of it."""
    dialect, heard = connection.dialect, connection.dispatch
    return dialect.driver == "pysqlite" and not (
        heard.before_cursor_execute or heard.after_cursor_execute
    )


class _Cursor:
    """The driver's cursor, within the connection's unit of work."""

    __slots__ = ("_connection", "_cursor", "_text")

    def __init__(self, connection: Connection, text: str) -> None:
        self._connection = connection
        self._text = text

    def __enter__(self) -> Any:
        if not self._connection.in_transaction():
            self._connection.begin()
        self._cursor = self._connection.connection.cursor()
        return self._cursor

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._cursor.close()
        if isinstance(error, self._connection.dialect.loaded_dbapi.Error):
            raise _as_told(self._connection, self._text, error) from error


def _as_told(connection: Connection, text: str, error: Exception) -> BaseException:
    """As SQLAlchemy tells of it: with the text, and without the values, which may be personal."""
    dialect = connection.dialect
    base = dialect.loaded_dbapi.Error
    return DBAPIError.instance(text, None, error, base, hide_parameters=True, dialect=dialect)


# ── what is said ─────────────────────────────────────────────────────────────────────────────────


class _Place(NamedTuple):
    """What stands in one place of a text: a value by its name, or always the same."""

    name: str | None
    fixed: Any
    process: Callable[[Any], Any] | None

    def value(self, given: Mapping[str, Any]) -> Any:
        if self.name is None:
            return self.fixed
        value = given[self.name]
        return self.process(value) if self.process else value


class _Said(NamedTuple):
    """A statement as it is sent."""

    text: str
    places: tuple[_Place, ...]

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """What is bound, in the order of the places."""
        return tuple([place.value(given) for place in self.places])


_OTHERWISE: Final = _Said("", ())
"""Of a statement whose text differs by its values: it goes the long way."""

SAID_MAX: Final = 4_096
"""How many statements are kept: several times as many as there are, for all are kept elsewhere."""

_said: Final[dict[Any, _Said]] = {}


def _say(statement: Any, dialect: Dialect) -> _Said:
    compiled: SQLCompiler = statement.compile(dialect=dialect)
    if compiled.post_compile_params:
        said = _OTHERWISE
    else:
        names = compiled.positiontup or ()
        said = _Said(str(compiled), tuple(_place(compiled, name, dialect) for name in names))
    if len(_said) >= SAID_MAX:
        _said.clear()
    _said[statement] = said
    return said


def _place(compiled: SQLCompiler, name: str, dialect: Dialect) -> _Place:
    bound = compiled.binds[name]
    process = bound.type.dialect_impl(dialect).bind_processor(dialect)
    if bound.required:
        return _Place(bound.key, None, process)
    fixed = bound.effective_value
    return _Place(None, process(fixed) if process else fixed, None)
