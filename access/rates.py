"""Rates: how often each principal may ask, and each address that shows nothing good.

Counted by this process alone, in fixed windows: each begins with its first request. Where one ends
and the next begins, twice the rate may pass within a moment. That is the price of a count that
takes 0.3 µs and the memory of one number, however high the rate is; a window that slides takes
twice the time, and one that moves keeps the instant of every request.
"""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from limits import parse

from access.principal import Principal

WINDOWS_MAX: Final = 10_000
"""How many principals, and how many addresses, are counted at a time; the oldest window goes."""

IPV6_OF_ONE: Final = 64
"""How many bits of an IPv6 address its holder doesn't choose."""


class RateLimited(Exception):
    """More was asked than the rate allows."""

    def __init__(self, limit: str, value: str, retry_after_s: int) -> None:
        """`limit` is the setting's name, `value` what it is set to."""
        super().__init__(f"{limit} is {value}: ask again in {retry_after_s} s")
        self.limit = limit
        self.value = value
        self.retry_after_s = retry_after_s


class Rates:
    """The rates of keys, members and strangers, each like `600/minute`. Raises ValueError."""

    def __init__(
        self, key: str, member: str, stranger: str, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        """`ticks` are seconds that never run backwards."""
        self._of_key = Rate("rate_key", key, ticks)
        self._of_member = Rate("rate_member", member, ticks)
        self._of_stranger = Rate("rate_stranger", stranger, ticks)

    def take(self, principal: Principal) -> None:
        """Count one request of the principal's. Raises RateLimited."""
        rate = self._of_member if principal.kind == "MEMBER" else self._of_key
        rate.take(principal.id)

    def take_stranger(self, address: str) -> None:
        """Count one request that nobody was let in by. Raises RateLimited."""
        self._of_stranger.take(_holder(address))


class Rate:
    """One rate, counted for each of many, in memory.

    The library's counters start a thread every 10 ms, to look through all of them, go by the wall
    clock, and make a text of each who asks: of it, only the reading of rates is used.
    """

    def __init__(self, name: str, text: str, ticks: Callable[[], float]) -> None:
        self._name = name
        self._text = text
        self._ticks = ticks
        rate = parse(text)
        self._times, self._seconds = rate.amount, rate.get_expiry()
        self._windows: dict[str, Window] = {}

    def take(self, who: str) -> None:
        now = self._ticks()
        window = self._windows.get(who)
        if window is None or window.ends <= now:
            window = self._begin(who, now)
        window.count += 1
        if window.count > self._times:
            raise RateLimited(self._name, self._text, max(1, ceil(window.ends - now)))

    def _begin(self, who: str, now: float) -> "Window":
        """Put them behind all whose windows began before."""
        self._windows.pop(who, None)
        if len(self._windows) >= WINDOWS_MAX:
            del self._windows[next(iter(self._windows))]
        window = self._windows[who] = Window(now + self._seconds)
        return window


class Window:
    """How often somebody has asked, until it ends."""

    __slots__ = ("count", "ends")

    def __init__(self, ends: float) -> None:
        self.count = 0
        self.ends = ends


def _holder(address: str) -> str:
    """Whose an address is: of IPv6, one holder has a whole network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (128 - IPV6_OF_ONE))
