"""The bounds of a template: of its source, of what it may do, and of what comes out.

Each stops a message that python-liquid's own limits let through; those that only a process can
keep, time and memory, are the worker's.
"""

from typing import Final

from liquid.exceptions import FilterArgumentError

SOURCE_CHARS_MAX: Final = 8_000
"""Of each of a message's three sources."""

TAGS_AND_PIPES_MAX: Final = 200
"""In each source, counted before it is parsed: parsing takes time that grows with their square."""

TAG_CHARS_MAX: Final = 1_000
"""Of one tag or output, and so of its expression's terms."""

NESTING_MAX: Final = 10

TEXT_CHARS_MAX: Final = 20_000
"""Of any text that a filter is given or gives; a list's texts are added up."""

LIST_ITEMS_MAX: Final = 1_000
"""Of any list or range."""

NUMBER_MAX: Final = 2**63 - 1
"""Of any whole number that a filter is given or gives, up and down."""

ITERATIONS_MAX: Final = 5_000
"""Of all loops of a message, added up."""

STEPS_MAX: Final = 20_000
"""Nodes rendered and filters called, of a message."""

CHARS_A_STEP: Final = 500
"""A filter that is given long texts takes more than one step."""

OUTPUT_BYTES_MAX: Final = 100_000
"""Of each rendered part."""

LOCALS_BYTES_MAX: Final = 2_000_000
"""Of all that a part assigns and captures."""

REASON_CHARS_MAX: Final = 200
"""Of a reason that a template gives for its abort."""

FORMAT_CHARS_MAX: Final = 100
"""Of a date's format."""


class TooMuch(FilterArgumentError):
    """A template did, or would have done, more than a bound allows.

    Of this kind, since python-liquid tells the place of the filter with it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


class Budget:
    """What one message may still do: its three parts share it. Raises TooMuch."""

    __slots__ = ("_iterations", "_steps")

    def __init__(self) -> None:
        self._iterations = ITERATIONS_MAX
        self._steps = STEPS_MAX

    def step(self, steps: int = 1) -> None:
        self._steps -= steps
        if self._steps < 0:
            raise TooMuch(f"the template takes more than {STEPS_MAX} steps")

    def loop(self, length: int) -> None:
        self._iterations -= length
        if self._iterations < 0:
            raise TooMuch(f"the template's loops go round more than {ITERATIONS_MAX} times")
