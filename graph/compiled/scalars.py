"""Scalars: what one may say of how it is printed, so that this is written and not called.

serialize=written(print_points, int, "value / 1000 if value % 1000 else value // 1000")
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

from graph.compiled.script import Script

F = TypeVar("F", bound=Callable[[Any], Any])

WRITTEN: Final = "written"
"""The attribute in which a function keeps what is written in its stead."""


SIMPLE: Final = frozenset({int, str, float, bool, dict, list})
"""What can be neither awaited nor raised."""


class Written(NamedTuple):
    """What is written for a value of one of these classes, and none below them."""

    classes: frozenset[type]
    expression: str
    names: dict[str, object]

    def of(self, value: str, script: Script) -> str:
        """The expression of a value that has this name in a script."""
        named = {name: script.name(name, thing) for name, thing in self.names.items()}
        named["value"] = value
        return re.sub(rf"\b({'|'.join(named)})\b", lambda found: named[found[0]], self.expression)


def written(function: F, classes: type | frozenset[type], expression: str, **names: object) -> F:
    """A scalar's `serialize`, which says what is equal to it for values of these classes.

    The expression is Python's, of `value` and of what is named besides. It does nothing but print:
    it gives what the function gives, which is never None, or raises where the function does.
    """
    which = classes if isinstance(classes, frozenset) else frozenset({classes})
    setattr(function, WRITTEN, Written(which, expression, names))
    return function


def written_of(kind: Any) -> Written | None:
    """What a scalar says is to be written for it."""
    return getattr(kind.coerce_output_value, WRITTEN, None)
