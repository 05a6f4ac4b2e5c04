"""Deliveries: written and found by all who deal with them.

Each change gets the next revision, so that whoever follows changes misses none: a writer takes the
head's lock last, as the event log's does.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select, update

from campaigns.records import Attempt, Delivery, attempt_row, delivery_row
from models import tables
from models.columns import WHOLE
from models.dialects import add_missing_rows, each, write_rows
from models.tables import deliveries, delivery_head

_STATE: Final = tuple(
    column.name
    for column in deliveries.columns
    if column.name
    in {
        *("status", "reason", "detail", "due_at", "placed_at", "settled_at", "attempts"),
        *("reward_id", "subject", "body", "html", "revision"),
    }
)
_TAKE: Final = (
    update(delivery_head)
    .where(delivery_head.c.id == 1)
    .values(revision=delivery_head.c.revision + bindparam("count", type_=WHOLE))
    .returning(delivery_head.c.revision)
)
_HEAD: Final = select(delivery_head.c.revision)
_BY_ID: Final = select(deliveries).where(deliveries.c.id.in_(each("ids")))
_LOCKED: Final = _BY_ID.order_by(deliveries.c.id).with_for_update()


def head(connection: Connection) -> int:
    """The revision of the last change, 0 before the first."""
    return connection.execute(_HEAD).scalar_one()


def find_deliveries(connection: Connection, ids: Iterable[str]) -> dict[str, Delivery]:
    """The deliveries with these ids, those that there are."""
    return {row[0]: Delivery(*row) for row in connection.execute(_BY_ID, {"ids": list(ids)})}


def lock_deliveries(connection: Connection, ids: Iterable[str]) -> dict[str, Delivery]:
    """The same, kept from other writers until this unit of work ends."""
    rows = connection.execute(_LOCKED, {"ids": sorted(ids)})
    return {row[0]: Delivery(*row) for row in rows}


def add_deliveries(connection: Connection, new: Sequence[Delivery]) -> None:
    """Write new deliveries; one whose trigger its campaign has dealt with is left out."""
    _number(connection, new)
    rows = [delivery_row(one) for one in new]
    add_missing_rows(connection, deliveries, rows, "campaign_id", "trigger_key")


def save_deliveries(connection: Connection, changed: Sequence[Delivery]) -> None:
    """Write what became of deliveries that were locked."""
    _number(connection, changed)
    write_rows(connection, deliveries, [delivery_row(one) for one in changed], *_STATE)


def save_attempts(connection: Connection, made: Sequence[Attempt]) -> None:
    """Write attempts as they are begun, and again as they end."""
    rows = [attempt_row(one) for one in made]
    write_rows(connection, tables.attempts, rows, "finished_at", "status", "error")


def _number(connection: Connection, changed: Sequence[Delivery]) -> None:
    if not changed:
        return
    last: int = connection.execute(_TAKE, {"count": len(changed)}).scalar_one()
    for revision, one in enumerate(changed, start=last - len(changed) + 1):
        one.revision = revision
