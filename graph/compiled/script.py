"""Script: Python that is being written, and the objects that it names.

Names in it are the script's own; what comes from a document or a schema stands in it as a literal
of Python's, or as one of the objects that it is given.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any, Final

FILE: Final = "<compiled operation>"


class Script:
    """Functions in the order in which they are written; each may call any other."""

    def __init__(self) -> None:
        self._things: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._functions: list[str] = []
        self._count = 0

    def fresh(self, hint: str) -> str:
        """A name that nothing has."""
        self._count += 1
        return f"{hint}_{self._count}"

    def name(self, hint: str, thing: object) -> str:
        """The name of an object; of one and the same always the same."""
        known = self._names.get(id(thing))
        if known is None:
            known = self._names[id(thing)] = self.fresh(hint)
            self._things[known] = thing  # which keeps it, and so its id its own
        return known

    def add(self, name: str, parameters: str, *lines: str, kind: str = "def") -> str:
        """Write a function; lines are indented by four spaces a level, from none on."""
        body = "\n".join(f"    {line}" for text in lines for line in text.splitlines())
        self._functions.append(f"{kind} {name}({parameters}):\n{body}\n")
        return name

    @property
    def text(self) -> str:
        """The whole of it."""
        return "\n".join(self._functions)

    def build(self, *names: str) -> tuple[Callable[..., Any], ...]:
        """The functions of these names."""
        code: CodeType = compile(self.text, FILE, "exec")
        space = dict(self._things)
        # Nothing in it was written by whoever sent the document: see above.
        exec(code, space)  # noqa: S102
        return tuple(space[name] for name in names)
