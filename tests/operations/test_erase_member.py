"""eraseMember: clears every personal field, and changes no sum."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.values import Balance


async def ann_has_shopped(client: Client) -> None:
    await client.upsert_member(
        "ann", name="Ann", email="ann@example.com", phone="1", attributes={"tier": "gold"}
    )
    await client.credit(
        "ann",
        50,
        key="credit",
        description="Welcome, Ann",
        metadata={"street": "Long Lane 1"},
        order={"id": "A-1", "saleChannel": "web", "locationId": "Rome", "saleAmount": 9.5},
    )
    await client.debit("ann", 20, key="debit", description="Ann's shirt")


async def test_clears_the_profile_and_keeps_the_member(client: Client) -> None:
    await ann_has_shopped(client)
    wallet = await client.wallet("ann")

    answer = await client.erase_member("ann")

    assert (answer.error, answer.erased) == (None, True)
    assert await client.member("ann") is None
    erased = await client.member(f"erased:{wallet.member_id}")
    assert erased is not None
    assert erased.id == wallet.member_id
    assert (erased.name, erased.email, erased.phone, erased.time_zone) == (None,) * 4
    assert erased.attributes == {}


async def test_changes_no_sum_and_no_ledger_row(client: Client) -> None:
    await ann_has_shopped(client)
    wallet, before = await client.wallet("ann"), await client.history("ann")

    await client.erase_member("ann")

    after = await client.wallet(wallet.id)
    assert (after.balance, after.lifetime) == (wallet.balance, wallet.lifetime)
    rows = await client.history(wallet.id)
    assert [(row.id, row.kind, row.points, row.effective_at) for row in rows] == [
        (row.id, row.kind, row.points, row.effective_at) for row in before
    ]
    assert (await client.summary("Points")).active == 30
    assert (await client.health()).violations == []


async def test_clears_description_metadata_and_order_of_every_transaction(client: Client) -> None:
    await ann_has_shopped(client)
    wallet = await client.wallet("ann")

    await client.erase_member("ann")

    for row in await client.history(wallet.id):
        assert (row.description, row.metadata) == (None, None)
        assert row.order is None or set(vars(row.order).values()) == {None}
    assert (await client.transactions({"orderId": "A-1"})).nodes == []


async def test_clears_what_the_event_tells(client: Client) -> None:
    await ann_has_shopped(client)
    member_id = (await client.wallet("ann")).member_id

    await client.erase_member("ann")

    [event] = (await client.events()).nodes
    assert event.identity == f"erased:{member_id}"
    assert event.points_description is None
    assert (event.sale_channel, event.location_id, event.sale_amount) == (None, None, None)
    assert event.points == 50
    assert (await client.events({"identity": "ann"})).nodes == []


async def test_freezes_the_members_wallets_in_every_program(client: Client) -> None:
    await client.create_program("Gold")
    ids = [
        (await client.credit("ann", 50)).posted.wallet_id,
        (await client.credit("ann", 50, program="Gold")).posted.wallet_id,
    ]

    await client.erase_member("ann")

    for wallet_id in ids:
        assert (await client.wallet(wallet_id)).status == "FROZEN"
        assert (await client.debit(wallet_id, 1)).error == "WalletFrozen"
        assert (await client.credit(wallet_id, 1)).error == "WalletFrozen"


async def test_the_points_go_on_expiring(client: Client, clock: VirtualClock) -> None:
    wallet_id = (await client.credit("ann", 50, expires_at=clock.after(days=1))).posted.wallet_id
    await client.erase_member("ann")

    clock.advance(days=1)

    assert await client.balance(wallet_id) == Balance()


async def test_the_identity_is_free_again_for_someone_new(client: Client) -> None:
    await ann_has_shopped(client)
    old = await client.wallet("ann")
    await client.erase_member("ann")

    answer = await client.credit("ann", 5)

    assert answer.wallet is not None
    assert answer.wallet.id != old.id
    assert answer.wallet.member_id != old.member_id
    assert await client.balance("ann") == Balance(active=5)
    assert await client.balance(old.id) == Balance(active=30)


async def test_a_key_of_the_erased_still_replays(client: Client) -> None:
    await ann_has_shopped(client)
    wallet = await client.wallet("ann")
    [credit, debit] = await client.history("ann")
    await client.erase_member("ann")

    again = await client.debit("ann", 20, key="debit", description="Ann's shirt")

    assert (again.error, again.replayed) == (None, True)
    assert again.posted.id == debit.id
    assert again.posted.description is None
    assert [row.id for row in await client.history(wallet.id)] == [credit.id, debit.id]


async def test_refuses_a_member_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    await client.credit("bob", 1)

    async with unchanged():
        answer = await client.erase_member("ann")

    assert (answer.error, answer.error_path) == ("MemberNotFound", ("input", "identity"))
    assert answer.erased is False


async def test_erasing_twice_finds_nobody_the_second_time(client: Client) -> None:
    await ann_has_shopped(client)
    await client.erase_member("ann")

    assert (await client.erase_member("ann")).error == "MemberNotFound"
