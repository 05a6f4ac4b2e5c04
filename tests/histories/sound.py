"""A sound history: many callers of a small ledger that does what it should, by chance and a seed.

Between a question and its answer lies the moment at which it takes effect; the questions of many
callers overlap. Answers get lost and are asked for again, with the same key.
"""

import random
from dataclasses import dataclass, field

from tests.histories.history import (
    CAPTURE,
    CREDIT,
    DEBIT,
    HOLD,
    READ,
    RELEASE,
    TRANSFER,
    Answered,
    Balance,
    Deed,
    Done,
    Follower,
    Heard,
    History,
    Invoked,
    Key,
    LogEvent,
    Nothing,
    Outcome,
    Posting,
    Refused,
    Seen,
    Subscription,
    Unknown,
)

PEOPLE = ("ann", "bob", "cyd", "dan")
CALLERS = 6
OPENING = 20
KINDS = (CREDIT, CREDIT, CREDIT, DEBIT, DEBIT, TRANSFER, HOLD, HOLD, CAPTURE, RELEASE, READ)
EVENTS = {
    "CREDIT": "POINTS_CREDITED",
    "DEBIT": "POINTS_DEBITED",
    "HOLD": "POINTS_HELD",
    "RELEASE": "POINTS_RELEASED",
    "TRANSFER_OUT": "POINTS_TRANSFERRED",
    "TRANSFER_IN": "POINTS_TRANSFERRED",
}


def sound_history(deeds: int, seed: int = 1) -> History:
    """A history of so many deeds, and three followers."""
    return _Telling(seed).tell(deeds)


