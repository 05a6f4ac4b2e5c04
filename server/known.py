"""Known: heads that came before, whose requests were answered.

A client sends one head with all its requests, but for what tells of the body. What a head says is
in its bytes, so that it need be read only once: whatever is judged by it alone stays as it was, and
who is let in is asked each time.
"""

from typing import Any, Final

from graph.head import KEPT, Head

HEADS_MAX: Final = 512
"""How many are known; the oldest goes."""

BYTES_MAX: Final = 2_048
"""Of one of them: a longer one is read each time."""

END: Final = b"\r\n\r\n"
UNUSUAL: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"connection"})


class Known:
    """A head: what was found of it, and the request's scope, but for what isn't in the head."""

    __slots__ = ("_head", "_scope", "length")

    def __init__(self, head: Head, scope: dict[str, Any], length: int) -> None:
        """`length` is the body's."""
        self._head = head
        self._scope = scope
        self.length = length

    def new_scope(self, state: dict[str, Any], server: Any, client: Any) -> Any:
        """The scope of another request with this head."""
        state[KEPT] = self._head
        return {**self._scope, "state": state, "server": server, "client": client}


class KnownHeads:
    """Those of one application."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, read: bytes) -> Known | None:
        """The head of a request, where what was read is all of it and nothing else."""
        end = read.find(END, 0, BYTES_MAX) + len(END)
        known = self._known.get(read[:end])
        return known if known and known.length == len(read) - end else None

    def keep(self, head: bytes, known: Known) -> None:
        if head not in self._known and len(self._known) >= HEADS_MAX:
            del self._known[next(iter(self._known))]
        self._known[head] = known


class Fresh:
    """A head that came twice running: it may be known, once its request is answered."""

    __slots__ = ("_bytes", "_known", "_length", "_scope")

    def __init__(self, known: KnownHeads, head: bytes, scope: dict[str, Any], length: int) -> None:
        """`scope` is as it came, and `length` the body's."""
        self._known = known
        self._bytes = head
        self._scope = scope
        self._length = length

    def keep(self, head: Head) -> None:
        """It was answered: whoever sends it again is known by it."""
        self._known.keep(self._bytes, Known(head, self._scope, self._length))


def is_fit(head: bytes, scope: Any, length: int) -> bool:
    """Whether the next request may be read as this one was: its head, and a body of this length.

    By that it is certain where the head ends.
    """
    said = dict(scope["headers"])
    return (
        length > 0
        and len(head) <= BYTES_MAX
        and head.find(END) + len(END) == len(head)
        and said.get(b"content-length") == b"%d" % length
        and scope["method"] == "POST"
        and scope["http_version"] == "1.1"
        and UNUSUAL.isdisjoint(said)
    )
