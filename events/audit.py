"""The audit trail: who did what. Each entry is written in the unit of work of what it tells of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection

from models.dialects import write_rows
from models.ids import new_id
from models.tables import audit_entries


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever makes a change, and by which request."""

    kind: Literal["KEY", "DEVELOPER", "TERMINAL", "SERVICE"]
    key_id: str | None = None
    request_id: str | None = None


SERVICE: Final = Actor("SERVICE")
"""The service itself: at its first start, and by the clock."""

TERMINAL: Final = Actor("TERMINAL")
"""Whoever has the command line."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, to what: the mutation's name and the id of what it made or changed."""

    actor: Actor
    action: str
    subject_id: str | None


def note(connection: Connection, at: int, deeds: Sequence[Deed]) -> None:
    """Write down what is done in this unit of work."""
    rows = [
        (
            new_id("aud"),
            at,
            deed.actor.kind,
            deed.actor.key_id,
            deed.action,
            deed.subject_id,
            deed.actor.request_id,
        )
        for deed in deeds
    ]
    write_rows(connection, audit_entries, rows)
