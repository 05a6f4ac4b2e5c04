"""Choices: the schema's enumerations, each value with what it means.

    @choice("Whether a wallet can be used.")
    class WalletStatus(Choice):
        ACTIVE = "ACTIVE", "It can."

To Python they are texts: what comes in may be the plain text, and what goes out, too.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Self, TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition


class Choice(StrEnum):
    """A text out of a few, and what it means."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


C = TypeVar("C", bound=type[Choice])


def choice(description: str) -> Callable[[C], C]:
    """Make it an enumeration of the schema, described."""

    def make(kind: C) -> C:
        described = strawberry.enum(kind, description=description)
        definition: StrawberryEnumDefinition = vars(described)["__strawberry_definition__"]
        for value in definition.values:
            value.description = kind[value.name].meaning
        return described

    return make
