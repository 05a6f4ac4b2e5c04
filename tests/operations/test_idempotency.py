"""Idempotency: one key, one effect, for ever; the same answer to the same question."""

from collections.abc import Awaitable, Callable
from datetime import timedelta, timezone

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import running
from tests.harness.values import Answer, Balance, Json

Deed = Callable[[Client, dict[str, str], str], Awaitable[Answer]]
DEEDS: dict[str, Deed] = {
    "credit": lambda client, _, key: client.credit("ann", 5, key=key),
    "debit": lambda client, _, key: client.debit("ann", 5, key=key),
    "hold": lambda client, _, key: client.hold("ann", 5, key=key),
    "capture": lambda client, ids, key: client.capture(ids["hold"], key=key, points=2),
    "release": lambda client, ids, key: client.release(ids["hold"], key=key),
    "reverse": lambda client, ids, key: client.reverse(ids["credit"], key=key, points=2),
    "refund": lambda client, ids, key: client.refund(ids["debit"], key=key, points=2),
    "transfer": lambda client, _, key: client.transfer("ann", "bob", 5, key=key),
}


async def stage(client: Client) -> dict[str, str]:
    """Give ann something for every deed to act on."""
    return {
        "credit": (await client.credit("ann", 100)).id,
        "debit": (await client.debit("ann", 10)).id,
        "hold": (await client.hold("ann", 10)).held.id,
    }


def ids_of(answer: Answer) -> list[str]:
    rows = (answer.transaction, answer.sent, answer.received)
    return [row.id for row in rows if row is not None]


@pytest.mark.parametrize("deed", DEEDS)
async def test_the_same_key_and_input_give_the_original_back(
    client: Client, unchanged: Unchanged, deed: str
) -> None:
    ids = await stage(client)
    first = await DEEDS[deed](client, ids, "same")

    async with unchanged():
        again = await DEEDS[deed](client, ids, "same")

    assert (first.error, first.replayed) == (None, False)
    assert (again.error, again.replayed) == (None, True)
    assert (again.transaction, again.sent, again.received) == (
        first.transaction,
        first.sent,
        first.received,
    )
    assert ids_of(again)
    assert (again.wallet, again.hold) == (first.wallet, first.hold)


@pytest.mark.parametrize("deed", DEEDS)
async def test_the_same_key_for_another_operation_is_a_conflict(
    client: Client, unchanged: Unchanged, deed: str
) -> None:
    ids = await stage(client)
    other = "credit" if deed != "credit" else "debit"
    first = await DEEDS[deed](client, ids, "same")

    async with unchanged():
        answer = await DEEDS[other](client, ids, "same")

    assert (answer.error, answer.replayed) == ("IdempotencyConflict", False)
    assert answer.error_path == ("input", "idempotencyKey")
    assert answer.details["transaction"]["id"] in ids_of(first)
    assert answer.transaction is None


async def test_a_replays_wallet_is_as_it_is_now(client: Client) -> None:
    first = await client.credit("ann", 50, key="order-1")
    await client.credit("ann", 8)

    again = await client.credit("ann", 50, key="order-1")

    assert again.posted == first.posted
    assert again.wallet is not None
    assert again.wallet.balance == Balance(active=58)


async def test_refuses_a_key_used_for_another_amount(client: Client) -> None:
    first = await client.credit("ann", 50, key="order-1")

    answer = await client.credit("ann", 60, key="order-1")

    assert answer.error == "IdempotencyConflict"
    assert answer.details == {"transaction": {"id": first.id}}
    assert await client.balance("ann") == Balance(active=50)


FULL: Json = {
    "description": "Thanks",
    "order": {"id": "A-1", "saleAmount": 9.5},
    "metadata": {"a": 1, "b": {"c": [1, 2], "d": None}},
    "couponCode": "SPRING",
    "activeAt": "2026-04-01T12:00:00Z",
    "expiresAt": "2027-04-01T12:00:00Z",
}


@pytest.mark.parametrize(
    "other",
    [
        {"description": "Thank you"},
        {"description": None},
        {"source": "MANUAL"},
        {"couponCode": "AUTUMN"},
        {"order": {"id": "A-2", "saleAmount": 9.5}},
        {"order": {"id": "A-1", "saleAmount": 9.75}},
        {"metadata": {"a": 1}},
        {"metadata": {"a": 1, "b": {"c": [2, 1], "d": None}}},
        {"activeAt": "2026-04-01T12:00:00.000001Z"},
        {"expiresAt": "2027-04-01T11:59:59Z"},
    ],
    ids=str,
)
async def test_any_other_input_is_a_conflict(
    client: Client, unchanged: Unchanged, other: Json
) -> None:
    await client.credit("ann", 50, key="order-1", **FULL)

    async with unchanged():
        answer = await client.credit("ann", 50, key="order-1", **FULL | other)

    assert answer.error == "IdempotencyConflict"


@pytest.mark.parametrize(
    "same",
    [
        {"source": "API"},
        {"campaignId": None},
        {"metadata": {"b": {"d": None, "c": [1, 2]}, "a": 1}},
        {"order": {"saleAmount": 9.5, "id": "A-1", "saleChannel": None}},
        {"activeAt": "2026-04-01T14:00:00+02:00"},
        {"expiresAt": "2027-04-01T07:00:00.000000-05:00"},
    ],
    ids=str,
)
async def test_the_same_input_said_otherwise_is_a_replay(
    client: Client, unchanged: Unchanged, same: Json
) -> None:
    first = await client.credit("ann", 50, key="order-1", **FULL)

    async with unchanged():
        answer = await client.credit("ann", 50, key="order-1", **FULL | same)

    assert (answer.error, answer.replayed) == (None, True)
    assert answer.posted == first.posted


