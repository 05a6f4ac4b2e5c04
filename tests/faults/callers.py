"""Callers of many instances: what they ask for, and how they go on when an answer doesn't come.

Whoever gets no answer, or one that isn't final, asks again with the same key, of any instance; some
give up, some ask two instances at once. The load is bounded: so many deeds a second.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import httpx

from tests.harness.client import Client, RequestRefused
from tests.harness.keys import ADMIN
from tests.harness.values import Answer
from tests.histories.history import (
    CAPTURE,
    CREDIT,
    DEBIT,
    HOLD,
    READ,
    RELEASE,
    TRANSFER,
    Broken,
    Deed,
    Done,
    Nothing,
    Outcome,
    Refused,
    Seen,
    Unknown,
)
from tests.histories.recorder import THOUSAND, Recorder, balance_of, posting_of, thousandths

CALLERS: Final = 8
ANSWER_S_MAX: Final = 6.0  # then it counts as unknown, and is asked for again
RETRY_S: Final = 0.1
RETRIES_MAX: Final = 2_000
GIVE_UP: Final = 0.1  # of those who got no answer
TWICE: Final = 0.05  # ask two instances at once
HOLDS_MAX: Final = 40  # that callers remember
KINDS: Final = (CREDIT,) * 5 + (DEBIT,) * 3 + (TRANSFER,) * 2 + (HOLD,) * 2 + (CAPTURE, RELEASE)
READS: Final = 0.15

NOTHING: Final = frozenset({"UNAVAILABLE", "OVERLOADED", "RATE_LIMITED"})
NOT_KNOWN: Final = frozenset({"OUTCOME_UNKNOWN"})


class Callers:
    """All of them. They work from `start` to `finish`."""

    def __init__(
        self, urls: list[str], people: list[str], recorder: Recorder, seed: int, rate: float
    ) -> None:
        self.urls = urls
        self.people = people
        self.recorder = recorder
        self.chance = random.Random(seed)
        self.pause_s = CALLERS / rate
        self.holds: deque[tuple[str, str]] = deque(maxlen=HOLDS_MAX)
        self.asked = 0
        self.stopping = False
        self.clients: list[Client] = []
        self.open = AsyncExitStack()
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        for url in self.urls:
            client = await self.open.enter_async_context(Client.of(url, ADMIN))
            client.http.timeout = httpx.Timeout(ANSWER_S_MAX)
            self.clients.append(client)
        for who in self.people:
            await self.see_through(Deed(f"opening-{who}", CREDIT, who, 100 * THOUSAND))
        self.tasks = [asyncio.create_task(self.work()) for _ in range(CALLERS)]

    async def finish(self) -> None:
        """Ask for nothing new, and for what is open until it is answered."""
        self.stopping = True
        await asyncio.gather(*self.tasks)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.open.aclose()

    async def work(self) -> None:
        while not self.stopping:
            if self.chance.random() < READS:
                deed = self.new_deed(READ)
                await self.attempt(deed, self.instance())
            else:
                deed = self.new_deed(self.chance.choice(KINDS))
                twice = self.chance.random() < TWICE
                await asyncio.gather(*[self.see_through(deed) for _ in range(1 + twice)])
            await asyncio.sleep(self.pause_s)

    def instance(self) -> int:
        return self.chance.randrange(len(self.clients))

    def new_deed(self, kind: str) -> Deed:
        self.asked += 1
        key, who = f"deed-{self.asked}", self.chance.choice(self.people)
        if kind in {CAPTURE, RELEASE}:
            if not self.holds:
                return Deed(key, HOLD, who, THOUSAND)
            holder, hold = self.chance.choice(self.holds)
            return Deed(key, kind, holder, hold=hold)
        if kind == READ:
            return Deed(key, READ, who)
        points = THOUSAND * self.chance.choice((1, 2, 3, 5, 20, 60))
        others = [each for each in self.people if each != who]
        return Deed(
            key, kind, who, points, to=self.chance.choice(others) if kind == TRANSFER else None
        )

    # ── one deed ─────────────────────────────────────────────────────────────────────────────────

    async def see_through(self, deed: Deed) -> None:
        """Ask until it is answered for good, or the caller gives up."""
        for _ in range(RETRIES_MAX):
            outcome = await self.attempt(deed, self.instance())
            if isinstance(outcome, Done | Refused | Broken):
                return
            if self.chance.random() < GIVE_UP and not deed.key.startswith("opening"):
                return
            await asyncio.sleep(RETRY_S)
        raise AssertionError(f"never answered: {deed}")

    async def attempt(self, deed: Deed, instance: int) -> Outcome:
        number = self.recorder.ask(deed, instance)
        outcome = await self.outcome(deed, self.clients[instance])
        self.recorder.hear(number, deed, outcome)
        return outcome

    async def outcome(self, deed: Deed, client: Client) -> Outcome:
        try:
            if deed.kind == READ:
                return Seen(balance_of(await client.balance(deed.who)))
            return self.came_of(deed, await ASK[deed.kind](client, deed))
        except httpx.TransportError as error:
            return Unknown(type(error).__name__)
        except RequestRefused as error:
            return refused_by(error)
        except ValueError as error:
            return Broken(f"no JSON: {error}")

    def came_of(self, deed: Deed, answer: Answer) -> Outcome:
        if answer.error:
            available = answer.details.get("available")
            return Refused(answer.error, None if available is None else thousandths(available))
        if deed.kind == HOLD:
            self.holds.append((deed.who, answer.held.id))
        told = (answer.sent, answer.received) if deed.kind == TRANSFER else (answer.transaction,)
        return Done(
            tuple(posting_of(each) for each in told if each), replayed=answer.replayed is True
        )


def refused_by(error: RequestRefused) -> Outcome:
    """What it means that a request was answered by errors and no payload."""
    codes = {each.get("extensions", {}).get("code") for each in error.errors}
    if codes and codes <= NOTHING:
        return Nothing(" ".join(sorted(codes)))
    if codes and codes <= NOTHING | NOT_KNOWN:
        return Unknown(" ".join(sorted(codes)))
    return Broken(str(error))


def points_of(deed: Deed) -> int:
    assert deed.points is not None
    return deed.points // THOUSAND


async def credit(client: Client, deed: Deed) -> Answer:
    return await client.credit(deed.who, points_of(deed), key=deed.key)


async def debit(client: Client, deed: Deed) -> Answer:
    return await client.debit(deed.who, points_of(deed), key=deed.key)


async def hold(client: Client, deed: Deed) -> Answer:
    return await client.hold(deed.who, points_of(deed), key=deed.key)


async def transfer(client: Client, deed: Deed) -> Answer:
    return await client.transfer(deed.who, str(deed.to), points_of(deed), key=deed.key)


async def capture(client: Client, deed: Deed) -> Answer:
    return await client.capture(str(deed.hold), key=deed.key)


async def release(client: Client, deed: Deed) -> Answer:
    return await client.release(str(deed.hold), key=deed.key)


ASK: Final[dict[str, Callable[[Client, Deed], Awaitable[Answer]]]] = {
    CREDIT: credit,
    DEBIT: debit,
    HOLD: hold,
    TRANSFER: transfer,
    CAPTURE: capture,
    RELEASE: release,
}
