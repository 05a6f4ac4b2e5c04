"""Addresses: which ones the post may connect to on a caller's word.

What is checked is the address that is connected to, not the text that names it: `2130706433` and
`0x7f.1` are 127.0.0.1, and a name may lead somewhere else each time it is asked. So a name is
resolved once, what came of it is checked, and a checked address is what is dialled.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

SETTING: Final = "TUPPENCE_WEBHOOK_ALLOWED_NETWORKS"
CANDIDATES_MAX: Final = 4
"""How many of a name's addresses are tried."""

RESOLVERS_MAX: Final = 8
"""How many names are looked up at a time: a slow one holds none of anybody else's threads."""

REFUSED: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # a cloud's own servant, at a public address
        "::/96",  # unspecified, loopback, IPv4-compatible
        *("64:ff9b::/96", "64:ff9b:1::/48"),  # NAT64: any IPv4 address is in there
        *("100::/64", "100:0:0:1::/64", "5f00::/16"),  # discard-only, dummy, segment routing
        *("2001::/23", "2001:db8::/32", "3fff::/20"),  # Teredo and protocols; documentation
        "2002::/16",  # 6to4: any IPv4 address is in there
        *(
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),  # unique and link local, site, multicast
    )
)
"""What no caller's word leads to. `is_global` alone lets several of these pass."""


class AddressRefused(Exception):
    """A name leads only to addresses that aren't to be connected to. The message is a sentence."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is not a public address: whoever runs the service opens others by {SETTING}."
        )


class Unresolvable(Exception):
    """There is no address to this name, at least not now."""


class Guard:
    """Finds the addresses that a name may be dialled at: public ones, and those of `allowed`."""

    def __init__(self, allowed: Sequence[Network] = (), resolver: Resolver | None = None) -> None:
        self._allowed = tuple(allowed)
        self._resolver = resolver or self._resolve
        self._threads = ThreadPoolExecutor(RESOLVERS_MAX, "resolve")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, host: str, port: int) -> list[str]:
        """Look a name up, once. Raises Unresolvable, and AddressRefused if none is permitted."""
        try:
            found = await self._resolver(host, port)
        except (OSError, UnicodeError):
            raise Unresolvable(f"there is no address to the name {host}.") from None
        if not found:
            raise Unresolvable(f"there is no address to the name {host}.")
        permitted = [address for address in found if self.permits(address)]
        if not permitted:
            raise AddressRefused(host)
        return permitted[:CANDIDATES_MAX]

    def permits(self, text: str) -> bool:
        """Whether an address may be connected to. One with a zone is never public."""
        try:
            address = _embedded(ipaddress.ip_address(text))
        except ValueError:
            return False
        if any(address in network for network in self._allowed):
            return True
        return address.is_global and not any(address in network for network in REFUSED)

    async def _resolve(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port)


class Unguarded(Guard):
    """Dials whatever it is told: for what the operator set, who may name a machine of their own."""

    def permits(self, text: str) -> bool:
        return bool(text)


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped one stands for: it is what is dialled."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
