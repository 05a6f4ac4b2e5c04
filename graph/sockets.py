"""Sockets: all that are open, who holds them, and whether they still may.

A socket is refused at its handshake where its page is foreign (403) or no more may be open (503),
and closed where its client doesn't speak graphql-transport-ws (4406). Whoever holds one is asked
for again every few seconds: a key that was revoked, or a token that has expired, ends it (4403).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from access.principal import Principal, ProviderDown, Unauthenticated
from access.rates import RateLimited
from graph.answers import refusal
from graph.audiences import Audiences
from graph.context import Context, Service
from graph.conversation import FORBIDDEN, Conversation, TurnedAway
from graph.faults import Refused, RequestError, refusal_of
from graph.limits import Limits
from graph.lines import new_request_id
from graph.messages import PROTOCOL, Close
from graph.origins import is_allowed
from graph.telemetry import Telemetry
from graph.wires import wire_of
from models.database import DatabaseError

ADMISSION_S_MAX: Final = 10.0
"""How long it may take to find out who somebody is."""

CHECK_S: Final = 3.0
"""How often it is asked whether those who hold sockets still may: they are gone within 10 s."""

RETRY_AFTER_S: Final = 5
FOREIGN: Final = "pages of this origin may not call the service"

NOT_ASKED: Final = "who holds sockets could not be asked for; it will be tried again"

NOT_SPOKEN: Final = Close(4406, f"Subprotocol not acceptable: {PROTOCOL} is spoken here")
BUSY: Final = Close(1013, "nobody can be let in just now: try again later")
EXPIRED: Final = Close(FORBIDDEN, "the token has expired")
REVOKED: Final = Close(FORBIDDEN, "the key was revoked")

log = structlog.get_logger()


class Sockets:
    """An ASGI application for WebSockets. It returns once a conversation holds the wire."""

    def __init__(self, service: Service, new_context: Callable[[Principal, str], Context]) -> None:
        self._service = service
        self._new_context = new_context
        self.audiences = Audiences(service.telemetry)
        self._count = 0
        self._guests: dict[Conversation, Principal] = {}
        self._held: Counter[str] = Counter()
        self._watch: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many are open, whether or not it is known who holds them."""
        return self._count

    @property
    def limits(self) -> Limits:
        return self._service.limits

    @property
    def telemetry(self) -> Telemetry:
        return self._service.telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket, is_held = WebSocket(scope, receive, send), False
        self._note_open(1)
        try:
            if is_held := await self._shake_hands(socket):
                wire, client = wire_of(scope), socket.client
                wire.take(Conversation(self, wire, client.host if client else ""))
        finally:
            if not is_held:
                self._note_open(-1)

    def _note_open(self, more: int) -> None:
        self._count += more
        self.telemetry.sockets.inc(more)

    async def _shake_hands(self, socket: WebSocket) -> bool:
        """Whether a conversation begins."""
        refused = self._refuse(socket)
        # A client that is gone by now is no error, and no news.
        with suppress(WebSocketDisconnect, RuntimeError):
            if refused:
                self.telemetry.reject(refused.code, str(refused.more.get("limit", "")))
                await socket.send_denial_response(refusal(refused))
            elif PROTOCOL in socket.scope["subprotocols"]:
                await socket.accept(PROTOCOL)
                return True
            else:
                await socket.accept()
                await socket.close(NOT_SPOKEN.code, NOT_SPOKEN.reason)
        return False

    def _refuse(self, socket: WebSocket) -> Refused | None:
        headers, most = socket.headers, self.limits.sockets_total
        host, scheme = headers.get("host", ""), socket.scope["scheme"]
        if not is_allowed(headers.get("origin"), host, scheme, self._service.origins):
            return Refused(HTTPStatus.FORBIDDEN, FOREIGN, "FORBIDDEN")
        if self._count > most:
            return Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"at most {most} sockets may be open (sockets_total)",
                "LIMIT_EXCEEDED",
                headers={"Retry-After": str(RETRY_AFTER_S)},
                more={"limit": "sockets_total", "value": most},
            )
        return None

    # ── who is there ────────────────────────────────────────────────────────────────────────────

    async def let_in(self, guest: Conversation, shown: str | None) -> Principal:
        """See House."""
        principal = await self._admit(guest, shown)
        most = self.limits.sockets
        if self._held[principal.id] >= most:
            self.telemetry.reject("LIMIT_EXCEEDED", "sockets")
            reason = f"one key or member may have at most {most} sockets open (sockets)"
            raise TurnedAway(Close(FORBIDDEN, reason))
        if guest.is_over:
            return principal
        self._held[principal.id] += 1
        self._guests[guest] = principal
        if self._watch is None:
            self._watch = asyncio.create_task(self._run_watch(), name="socket watch")
        return principal

    async def _admit(self, guest: Conversation, shown: str | None) -> Principal:
        try:
            async with asyncio.timeout(ADMISSION_S_MAX):
                return await self._service.door.admit(shown)
        except Unauthenticated as error:
            raise TurnedAway(self._refuse_stranger(guest, str(error))) from error
        except (ProviderDown, DatabaseError, TimeoutError) as error:
            log.warning("nobody can be let in", reason=type(error).__name__)
            raise TurnedAway(BUSY) from error

    def _refuse_stranger(self, guest: Conversation, reason: str) -> Close:
        try:
            self._service.rates.take_stranger(guest.address)
        except RateLimited as error:
            self.telemetry.reject("RATE_LIMITED", error.limit)
            return Close(FORBIDDEN, str(error))
        self.telemetry.reject("UNAUTHENTICATED")
        return Close(FORBIDDEN, reason)

    def let_out(self, guest: Conversation) -> None:
        """See House."""
        self._note_open(-1)
        principal = self._guests.pop(guest, None)
        if principal:
            self._held -= Counter({principal.id: 1})  # one that comes to nothing is dropped
        if self._watch and not self._guests:
            self._watch.cancel()
            self._watch = None

    def begin(self, principal: Principal) -> Context:
        """See House."""
        if principal.expires_at <= self._service.clock():
            raise TurnedAway(EXPIRED)
        request_id = new_request_id()
        try:
            self._service.rates.take(principal)
        except RateLimited as error:
            self.telemetry.reject("RATE_LIMITED", error.limit)
            refused = refusal_of(error, request_id)
            raise RequestError(refused.code, refused.message, **refused.more) from error
        return self._new_context(principal, request_id)

    # ── whether they still may ──────────────────────────────────────────────────────────────────

    async def _run_watch(self) -> None:
        """Ask again and again, and at once when this very service revoked a key."""
        revoked = self._service.door.revoked
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await revoked.wait()
            revoked.clear()
            try:
                await self.check()
            except DatabaseError as error:
                log.warning(NOT_ASKED, again_in_s=CHECK_S, reason=type(error).__name__)
            except Exception:
                log.exception(NOT_ASKED)

    async def check(self) -> None:
        """End the sockets of whoever may hold them no more. Raises DatabaseError."""
        now = self._service.clock()
        for guest, principal in [*self._guests.items()]:
            if principal.expires_at <= now:
                guest.end(EXPIRED)
        held = {each for each in self._guests.values() if each.expires_at > now}
        gone = await self._service.door.gone(held)
        for guest, principal in [*self._guests.items()]:
            if principal.id in gone:
                guest.end(REVOKED)
