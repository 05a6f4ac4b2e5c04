"""Refusals: every expected "no" about keys, as a value. The schema has each, of the same name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked was not done, and nothing was changed. `path` names the input's field."""

    message: str
    path: tuple[str, ...] = ()


class InvalidInput(Refusal):
    """A field's value is outside what it may be."""


class ApiKeyNotFound(Refusal):
    """There is no such key."""


class TooManyKeys(Refusal):
    """As many keys of this name work as may at a time."""
