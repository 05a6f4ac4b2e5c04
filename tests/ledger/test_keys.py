"""Fingerprints: a key knows its own input again, for ever."""

import pytest

from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    Order,
    Owner,
    PlaceHold,
    RedeemCoupon,
    Transfer,
)
from ledger.keys import fingerprint
from ledger.refusals import (
    BalanceLimit,
    ExceedsOriginal,
    HoldClosed,
    InsufficientPoints,
    Refusal,
    WalletFrozen,
    from_json,
    to_json,
)

ANN = Owner("ann")
CREDIT = Credit(wallet=ANN, points=5_000, key="k")


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (CREDIT, "6484005afe49dd238a9b01a0e1b4c2566c1f46a62ab8f016b5bb44a21827ccd6"),
        (
            RedeemCoupon(code="SPRING", identity="ann", key="k"),
            "ebf8276185830ca1887f9544f4e01bbb9c930edaf2b078a3f6ee2dd479c0fcc3",
        ),
    ],
)
def test_is_what_it_was_when_the_first_keys_were_stored(command: Command, printed: str) -> None:
    assert fingerprint(command) == printed


@pytest.mark.parametrize(
    "same",
    [
        Credit(wallet=Owner("ann", "Points"), points=5_000, key="another key"),
        Credit(wallet=ANN, points=5_000, key="k", source="API", order=Order()),
        Credit(wallet=ANN, points=5_000, key="k", metadata=None),
    ],
)
def test_is_the_same_whatever_the_key_and_the_spelling_of_defaults(same: Credit) -> None:
    assert fingerprint(same) == fingerprint(CREDIT)


@pytest.mark.parametrize(
    "other",
    [
        Credit(wallet="wal_01k0000000000000000000000", points=5_000, key="k"),
        Credit(wallet=Owner("ann", "Beans"), points=5_000, key="k"),
        Credit(wallet=ANN, points=5_001, key="k"),
        Credit(wallet=ANN, points=5_000, key="k", metadata={}),
        Credit(wallet=ANN, points=5_000, key="k", source="MANUAL"),
        Credit(wallet=ANN, points=5_000, key="k", order=Order(id="1")),
        Debit(wallet=ANN, points=5_000, key="k"),
        PlaceHold(wallet=ANN, points=5_000, key="k"),
    ],
)
def test_differs_with_the_operation_and_each_of_its_inputs(other: Command) -> None:
    assert fingerprint(other) != fingerprint(CREDIT)


def test_does_not_mind_the_order_of_json_names() -> None:
    one = Credit(wallet=ANN, points=1, key="k", metadata={"a": {"b": 1, "c": 2}, "d": 3})
    other = Credit(wallet=ANN, points=1, key="k", metadata={"d": 3, "a": {"c": 2, "b": 1}})

    assert fingerprint(one) == fingerprint(other)


def test_tells_the_ends_of_a_transfer_apart() -> None:
    there = Transfer(sender=ANN, receiver=Owner("bob"), points=1, key="k")
    back = Transfer(sender=Owner("bob"), receiver=ANN, points=1, key="k")

    assert fingerprint(there) != fingerprint(back)


def test_tells_a_partial_capture_from_a_whole_one() -> None:
    whole, part = CaptureHold(hold_id="h", key="k"), CaptureHold(hold_id="h", key="k", points=1)

    assert fingerprint(whole) != fingerprint(part)


@pytest.mark.parametrize(
    "refusal",
    [
        WalletFrozen("frozen", ("wallet",)),
        HoldClosed("closed", ("id",)),
        InsufficientPoints("too few", ("points",), available=1, requested=2),
        BalanceLimit("too much", ("points",), max_balance=3),
        ExceedsOriginal("more", ("points",), remaining=4),
    ],
)
def test_a_refusal_that_sticks_comes_back_as_it_was(refusal: Refusal) -> None:
    assert refusal.sticks
    assert from_json(to_json(refusal)) == refusal
