"""Wires: what a conversation goes over, as the server has it.

A wire carries text messages both ways and has no task: what comes is told to whoever has taken it,
and what goes is written at once. A message that goes to many is framed once for all of them.
"""

from typing import Any, Final, Protocol

EXTENSION: Final = "tuppence.wire"
"""Where an ASGI scope has the wire: whoever takes it goes on after the application has returned."""


class Hearer(Protocol):
    """Whoever has taken a wire. None of it may wait, nor raise."""

    def hear(self, text: str | None) -> None:
        """A message; None is one that isn't text. None comes while there is no room."""
        ...

    def note_full(self) -> None:
        """What was written is more than its client has read: there is no more room."""
        ...

    def note_gone(self) -> None:
        """Nobody is there any more, or the server ends."""
        ...


class Wire(Protocol):
    """A WebSocket that was accepted."""

    def take(self, hearer: Hearer) -> None:
        """Have all that comes told to a hearer, until the wire is closed."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether what is written would go out soon."""
        ...

    async def wait_for_room(self) -> None:
        """Wait until there is room, or nobody any more."""
        ...

    def frame(self, message: bytes) -> bytes:
        """A text message as it goes over any wire."""
        ...

    def write(self, frames: bytes) -> None:
        """Send frames, all of them whole. Nothing is sent over a wire that is closed."""
        ...

    def close(self, code: int, reason: str) -> None: ...


def wire_of(scope: Any) -> Wire:
    """The wire of a WebSocket's scope."""
    wire: Wire = scope["extensions"][EXTENSION]
    return wire