@dataclass
class _Telling:
    seed: int
    history: History = field(default_factory=History)
    balances: dict[str, Balance] = field(default_factory=dict[str, Balance])
    sequences: dict[str, int] = field(default_factory=dict[str, int])
    effects: dict[str, tuple[Posting, ...] | Refused] = field(default_factory=dict)
    holds: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    attempts: int = 0

    def tell(self, deeds: int) -> History:
        self.chance = random.Random(self.seed)
        self.history.owners = {f"wal_{who}": who for who in PEOPLE}
        asked: list[Invoked] = []
        for number in range(deeds):
            asked.append(self.ask(self.new_deed(number)))
            while len(asked) >= CALLERS:
                self.answer(asked.pop(self.chance.randrange(CALLERS)), asked)
        while asked:
            self.answer(asked.pop(), asked)
        self.history.postings.sort(key=lambda row: (row.wallet, row.sequence))
        for who in (None, "ann", "bob"):
            self.follow(who)
        return self.history

    def new_deed(self, number: int) -> Deed:
        key, who = f"deed-{number}", self.chance.choice(PEOPLE)
        if number < len(PEOPLE):
            return Deed(key, CREDIT, PEOPLE[number], OPENING)
        kind, points = self.chance.choice(KINDS), self.chance.randint(1, 9)
        if kind in {CAPTURE, RELEASE}:
            if not self.holds:
                return Deed(key, CREDIT, who, points)
            hold = self.chance.choice(list(self.holds)[-3:])
            return Deed(key, kind, self.holds[hold][0], hold=hold)
        if kind == READ:
            return Deed(key, READ, who)
        to = self.chance.choice([each for each in PEOPLE if each != who])
        return Deed(key, kind, who, points, to=to if kind == TRANSFER else None)

    def ask(self, deed: Deed) -> Invoked:
        self.attempts += 1
        self.history.steps.append(asked := Invoked(self.attempts, deed))
        return asked

    def answer(self, asked: Invoked, others: list[Invoked]) -> None:
        """It takes effect, and is answered: after others have been, or not at all at first."""
        fate = self.chance.random()
        if fate < 0.05:
            self.say(asked, Nothing("UNAVAILABLE"))
            others.append(self.ask(asked.deed))
            return
        outcome = self.take_effect(asked.deed)
        if asked.deed.kind == READ or fate < 0.8:
            self.say(asked, outcome)
            return
        if fate < 0.9:
            self.say(asked, Unknown("OUTCOME_UNKNOWN"))
        if fate < 0.98:
            others.append(self.ask(asked.deed))

    def say(self, asked: Invoked, outcome: Outcome) -> None:
        self.history.steps.append(Answered(asked.attempt, asked.deed, outcome))

    # ── the small ledger ─────────────────────────────────────────────────────────────────────────

    def take_effect(self, deed: Deed) -> Outcome:
        if deed.kind == READ:
            return Seen(self.balances.get(deed.who, Balance()))
        known = self.effects.get(deed.key)
        if known is None:
            effect = self.effects[deed.key] = self.effect(deed)
            done = None if isinstance(effect, Refused) else effect[0].id
            refused = effect if isinstance(effect, Refused) else None
            self.history.keys.append(Key(deed.key, done, refused))
        else:
            effect = known
        return effect if isinstance(effect, Refused) else Done(effect, replayed=known is not None)

    def effect(self, deed: Deed) -> tuple[Posting, ...] | Refused:
        points, active = deed.points or 0, self.balances.get(deed.who, Balance()).active
        if deed.kind in {CAPTURE, RELEASE}:
            assert deed.hold
            points = self.holds[deed.hold][1]
            if not points:
                return Refused("HoldClosed")
            self.holds[deed.hold] = deed.who, 0
        elif deed.kind != CREDIT and points > active:
            return Refused("InsufficientPoints", active)
        match deed.kind:
            case "CREDIT":
                return (self.post(deed.who, "CREDIT", points, Balance(points)),)
            case "DEBIT":
                return (self.post(deed.who, "DEBIT", points, Balance(-points)),)
            case "HOLD":
                hold = f"hold-{deed.key}"
                self.holds[hold] = deed.who, points
                change = Balance(-points, held=points)
                return (self.post(deed.who, "HOLD", points, change, hold=hold),)
            case "CAPTURE":
                change = Balance(held=-points)
                return (self.post(deed.who, "DEBIT", points, change, hold=deed.hold),)
            case "RELEASE":
                change = Balance(points, held=-points)
                return (self.post(deed.who, "RELEASE", points, change, hold=deed.hold),)
            case _:
                assert deed.to
                other = f"txn_{len(self.history.events) + 2}"
                sent = self.post(deed.who, "TRANSFER_OUT", points, Balance(-points), related=other)
                return sent, self.post(deed.to, "TRANSFER_IN", points, Balance(points))

    def post(
        self,
        who: str,
        kind: str,
        points: int,
        change: Balance,
        related: str | None = None,
        hold: str | None = None,
    ) -> Posting:
        position = len(self.history.events) + 1
        name, wallet = f"txn_{position}", f"wal_{who}"
        sequence = self.sequences[who] = self.sequences.get(who, 0) + 1
        after = self.balances[who] = self.balances.get(who, Balance()).plus(change)
        posting = Posting(name, wallet, sequence, kind, points, change, after, related, hold)
        self.history.postings.append(posting)
        self.history.events.append(LogEvent(position, EVENTS[kind], wallet, name, points))
        return posting

    # ── followers ────────────────────────────────────────────────────────────────────────────────

    def follow(self, who: str | None) -> None:
        """Hear everything from the start, a few at a time, sometimes from an older cursor."""
        wanted = [
            Heard(event.position, str(event.transaction), event.wallet, event.points)
            for event in self.history.events
            if event.name == "POINTS_CREDITED" and who in {None, event.wallet.removeprefix("wal_")}
        ]
        follower = Follower(who or "everybody", who, drained=True)
        start = 0
        while start < len(wanted):
            end = start + self.chance.randint(3, 12)
            after = wanted[start - 1].position if start else 0
            follower.subscriptions.append(Subscription(after, wanted[start:end]))
            start = end if self.chance.random() < 0.7 else end - 2
        self.history.followers.append(follower)
