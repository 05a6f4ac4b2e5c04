"""Listening: where the service is reached, and what must be so before others may reach it."""

import os
import socket
import ssl
from typing import Final

from server.parsing import is_loopback
from server.settings import CannotRun, Settings

BACKLOG: Final = 2_048

UNGUARDED: Final = (
    "Others reach {host}, and keys would travel there for all to read: give TLS files"
    " (TUPPENCE_TLS_CERTIFICATE, TUPPENCE_TLS_KEY), or say --behind-proxy where a proxy has them."
)
HALF_TLS: Final = "TUPPENCE_TLS_CERTIFICATE and TUPPENCE_TLS_KEY belong together: set both."
DEV_ELSEWHERE: Final = (
    "--dev makes everyone who opens the page an administrator, so it goes with this machine's own"
    " address only, without TLS files or a proxy."
)


def refuse_exposure(settings: Settings, *, dev: bool) -> None:
    """Raise CannotRun where others would reach what isn't fit for them."""
    is_private = is_loopback(settings.host)
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise CannotRun(HALF_TLS)
    has_tls = bool(settings.tls_certificate)
    if dev and (not is_private or has_tls or settings.behind_proxy):
        raise CannotRun(DEV_ELSEWHERE)
    if not (is_private or has_tls or settings.behind_proxy):
        raise CannotRun(UNGUARDED.format(host=settings.host))
    if has_tls:
        _try_tls(settings)


def _try_tls(settings: Settings) -> None:
    """Raise CannotRun where the files can't be read, aren't PEM, or don't belong together."""
    for file in (settings.tls_certificate, settings.tls_key):
        try:
            with open(file, "rb"):  # noqa: PTH123 - read by OpenSSL, below
                pass
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise CannotRun(f"The TLS file {file} can't be read: {reason}.") from error
    try:
        # Without a password of its own OpenSSL would ask the terminal for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_certificate, settings.tls_key, password=""
        )
    except ssl.SSLError as error:
        raise CannotRun(
            f"{settings.tls_certificate} and {settings.tls_key} are no certificate with its key,"
            f" in PEM and without a password ({error.reason or 'unknown'})."
        ) from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens already: whoever comes early waits, and is answered."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise CannotRun(f"{host}:{port} can't be listened on: {reason}.") from error
    listener.setblocking(False)  # noqa: FBT003 - its own way
    return listener


def origin(listener: socket.socket, scheme: str = "http") -> str:
    """The address of a listening socket, as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
