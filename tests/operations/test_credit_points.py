"""creditPoints: gives a wallet points, once for each idempotency key."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.rules import after, decimals
from tests.harness.values import Balance, Lifetime, Order


async def test_the_first_credit_opens_the_member_and_the_wallet(
    client: Client, clock: VirtualClock
) -> None:
    answer = await client.credit("ann", 50, key="order-1")

    wallet = await client.wallet("ann")
    assert (answer.error, answer.replayed) == (None, False)
    assert answer.wallet == wallet
    assert (wallet.identity, wallet.program, wallet.status) == ("ann", "Points", "ACTIVE")
    assert wallet.balance == Balance(active=50)
    assert wallet.lifetime == Lifetime(credited=50)
    assert wallet.created_at == clock.now
    assert await client.member("ann") is not None


async def test_the_transaction_tells_the_whole_credit(client: Client, clock: VirtualClock) -> None:
    expires_at = clock.after(days=90)
    answer = await client.credit(
        "ann",
        50,
        source="CASHBACK_COUPON",
        campaign_id="cmp_01jqtc38xmeegs4d2pf28aqkff",
        coupon_code="SPRING",
        description="Spring cashback",
        expires_at=expires_at,
        order={"id": "A-1", "saleAmount": 19.99, "saleChannel": "web", "locationId": "Rome"},
        metadata={"basket": ["tea", 2], "gift": True, "note": None},
    )

    credit = answer.posted
    assert credit.id.startswith("txn_")
    assert (credit.kind, credit.sequence, credit.points) == ("CREDIT", 1, 50)
    assert credit.change == Balance(active=50)
    assert credit.balance_after == Balance(active=50)
    assert (credit.source, credit.coupon_code) == ("CASHBACK_COUPON", "SPRING")
    assert credit.campaign_id == "cmp_01jqtc38xmeegs4d2pf28aqkff"
    assert credit.description == "Spring cashback"
    assert credit.order == Order("A-1", Decimal("19.99"), "web", "Rome")
    assert credit.metadata == {"basket": ["tea", 2], "gift": True, "note": None}
    assert (credit.related_id, credit.hold_id) == (None, None)
    assert credit.expires_at == expires_at
    assert credit.effective_at == credit.created_at == clock.now
    assert await client.transaction(credit.id) == credit


async def test_what_is_left_out_is_null(client: Client) -> None:
    credit = (await client.credit("ann", 50)).posted

    assert credit.source == "API"
    assert (credit.campaign_id, credit.coupon_code, credit.description) == (None, None, None)
    assert credit.metadata is None
    assert credit.order is None or set(vars(credit.order).values()) == {None}
    assert credit.expires_at is None


async def test_later_credits_go_to_the_same_wallet(client: Client) -> None:
    first = await client.credit("ann", 50)
    second = await client.credit("ann", 30)

    assert second.posted.wallet_id == first.posted.wallet_id
    assert second.posted.sequence == 2
    assert second.posted.balance_after == Balance(active=80)
    assert await client.balance("ann") == Balance(active=80)


async def test_an_open_wallet_can_be_named_by_its_id(client: Client) -> None:
    wallet_id = (await client.credit("ann", 50)).posted.wallet_id

    await client.credit(wallet_id, 30)

    assert await client.balance("ann") == Balance(active=80)


async def test_a_member_opened_before_gets_a_wallet_by_the_first_credit(client: Client) -> None:
    member = (await client.upsert_member("ann", name="Ann")).member
    assert await client.find_wallet("ann") is None

    wallet = (await client.credit("ann", 50)).wallet

    assert member is not None
    assert wallet is not None
    assert wallet.member_id == member.id


async def test_points_may_have_as_many_decimals_as_the_program(client: Client) -> None:
    await client.create_program("Cents", rounding=decimals(2))

    await client.credit("ann", Decimal("0.01"), program="Cents")
    await client.credit("ann", Decimal("12.50"), program="Cents")

    assert await client.balance("ann", program="Cents") == Balance(active=Decimal("12.51"))


async def test_more_decimals_than_the_program_has_are_refused_never_rounded(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Cents", rounding=decimals(2))

    async with unchanged():
        answer = await client.credit("ann", Decimal("0.015"), program="Cents")
        whole = await client.credit("ann", Decimal("0.5"))

    assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "points"))
    assert (whole.error, whole.error_path) == ("InvalidInput", ("input", "points"))
    assert await client.member("ann") is None


async def test_the_largest_amount_is_kept_to_the_thousandth(client: Client) -> None:
    await client.create_program("Fine", rounding=decimals(3))
    most = Decimal("999999999999.999")

    answer = await client.credit("ann", most, program="Fine")

    assert answer.posted.points == most
    assert await client.balance("ann", program="Fine") == Balance(active=most)


async def test_a_credit_expires_by_the_programs_rule(client: Client, clock: VirtualClock) -> None:
    await client.create_program("Gold", expiry=after(30))

    credit = (await client.credit("ann", 50, program="Gold")).posted

    assert credit.expires_at == clock.after(days=30)


async def test_the_credits_own_expiry_wins_over_the_rule(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Gold", expiry=after(30))
    expires_at = clock.after(days=400)

    credit = (await client.credit("ann", 50, program="Gold", expires_at=expires_at)).posted

    assert credit.expires_at == expires_at


async def test_an_activation_that_has_passed_means_at_once(
    client: Client, clock: VirtualClock
) -> None:
    answer = await client.credit("ann", 50, active_at=clock.after(days=-3))

    assert answer.posted.change == Balance(active=50)
    assert await client.balance("ann") == Balance(active=50)


async def test_an_activation_at_this_very_instant_means_at_once(
    client: Client, clock: VirtualClock
) -> None:
    answer = await client.credit("ann", 50, active_at=clock.now)

    assert answer.posted.change == Balance(active=50)


async def test_refuses_an_expiry_at_or_before_now(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    async with unchanged():
        for at in (clock.now, clock.after(microseconds=-1), clock.after(days=-1)):
            answer = await client.credit("ann", 50, expires_at=at)
            assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "expiresAt"))

    assert await client.member("ann") is None


async def test_refuses_an_expiry_at_or_before_the_activation(
    client: Client, clock: VirtualClock, unchanged: Unchanged
) -> None:
    active_at = clock.after(days=10)

    async with unchanged():
        for at in (active_at, active_at - timedelta(microseconds=1)):
            answer = await client.credit("ann", 50, active_at=active_at, expires_at=at)
            assert (answer.error, answer.error_path) == ("InvalidInput", ("input", "expiresAt"))


async def test_refuses_a_program_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await client.credit("ann", 50, program="Silver")

    assert answer.error == "ProgramNotFound"
    assert answer.error_path[:2] == ("input", "wallet")
    assert (answer.transaction, answer.wallet, answer.replayed) == (None, None, False)
    assert await client.member("ann") is None


async def test_refuses_a_wallet_id_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await client.credit("wal_01jqtc38xmeegs4d2pf28aqkff", 50)

    assert answer.error == "WalletNotFound"
    assert answer.error_path[:2] == ("input", "wallet")


async def test_refuses_a_frozen_wallet(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 50)
    await client.freeze("ann")

    async with unchanged():
        answer = await client.credit("ann", 1)

    assert answer.error == "WalletFrozen"
    assert answer.error_path[:2] == ("input", "wallet")


async def test_fills_a_wallet_up_to_its_programs_limit_and_no_further(
    client: Client, unchanged: Unchanged
) -> None:
    await client.create_program("Capped", max_balance=100, rounding=decimals(3))
    await client.credit("ann", 99, program="Capped")

    async with unchanged():
        over = await client.credit("ann", Decimal("1.001"), program="Capped")
    full = await client.credit("ann", 1, program="Capped")

    assert (over.error, over.details) == ("BalanceLimit", {"maxBalance": 100})
    assert over.error_path == ("input", "points")
    assert full.error is None
    assert await client.balance("ann", program="Capped") == Balance(active=100)


async def test_the_limit_counts_promised_and_held_points_too(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Capped", max_balance=100)
    await client.credit("ann", 40, program="Capped")
    await client.credit("ann", 40, program="Capped", active_at=clock.after(days=1))
    await client.hold("ann", 10, program="Capped")

    assert (await client.credit("ann", 21, program="Capped")).error == "BalanceLimit"
    assert (await client.credit("ann", 20, program="Capped")).error is None


async def test_a_refused_first_credit_opens_no_member_and_no_wallet(client: Client) -> None:
    await client.create_program("Capped", max_balance=10)

    answer = await client.credit("ann", 11, program="Capped")

    assert answer.error == "BalanceLimit"
    assert await client.member("ann") is None
    assert (await client.health()).wallets == 0


@pytest.mark.parametrize("source", ["API", "CAMPAIGN", "MANUAL", "CASHBACK_COUPON"])
async def test_any_source_can_be_named(client: Client, source: str) -> None:
    answer = await client.credit("ann", 50, source=source)

    assert answer.posted.source == source


async def test_metadata_may_be_four_kilobytes(client: Client) -> None:
    note = "n" * (4_096 - len('{"note":""}'))

    answer = await client.credit("ann", 50, metadata={"note": note})

    assert answer.posted.metadata == {"note": note}


async def test_a_description_may_be_500_characters_with_line_breaks(client: Client) -> None:
    text = ("é" * 249) + "\n" + ("☕" * 250)

    answer = await client.credit("ann", 50, description=text)

    assert answer.posted.description == text


async def test_two_credits_in_one_request_are_two_units_of_work(client: Client) -> None:
    document = """mutation Two($good: CreditPointsInput!, $bad: CreditPointsInput!) {
      bad: creditPoints(input: $bad) { transaction { id } errors { __typename } }
      good: creditPoints(input: $good) { transaction { id } errors { __typename } }
    }"""
    data = await client.execute(
        document, good=client.credit_of("ann", 50), bad=client.credit_of("ann", 0)
    )

    assert data["bad"]["errors"] == [{"__typename": "InvalidInput"}]
    assert data["good"]["errors"] == []
    assert await client.balance("ann") == Balance(active=50)
