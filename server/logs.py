"""Logs: one line on stderr for each thing that happened, as JSON or for people.

Our own lines are a constant sentence with named values: never a variable of a request, a token or
anything of a person. Other libraries' lines take the same shape. An exception is told by its type
and the places it came through, not by its message, which may quote what a caller sent.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from traceback import StackSummary, walk_tb
from typing import Any, BinaryIO, Final, Protocol, cast

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor
from typing_extensions import override

from graph.lines import told_in_lines
from graph.soon import Soon
from server.clock import now

FRAMES_MAX: Final = 20
"""How many places of one exception are told: those nearest to where it was raised."""

CAUSES_MAX: Final = 8
"""How many exceptions of a chain are told."""

SENTENCE_MAX: Final = 500
"""How long another library's sentence may be."""

FROM_ASYNCIO: Final = "a task or a callback failed, and nobody asked for its result"
"""In place of asyncio's own sentence, which quotes what was passed to the task."""

Line = Callable[[Any, str, EventDict], bytes]


def log_to_stderr(level: str, format: str = "") -> None:
    """Log our own lines from `level` up, and other libraries' from warnings up.

    `format` is `json` or `text`; without one it is text to a terminal and JSON to all else.
    """
    logging.captureWarnings(capture=True)
    is_text = format == "text" or (not format and sys.stderr.isatty())
    log_to(Held(sys.stderr.buffer), level, as_text if is_text else as_json, for_good=True)


def log_to(out: "Out", level: str, line: Line, *, for_good: bool = False) -> None:
    """The same, to any file; `for_good`, whoever has logged once keeps to it."""
    # Ours go straight out: by way of the standard library each would cost three times as much.
    structlog.configure(
        processors=[complete, line],
        wrapper_class=_straight(level),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", out)),
        cache_logger_on_first_use=for_good,
    )
    handler = _Foreign(structlog.BytesLogger(cast("BinaryIO", out)))
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _shorten, complete],
            processors=[ProcessorFormatter.remove_processors_meta, _decoded(line)],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _straight(level: str) -> type[Any]:
    """The library's logger from `level` up, for lines of no context: none is copied on its way."""

    class Straight(structlog.make_filtering_bound_logger(level)):
        _logger: structlog.BytesLogger
        _processors: list[Processor]

        def _proxy_to_logger(self, method_name: str, event: str, **told: Any) -> None:
            self._tell(method_name, event, told)

        def _tell(self, level: str, event: str, told: EventDict) -> None:
            told["event"] = event
            for process in self._processors:
                told = cast("Any", process(self._logger, level, told))
            self._logger.msg(cast("bytes", told))

    if logging.getLevelNamesMapping()[level.upper()] <= logging.INFO:
        # Of these there is one an operation: none of what it tells is copied on its way.
        def info(self: Straight, event: str, **told: Any) -> None:
            self._tell("info", event, told)

        Straight.info = info

    return Straight


class Out(Protocol):
    """What lines are written to."""

    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


class Held:
    """A file that hands on what is written to it a moment later, all of it together.

    To write each line by itself takes as long as to make it. What is held when the process ends is
    written then; what is held when it is killed is lost.
    """

    def __init__(self, out: BinaryIO) -> None:
        self.write = out.write
        self.flush = Soon(out.flush).ask


class _Foreign(logging.Handler):
    """Writes other libraries' lines where ours go."""

    def __init__(self, out: structlog.BytesLogger) -> None:
        super().__init__()
        self._out = out

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._out.msg(self.format(record).encode())


def as_json(_: Any, __: str, event: EventDict) -> bytes:
    """A line for programs: an object."""
    return orjson.dumps(event, default=_name_of_type)


def _name_of_type(value: object) -> str:
    return type(value).__name__


_for_people: Final = structlog.dev.ConsoleRenderer(
    colors=False, timestamp_key="at", pad_event_to=40, sort_keys=False
)


def as_text(logger: Any, method: str, event: EventDict) -> bytes:
    """A line for people; an exception's places stand below it."""
    return _for_people(logger, method, event).encode()


def _decoded(line: Line) -> Processor:
    return lambda logger, method, event: line(logger, method, event).decode()


def complete(_: Any, level: str, event: EventDict) -> EventDict:
    """What a line says, behind what all lines have. `ago_s` is how long ago it was, if it was."""
    told = {
        "at": _instant(now() - round(event.pop("ago_s", 0) * 1_000_000)),
        "level": level,
        "event": event.pop("event"),
        **told_in_lines(),
        **event,
    }
    if "exc_info" in told:
        _tell_exception(told)
    return told


def _instant(at: int) -> str:
    return f"{_second(at // 1_000_000)}.{at // 1_000 % 1_000:03}+00:00"


@lru_cache(1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _shorten(_: Any, __: str, event: EventDict) -> EventDict:
    """Another library's sentence: its first line, which says what happened; the rest is detail."""
    if event["logger"] == "asyncio":
        event["event"] = FROM_ASYNCIO
    else:
        event["event"] = str(event["event"]).partition("\n")[0][:SENTENCE_MAX]
    event.pop("stack_info", None)
    return event


# ── exceptions ──────────────────────────────────────────────────────────────────────────────────


def _tell_exception(event: EventDict) -> None:
    """Put its type and places in its place."""
    told = event.pop("exc_info")
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = "\n".join(_lines_of(error))


def _lines_of(error: BaseException) -> Iterator[str]:
    """The exception with its places, then what it came of, as far as CAUSES_MAX."""
    cause: BaseException | None = error
    for number in range(CAUSES_MAX):
        yield ("from " if number else "") + _name_of(cause)
        frames = [*walk_tb(cause.__traceback__)][-FRAMES_MAX:]
        for frame in StackSummary.extract(iter(frames), lookup_lines=False):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
        if cause is None:
            return


def _name_of(error: BaseException) -> str:
    """Its type, and what a database says of it that is none of its rows."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    facts = ("sqlstate", "constraint_name", "table_name", "column_name", "sqlite_errorname")
    said = [str(value) for fact in facts if (value := getattr(error, fact, None))]
    return f"{name} ({', '.join(said)})" if said else name
