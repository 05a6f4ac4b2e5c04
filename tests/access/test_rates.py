"""Rates: so many in a window, for each who asks; counted in bounded memory, by no thread."""

import threading

import pytest

from access import rates
from access.door import DEVELOPER
from access.principal import Principal
from access.rates import RateLimited, Rates
from tests.harness.clock import Ticks

KEY = Principal("KEY", "key_a", frozenset({"admin"}))
OTHER = Principal("KEY", "key_b", frozenset({"admin"}))
ANN = Principal("MEMBER", "member:ann", identity="ann")


def passes(rates_: Rates, principal: Principal, times: int) -> int:
    """Ask so often, and count how often it is let through."""
    passed = 0
    for _ in range(times):
        try:
            rates_.take(principal)
            passed += 1
        except RateLimited:
            pass
    return passed


def strangers(rates_: Rates, address: str, times: int) -> int:
    passed = 0
    for _ in range(times):
        try:
            rates_.take_stranger(address)
            passed += 1
        except RateLimited:
            pass
    return passed


def test_each_kind_has_its_own_rate_and_each_principal_its_own_count(ticks: Ticks) -> None:
    counted = Rates("5/minute", "3/minute", "2/minute", ticks)

    assert passes(counted, KEY, 10) == 5
    assert passes(counted, OTHER, 10) == 5
    assert passes(counted, ANN, 10) == 3
    assert passes(counted, DEVELOPER, 10) == 5
    assert strangers(counted, "192.0.2.1", 10) == 2
    assert strangers(counted, "192.0.2.2", 10) == 2


def test_a_window_begins_with_its_first_request_and_then_ends(ticks: Ticks) -> None:
    counted = Rates("5/minute", "5/minute", "5/minute", ticks)
    assert passes(counted, KEY, 4) == 4

    ticks.now += 59.999
    assert passes(counted, KEY, 10) == 1
    ticks.now += 0.001
    assert passes(counted, KEY, 10) == 5


def test_what_is_refused_says_which_limit_and_when_to_ask_again(ticks: Ticks) -> None:
    counted = Rates("600000/minute", "2/minute", "1/hour", ticks)
    passes(counted, ANN, 2)
    ticks.now += 17.5

    with pytest.raises(RateLimited) as refused:
        counted.take(ANN)

    assert (refused.value.limit, refused.value.value) == ("rate_member", "2/minute")
    assert refused.value.retry_after_s == 43
    assert str(refused.value) == "rate_member is 2/minute: ask again in 43 s"


def test_to_ask_again_makes_the_wait_no_longer(ticks: Ticks) -> None:
    counted = Rates("1/minute", "1/minute", "1/minute", ticks)
    passes(counted, KEY, 1_000)
    ticks.now += 60

    assert passes(counted, KEY, 1) == 1


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unix", "unix", True),
        ("", "192.0.2.1", False),
    ],
)
def test_an_address_is_counted_with_those_that_its_holder_has(
    ticks: Ticks, one: str, other: str, *, together: bool
) -> None:
    counted = Rates("1/minute", "1/minute", "1/minute", ticks)
    strangers(counted, one, 1)

    assert strangers(counted, other, 1) == (0 if together else 1)


def test_no_more_are_counted_than_are_bounded_and_strangers_push_nobody_out(
    ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "WINDOWS_MAX", 100)
    counted = Rates("1/minute", "1/minute", "1/minute", ticks)
    passes(counted, KEY, 1)
    passes(counted, ANN, 1)
    for number in range(1_000):
        strangers(counted, f"192.0.2.{number}", 1)

    assert passes(counted, KEY, 1) == 0
    assert passes(counted, ANN, 1) == 0
    assert strangers(counted, "192.0.2.999", 1) == 0
    assert strangers(counted, "192.0.2.0", 1) == 1  # the oldest window went


def test_a_window_that_begins_anew_is_the_last_to_go(
    ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "WINDOWS_MAX", 3)
    counted = Rates("1/minute", "1/minute", "1/minute", ticks)
    for address in ("192.0.2.1", "192.0.2.2"):
        strangers(counted, address, 1)
    ticks.now += 60
    strangers(counted, "192.0.2.1", 1)
    strangers(counted, "192.0.2.3", 1)
    strangers(counted, "192.0.2.4", 1)

    assert strangers(counted, "192.0.2.1", 1) == 0


def test_counting_starts_no_thread(ticks: Ticks) -> None:
    before = threading.active_count()
    passes(Rates("5/minute", "5/minute", "5/minute", ticks), KEY, 100)

    assert threading.active_count() == before


@pytest.mark.parametrize("text", ["", "600", "often", "600/fortnight", "-1/minute"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|granularity"):
        Rates(text, "1/minute", "1/minute")
