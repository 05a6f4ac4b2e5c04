"""The sweep: writes down what the clock has done, and tells once what expires soon."""

from events.audit import SERVICE
from ledger.commands import Credit, Debit, Owner, PlaceHold
from ledger.registry import CreateProgram
from tests.harness.book import ANN, BOB, Book, open_book
from tests.harness.clock import VirtualClock

DAY_US = 86_400_000_000


async def warnings(book: Book) -> list[tuple[int, int, int]]:
    """Points, expiry and instant of each warning, in the order of the log."""
    found = await book.ask(
        "SELECT points, expires_at, at FROM events"
        " WHERE name = 'POINTS_EXPIRING_SOON' ORDER BY position"
    )
    return [(int(row[0]), int(row[1]), int(row[2])) for row in found]


async def test_writes_nothing_while_nothing_is_due(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(Credit(wallet=ANN, points=1_000, key="k", expires_at=clock() + 30 * DAY_US))
        clock.set(clock.after(days=23, microseconds=-1))

        assert await book.ledger.sweep() == 0


async def test_writes_rows_at_their_due_instants_in_their_order(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        await book.do(
            Credit(wallet=ANN, points=1_000, key="short", expires_at=start + 2 * DAY_US),
            PlaceHold(wallet=ANN, points=1_000, key="hold", expires_at=start + 3 * DAY_US),
            Credit(wallet=ANN, points=2_000, key="promised", active_at=start + 3 * DAY_US),
        )
        clock.advance(days=10)
        written = await book.ledger.sweep()
        due = [row for row in await book.rows() if row.sequence > 3]

        assert written == 3
        assert await book.ledger.sweep() == 0
    # At a tie: activation, release, expiry; what is released past its expiry expires at once.
    assert [(row.kind, row.points, row.effective_at) for row in due] == [
        ("ACTIVATION", 2_000, start + 3 * DAY_US),
        ("RELEASE", 1_000, start + 3 * DAY_US),
        ("EXPIRY", 1_000, start + 3 * DAY_US),
    ]
    assert {row.created_at for row in due} == {clock()}
    assert (due[-1].active_after, due[-1].promised_after, due[-1].held_after) == (2_000, 0, 0)


async def test_takes_the_oldest_first_and_no_more_than_a_thousand_rows(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        soon = clock() + DAY_US
        await book.do(
            *(
                Credit(wallet=BOB, points=1_000, key=f"b{n}", expires_at=soon + 5)
                for n in range(700)
            ),
        )
        await book.do(
            *(
                Credit(wallet=ANN, points=1_000, key=f"a{n}", expires_at=soon + n)
                for n in range(700)
            ),
        )
        clock.advance(days=2)

        assert await book.ledger.sweep() == 1_000
        after_one = await book.ask("SELECT member_id, expired FROM wallets ORDER BY expired DESC")
        assert [row[1] for row in after_one] == [700_000, 300_000]
        assert await book.ledger.sweep() == 400
        assert await book.ledger.sweep() == 0


async def test_tells_once_what_expires_soon_at_its_very_instant(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        expiry = clock() + 30 * DAY_US
        await book.do(
            Credit(wallet=ANN, points=5_000, key="k", expires_at=expiry),
            Credit(wallet=ANN, points=1_000, key="forever"),
            Debit(wallet=ANN, points=2_000, key="d"),
        )
        clock.set(clock.after(days=23, microseconds=-1))
        assert await book.ledger.sweep() == 0
        clock.advance(microseconds=1)
        assert await book.ledger.sweep() == 1
        assert await book.ledger.sweep() == 0

        assert await warnings(book) == [(3_000, expiry, clock())]


async def test_warns_anew_when_activity_has_moved_the_expiry(
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
        await book.do(Credit(wallet=ann, points=5_000, key="k"))
        clock.advance(days=23)
        assert await book.ledger.sweep() == 1
        await book.do(Debit(wallet=ann, points=1_000, key="d"))
        assert await book.ledger.sweep() == 0
        clock.advance(days=23)
        assert await book.ledger.sweep() == 1

        assert await warnings(book) == [
            (5_000, start + 30 * DAY_US, start + 23 * DAY_US),
            (4_000, start + 53 * DAY_US, start + 46 * DAY_US),
        ]


async def test_a_lot_that_lives_shorter_than_the_warning_is_warned_of_at_once(
    database_url: str, clock: VirtualClock
) -> None:
    async with open_book(database_url, clock) as book:
        start = clock()
        await book.do(
            Credit(
                wallet=ANN,
                points=1_000,
                key="k",
                active_at=start + DAY_US,
                expires_at=start + 3 * DAY_US,
            )
        )
        assert await book.ledger.sweep() == 0
        clock.advance(days=1)

        assert await book.ledger.sweep() == 1  # the activation
        assert await book.ledger.sweep() == 1  # and, of the now active lot, the warning
        assert await book.ledger.sweep() == 0
        assert await warnings(book) == [(1_000, start + 3 * DAY_US, clock())]


async def test_what_expired_unseen_is_not_warned_of(database_url: str, clock: VirtualClock) -> None:
    async with open_book(database_url, clock) as book:
        await book.do(Credit(wallet=ANN, points=1_000, key="k", expires_at=clock() + DAY_US))
        clock.advance(days=2)

        assert await book.ledger.sweep() == 1
        assert await warnings(book) == []
