"""The audit trail: who did what. Each entry is written in the unit of work of what it tells of.

It names keys, and things by their ids, and no person. Entries stand in the order of their instants;
the order of those of one instant is that of their ids.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, select

from models.columns import WHOLE
from models.dialects import each, write_rows
from models.ids import new_ids
from models.tables import audit_entries
from models.windows import LIMIT, Cut, Filter, Page, Shape, Window

Kind = Literal["KEY", "DEVELOPER", "TERMINAL", "SERVICE"]


class Actor(NamedTuple):
    """Whoever makes a change, and by which request."""

    kind: Kind
    key_id: str | None = None
    request_id: str | None = None


SERVICE: Final = Actor("SERVICE")
"""The service itself: at its first start, and by the clock."""

TERMINAL: Final = Actor("TERMINAL")
"""Whoever has the command line."""


class Deed(NamedTuple):
    """What was done, to what: the mutation's name and the id of what it made or changed."""

    actor: Actor
    action: str
    subject_id: str | None


def note(connection: Connection, at: int, deeds: Sequence[Deed]) -> None:
    """Write down what is done in this unit of work, in one statement."""
    write_rows(connection, audit_entries, entry_rows(at, deeds))


def entry_rows(at: int, deeds: Sequence[Deed]) -> list[tuple[Any, ...]]:
    """The rows of the trail that tell of these deeds."""
    return [
        (
            entry_id,
            at,
            deed.actor.kind,
            deed.actor.key_id,
            deed.action,
            deed.subject_id,
            deed.actor.request_id,
        )
        for entry_id, deed in zip(new_ids("aud", len(deeds)), deeds, strict=True)
    ]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Entry:
    """See models.audit.AuditEntry."""

    id: str
    at: int
    actor: Kind
    key_id: str | None
    action: str
    subject_id: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter(Filter):
    """Entries by whose key, of what, and by `since <= at < until`."""

    key_id: str | None = None
    subject_id: str | None = None
    action: str | None = None
    since: int | None = None
    until: int | None = None


_e: Final = audit_entries.c
_CONDITIONS: Final[dict[str, ColumnElement[bool]]] = {
    "key_id": _e.key_id == bindparam("key_id"),
    "subject_id": _e.subject_id == bindparam("subject_id"),
    "action": _e.action == bindparam("action"),
    "since": _e.at >= bindparam("since", type_=WHOLE),
    "until": _e.at < bindparam("until", type_=WHOLE),
}


def page_entries(connection: Connection, window: Window, filter: AuditFilter) -> Page[Entry]:
    """The entries that the filter wants, newest first."""
    rows = connection.execute(_entries(filter.shape, window.cut), filter.params | window.params)
    return window.page([((row[1], row[0]), Entry(*row)) for row in rows])


def find_entries(connection: Connection, ids: Iterable[str]) -> dict[str, Entry]:
    """The entries with these ids, those that there are."""
    return {row[0]: Entry(*row) for row in connection.execute(_ENTRIES, {"ids": list(ids)})}


_ENTRIES: Final = select(audit_entries).where(_e.id.in_(each("ids")))


@cache
def _entries(shape: Shape, cut: Cut) -> Select[*tuple[Any, ...]]:
    key = [_e.at, _e.id]
    wanted = [*(_CONDITIONS[name] for name in shape), *cut.bounds(key)]
    return select(audit_entries).where(*wanted).order_by(*cut.order(key)).limit(LIMIT)
