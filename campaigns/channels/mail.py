"""Mail: letters by SMTP, each over a connection of its own.

What comes of a conversation:

    2xx to the letter          sent
    4xx, to whatever           tried again
    5xx, to whatever           rejected
    lost before the letter     tried again
    lost from the letter on    unknown: it may have been taken, and is not to be read twice

STARTTLS is used where it is offered, and a password is never shown in the clear.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from campaigns.channels.addresses import AddressRefused, Guard, Unresolvable
from campaigns.channels.letters import find_sender, is_mail_address, letter
from campaigns.channels.parcels import Parcel, Receipt, rejected, retry, sent, unknown

SMTP_URL: Final = "smtpUrl"
CONNECT_S_MAX: Final = 10.0
REPLY_S_MAX: Final = 30.0
LETTER_S_MAX: Final = 60.0
"""How long one letter may take, from looking up its server to the last reply."""

DEFAULT_PORTS: Final[Mapping[str, int]] = {"smtp": 587, "smtps": 465}
TEMPORARY: Final = range(400, 500)


@dataclass(frozen=True, slots=True)
class Server:
    """Where letters are handed in. Its text shows no password."""

    host: str
    port: int
    is_tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def find_server(url: str) -> Server | None:
    """The server that smtp://USER:PASSWORD@HOST:PORT names; smtps:// has TLS from the start."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path.strip("/"):
        return None
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        return None
    user, password = (text and unquote(text) for text in (parts.username, parts.password))
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    return Server(parts.hostname, port, parts.scheme == "smtps", user, password)


class Mail:
    """Sends by the server that a channel names, which is guarded, or by the operator's."""

    def __init__(self, guard: Guard, unguarded: Guard, smtp_url: str, tls: ssl.SSLContext) -> None:
        self._guard = guard
        self._unguarded = unguarded
        self._smtp_url = smtp_url
        self._tls = tls

    async def send(
        self, parcel: Parcel, settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> Receipt:
        named = secrets.get(SMTP_URL)
        server = find_server(named or self._smtp_url)
        sender = find_sender(settings.get("from"))
        if server is None or sender is None:
            return rejected("the channel has no mail server, or no sender.")
        if not is_mail_address(parcel.email):
            return rejected("the member has no e-mail address that mail can be sent to.")
        conversation = _Conversation(server, self._tls)
        try:
            async with asyncio.timeout(LETTER_S_MAX):
                line = await dial(self._guard if named else self._unguarded, server)
                return await conversation.hold(line, sender, parcel)
        except AddressRefused as error:
            return rejected(str(error))
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, Unresolvable) as error:
            return _lost(error, is_begun=conversation.is_begun)
        finally:
            conversation.close()


class _Conversation:
    """One letter to one server. `is_begun` from the moment on that the letter may be taken."""

    def __init__(self, server: Server, tls: ssl.SSLContext) -> None:
        self._server = server
        self._tls = tls
        self._smtp: aiosmtplib.SMTP | None = None
        self.is_begun = False

    async def hold(self, line: socket.socket, sender: Address, parcel: Parcel) -> Receipt:
        smtp = self._smtp = aiosmtplib.SMTP(
            hostname=self._server.host,
            # The machine's own name tells of the inside, and asking for it may take seconds.
            local_hostname=sender.domain,
            timeout=REPLY_S_MAX,
            use_tls=self._server.is_tls,
            tls_context=self._tls,
            sock=line,
        )
        await smtp.connect()
        if self._server.user is not None:
            if not (self._server.is_tls or smtp.get_transport_info("sslcontext")):
                return rejected("the mail server offers no TLS: the password is not shown to it.")
            await smtp.login(self._server.user, self._server.password or "")
        message = letter(parcel, sender)
        await smtp.mail(sender.addr_spec)
        await smtp.rcpt(parcel.email or "")
        self.is_begun = True
        reply = await smtp.data(message.as_bytes())
        return sent(reply.code)

    def close(self) -> None:
        """Hang up. What was taken stays taken: a reply to QUIT would say nothing more."""
        if self._smtp:
            self._smtp.close()


async def dial(guard: Guard, server: Server) -> socket.socket:
    """A line to the first of a server's checked addresses that answers."""
    failure: OSError = ConnectionError("there is no address to the name")
    async with asyncio.timeout(CONNECT_S_MAX):
        addresses = await guard.addresses(server.host, server.port)
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            line = socket.socket(family, socket.SOCK_STREAM)
            line.settimeout(0)
            try:
                async with asyncio.timeout(CONNECT_S_MAX / len(addresses)):
                    await asyncio.get_running_loop().sock_connect(line, (address, server.port))
            except BaseException as error:
                line.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
            else:
                return line
    raise failure


def _refused(code: int, message: str) -> Receipt:
    said = f"the mail server answered {code} {' '.join(message.split())}"
    return retry("REJECTED", said, code) if code in TEMPORARY else rejected(said, code)


def _lost(error: Exception, *, is_begun: bool) -> Receipt:
    reason = "TIMED_OUT" if isinstance(error, TimeoutError) else "UNREACHABLE"
    said = f"the mail server was lost: {error or type(error).__name__}"
    return unknown(reason, said) if is_begun else retry(reason, said)
