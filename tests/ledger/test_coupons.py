"""Coupons in the book: what a batch makes of them, and in how many statements."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from events.audit import SERVICE
from ledger.commands import Command, Credit, RedeemCoupon, ReverseCredit
from ledger.coupons import CreateCoupon, find_coupons_coded
from ledger.health import audit
from ledger.records import Coupon
from ledger.refusals import CouponRefused, from_json, to_json
from tests.harness.book import ANN, Book, open_book
from tests.harness.clock import VirtualClock
from tests.harness.tables import spoil
from tests.ledger.test_health import lay_open


def redemption(number: int, who: str, code: str = "SPRING") -> RedeemCoupon:
    return RedeemCoupon(code=code, identity=who, key=f"redeem-{number}")


async def offer(book: Book, code: str = "SPRING", **more: int) -> Coupon:
    asked = CreateCoupon(code=code, points=5_000, **more)  # pyright: ignore[reportArgumentType]
    coupon = await book.ledger.create_coupon(asked, SERVICE)
    assert isinstance(coupon, Coupon)
    return coupon


async def redeemed(book: Book, code: str = "SPRING") -> int:
    return (await book.database.read(find_coupons_coded, [code]))[code].redeemed


async def statements_of(book: Book, *commands: Command) -> int:
    book.statements.clear()
    await book.do(*commands)
    return len([one for one in book.statements if not one.startswith("BEGIN")])


async def test_a_thousand_redemptions_take_as_many_statements_as_ten(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await offer(book, member_limit=2)
        await book.do(Credit(wallet=ANN, points=1_000, key="ann"))
        few = await statements_of(book, *(redemption(n, f"few-{n}") for n in range(10)))
        many = await statements_of(book, *(redemption(n, f"many-{n}") for n in range(10, 1_010)))

    # Of a credit with its details: 6 or 11. Besides: the coupons, and the two tables that count.
    assert (few, many) == ((9, 9) if database_url.startswith("postgresql") else (14, 14))


async def test_a_batch_of_redemptions_stops_at_the_limit(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await offer(book, total_limit=2)

        answers = await book.submit(*(redemption(n, f"m-{n}") for n in range(5)))

        assert [type(answer.refusal) for answer in answers] == [
            type(None),
            type(None),
            *[CouponRefused] * 3,
        ]
        assert await redeemed(book) == 2
        assert await book.count("coupon_uses") == 2
        assert await book.count("members") == 2


async def test_a_new_member_meets_the_limit_within_one_batch(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await offer(book)

        answers = await book.submit(*(redemption(n, "ann") for n in range(3)))

        reasons = [getattr(answer.refusal, "reason", None) for answer in answers]
        assert reasons == [None, "MEMBER_LIMIT", "MEMBER_LIMIT"]
        assert await book.count("members") == 1


async def test_a_use_that_is_freed_is_there_for_the_rest_of_the_batch(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await offer(book, total_limit=1)
        [first] = await book.do(redemption(1, "ann"))
        reversal = ReverseCredit(transaction_id=str(first.transaction_id), key="back")

        answers = await book.submit(redemption(2, "ann"), reversal, redemption(3, "ann"))

        reasons = [getattr(answer.refusal, "reason", None) for answer in answers]
        assert reasons == ["TOTAL_LIMIT", None, None]
        assert await redeemed(book) == 1


async def test_a_refused_redemption_takes_nothing_of_its_batch_with_it(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await offer(book, total_limit=1)
        answers = await book.submit(
            Credit(wallet=ANN, points=1_000, key="before"),
            redemption(1, "ann", "NONE"),
            redemption(2, "ann"),
            redemption(3, "bob"),
            Credit(wallet=ANN, points=1_000, key="after"),
        )
        wallet = await book.wallet()

    assert [answer.refusal is None for answer in answers] == [True, False, True, False, True]
    assert (wallet.active, wallet.sequence) == (7_000, 3)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_writers_count_the_uses_of_one_coupon(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as here, open_book(database_url, clock) as there:
        for code in ("A", "B"):
            await offer(here, code, total_limit=10, member_limit=100)
        commands = [redemption(n, f"m-{n % 7}", "AB"[n % 2]) for n in range(200)]

        done = await asyncio.gather(
            *(
                (here if number % 3 else there).submit(command)
                for number, command in enumerate(commands)
            )
        )

        stood = [answer for [answer] in done if answer.refusal is None]
        assert len(stood) == 20
        assert [await redeemed(there, code) for code in ("A", "B")] == [10, 10]
        assert await here.count("coupon_uses") == 20


def test_a_refusal_is_kept_with_its_reason() -> None:
    refusal = CouponRefused("the coupon is not valid any more.", ("code",), reason="EXPIRED")

    assert from_json(to_json(refusal)) == refusal


# ── the audit ────────────────────────────────────────────────────────────────────────────────────

FREED = "(SELECT transaction_id FROM coupon_uses WHERE freed_by IS NOT NULL)"

FAULTS = {
    # What is spoiled, and words of the sentence that tells of it.
    "a use that is not counted": (
        "UPDATE coupons SET redeemed = redeemed - 1",
        "redeemed is 1 and should be 2",
    ),
    "a use that was lost": (
        "DELETE FROM coupon_uses WHERE freed_by IS NULL",
        "redeemed is 2 and should be 0",
    ),
    "more uses of a member than one may have": (
        "UPDATE coupons SET member_limit = 1",
        "2 uses of member mem_",
    ),
    "a use by another member": (
        "UPDATE coupon_uses SET member_id = 'mem_other' WHERE freed_by IS NULL",
        "is of no credit that it gave",
    ),
    "a use of a credit that no coupon gave": (
        "UPDATE transactions SET source = 'API' WHERE source = 'CASHBACK_COUPON'",
        "is of no credit that it gave",
    ),
    "a use of a credit that is not there": (
        "UPDATE coupon_uses SET transaction_id = 'txn_none' WHERE freed_by IS NOT NULL",
        "its use by transaction txn_none is of no credit",
    ),
    "a use of another program's coupon": (
        "UPDATE coupons SET program_id = 'prg_other'",
        "is of no credit that it gave",
    ),
    "a use that was freed by nothing": (
        "UPDATE coupon_uses SET freed_by = 'txn_none' WHERE freed_by IS NOT NULL",
        "its use of a coupon can't be freed by txn_none",
    ),
    "a use that stands for a credit that was reversed": (
        "UPDATE coupon_uses SET freed_by = NULL",
        "its use of a coupon can't be freed by nothing",
    ),
    "a use that was freed too early": (
        f"UPDATE lots SET reversed = reversed - 1 WHERE transaction_id = {FREED}",
        "its use of a coupon can't be freed by txn_",
    ),
}


async def tell(book: Book) -> None:
    """Ann redeemed a coupon three times, and one of the credits was reversed."""
    await offer(book, total_limit=9, member_limit=2)
    [first, *_] = await book.do(redemption(1, "ann"), redemption(2, "ann"))
    await book.do(ReverseCredit(transaction_id=str(first.transaction_id), key="back"))
    await book.do(redemption(3, "ann"))


async def test_sound_uses_are_no_violation(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await tell(book)

        assert (await book.database.survey(audit, clock())).violations == []


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_audit_tells_of(tmp_sqlite: str, clock: VirtualClock, fault: str) -> None:
    spoiling, words = FAULTS[fault]
    async with open_book(tmp_sqlite, clock) as book:
        await tell(book)
        await book.database.write(lay_open)
        await spoil(tmp_sqlite, "PRAGMA ignore_check_constraints = ON", spoiling)

        violations = (await book.database.survey(audit, clock())).violations

    assert any(words in violation for violation in violations), violations


@pytest.mark.parametrize(
    "change",
    [
        "redeemed = 10",
        "redeemed = -1",
        "points = NULL",
        "points = 0",
        "percent_of_sale = 5",
        "member_limit = 0",
        "total_limit = 0",
        "minimum_sale = -1",
        "starts_at = 5, ends_at = 5",
    ],
)
async def test_the_database_itself_refuses_what_no_coupon_can_be(
    database_url: str, clock: VirtualClock, change: str
) -> None:
    async with open_book(database_url, clock) as book:
        await tell(book)

        with pytest.raises(DBAPIError, match="coupon_"):
            await book.database.write(
                lambda connection: connection.execute(text(f"UPDATE coupons SET {change}"))
            )
