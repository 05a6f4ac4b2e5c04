"""The demo's story: what the guests of a coffee bar do, instant by instant, as commands.

Nothing here looks at a clock or a database: chance and instants are handed in, and what the ledger
answered is handed back to `learn`.
"""

import math
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ledger.batch import Outcome
from ledger.commands import (
    CaptureHold,
    Command,
    Credit,
    Debit,
    Order,
    Owner,
    PlaceHold,
    RefundDebit,
    ReleaseHold,
    ReverseCredit,
    Shortfall,
    Transfer,
)
from models.ids import new_id
from server.guests import Person, people

POINT: Final = 1_000
HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR

BEANS_A_POUND: Final = 10
RETURN_PERIOD: Final = 14 * DAY
"""Points of a web order are promised for so long: until then it may be sent back."""

CAMPAIGN_EVERY: Final = 45
CAMPAIGN_LASTS: Final = 30 * DAY
CAMPAIGNS: Final = ("Double-bean weekend", "We missed you", "Try the new roast", "Rainy-day treat")
REWARDS: Final = (
    (40, "Free espresso"),
    (65, "Free flat white"),
    (90, "Cake of the day"),
    (220, "Bag of beans, 250 g"),
    (400, "Keep cup"),
)
SHOPS: Final = ("Harbour Street", "Old Station", "Market Square", "Riverside")

# How often, of a hundred times.
CHANNELS: Final = {"store": 60, "app": 25, "web": 15}
VISITS: Final = {"buy": 68, "spend": 24, "correct": 8}
SPENDING: Final = {"redeem": 62, "hold": 30, "give": 8}
CORRECTING: Final = {"take back": 40, "give back": 25, "remove": 5, "make up": 30}
HELD: Final = {"capture": 60, "capture a part": 18, "release": 12, "forget": 10}
GIFTS: Final = {"coupon": 50, "goodwill": 50}

CURIOUS: Final = 3
"""So many guests have a hold open at the end, for whoever looks."""


@dataclass(frozen=True, slots=True)
class Plot:
    """What the story is about. The same plot is told the same way."""

    program: str
    members: int
    seed: int
    days: int = 365
    expiry_months: int = 6


