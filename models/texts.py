"""Texts: what a text that someone gives may be, so that people and programs can be shown it."""

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_BREAKS: Final = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

NO_CONTROL: Final = "must not contain control characters"
ERASED: Final = "erased:"
"""What the identity of an erased member starts with; nobody else's may."""

IDENTITY_MAX: Final = 255


def fault_in(text: str, longest: int, *, breaks: bool = False) -> str | None:
    """What is wrong with a text of 1 to `longest` characters, none of them a control character.

    With `breaks`, line breaks may be among them. "must …", to be put after the field's name.
    """
    if not 1 <= len(text) <= longest:
        return f"must have 1 to {longest} characters, not {len(text)}"
    return NO_CONTROL if has_control(text, breaks=breaks) else None


def fault_in_identity(identity: str) -> str | None:
    """What is wrong with the identity of a member who isn't erased."""
    if identity.startswith(ERASED):
        return f"must not start with {ERASED!r}: that marks erased members"
    return fault_in(identity, IDENTITY_MAX)


def has_control(text: str, *, breaks: bool = True) -> bool:
    """Whether it contains a control character; with `breaks`, line breaks are none."""
    if text.isprintable():  # most texts are, and it is known sooner
        return False
    return bool((_CONTROL_BUT_BREAKS if breaks else _CONTROL).search(text))
