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
_LOW: Final = (1 << 60) - 1
_TAIL: Final = (1 << 30) - 1
_TYPE_ID: Final = re.compile(
    r"(prg|mem|wal|txn|lot|hld|evt|cmp|dlv|cpn|key|aud|chn|inb)_[0-7][0-9a-hjkmnp-tv-z]{25}"
)


def new_id(prefix: Prefix) -> str:
    """A new id of the type, later in order than every earlier one of this process."""
    number = uuid7().int
    return f"{prefix}_{_head(number)}{_tail(number & _TAIL)}"


def new_ids(prefix: Prefix, count: int) -> list[str]:
    """As many new ids of the type, in order, as by `new_id`.

    One number is made for all of them, and counted up in its last 30 bits: of two numbers that are
    made one after the other, the later is greater in those before.
    """
    number = uuid7().int
    head = f"{prefix}_{_head(number)}"
    first = (number & _TAIL) >> 1  # the lower half, so that there is room above
    return [head + _tail(tail) for tail in range(first, first + count)]


def _head(number: int) -> str:
    """The first 20 characters."""
    high, low = number >> 60, number & _LOW
    return (
        f"{_PAIRS[high >> 60]}{_PAIRS[high >> 50 & 1023]}{_PAIRS[high >> 40 & 1023]}"
        f"{_PAIRS[high >> 30 & 1023]}{_PAIRS[high >> 20 & 1023]}{_PAIRS[high >> 10 & 1023]}"
        f"{_PAIRS[high & 1023]}{_PAIRS[low >> 50]}{_PAIRS[low >> 40 & 1023]}"
        f"{_PAIRS[low >> 30 & 1023]}"
    )


def _tail(bits: int) -> str:
    """The last 6 characters."""
    return f"{_PAIRS[bits >> 20]}{_PAIRS[bits >> 10 & 1023]}{_PAIRS[bits & 1023]}"


def find_prefix(text: str) -> str | None:
    """The type that an id names, or None if the text is no id."""
    match = _TYPE_ID.fullmatch(text)
    return match[1] if match else None
