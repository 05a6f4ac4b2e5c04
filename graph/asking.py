"""Asking: what a subscription asks, so that those who ask the same are found.

asking = read_asking(asked, principal, limits)
asking.key == other.key              # each event has the same answer for both
"""

from typing import NamedTuple

import orjson

from access.principal import Principal, Scope
from graph.documents import Operation, find_operation
from graph.limits import Limits
from graph.messages import Subscribe
from graph.resuming import resuming_of
from graph.telemetry import Title


class Key(NamedTuple):
    """What decides an answer: what is asked, and what the principal may do and see.

    Where it begins is left out, and so is who it is. An operation is its document's, of a text that
    is the same to the letter. `variables` are JSON in one order, as a text: orjson's bytes are kept
    with all the room that they were written in.
    """

    operation: Operation
    variables: str
    kind: str
    scopes: frozenset[Scope]
    identity: str | None


class Asking(NamedTuple):
    """What a subscription asks, if its document is known; `is_from_now` is one without a cursor."""

    key: Key
    title: Title | None
    is_from_now: bool


def read_asking(asked: Subscribe, principal: Principal, limits: Limits) -> Asking | None:
    """What a subscription asks, where its document was found to be in order and is still known."""
    operation = find_operation(asked.query, asked.operation_name, limits)
    resuming = resuming_of(operation) if operation else None
    if operation is None or resuming is None:
        return None
    variables = dict(asked.variables or {})
    after = variables.pop(resuming.by, None) if resuming.by else None
    try:
        text = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        return None  # nested more deeply than is written: nobody shares it
    rights = principal.kind, principal.scopes, principal.identity
    key = Key(operation, text, *rights)
    return Asking(key, operation.title, after is None and not resuming.is_said)
