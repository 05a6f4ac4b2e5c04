"""Limits: how much one request, one socket and one principal may ask for.

A refusal names the limit, its value and what was asked, with the code LIMIT_EXCEEDED.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Each is a setting of the same name behind `limit_`. What reaches the value is let through."""

    body_bytes: int = 1_048_576
    """Of an HTTP request's body."""
    message_bytes: int = 65_536
    """Of a socket's message."""

    tokens: int = 2_000
    """Of a document's text: names, values and punctuation."""
    depth: int = 12
    """How many fields stand within each other."""
    aliases: int = 30
    """Of a document, each fragment's counted once."""
    root_mutations: int = 10
    """How many mutations one operation may hold."""
    fields: int = 500
    """Of an operation, once its fragments are put in their places."""
    directives: int = 50
    """Of a document."""
    definitions: int = 100
    """Operations and fragments of a document."""
    page_product: int = 10_000
    """How many objects the lists within lists of an operation may come to."""
    work: int = 2_000_000
    """What an answer may take to make: 1 for each value that is only printed, 50 for each that is
    looked up, as often as the lists around it repeat it."""
    items: int = 2_000
    """Of a list among the variables."""
    answer_bytes: int = 16_777_216
    """Of the lists of an answer that takes long to make."""
    execution_seconds: float = 10
    """How long a query, a mutation or one event of a subscription may take."""

    subscriptions: int = 20
    """Running at a time on one socket."""
    sockets: int = 50
    """Open at a time for one principal."""
    sockets_total: int = 10_000
    """Open at a time for everyone together."""
    init_seconds: float = 5
    """How long a socket may be open before its client says who it is."""
    unread_seconds: float = 30
    """How long a socket's client may leave unread what was sent."""