async def test_an_amount_may_be_written_in_any_way(client: Client, unchanged: Unchanged) -> None:
    first = await client.credit("ann", 50, key="order-1")
    document = """mutation {
      creditPoints(input: {
        wallet: {owner: {identity: "ann"}}, points: %s, idempotencyKey: "order-1"
      }) { replayed transaction { id } errors { __typename } } }"""

    async with unchanged():
        for points in ("50", "50.0", "5e1", "5.00E+1"):
            payload = (await client.execute(document % points))["creditPoints"]
            assert payload == {"replayed": True, "transaction": {"id": first.id}, "errors": []}


async def test_the_default_program_may_be_named_or_left_out(
    client: Client, unchanged: Unchanged
) -> None:
    first = await client.credit("ann", 50, key="order-1")

    async with unchanged():
        again = await client.credit("ann", 50, key="order-1", program="Points")

    assert again.replayed is True
    assert again.posted == first.posted


async def test_a_wallet_by_its_id_and_by_its_owner_are_different_input(
    client: Client, unchanged: Unchanged
) -> None:
    first = await client.credit("ann", 50, key="order-1")

    async with unchanged():
        answer = await client.credit(first.posted.wallet_id, 50, key="order-1")

    assert answer.error == "IdempotencyConflict"


async def test_a_key_is_one_over_the_whole_installation(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Gold")
    await client.credit("ann", 50, key="order-1")

    async with unchanged():
        for_bob = await client.credit("bob", 50, key="order-1")
        in_gold = await client.credit("ann", 50, key="order-1", program="Gold")

    assert (for_bob.error, in_gold.error) == ("IdempotencyConflict",) * 2
    assert await client.member("bob") is None


async def test_keys_are_told_apart_exactly(client: Client) -> None:
    for key in ("order-1", "Order-1", "order-1 ", " order-1", "órder-1", "o" * 255):
        assert (await client.credit("ann", 1, key=key)).replayed is False

    assert await client.balance("ann") == Balance(active=6)


async def test_a_key_is_looked_up_before_the_time_is_looked_at(
    client: Client, clock: VirtualClock
) -> None:
    times: Json = {"active_at": clock.after(days=1), "expires_at": clock.after(days=2)}
    first = await client.credit("ann", 50, key="order-1", **times)
    clock.advance(days=400)

    again = await client.credit("ann", 50, key="order-1", **times)

    assert (again.error, again.replayed) == (None, True)
    assert again.posted == first.posted


async def test_a_key_is_looked_up_before_the_wallet_is_looked_at(client: Client) -> None:
    first = await client.debit("ann", 5, key="spend")
    assert first.error == "WalletNotFound"
    await client.credit("ann", 5)
    spent = await client.debit("ann", 5, key="spend")
    await client.freeze("ann")

    again = await client.debit("ann", 5, key="spend")

    assert (again.error, again.replayed) == (None, True)
    assert again.posted == spent.posted


async def test_a_hold_that_is_over_still_replays(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50)
    expires_at = clock.after(hours=1)
    hold = await client.hold("ann", 20, key="checkout", expires_at=expires_at)
    capture = await client.capture(hold.held.id, key="ship")
    clock.advance(days=60)

    held_again = await client.hold("ann", 20, key="checkout", expires_at=expires_at)
    captured_again = await client.capture(hold.held.id, key="ship")

    assert held_again.replayed is True
    assert held_again.posted == hold.posted
    assert held_again.held.status == "CLOSED"
    assert captured_again.replayed is True
    assert captured_again.posted == capture.posted


# ── restarts ─────────────────────────────────────────────────────────────────────────────────────


async def test_keys_outlive_the_service(database_url: str, clock: VirtualClock) -> None:
    async with running(database_url, clock) as before:
        done = await before.client.credit("ann", 50, key="order-1")
        refused = await before.client.debit("ann", 60, key="order-2")
    clock.advance(days=3_650)

    async with running(database_url, clock) as after:
        await after.client.credit("ann", 100)
        done_again = await after.client.credit("ann", 50, key="order-1")
        refused_again = await after.client.debit("ann", 60, key="order-2")
        conflict = await after.client.credit("ann", 51, key="order-1")

        assert done_again.replayed is True
        assert done_again.posted == done.posted
        assert (refused_again.error, refused_again.replayed) == (refused.error, True)
        assert conflict.error == "IdempotencyConflict"
        assert await after.client.balance("ann") == Balance(active=150)


async def test_an_instant_is_the_same_in_any_offset(client: Client, clock: VirtualClock) -> None:
    at = clock.after(days=3)
    await client.credit("ann", 50)
    there = at.astimezone(timezone(timedelta(hours=5, minutes=45)))

    utc = await client.hold("ann", 5, key="hold", expires_at=at)
    nepal = await client.hold("ann", 5, key="hold", expires_at=there)

    assert nepal.replayed is True
    assert nepal.posted == utc.posted
