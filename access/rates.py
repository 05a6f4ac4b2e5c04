"""Rates: how often each principal may ask, and each address that shows nothing good.

Counted by this process alone, in fixed windows: each begins with its first request. Where one ends
and the next begins, twice the rate may pass within a moment. That is the price of a count that
takes 1.3 µs and the memory of one number, however high the rate is; a window that slides takes
twice the time, and one that moves keeps the instant of every request.
"""

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from typing_extensions import override

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
    """One rate, counted for each of many."""

    def __init__(self, name: str, text: str, ticks: Callable[[], float]) -> None:
        self._name = name
        self._text = text
        self._item: RateLimitItem = parse(text)
        self._ticks = ticks
        self._limiter = FixedWindowRateLimiter(Windows(ticks))

    def take(self, who: str) -> None:
        if not self._limiter.hit(self._item, who):
            ends = self._limiter.get_window_stats(self._item, who).reset_time
            raise RateLimited(self._name, self._text, max(1, ceil(ends - self._ticks())))


class Windows(Storage):
    """The library's counters, in memory.

    Its own would start a thread every 10 ms, to look through all of them, and go by the wall clock.
    """

    STORAGE_SCHEME = None

    def __init__(self, ticks: Callable[[], float]) -> None:
        super().__init__()
        self._ticks = ticks
        self._windows: dict[str, tuple[int, float]] = {}

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    @override
    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._ticks()
        count, ends = self._windows.get(key, (0, now))
        if ends <= now:
            self._begin(key)
            count, ends = 0, now + expiry
        self._windows[key] = (count + amount, ends)
        return count + amount

    def _begin(self, key: str) -> None:
        """Put the key behind all whose windows began before."""
        self._windows.pop(key, None)
        if len(self._windows) >= WINDOWS_MAX:
            del self._windows[next(iter(self._windows))]

    @override
    def get(self, key: str) -> int:
        count, ends = self._windows.get(key, (0, 0.0))
        return count if self._ticks() < ends else 0

    @override
    def get_expiry(self, key: str) -> float:
        return self._windows[key][1] if key in self._windows else self._ticks()

    @override
    def check(self) -> bool:
        return True

    @override
    def reset(self) -> int | None:
        self._windows.clear()
        return None

    @override
    def clear(self, key: str) -> None:
        self._windows.pop(key, None)


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
