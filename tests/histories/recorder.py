"""The recorder: writes a history down as it happens, and the rows when it is over.

All callers run in one event loop, so that the order of the steps is the order of real time.
"""

import dataclasses
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.harness import values
from tests.harness.tables import rows
from tests.histories.history import (
    Answered,
    Balance,
    Deed,
    Done,
    Follower,
    History,
    Invoked,
    Key,
    LogEvent,
    Nothing,
    Outcome,
    Posting,
    Refused,
)

THOUSAND = 1_000
OWNERS = "SELECT w.id, m.identity FROM wallets w JOIN members m ON m.id = w.member_id"
POSTINGS = """
  SELECT id, wallet_id, sequence, kind, points, active_change, promised_change, held_change,
    active_after, promised_after, held_after, related_id, hold_id
  FROM transactions ORDER BY wallet_id, sequence"""
KEYS = "SELECT key, transaction_id, refusal FROM idempotency_keys"
EVENTS = "SELECT position, name, wallet_id, transaction_id, points FROM events ORDER BY position"


class Recorder:
    """One history, while it happens.

    `answered` counts what was answered for good, `turned_away` what was told to come back.
    """

    def __init__(self) -> None:
        self.history = History()
        self.answered = self.turned_away = 0
        self._attempts = 0

    def ask(self, deed: Deed, instance: int) -> int:
        """A caller asks now; gives the attempt's number."""
        self._attempts += 1
        self.history.steps.append(Invoked(self._attempts, deed, instance))
        return self._attempts

    def hear(self, attempt: int, deed: Deed, outcome: Outcome) -> None:
        """It hears what came of it now."""
        self.history.steps.append(Answered(attempt, deed, outcome))
        self.answered += isinstance(outcome, Done | Refused)
        self.turned_away += isinstance(outcome, Nothing)

    def follower(self, name: str, who: str | None) -> Follower:
        self.history.followers.append(follower := Follower(name, who))
        return follower

    async def read_rows(self, database_url: str) -> None:
        """What is written at the end."""
        history = self.history
        history.owners = dict(await rows(database_url, OWNERS))
        history.postings = [_posting(row) for row in await rows(database_url, POSTINGS)]
        history.keys = [_key(*row) for row in await rows(database_url, KEYS)]
        history.events = [LogEvent(*row) for row in await rows(database_url, EVENTS)]


def _posting(row: tuple[Any, ...]) -> Posting:
    name, wallet, sequence, kind, points, *rest = row
    change, after = Balance(*rest[0:3]), Balance(*rest[3:6])
    return Posting(name, wallet, sequence, kind, points, change, after, *rest[6:])


def _key(key: str, transaction: str | None, refusal: str | None) -> Key:
    if refusal is None:
        return Key(key, transaction)
    told = json.loads(refusal)
    return Key(key, transaction, Refused(told["type"], told.get("available")))


def thousandths(points: values.Points) -> int:
    """Points as the rows have them."""
    exact = Decimal(points) * THOUSAND
    assert exact == int(exact), points
    return int(exact)


def balance_of(told: values.Balance) -> Balance:
    return Balance(*map(thousandths, (told.active, told.promised, told.held)))


def posting_of(told: values.Transaction) -> Posting:
    """A transaction as it was answered."""
    return Posting(
        told.id,
        told.wallet_id,
        told.sequence,
        told.kind,
        thousandths(told.points),
        balance_of(told.change),
        balance_of(told.balance_after),
        told.related_id,
        told.hold_id,
    )


def keep(history: History, file: Path) -> None:
    """Write a history to a file, a line for each of its parts."""
    with file.open("w", encoding="utf-8") as lines:
        for name in ("steps", "followers", "postings", "keys", "events"):
            for part in getattr(history, name):
                told: dict[str, Any] = {type(part).__name__: dataclasses.asdict(part)}
                if isinstance(part, Answered):
                    told["came"] = type(part.outcome).__name__
                lines.write(json.dumps(told) + "\n")
