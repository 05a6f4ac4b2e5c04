"""Origins: whose pages may call the service from a browser.

A browser names the page that a request comes from, and no script can forge that. The service's own
page is let in, and those that the operator named. Who isn't a browser names no origin.
"""

from collections.abc import Container
from typing import Final

_SCHEMES: Final = {"ws": "http", "wss": "https"}
_USUAL_PORTS: Final = {"http": ":80", "https": ":443"}


def is_allowed(origin: str | None, host: str, scheme: str, others: Container[str]) -> bool:
    """Whether a request with this `Origin` may change anything, or open a socket.

    `host` and `scheme` are those by which the service was called; `others` are origins beside its
    own. `null`, the origin of files and of pages in a sandbox, is none of them.
    """
    return origin is None or origin == own_origin(host, scheme) or origin in others


def own_origin(host: str, scheme: str) -> str:
    """The origin of a page that the service itself gave, as a browser writes it."""
    scheme = _SCHEMES.get(scheme, scheme)
    return f"{scheme}://{host.lower().removesuffix(_USUAL_PORTS.get(scheme, ''))}"
