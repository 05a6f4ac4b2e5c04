"""Sources: what is wrong with a template that can be seen before it is parsed, in one pass.

python-liquid's lexer takes time that grows with the square of what is never closed, and its parser
doesn't say where a block began that never ends. This pass goes over a source once.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from campaigns.liquid.bounds import (
    NESTING_MAX,
    SOURCE_CHARS_MAX,
    TAG_CHARS_MAX,
    TAGS_AND_PIPES_MAX,
)
from campaigns.liquid.environment import TAGS

CLOSERS: Final = {
    "capture": "endcapture",
    "case": "endcase",
    "for": "endfor",
    "if": "endif",
    "ifchanged": "endifchanged",
    "tablerow": "endtablerow",
    "unless": "endunless",
}
BLOCKS: Final = {closer: block for block, closer in CLOSERS.items()}
TAG_NAMES: Final = frozenset(
    {*(tag.name for tag in TAGS), *BLOCKS, "else", "elsif", "when", "raw", "endcomment"}
)
OPENING: Final = re.compile(r"\{[{%]")
NAME: Final = re.compile(r"-?\s*(#|\w*)")
RAW_END: Final = re.compile(r"\{%-?\s*endraw\s*-?%\}")
NAME_CHARS_MAX: Final = 64
"""Of a name for which a similar one is looked for."""

ALIKE_MIN: Final = 0.7
"""How much of two names is the same, at least, if one may stand for the other."""


class Fault(Exception):
    """What is wrong with a source, and where: an index into it."""

    def __init__(self, message: str, at: int, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.suggestion = suggestion


def place(source: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of an index."""
    before = source[: max(at, 0)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def nearest(name: str, names: "Iterator[str] | list[str]") -> str | None:
    """The one of some names that was probably meant."""
    if len(name) > NAME_CHARS_MAX:
        return None
    folded = {each.casefold(): each for each in names}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=ALIKE_MIN)
    return folded[close[0]] if close else None


def scan(source: str) -> None:
    """Refuse what is too much, never closed, or an unknown tag. Raises Fault."""
    if len(source) > SOURCE_CHARS_MAX:
        raise Fault(f"a template has {SOURCE_CHARS_MAX} characters at most", SOURCE_CHARS_MAX)
    blocks = _Blocks()
    for name, at in _tags(source):
        blocks.meet(name, at)
    blocks.end()


def _tags(source: str) -> Iterator[tuple[str, int]]:
    """Give each tag's name and place, and count tags, outputs and pipes."""
    at = count = 0
    while opening := OPENING.search(source, at):
        start, is_tag = opening.start(), opening[0] == "{%"
        end = source.find("%}" if is_tag else "}}", start + 2)
        if end < 0:
            raise Fault(f"`{opening[0]}` is never closed", start)
        if end - start > TAG_CHARS_MAX:
            raise Fault(f"a tag has {TAG_CHARS_MAX} characters at most", start)
        count += 1 + source.count("|", start, end)
        if count > TAGS_AND_PIPES_MAX:
            raise Fault(f"a template has {TAGS_AND_PIPES_MAX} tags and filters at most", start)
        at = end + 2
        if not is_tag:
            continue
        name = NAME.match(source, start + 2)
        assert name, "it may be empty"
        if name[1] == "raw":
            at = _end_of_raw(source, at, name.start(1))
        else:
            yield name[1], name.start(1)


def _end_of_raw(source: str, at: int, start: int) -> int:
    end = RAW_END.search(source, at)
    if not end:
        raise Fault("`{% raw %}` is never closed", start, "{% endraw %}")
    return end.end()


class _Blocks:
    """The blocks that are open, and the comments: what stands in those is not looked at."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int]] = []
        self._comments: list[int] = []

    def meet(self, name: str, at: int) -> None:
        if name == "comment":
            self._comments.append(at)
        elif self._comments:
            if name == "endcomment":
                self._comments.pop()
        elif name not in TAG_NAMES:
            known = nearest(name, sorted(TAG_NAMES))
            raise Fault(f"unknown tag `{name}`" if name else "a tag without a name", at, known)
        elif name in CLOSERS:
            self._open.append((name, at))
            if len(self._open) > NESTING_MAX:
                raise Fault(f"blocks are nested {NESTING_MAX} deep at most", at)
        elif name in BLOCKS or name == "endcomment":
            self._close(name, at)

    def _close(self, name: str, at: int) -> None:
        if self._open and self._open[-1][0] == BLOCKS.get(name):
            self._open.pop()
            return
        wanted = CLOSERS[self._open[-1][0]] if self._open else None
        raise Fault(f"`{{% {name} %}}` closes nothing that is open here", at, wanted)

    def end(self) -> None:
        if self._comments:
            raise Fault("`{% comment %}` is never closed", self._comments[-1], "{% endcomment %}")
        if self._open:
            name, at = self._open[-1]
            raise Fault(f"`{{% {name} %}}` is never closed", at, f"{{% {CLOSERS[name]} %}}")
