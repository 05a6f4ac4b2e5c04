"""The sweep sets anew when each wallet is next due: the others don't matter to it."""

from events.audit import SERVICE
from ledger.commands import Credit, Owner
from ledger.registry import CreateProgram
from tests.harness.book import ANN, open_book
from tests.harness.clock import VirtualClock
from tests.ledger.test_sweep import DAY_US, warnings


async def test_a_swept_wallet_is_due_when_its_next_lot_is(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        for days in (1, 5):
            await book.do(
                Credit(wallet=ANN, points=1_000, key=f"{days}", expires_at=start + days * DAY_US)
            )
        clock.advance(days=2)
        await book.ledger.sweep()
        await book.ledger.sweep()

        assert await book.ask("SELECT due_at, warning_at > due_at FROM wallets") == [
            (start + 5 * DAY_US, True)
        ]


async def test_warns_of_every_lot_that_follows_activity(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        await book.ledger.create_program(
            CreateProgram(
                name="Act",
                points_name="p",
                expiry_rule="INACTIVITY",
                expiry_count=30,
                expiry_unit="DAY",
            ),
            SERVICE,
        )
        ann, start = Owner("ann", "Act"), clock()
        await book.do(
            Credit(wallet=ann, points=1_000, key="now"),
            Credit(wallet=ann, points=2_000, key="later", active_at=start + 5 * DAY_US),
        )
        for days in (5, 18, 5):
            clock.advance(days=days)
            await book.ledger.sweep()

        assert await warnings(book) == [
            (1_000, start + 30 * DAY_US, start + 23 * DAY_US),
            (2_000, start + 35 * DAY_US, start + 28 * DAY_US),
        ]


async def test_wallets_that_follow_activity_are_swept_each_at_its_own_time(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        program = CreateProgram(
            name="Idle",
            points_name="p",
            expiry_rule="INACTIVITY",
            expiry_count=1,
            expiry_unit="DAY",
        )
        await book.ledger.create_program(program, SERVICE)
        for number in range(600):
            clock.advance(seconds=1)
            owner = Owner(f"member-{number}", "Idle")
            await book.do(Credit(wallet=owner, points=1_000, key=f"k{number}"))
        clock.advance(days=1, seconds=-300)

        # The first 300 have lapsed; those whose warning is due have had it long ago.
        while await book.ledger.sweep():
            pass
        expired = await book.ask("SELECT count(*) FROM wallets WHERE expired = 1000")
        due = await book.ask(f"SELECT count(*) FROM wallets WHERE due_at <= {clock()}")
        alone = await book.ask("SELECT count(DISTINCT due_at) FROM wallets WHERE expired = 0")

    assert (expired, due, alone) == ([(300,)], [(0,)], [(300,)])
