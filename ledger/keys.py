"""Idempotency: what keys stand for, and the fingerprint by which one knows its own input again.

A fingerprint is of the operation and its input without the key: defaults filled in, what is left
out absent, instants in UTC, names sorted. Keys are kept for ever, and so are fingerprints: the
names of commands and fields must never change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from ledger import statements as sql
from ledger.actions import MOVES
from ledger.commands import Command, Order, Owner, WalletRef
from ledger.refusals import Refusal, from_json, to_json
from models.dialects import add_missing_rows, write_rows
from models.sending import read_rows
from models.tables import idempotency_keys

_INPUTS: Final[dict[type[Command], tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(kind) if field.name != "key") for kind in MOVES
}
_TOLD: Final = tuple(field.name for field in fields(Order))
_REFS: Final = ("wallet", "sender", "receiver")


def fingerprint(command: Command) -> str:
    """The hash of a command without its key, in hexadecimal."""
    kind = type(command)
    said = _given(command, _INPUTS[kind])
    for name in _REFS:
        if name in said:
            said[name] = _named(said[name])
    if "order" in said:
        said["order"] = _given(said["order"], _TOLD)
        if not said["order"]:
            del said["order"]
    if "metadata" in said:
        said["metadata"] = dict(said["metadata"])
    return sha256(orjson.dumps([MOVES[kind], said], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _given(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that are not left out."""
    said = {name: getattr(value, name) for name in names}
    return {name: each for name, each in said.items() if each is not None}


def _named(ref: WalletRef) -> dict[str, Any]:
    return {"owner": [ref.identity, ref.program]} if isinstance(ref, Owner) else {"id": ref}


@dataclass(slots=True)
class Effect:
    """What a key stands for, and for which input."""

    fingerprint: str
    transaction_id: str | None
    refusal: Refusal | None = None


class Keys:
    """A batch's keys: `known` stand for an effect, `claimed` are the batch's to give one."""

    def __init__(self, connection: Connection, now: int) -> None:
        """No key is claimed yet."""
        self.known: dict[str, Effect] = {}
        self.claimed: dict[str, Effect] = {}
        self._connection = connection
        self._now = now

    def claim(self, commands: Sequence[Command], ids: list[str], prints: list[str]) -> None:
        """Claim each free key for the first command that has it; learn what others stand for."""
        for command, transaction_id, printed in zip(commands, ids, prints, strict=True):
            self.claimed.setdefault(command.key, Effect(printed, transaction_id))
        rows = [
            (key, one.fingerprint, one.transaction_id, None, self._now)
            for key, one in sorted(self.claimed.items())
        ]
        if add_missing_rows(self._connection, idempotency_keys, rows) == len(rows):
            return  # none was there: none stands for anything yet
        stored = read_rows(self._connection, sql.KEYS, {"keys": list(self.claimed)})
        for key, printed, transaction_id, refusal in stored:
            if transaction_id is None or transaction_id != self.claimed[key].transaction_id:
                self.known[key] = Effect(
                    printed, transaction_id, from_json(refusal) if refusal else None
                )
                del self.claimed[key]

    def settle(self) -> None:
        """Keep with each claimed key what it now stands for; free those that stand for nothing."""
        freed = [key for key in self.claimed if key not in self.known]
        if freed:
            self._connection.execute(sql.FREE_KEYS, {"keys": freed})
        changed = {
            key: self.known[key]
            for key, claim in self.claimed.items()
            if self.known.get(key, claim) != claim
        }
        rows = [
            (
                key,
                one.fingerprint,
                one.transaction_id,
                to_json(one.refusal) if one.refusal else None,
                self._now,
            )
            for key, one in sorted(changed.items())
        ]
        write_rows(
            self._connection, idempotency_keys, rows, "fingerprint", "transaction_id", "refusal"
        )
