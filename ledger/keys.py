"""Idempotency: the fingerprint by which a key knows its own input again.

A fingerprint is of the operation and its input without the key: defaults filled in, what is left
out absent, instants in UTC, names sorted. Keys are kept for ever, and so are fingerprints: the
names of commands and fields must never change.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from typing import Any, Final

import orjson

from ledger.actions import MOVES
from ledger.commands import Command, Order, Owner

_INPUTS: Final[dict[type[Command], tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(kind) if field.name != "key") for kind in MOVES
}
_REFS: Final = frozenset({"wallet", "sender", "receiver"})


def fingerprint(command: Command) -> str:
    """The hash of a command without its key, in hexadecimal."""
    kind = type(command)
    said: dict[str, Any] = {}
    for name in _INPUTS[kind]:
        value = _plain(name, getattr(command, name))
        if value is not None:
            said[name] = value
    return sha256(orjson.dumps([MOVES[kind], said], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(name: str, value: object) -> object:
    if name in _REFS:
        return (
            {"owner": [value.identity, value.program]}
            if isinstance(value, Owner)
            else {"id": value}
        )
    if isinstance(value, Order):
        return {inner: text for inner, text in asdict(value).items() if text is not None} or None
    if isinstance(value, Mapping):
        return dict(value)
    return value
