"""What is logged, line by line, as a log's reader gets it."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import structlog

from graph import telemetry
from server.logs import as_json, log_to


class Lines:
    """The lines that were logged since the block began."""

    def __init__(self) -> None:
        self.out = BytesIO()

    @property
    def text(self) -> str:
        telemetry.tell()
        return self.out.getvalue().decode()

    @property
    def told(self) -> list[dict[str, Any]]:
        """Each line, which must be a JSON object."""
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        """Those that tell of this."""
        return [line for line in self.told if line["event"] == event]


@contextmanager
def logged(level: str = "debug") -> Iterator[Lines]:
    """Log as `tuppence serve` does, into memory, until the block ends."""
    root, lines = logging.getLogger(), Lines()
    before = root.handlers[:], root.level, structlog.get_config()
    root.handlers.clear()  # they come back: to be replaced is to be closed
    try:
        log_to(lines.out, level, as_json)
        yield lines
    finally:
        telemetry.tell()
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        structlog.configure(**before[2])
