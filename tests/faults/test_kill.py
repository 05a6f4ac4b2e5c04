"""kill -9 under load: what was acknowledged is there, and nothing took effect twice."""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.harness.client import Client, RequestRefused
from tests.harness.keys import ADMIN
from tests.harness.patience import poll
from tests.harness.processes import ServeProcess, serving, tuppence
from tests.harness.values import Answer

KILLS = 4
WORKERS = 12
DEEDS_MAX = 4_000  # of one life; a life ends sooner, by the kill
PEOPLE = ("ann", "bob", "cyd", "dan")
OPENING = 1_000
BEFORE_KILL_S_MAX = 60


@dataclass(frozen=True)
class Deed:
    """One credit or debit, which may be asked for any number of times."""

    key: str
    who: str
    points: int  # negative for a debit

    async def ask(self, client: Client) -> Answer:
        if self.points > 0:
            return await client.credit(self.who, self.points, key=self.key)
        return await client.debit(self.who, -self.points, key=self.key)


@dataclass
class Book:
    """What the callers know: what they asked for, and what was acknowledged."""

    asked: dict[str, Deed] = field(default_factory=dict[str, Deed])
    acknowledged: dict[str, str] = field(default_factory=dict[str, str])

    def new_deed(self, chance: random.Random) -> Deed:
        points = chance.choice([1, 2, 3, 5, -1, -2])
        deed = Deed(f"deed-{len(self.asked)}", chance.choice(PEOPLE), points)
        self.asked[deed.key] = deed
        return deed

    @property
    def unknown(self) -> list[Deed]:
        """What was asked for and never answered."""
        return [deed for key, deed in self.asked.items() if key not in self.acknowledged]


async def work(client: Client, book: Book, chance: random.Random) -> None:
    """Ask for one deed after another until the service is gone."""
    for _ in range(DEEDS_MAX):
        deed = book.new_deed(chance)
        try:
            answer = await deed.ask(client)
        except (httpx.TransportError, RequestRefused, ValueError):
            return
        assert answer.error is None, answer
        book.acknowledged[deed.key] = answer.id


async def one_life(process: ServeProcess, book: Book, chance: random.Random) -> None:
    """Work until a chosen number of deeds is acknowledged, then kill in mid-flight."""
    kill_at = len(book.acknowledged) + chance.randint(20, 200)

    async def enough() -> bool:
        return len(book.acknowledged) >= kill_at

    async with Client.of(process.url, ADMIN) as client:
        workers = [asyncio.create_task(work(client, book, chance)) for _ in range(WORKERS)]
        reached = await poll(enough, BEFORE_KILL_S_MAX)
        process.kill()
        await asyncio.gather(*workers)
    assert reached, f"{len(book.acknowledged)} of {kill_at}"


async def assert_all_is_there(client: Client, book: Book) -> None:
    """Ask for everything once more: the acknowledged replays, the unknown takes effect once."""
    known = list(book.acknowledged.items())
    for start in range(0, len(known), WORKERS):
        some = known[start : start + WORKERS]
        answers = await asyncio.gather(*(book.asked[key].ask(client) for key, _ in some))
        assert [(each.replayed, each.id) for each in answers] == [(True, made) for _, made in some]
    for deed in book.unknown:
        first, second = await deed.ask(client), await deed.ask(client)
        assert second.replayed is True
        assert first.id == second.id
        book.acknowledged[deed.key] = first.id


async def assert_the_sums_are_right(client: Client, book: Book) -> None:
    for who in PEOPLE:
        deeds = [deed for deed in book.asked.values() if deed.who == who]
        wallet = await client.wallet(who)
        assert wallet.balance.active == OPENING + sum(deed.points for deed in deeds)
        assert wallet.lifetime.redeemed == -sum(min(deed.points, 0) for deed in deeds)
    health = await client.health()
    assert health.transactions == len(book.asked) + len(PEOPLE)
    assert health.violations == []


@pytest.mark.parametrize("seed", [20260310])
async def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    chance, book = random.Random(seed), Book()
    async with serving(database_url, tmp_path) as process:
        async with Client.of(process.url, ADMIN) as client:
            for who in PEOPLE:
                await client.credit(who, OPENING, key=f"opening-{who}")

        for _ in range(KILLS):
            await one_life(process, book, chance)
            await process.start()

        async with Client.of(process.url, ADMIN) as client:
            await assert_all_is_there(client, book)
            await assert_the_sums_are_right(client, book)
        assert process.terminate() == 0

    checked = tuppence("check", database_url=database_url)
    assert checked.returncode == 0, checked.stdout + checked.stderr
