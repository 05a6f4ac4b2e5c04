"""Statements whose text differs by database: lists of ids, the first rows of each, rows in bulk.

With models/database.py, the only place that knows which database it is.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from typing_extensions import override

from models.sending import read_rows, send_each

Rows = Select[*tuple[Any, ...]]


class _Ids(TypeDecorator[Sequence[str]]):
    """A list of texts as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> Any:
        listed: Any = ARRAY(Text()) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(listed)

    @override
    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        listed = list(value or ())
        return listed if dialect.name == "postgresql" else orjson.dumps(listed).decode()


class _Elements(FunctionElement[str]):
    inherit_cache = True
    name = "elements"


@compiles(_Elements, "sqlite")
def _elements_of_json(element: _Elements, compiler: Any, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(_Elements, "postgresql")
def _elements_of_array(element: _Elements, compiler: Any, **options: Any) -> str:
    return f"(SELECT unnest(CAST({compiler.process(element.clauses, **options)} AS TEXT[])))"


def each(parameter: str) -> Any:
    """For `column.in_(each("ids"))`: the texts of a list bound as one parameter, however long."""
    ids: BindParameter[Sequence[str]] = bindparam(parameter, type_=_Ids())
    return select(literal_column("*")).select_from(_Elements(ids).alias("listed"))


class _OneOf(FunctionElement[bool]):
    # No Boolean: what is one, SQLite would compare with 1, and use no index.
    inherit_cache = True
    name = "one_of"


@compiles(_OneOf, "sqlite")
def _one_of_json(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"


@compiles(_OneOf, "postgresql")
def _one_of_array(element: _OneOf, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY (CAST({ids} AS TEXT[]))"


def one_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Like `column.in_(each(parameter))`, where an index of several columns is to serve it.

    PostgreSQL joins with what `each` lists, and where it believes that few rows are in an index it
    reads that index whole to do so. This it can only look up.
    """
    ids: BindParameter[Sequence[str]] = bindparam(parameter, type_=_Ids())
    return _OneOf(column, ids)


class FirstOfEach:
    """For each row of `owners`, the first `limit` rows of `table` that `chosen` chooses and orders.

    `chosen(rows)` gives the conditions and the order for an alias of the table. Read by index, in
    one statement: LATERAL on PostgreSQL; on SQLite, which has none, a correlated list of ids.
    Of the rows only some `columns`, if they are named: what is chosen among many should be narrow.
    With `limits_all`, no more than `limit` rows in all.
    """

    def __init__(
        self,
        owners: FromClause,
        table: Table,
        chosen: Callable[[FromClause], tuple[Any, list[Any]]],
        *where: Any,
        columns: Sequence[str] = (),
        limits_all: bool = False,
    ) -> None:
        """`where` chooses the owners; `limit` is bound when the statement is run."""
        told = columns or table.columns.keys()
        rows = table.alias()
        condition, order = chosen(rows)
        limit = bindparam("limit", type_=Integer())
        lateral = (
            select(*(rows.c[name] for name in told))
            .where(condition)
            .order_by(*order)
            .limit(limit)
            .correlate(owners)
            .lateral()
        )
        found_laterally = select(lateral).select_from(owners.join(lateral, true())).where(*where)
        ids = select(rows.c.id).where(condition).order_by(*order).limit(limit).correlate(owners)
        found = table.alias()
        found_by_ids = (
            select(*(found.c[name] for name in told))
            .select_from(owners.join(found, found.c.id.in_(ids)))
            .where(*where)
        )
        bound = limit if limits_all else None
        self._lateral, self._by_ids = found_laterally.limit(bound), found_by_ids.limit(bound)

    def on(self, connection: Connection) -> Select[Any]:
        """The statement for this connection's database."""
        return self._lateral if connection.dialect.name == "postgresql" else self._by_ids


class Around:
    """A statement around the first rows of each owner, built once for each kind of database."""

    def __init__(self, first: FirstOfEach, around: Callable[[FromClause], Rows]) -> None:
        self._first = first
        self._around = around
        self._statements: dict[str, Rows] = {}

    def on(self, connection: Connection) -> Rows:
        """The statement for this connection's database."""
        name = connection.dialect.name
        if name not in self._statements:
            self._statements[name] = self._around(self._first.on(connection).subquery())
        return self._statements[name]


def write_rows(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *replacing: str
) -> None:
    """Insert rows, given in the order of the table's columns, in one statement however many.

    A row whose primary key is there already gets its `replacing` columns anew; with none named, it
    is a Collision.
    """
    _insert(connection, table, rows, _otherwise(table, replacing))


def add_missing_rows(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], *unique: str
) -> int:
    """Insert rows like `write_rows`, but leave alone those that are there already.

    By the table's primary key, or by other columns that are `unique`. How many were missing.
    """
    keys = ", ".join(unique or [column.name for column in table.primary_key])
    return _insert(connection, table, rows, f" ON CONFLICT ({keys}) DO NOTHING")


class Writing(NamedTuple):
    """Rows to insert like `write_rows`."""

    table: Table
    rows: Sequence[tuple[Any, ...]]
    replacing: tuple[str, ...] = ()


def write_all(connection: Connection, *writings: Writing) -> None:
    """Insert the rows of several tables, in one statement where the database can.

    One shape of it whichever have rows, so that it is prepared once. The tables may refer to one
    another: that is checked when all rows are there.
    """
    if connection.dialect.name != "postgresql":
        for table, rows, replacing in writings:
            write_rows(connection, table, rows, *replacing)
    elif any(writing.rows for writing in writings):
        shape = tuple((writing.table, writing.replacing) for writing in writings)
        arrays = [_arrays(writing.table, writing.rows) for writing in writings]
        connection.exec_driver_sql(_inserts_of_arrays(shape), tuple(chain(*arrays)))


def write_at_end(
    connection: Connection, head: Table, table: Table, rows: Sequence[tuple[Any, ...]]
) -> int:
    """Insert rows, given without their position, which comes first, at the end of a log.

    Their positions follow those that `head` says are taken, without gap; the last of them. From
    here to the end of the unit of work nobody else can do so.
    """
    if connection.dialect.name == "postgresql":
        columns = (len(rows), *_arrays(table, rows, skipped=1))
        return connection.exec_driver_sql(_insert_at_end(head, table), columns).scalar_one()
    ((last,),) = read_rows(connection, _take_positions(head), {"count": len(rows)})
    placed = [(position, *row) for position, row in enumerate(rows, start=last - len(rows) + 1)]
    write_rows(connection, table, placed)
    return last


def _insert(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], otherwise: str
) -> int:
    if not rows:
        return 0
    if connection.dialect.name == "postgresql":
        statement = _insert_of_arrays(table) + otherwise
        return connection.exec_driver_sql(statement, tuple(_arrays(table, rows))).rowcount
    return send_each(connection, _insert_of_rows(table) + otherwise, rows)


def _otherwise(table: Table, replacing: Sequence[str]) -> str:
    """What becomes of a row whose primary key is there already."""
    if not replacing:
        return ""
    keys = ", ".join(column.name for column in table.primary_key)
    renewed = ", ".join(f"{name} = excluded.{name}" for name in replacing)
    return f" ON CONFLICT ({keys}) DO UPDATE SET {renewed}"


def _arrays(table: Table, rows: Sequence[tuple[Any, ...]], skipped: int = 0) -> list[list[Any]]:
    """The rows by columns, however few they are."""
    if not rows:
        return [[] for _ in range(len(table.columns) - skipped)]
    return [list(column) for column in zip(*rows, strict=True)]


def _unnested(table: Table, first: int, skipped: int = 0) -> str:
    """Arrays as rows, the parameters counted from `first`."""
    dialect = postgresql.dialect()
    columns = list(table.columns)[skipped:]
    types = [column.type.compile(dialect=dialect).split(" COLLATE")[0] for column in columns]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=first))
    return f"unnest({arrays})"


