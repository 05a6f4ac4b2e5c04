"""The receiver: shows the messages of webhooks as they arrive, to whoever tries campaigns out.

It listens on this machine only, and answers as any receiver of webhooks should:

    204   the message is shown; one that came before is shown as such
    400   it is no message of a campaign
    401   no secret that is known here has signed it, or its signature is too old
    413   it is longer than BODY_BYTES_MAX
"""

import hmac
import os
from asyncio import create_task
from binascii import Error as NoBase64
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from socket import socket
from typing import Final

from rich.console import Console
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from typing_extensions import override

from campaigns.channels.instants import moment
from campaigns.channels.webhooks import TYPE
from graph.limits import Limits
from server import letters
from server.clock import Clock, pace_of
from server.connections import Config
from server.listening import listen, origin
from server.serving import STOP_S_MAX, Server
from server.settings import CannotRun, Settings

HOST: Final = "127.0.0.1"
BODY_BYTES_MAX: Final = 65_536

TOLERANCE_US: Final = 300 * 1_000_000
"""How old a signature may be, or how far ahead: whoever recorded it can't use it for long."""

REMEMBERED_MAX: Final = 1_000
"""So many messages are known again when they come a second time."""

SECRETS_BYTES_MAX: Final = 4_096
"""The most that is read of the secrets' file."""

PREFIX: Final = "whsec_"
SIGNED: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")

Secrets = Callable[[], Sequence[str]]
"""The secrets that are known by now: a demo may make one while the receiver runs."""


@dataclass(eq=False)
class NotTaken(Exception):
    """A request is answered with `status`, and why in a sentence."""

    status: HTTPStatus
    reason: str


class Receiver:
    """Takes requests, and shows what they say."""

    def __init__(self, secrets: Secrets, clock: Clock, console: Console) -> None:
        self._secrets = secrets
        self._clock = clock
        self._console = console
        self._seen: OrderedDict[str, None] = OrderedDict()

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        """Answer one request."""
        try:
            body = await _read(request)
            secrets = self._secrets()
            if secrets:
                tolerance = TOLERANCE_US * pace_of(self._clock)
                verify(request.headers, body, secrets, self._clock(), tolerance)
            letter = letters.read(body, TYPE)
        except NotTaken as error:
            return self._refuse(error)
        except letters.Unreadable as error:
            return self._refuse(NotTaken(HTTPStatus.BAD_REQUEST, str(error)))
        again = self.knows(request.headers.get("webhook-id"))
        letters.show(letter, self._console, is_verified=bool(secrets), is_repeated=again)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _refuse(self, error: NotTaken) -> Response:
        letters.tell(self._console, f"Refused with {error.status.value}: {error.reason}")
        return PlainTextResponse(f"{error.reason}\n", error.status)

    def knows(self, message_id: str | None) -> bool:
        """Whether it came before; from now on it has."""
        if message_id is None:
            return False
        known = message_id in self._seen
        self._seen[message_id] = None
        self._seen.move_to_end(message_id)
        if len(self._seen) > REMEMBERED_MAX:
            self._seen.popitem(last=False)
        return known


async def _read(request: Request) -> bytes:
    """The body, which must say that it is JSON: no page in a browser can send that unasked."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise NotTaken(HTTPStatus.BAD_REQUEST, "The content-type must be application/json.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            reason = f"The body must have at most {BODY_BYTES_MAX:,} bytes."
            raise NotTaken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
    return bytes(body)


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int, tolerance: int
) -> None:
    """See that one of the secrets has signed it, not long ago. Raises NotTaken.

    By the clock that is handed in: the library's own check asks the machine's.
    """
    if missing := [name for name in SIGNED if not headers.get(name)]:
        raise _stranger(f"It must be signed: {', '.join(missing)} is missing.")
    message_id, timestamp, signatures = (headers[name] for name in SIGNED)
    try:
        at, text = int(timestamp) * 1_000_000, body.decode()
    except ValueError:
        raise _stranger("webhook-timestamp must be a number, and the body UTF-8.") from None
    if abs(now - at) > tolerance:
        raise _stranger("It was signed too long ago, or by a clock that is ahead.")
    good = [Webhook(secret).sign(message_id, moment(at), text).encode() for secret in secrets]
    shown = [each.encode() for each in signatures.split(" ")]
    if not any(hmac.compare_digest(one, other) for one in good for other in shown):
        raise _stranger("No secret that is known here has signed it: give its own by --secret.")


def _stranger(reason: str) -> NotTaken:
    return NotTaken(HTTPStatus.UNAUTHORIZED, reason)


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────


def secrets_file(settings: Settings) -> Path:
    """Where demos keep the secrets of their channels, one a line: beside the database."""
    file = settings.database_file
    return (file.parent if file else Path("data")) / "receiver.secrets"


def keep_secret(file: Path, secret: str) -> None:
    """Add a secret to those that the receiver knows; nobody else may read them."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(f"{secret}\n")
    except OSError as error:
        raise CannotRun(f"The receiver's secrets can't be kept in {file}: {error.strerror}.") from (
            error
        )


def read_secrets(file: Path) -> list[str]:
    """The secrets in the file, those that are some; none where it isn't there."""
    try:
        with file.open("rb") as kept:
            lines = kept.read(SECRETS_BYTES_MAX).decode("utf-8", "replace").split()
    except OSError:
        return []
    return [line for line in lines if is_secret(line)]


def is_secret(text: str) -> bool:
    """Whether it can sign webhooks."""
    try:
        return text.startswith(PREFIX) and bool(Webhook(text).sign("", moment(0), ""))
    except (NoBase64, EmptyWebhookSecretError):
        return False


# ── listening ────────────────────────────────────────────────────────────────────────────────────


def receive(settings: Settings, clock: Clock, port: int, secrets: Sequence[str]) -> None:
    """Show what arrives until SIGTERM or SIGINT. Raises CannotRun."""
    if not all(map(is_secret, secrets)):
        raise CannotRun(f"--secret must be a webhook's signing secret, which begins {PREFIX}.")
    console = Console(highlight=False)
    file = secrets_file(settings)

    def known() -> Sequence[str]:
        return [*secrets, *read_secrets(file)]

    with listen(HOST, port) as listener:

        def greet() -> None:
            where = f"{origin(listener)}/"
            letters.tell(console, f"Messages to {where} are shown here. Stop it with Ctrl-C.")
            if not known():
                letters.tell(console, "No secret is known yet, so no signature is checked.")

        server = Server(_configuration(Receiver(known, clock, console)), greet)
        server.run_until_told(listener)


@asynccontextmanager
async def receiving(listener: socket, receiver: Receiver) -> AsyncIterator[None]:
    """Receive on a socket, beside all else that runs, until the block ends."""
    server = _Beside(_configuration(receiver))
    task = create_task(server.serve(sockets=[listener]), name="receiver")
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Beside(Server):
    """A server that leaves signals to the one that it runs beside."""

    @contextmanager
    @override
    def capture_signals(self) -> Generator[None]:
        yield


def _configuration(receiver: Receiver) -> Config:
    return Config(receiver.app, Limits(), timeout_graceful_shutdown=round(2 * STOP_S_MAX))