@dataclass(slots=True)
class Guest:
    """One guest, and what the ledger has said of their wallet so far."""

    person: Person
    wallet: Owner
    joins_on: int
    appetite: float
    spend: float
    active: int = 0
    credits: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=4))
    debits: deque[str] = field(default_factory=lambda: deque(maxlen=2))


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a guest does."""

    guest: Guest
    command: Command


class Story:
    """A year of a coffee bar."""

    def __init__(self, plot: Plot, days: int) -> None:
        """Invite the guests: most early in the year, some late."""
        self.plot = plot
        self.chance = random.Random(plot.seed)  # noqa: S311 - a story, no secret
        self.guests = [
            Guest(
                person=person,
                wallet=Owner(person.identity, plot.program),
                joins_on=int(days * 0.8 * self.chance.random() ** 2),
                appetite=self.chance.lognormvariate(math.log(0.036), 0.6),
                spend=self.chance.uniform(3.2, 11.0),
            )
            for person in people(self.chance, plot.members)
        ]
        self._held: list[tuple[Guest, str, int]] = []
        self._told = 0

    def joining(self, day: int) -> list[Guest]:
        """Who becomes a member on this day."""
        return [guest for guest in self.guests if guest.joins_on == day]

    def scene(self, day: int, at: int) -> list[Act]:
        """What happens at one instant."""
        visitors = [
            guest
            for guest in self.guests
            if guest.joins_on <= day and self.chance.random() < guest.appetite
        ]
        return [self._visit(guest, at) for guest in visitors]

    def campaign(self, day: int, at: int) -> list[Act]:
        """What a campaign gives on this day, if there is one."""
        number, on = divmod(day, CAMPAIGN_EVERY)
        if on != CAMPAIGN_EVERY // 2:
            return []
        campaign_id = new_id("cmp")
        reached = [g for g in self.guests if g.joins_on <= day and self.chance.random() < 1 / 3]
        return [
            Act(guest, self._reward(guest, at, campaign_id, CAMPAIGNS[number % len(CAMPAIGNS)]))
            for guest in reached
        ]

    def sequel(self) -> list[Act]:
        """What becomes of the holds, some minutes later. One in ten is forgotten, and times out."""
        held, self._held = self._held, []
        acts = [(guest, self._settle(hold_id, points)) for guest, hold_id, points in held]
        return [Act(guest, command) for guest, command in acts if command is not None]

    def ending(self, at: int) -> list[Act]:
        """What is still open at the end: a few holds, placed by who has most."""
        rich = sorted(self.guests, key=lambda guest: -guest.active)[:CURIOUS]
        return [Act(guest, self._hold(guest, expires_at=at + 2 * HOUR)) for guest in rich]

    def learn(self, act: Act, outcome: Outcome) -> None:
        """Hear what the ledger answered."""
        guest, made = act.guest, outcome.transaction
        if made is None or outcome.wallet is None:
            return
        guest.active = outcome.wallet.active
        match act.command:
            case Credit():
                guest.credits.append((made.id, made.effective_at))
            case Debit(manual=False) | CaptureHold():
                guest.debits.append(made.id)
            case PlaceHold(points=points) if made.hold_id is not None:
                self._held.append((guest, made.hold_id, points))
            case _:
                pass

    def _visit(self, guest: Guest, at: int) -> Act:
        match self._draw(VISITS):
            case "spend" if guest.active >= REWARDS[0][0] * POINT:
                return Act(guest, self._spend(guest))
            case "correct":
                return Act(guest, self._correct(guest, at))
            case _:
                return Act(guest, self._buy(guest, at))

    def _spend(self, guest: Guest) -> Command:
        match self._draw(SPENDING):
            case "hold":
                return self._hold(guest)
            case "give" if (friend := self.chance.choice(self.guests)) is not guest:
                return self._give(guest, friend)
            case _:
                return self._redeem(guest)

    def _correct(self, guest: Guest, at: int) -> Command:
        match self._draw(CORRECTING):
            case "take back" if guest.credits and at - guest.credits[-1][1] < RETURN_PERIOD:
                return self._take_back(guest.credits.pop()[0])
            case "give back" if guest.debits:
                return self._give_back(guest.debits.pop())
            case "remove" if guest.active >= 10 * POINT:
                return self._remove(guest)
            case _:
                return self._gift(guest)

    def _buy(self, guest: Guest, at: int) -> Credit:
        amount = round(max(2.2, self.chance.lognormvariate(math.log(guest.spend), 0.4)), 2)
        channel, shop = self._draw(CHANNELS), self.chance.choice(SHOPS)
        shipped = channel == "web"
        return Credit(
            wallet=guest.wallet,
            points=int(amount * BEANS_A_POUND) * POINT,
            key=self._key(),
            active_at=at + RETURN_PERIOD if shipped else None,
            description="Web order" if shipped else f"Purchase at {shop}",
            order=Order(
                id=f"R-{self._told:06}",
                sale_amount=amount,
                sale_channel=channel,
                location_id=None if shipped else shop,
            ),
            metadata={"items": self.chance.randint(1, 4)},
        )

    def _gift(self, guest: Guest) -> Credit:
        if self._draw(GIFTS) == "coupon":
            return Credit(
                wallet=guest.wallet,
                points=15 * POINT,
                key=self._key(),
                source="CASHBACK_COUPON",
                coupon_code="SECONDCUP",
                description="Coupon from the paper",
            )
        return Credit(
            wallet=guest.wallet,
            points=25 * POINT,
            key=self._key(),
            source="MANUAL",
            description="Sorry for the wait",
        )

    def _reward(self, guest: Guest, at: int, campaign_id: str, name: str) -> Credit:
        return Credit(
            wallet=guest.wallet,
            points=20 * POINT,
            key=self._key(),
            source="CAMPAIGN",
            campaign_id=campaign_id,
            expires_at=at + CAMPAIGN_LASTS,
            description=name,
        )

    def _redeem(self, guest: Guest) -> Debit:
        within_reach = [reward for reward in REWARDS if reward[0] * POINT <= guest.active]
        beans, name = self.chance.choice(within_reach)
        return Debit(wallet=guest.wallet, points=beans * POINT, key=self._key(), description=name)

    def _hold(self, guest: Guest, expires_at: int | None = None) -> PlaceHold:
        beans = min(guest.active // POINT, 10 * self.chance.randint(2, 12))
        return PlaceHold(
            wallet=guest.wallet,
            points=max(beans, 1) * POINT,
            key=self._key(),
            expires_at=expires_at,
            description="Paying with beans",
            order=Order(id=f"R-{self._told:06}", sale_channel="app"),
        )

    def _settle(self, hold_id: str, points: int) -> Command | None:
        match self._draw(HELD):
            case "capture":
                return CaptureHold(hold_id=hold_id, key=self._key())
            case "capture a part" if part := points // POINT // 2 * POINT:
                return CaptureHold(hold_id=hold_id, key=self._key(), points=part)
            case "forget":
                return None
            case _:
                return ReleaseHold(hold_id=hold_id, key=self._key())

    def _give(self, guest: Guest, friend: Guest) -> Transfer:
        return Transfer(
            sender=guest.wallet,
            receiver=friend.wallet,
            points=min(guest.active, 50 * POINT),
            key=self._key(),
            description=f"A coffee on {guest.person.name.split()[0]}",
        )

    def _take_back(self, transaction_id: str) -> ReverseCredit:
        return ReverseCredit(
            transaction_id=transaction_id,
            key=self._key(),
            shortfall=self.chance.choice(list(Shortfall)),
            from_other_lots=self.chance.choice((True, False)),
            description="Order sent back",
        )

    def _give_back(self, transaction_id: str) -> RefundDebit:
        return RefundDebit(
            transaction_id=transaction_id,
            key=self._key(),
            description="The machine was out of order",
        )

    def _remove(self, guest: Guest) -> Debit:
        return Debit(
            wallet=guest.wallet,
            points=10 * POINT,
            key=self._key(),
            manual=True,
            description="Counted twice by mistake",
        )

    def _draw(self, weights: Mapping[str, int]) -> str:
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def _key(self) -> str:
        self._told += 1
        return f"demo/{self.plot.program}/{self.plot.seed}/{self._told}"
