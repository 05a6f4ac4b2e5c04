"""Lines: the id of each request, and what every line of the log tells of the one at hand."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

from uuid_utils import uuid7

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

_told: ContextVar[Mapping[str, str]] = ContextVar("lines", default=NOTHING)


def new_request_id() -> str:
    """A name for a request, in logs, errors and the audit trail."""
    return uuid7().hex


def tell_in_lines(**told: str) -> None:
    """Have every line that follows tell this, too.

    It isn't taken back: each request, and each operation of a socket, has a task of its own, and so
    a context.
    """
    _told.set({**_told.get(), **told})


def told_in_lines() -> Mapping[str, str]:
    """What a line tells of the request that it is logged for; nothing outside of one."""
    return _told.get()
