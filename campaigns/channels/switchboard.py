"""The switchboard: every way out of the house, opened once and shared by all that is sent."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from campaigns.channels import checks
from campaigns.channels.addresses import Guard, Network, Resolver, Unguarded
from campaigns.channels.chats import Chats
from campaigns.channels.checks import Checked, Fault, Operated
from campaigns.channels.clevertap import BASE_URL, CleverTap
from campaigns.channels.exchanges import Exchange
from campaigns.channels.mail import Mail
from campaigns.channels.parcels import Kind, Parcel, Receipt
from campaigns.channels.webhooks import Webhooks


class Channel(Protocol):
    """A way out. What the network does is told by the receipt, and raised never."""

    async def send(
        self, parcel: Parcel, settings: Mapping[str, Any], secrets: Mapping[str, str]
    ) -> Receipt: ...


class Channels:
    """Sends parcels. What an inbox gets is a row, and written by whoever settles the delivery.

    `allowed_networks` are open to callers' webhooks and mail servers besides public addresses.
    `smtp_url` and `services` (URLs by name) are the operator's, and lead where they say. A
    `resolver`, a `tls` context and CleverTap's URL are handed in by tests.
    """

    def __init__(
        self,
        *,
        allowed_networks: Sequence[Network] = (),
        smtp_url: str = "",
        services: Mapping[str, str] | None = None,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        clevertap_url: str = BASE_URL,
    ) -> None:
        self._guards = [Guard(allowed_networks, resolver), Unguarded(resolver=resolver)]
        guard, unguarded = self._guards
        self._exchange = Exchange(guard, tls or _trust())
        self._chats = Chats(services or {})
        self._clevertap = CleverTap(self._exchange, clevertap_url)
        self._senders: dict[Kind, Channel] = {
            "WEBHOOK": Webhooks(self._exchange),
            "EMAIL": Mail(guard, unguarded, smtp_url, tls or _trust()),
            "APPRISE": self._chats,
            "CLEVERTAP": self._clevertap,
        }
        self.operated = Operated(bool(smtp_url), services)

    async def close(self) -> None:
        await self._exchange.close()
        self._chats.close()
        for guard in self._guards:
            guard.close()

    def check_settings(self, kind: Kind, settings: object) -> Checked | Fault:
        """See checks.check_settings."""
        return checks.check_settings(kind, settings, self.operated)

    def has_address(
        self, kind: Kind, settings: Mapping[str, Any], *, email: str | None, phone: str | None
    ) -> bool:
        """See checks.has_address."""
        return checks.has_address(kind, settings, self.operated, email=email, phone=phone)

    async def send(
        self, kind: Kind, settings: Mapping[str, Any], secrets: Mapping[str, str], parcel: Parcel
    ) -> Receipt:
        """Make one attempt. Raises only where the kind has no sender: an inbox."""
        return await self._senders[kind].send(parcel, settings, secrets)

    async def send_to_clevertap(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], parcels: Sequence[Parcel]
    ) -> list[Receipt]:
        """Upload many events at once: a receipt for each, in order."""
        return await self._clevertap.send_many(parcels, settings, secrets)


def _trust() -> ssl.SSLContext:
    """Whom TLS trusts. HTTP and mail have each their own: it says, too, which of them is spoken."""
    return httpx.create_ssl_context(trust_env=False)
