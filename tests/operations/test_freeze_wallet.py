"""freezeWallet: stops a wallet, all but the release of its holds; `frozen: false` thaws it."""

from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service
from tests.harness.values import Answer, Balance


async def test_freezes_and_thaws(client: Client) -> None:
    await client.credit("ann", 50)

    frozen = await client.freeze("ann")
    assert frozen.error is None
    assert frozen.wallet is not None
    assert (frozen.wallet.status, frozen.wallet.balance) == ("FROZEN", Balance(active=50))
    assert await client.wallet("ann") == frozen.wallet

    thawed = await client.thaw("ann")
    assert thawed.wallet is not None
    assert thawed.wallet.status == "ACTIVE"
    assert (await client.debit("ann", 50)).error is None


async def test_freezing_twice_is_freezing_once(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 50)
    await client.freeze("ann")

    async with unchanged():
        again = await client.freeze("ann")

    assert again.error is None
    assert again.wallet is not None
    assert again.wallet.status == "FROZEN"


async def test_only_the_named_wallet_is_frozen(client: Client) -> None:
    await client.create_program("Gold")
    await client.credit("ann", 50)
    await client.credit("ann", 50, program="Gold")

    await client.freeze("ann", program="Gold")

    assert (await client.wallet("ann")).status == "ACTIVE"
    assert (await client.debit("ann", 1)).error is None


OPERATIONS: dict[str, Callable[[Client, dict[str, str]], Awaitable[Answer]]] = {
    "credit": lambda client, _: client.credit("ann", 1),
    "debit": lambda client, _: client.debit("ann", 1),
    "hold": lambda client, _: client.hold("ann", 1),
    "capture": lambda client, ids: client.capture(ids["hold"]),
    "reverse": lambda client, ids: client.reverse(ids["credit"], points=1),
    "refund": lambda client, ids: client.refund(ids["debit"]),
    "send": lambda client, _: client.transfer("ann", "bob", 1),
    "receive": lambda client, _: client.transfer("bob", "ann", 1),
}


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_frozen_wallet_refuses(
    client: Client, unchanged: Unchanged, operation: str
) -> None:
    await client.credit("bob", 50)
    ids = {
        "credit": (await client.credit("ann", 50)).id,
        "debit": (await client.debit("ann", 5)).id,
        "hold": (await client.hold("ann", 5)).held.id,
    }
    await client.freeze("ann")

    async with unchanged():
        answer = await OPERATIONS[operation](client, ids)

    assert answer.error == "WalletFrozen"
    assert answer.transaction is None


async def test_the_clock_goes_on_in_a_frozen_wallet(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 5, expires_at=clock.after(days=2))
    await client.credit("ann", 7, active_at=clock.after(days=1))
    await client.freeze("ann")
    clock.advance(days=3)

    assert await client.balance("ann") == Balance(active=7)
    await service.sweep()

    kinds = [row.kind for row in await client.history("ann")]
    assert kinds == ["CREDIT", "CREDIT", "ACTIVATION", "EXPIRY"]


async def test_refuses_a_wallet_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        by_owner = await client.freeze("ann")
        by_id = await client.freeze("wal_01jqtc38xmeegs4d2pf28aqkff")

    assert (by_owner.error, by_id.error) == ("WalletNotFound", "WalletNotFound")
    assert by_owner.error_path[:2] == ("input", "wallet")
    assert await client.member("ann") is None
