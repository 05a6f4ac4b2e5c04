"""A book that a good deal has happened in: seeded chance, through the ledger's own door."""

import random
from dataclasses import replace

from events.audit import SERVICE
from ledger import Outcome
from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    Owner,
    PlaceHold,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Shortfall,
    Transfer,
)
from ledger.records import Program
from ledger.registry import CreateProgram
from tests.harness.book import Book

DAY_US = 86_400_000_000
MEMBERS = ("ann", "bob", "cyd", "dee", "eve")
PROGRAMS = ("Points", "Fades", "Lasts", "Waits")
SOURCES = ("API", "CAMPAIGN", "MANUAL", "CASHBACK_COUPON")


def program(name: str, rule: str, days: int) -> CreateProgram:
    return CreateProgram(
        name=name, points_name="points", expiry_rule=rule, expiry_count=days, expiry_unit="DAY"
    )


class Story:
    """What happens in a book, a batch at a time."""

    def __init__(self, book: Book, seed: int) -> None:
        self.book = book
        self.chance = random.Random(seed)
        self.number = 0
        self.credits: list[str] = []
        self.debits: list[str] = []
        self.holds: list[str] = []

    async def begin(self) -> None:
        """Open programs whose points fade by inactivity, last three days, or are promised."""
        programs = (
            program("Fades", "INACTIVITY", 5),
            replace(program("Lasts", "AFTER", 3), consumption="EARLIEST_ISSUANCE"),
            replace(program("Waits", "AFTER", 4), activation_delay=2 * DAY_US),
        )
        for asked in programs:
            assert isinstance(await self.book.ledger.create_program(asked, SERVICE), Program)

    async def go_on(self, batches: int, days: float = 1) -> None:
        """Let some batches of commands happen, with up to so many days between two."""
        for _ in range(batches):
            commands = [self.command() for _ in range(self.chance.randint(1, 6))]
            for outcome in await self.book.submit(*commands):
                self.note(outcome)
            self.book.clock.advance(seconds=self.chance.choice((0, 1, 3_600, 86_400 * days)))

    def command(self) -> Command:
        chance, now = self.chance, self.book.clock()
        self.number += 1
        key, points = f"k{self.number}", chance.randint(1, 40) * 1_000
        program = chance.choice(PROGRAMS)
        wallet = Owner(chance.choice(MEMBERS), program)
        match chance.randint(0, 11):
            case 0 | 1 | 2 | 3:
                return self.credit(wallet, points, key)
            case 4 | 5:
                return Debit(wallet=wallet, points=points, key=key, manual=chance.random() < 0.3)
            case 6:
                until = now + chance.randint(1, 6) * DAY_US // 2
                return PlaceHold(wallet=wallet, points=points, key=key, expires_at=until)
            case 7 if self.holds:
                hold = chance.choice(self.holds)
                if chance.random() < 0.5:
                    return ReleaseHold(hold_id=hold, key=key)
                return CaptureHold(hold_id=hold, key=key, points=chance.choice((None, 1_000)))
            case 8 if self.credits:
                return ReverseCredit(
                    transaction_id=chance.choice(self.credits),
                    key=key,
                    points=chance.choice((None, 1_000)),
                    shortfall=chance.choice(tuple(Shortfall)),
                    from_other_lots=chance.random() < 0.5,
                )
            case 9 if self.debits:
                return RefundDebit(
                    transaction_id=chance.choice(self.debits),
                    key=key,
                    points=chance.choice((None, 1_000)),
                    grace=chance.choice((None, DAY_US)),
                )
            case 10:
                receiver = Owner(chance.choice(MEMBERS), program)
                return Transfer(sender=wallet, receiver=receiver, points=points, key=key)
            case _:
                return self.credit(wallet, points, key)

    def credit(self, wallet: Owner, points: int, key: str) -> Credit:
        chance, now = self.chance, self.book.clock()
        return Credit(
            wallet=wallet,
            points=points,
            key=key,
            source=chance.choice(SOURCES),
            campaign_id=chance.choice((None, "cmp_1")),
            description=chance.choice((None, "thanks")),
            active_at=chance.choice((None, None, now + DAY_US)),
            expires_at=chance.choice((None, None, now + 2 * DAY_US, now + 3 * DAY_US)),
        )

    def note(self, outcome: Outcome) -> None:
        row = outcome.transaction
        if row is None:
            return
        if row.kind == "CREDIT":
            self.credits.append(row.id)
        if row.kind == "DEBIT":
            self.debits.append(row.id)
        if row.kind == "HOLD" and row.hold_id:
            self.holds.append(row.hold_id)
