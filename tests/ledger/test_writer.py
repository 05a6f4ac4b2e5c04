"""The writer: commits in groups; each command stands or falls alone."""

import asyncio

import pytest

from events.audit import SERVICE
from ledger import Overloaded
from ledger import writer as writing
from ledger.commands import CaptureHold, Credit, Debit, Owner, PlaceHold, RefundDebit
from ledger.refusals import InsufficientPoints, InvalidInput
from tests.harness.book import ANN, Book, open_book
from tests.harness.clock import VirtualClock


def credit(number: int, wallet: Owner = ANN) -> Credit:
    return Credit(wallet=wallet, points=1_000, key=f"credit-{number}")


def is_postgres(database_url: str) -> bool:
    """Whether one statement may write the rows of several tables."""
    return database_url.startswith("postgresql")


async def statements_of(book: Book, *commands: Credit | Debit) -> int:
    book.statements.clear()
    await book.do(*commands)
    return len([one for one in book.statements if not one.startswith("BEGIN")])


async def test_a_thousand_credits_take_as_many_statements_as_ten(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        few = await statements_of(book, *(credit(n, Owner(f"few-{n}")) for n in range(10)))
        many = await statements_of(book, *(credit(n, Owner(f"many-{n}")) for n in range(10, 1_010)))

    assert (few, many) == ((6, 6) if is_postgres(database_url) else (10, 10))


async def test_a_thousand_debits_take_as_many_statements_as_ten(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(*(credit(n, Owner(f"m-{n}")) for n in range(1_000)))
        debits = [Debit(wallet=Owner(f"m-{n}"), points=1_000, key=f"d-{n}") for n in range(1_000)]
        few = await statements_of(book, *debits[:10])
        many = await statements_of(book, *debits[10:])

    assert (few, many) == ((7, 7) if is_postgres(database_url) else (12, 12))


async def test_a_refused_command_takes_nothing_of_its_batch_with_it(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        answers = await book.submit(
            credit(1),
            Debit(wallet=ANN, points=2_000, key="too-much"),
            Debit(wallet=ANN, points=400, key="half-a-point"),
            Debit(wallet=ANN, points=1_000, key="all"),
        )
        wallet = await book.wallet()

    assert [type(answer.refusal) for answer in answers] == [
        type(None),
        InsufficientPoints,
        InvalidInput,
        type(None),
    ]
    assert (wallet.active, wallet.sequence) == (0, 2)


async def test_a_command_that_breaks_its_statement_fails_alone(
    database_url: str, clock: VirtualClock
) -> None:
    # No caller gets so far: an instant past 64 bits, which rules take and no column holds.
    broken = Credit(wallet=Owner("eve"), points=1_000, key="broken", expires_at=2**63 + 1)
    async with open_book(database_url, clock) as book:
        asked = [(command, SERVICE) for command in (credit(1), broken, credit(2))]
        futures = book.ledger._writer.submit(asked)  # noqa: SLF001
        answers = await asyncio.gather(*futures, return_exceptions=True)
        wallet = await book.wallet()

    assert [isinstance(answer, Exception) for answer in answers] == [False, True, False]
    assert (wallet.active, wallet.sequence) == (2_000, 2)


async def test_a_caller_who_goes_away_leaves_a_whole_effect(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        gone = asyncio.ensure_future(book.submit(credit(1)))
        await asyncio.sleep(0)
        gone.cancel()
        (again,) = await book.submit(credit(1))

        assert again.replayed
        assert [row.id for row in await book.rows()] == [again.transaction_id]
        assert await book.count("events") == 1


async def test_a_full_queue_refuses_all_of_what_comes_and_loses_none_of_what_waits(
    database_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BACKLOG_MAX", 3)
    async with open_book(database_url, clock) as book:
        waiting = asyncio.ensure_future(book.submit(*(credit(n) for n in range(3))))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="same key"):
            await book.submit(credit(3), credit(4))
        await waiting

        assert (await book.wallet()).active == 3_000
        assert await book.count("idempotency_keys") == 3


async def test_commands_of_one_batch_see_each_other(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        answers = await book.do(
            credit(1),
            Credit(wallet=ANN, points=2_000, key="second"),
            Debit(wallet=ANN, points=3_000, key="all"),
        )
        held = await book.do(
            Credit(wallet=ANN, points=5_000, key="more"),
            PlaceHold(wallet=ANN, points=4_000, key="hold"),
            RefundDebit(transaction_id=str(answers[2].transaction_id), points=1_000, key="refund"),
            RefundDebit(transaction_id=str(answers[2].transaction_id), points=2_000, key="rest"),
        )
        hold_id = held[1].transaction.hold_id if held[1].transaction else None
        await book.do(
            CaptureHold(hold_id=str(hold_id), points=1_000, key="part"),
            CaptureHold(hold_id=str(hold_id), key="rest-of-it"),
        )
        wallet = await book.wallet()

    assert (wallet.active, wallet.held, wallet.redeemed) == (4_000, 0, 4_000)


async def test_a_key_used_twice_in_one_batch_has_one_effect(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        first, second = await book.do(credit(1), credit(1))

        assert (first.replayed, second.replayed) == (False, True)
        assert first.transaction_id == second.transaction_id
        assert (await book.wallet()).active == 1_000


async def test_a_key_whose_first_use_does_not_stick_is_free_for_the_next_in_its_batch(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        answers = await book.submit(
            Debit(wallet=ANN, points=1_000, key="key"),
            Credit(wallet=ANN, points=1_000, key="key"),
        )
        (replay,) = await book.submit(Credit(wallet=ANN, points=1_000, key="key"))

        assert type(answers[0].refusal).__name__ == "WalletNotFound"
        assert answers[1].refusal is None
        assert (replay.replayed, replay.transaction_id) == (True, answers[1].transaction_id)


async def test_time_never_runs_backwards_within_a_wallet(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        clock.advance(hours=1)
        await book.do(credit(1))
        clock.now = clock.after(hours=-1)
        await book.do(credit(2))
        first, second = await book.rows()

    assert second.created_at == first.created_at
    assert second.effective_at == first.effective_at
