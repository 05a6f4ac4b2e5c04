"""What goes through the pipes between the service and the renderer's worker: framed JSON."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson

from campaigns.liquid.dates import EPOCH, instant_of
from campaigns.liquid.templates import (
    Aborted,
    MissingProperty,
    Outcome,
    Rendered,
    RenderError,
    Roots,
    Scene,
    Template,
    TemplateFault,
)

FRAME_BYTES_MAX: Final = 1_000_000
"""Of what is asked: three sources and a scene."""

LENGTH_BYTES: Final = 4
READY: Final = b"ready"
AT: Final = "at"
"""The only key of the object that stands for an instant."""

OUTCOMES: Final = {
    each.__name__: each for each in (Rendered, Aborted, MissingProperty, RenderError)
}


def framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


class Frames:
    """Takes apart what comes in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, piece: bytes) -> Iterator[bytes]:
        self._buffer += piece
        start = 0
        while len(self._buffer) >= start + LENGTH_BYTES:
            body = start + LENGTH_BYTES
            end = body + int.from_bytes(self._buffer[start:body], "big")
            if len(self._buffer) < end:
                break
            yield bytes(self._buffer[body:end])
            start = end
        del self._buffer[:start]


def pack_render(key: str, message: Template, scene: Scene) -> bytes:
    """Raises TypeError where a value is none that a scene has, or a text is no text."""
    return _pack(key, message, scene)


def pack_check(message: Template, roots: Roots) -> bytes:
    """Raises TypeError."""
    return _pack(None, message, roots)


def _pack(key: str | None, message: Template, rest: Scene | Roots) -> bytes:
    asked = [key, message, rest]
    payload = orjson.dumps(asked, default=_packed, option=orjson.OPT_PASSTHROUGH_DATETIME)
    if len(payload) > FRAME_BYTES_MAX:
        raise TypeError(f"template and values are more than {FRAME_BYTES_MAX} bytes")
    return payload


def _packed(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo:
        return {AT: (value - EPOCH) // timedelta(microseconds=1)}
    if isinstance(value, Decimal):
        return int(value) if value == value // 1 else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no value of a scene: {value!r}")


def unpack_asked(payload: bytes) -> tuple[str | None, Template, Scene | Roots]:
    key, message, rest = orjson.loads(payload)
    if key is None:
        return None, Template(**message), Roots(**rest)
    for root in ("event", "profile", "wallet", "campaign"):
        rest[root] = {name: _unpacked(value) for name, value in rest[root].items()}
    return key, Template(**message), Scene(**rest)


def _unpacked(value: Any) -> Any:
    """Give instants back; an attribute may be a list or an object of its own, too."""
    is_instant = isinstance(value, dict) and value.keys() == {AT}
    return instant_of(value[AT]) if is_instant else value


def pack_answer(answer: Outcome | TemplateFault | None) -> bytes:
    return orjson.dumps([type(answer).__name__, answer] if answer else None)


def unpack_outcome(payload: bytes) -> Outcome:
    kind, values = orjson.loads(payload)
    return OUTCOMES[kind](**values)


def unpack_fault(payload: bytes) -> TemplateFault | None:
    answer = orjson.loads(payload)
    return TemplateFault(**answer[1]) if answer else None