@cache
def _insert_of_arrays(table: Table, first: int = 1) -> str:
    return f"INSERT INTO {table.name} ({_names(table)}) SELECT * FROM {_unnested(table, first)}"


@cache
def _inserts_of_arrays(shape: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    parts: list[str] = []
    first = 1
    for table, replacing in shape:
        parts.append(_insert_of_arrays(table, first) + _otherwise(table, replacing))
        first += len(table.columns)
    named = [f"part_{number} AS ({part})" for number, part in enumerate(parts[:-1])]
    return f"WITH {', '.join(named)} {parts[-1]}"


@cache
def _insert_at_end(head: Table, table: Table) -> str:
    names = _names(table, skipped=1)
    return (
        f"WITH head AS (UPDATE {head.name} SET position = position + $1::bigint WHERE id = 1"
        " RETURNING position),"
        f" written AS (INSERT INTO {table.name} ({_names(table)})"
        f" SELECT head.position - $1::bigint + each.ordinal, {names} FROM head,"
        f" {_unnested(table, 2, skipped=1)} WITH ORDINALITY AS each({names}, ordinal))"
        " SELECT position FROM head"
    )


@cache
def _take_positions(head: Table) -> Any:
    later = head.c.position + bindparam("count", type_=head.c.position.type)
    return update(head).where(head.c.id == 1).values(position=later).returning(head.c.position)


@cache
def _insert_of_rows(table: Table) -> str:
    marks = ", ".join("?" for _ in table.columns)
    return f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})"


def _names(table: Table, skipped: int = 0) -> str:
    return ", ".join(column.name for column in list(table.columns)[skipped:])


def alone_in(connection: Connection, table: Table) -> None:
    """Let nobody else write the table until this unit of work ends.

    What is read afterwards stays so until then. On SQLite, every unit of work is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


def forbid_rewriting(table: str, dialect: str) -> list[str]:
    """The statements that make the database itself refuse to change or delete a table's rows."""
    refusal = f"{table} are written once"
    if dialect == "postgresql":
        name = f"{table}_are_written_once"
        function = (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{refusal}'; END $$"
        )
        trigger = (
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
        return [function, trigger]
    body = f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    return [
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {body}"
        for verb in ("update", "delete")
    ]
