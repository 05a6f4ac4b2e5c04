"""Ids: TypeIDs, `wal_01k…`.

A UUIDv7 in 26 characters of Crockford's base 32, behind the name of its type. They sort by the time
of their making, also within one millisecond of one process.
"""

import re
from typing import Final, Literal

from uuid_utils import uuid7

Prefix = Literal[
    "prg", "mem", "wal", "txn", "lot", "hld", "evt", "cmp", "dlv", "cpn", "key", "aud", "chn", "inb"
]

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS: Final = range(120, -1, -10)
_TYPE_ID: Final = re.compile(
    r"(prg|mem|wal|txn|lot|hld|evt|cmp|dlv|cpn|key|aud|chn|inb)_[0-7][0-9a-hjkmnp-tv-z]{25}"
)


def new_id(prefix: Prefix) -> str:
    """A new id of the type, later in order than every earlier one of this process."""
    number = uuid7().int
    return f"{prefix}_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def find_prefix(text: str) -> str | None:
    """The type that an id names, or None if the text is no id."""
    match = _TYPE_ID.fullmatch(text)
    return match[1] if match else None
