"""A mail server on a port of its own, in the test's own event loop.

async with mailbox() as post:
    post.say(451)
    ... letters to post.url ...
    assert post.letters[0]["Subject"] == "Hello"
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.harness.patience import patience

DROP: Final = "DROP"
Reply = int | Literal["DROP"]
REPLIES: Final = {250: "250 Taken", 451: "451 Come back later", 550: "550 No such mailbox"}


@dataclass(frozen=True)
class Handed:
    """A letter's envelope, and what it says."""

    sender: str
    recipients: tuple[str, ...]
    letter: EmailMessage
    is_encrypted: bool
    user: str | None


class Mailbox:
    """Keeps letters. It replies to the next ones what it was told to say, and then takes them.

    A letter that is hung up on (DROP) is kept: to its sender its fate is unknown.
    """

    def __init__(self) -> None:
        self.url = ""
        self.handed: list[Handed] = []
        self.users: dict[str, str] = {}
        self.rcpt_reply: Reply = 250
        """What is replied to RCPT, before any letter."""
        self._replies: deque[Reply] = deque()
        self._arrival = asyncio.Condition()

    def say(self, *replies: Reply) -> None:
        """Reply so to the next letters."""
        self._replies.extend(replies)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def letters(self) -> list[EmailMessage]:
        return [each.letter for each in self.handed]

    async def arrived(self, count: int = 1) -> None:
        """Wait until so many letters have come in all."""
        async with patience(), self._arrival:
            await self._arrival.wait_for(lambda: len(self.handed) >= count)

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _: str, data: Any) -> Any:
        name, password = data.login.decode(), data.password.decode()
        is_right = self.users.get(name) == password
        return AuthResult(success=is_right, handled=False, auth_data=name)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's own name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del session, options
        if self.rcpt_reply == DROP:
            _hang_up(server)
            return ""
        if self.rcpt_reply == 250:
            envelope.rcpt_tos.append(address)
        return REPLIES[self.rcpt_reply]

    async def handle_DATA(  # noqa: N802 - aiosmtpd's own name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        letter = message_from_bytes(content, policy=default)
        assert isinstance(letter, EmailMessage)
        handed = Handed(
            envelope.mail_from or "",
            tuple(envelope.rcpt_tos),
            letter,
            _is_encrypted(server),
            str(session.auth_data) if session.auth_data else None,
        )
        reply = self._replies.popleft() if self._replies else 250
        if reply in {250, DROP}:
            async with self._arrival:
                self.handed.append(handed)
                self._arrival.notify_all()
        if reply == DROP:
            _hang_up(server)
            return ""
        return REPLIES[reply]


def _is_encrypted(server: Any) -> bool:
    return server.transport.get_extra_info("sslcontext") is not None


def _hang_up(server: Any) -> None:
    server.transport.abort()


@asynccontextmanager
async def mailbox(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None
) -> AsyncIterator[Mailbox]:
    """Run a mail server until the block ends: in the clear, by TLS, or with STARTTLS."""
    post = Mailbox()

    def talk() -> SMTP:
        return SMTP(
            post,
            hostname="mail.example.com",
            tls_context=starttls,
            authenticator=post.authenticate,
            auth_require_tls=tls is None,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", 0, ssl=tls)
    scheme = "smtps" if tls else "smtp"
    post.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield post
    finally:
        server.close()
        await server.wait_closed()
