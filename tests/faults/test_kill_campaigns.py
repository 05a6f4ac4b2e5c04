"""kill -9 between the steps of deliveries: each is made once, paid once, and accounted for."""

import asyncio
import multiprocessing
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass
from typing import Any

from campaigns.conditions import PropertyFilter
from campaigns.plans import Message, Plan, Reward, Who
from campaigns.situations import LEASE_US
from events.audit import TERMINAL
from tests.campaigns.world import HELLO, World, planning
from tests.faults.mill import Life, live
from tests.harness.clock import VirtualClock
from tests.harness.mailbox import Mailbox, mailbox
from tests.harness.tables import rows

KILLS = int(os.environ.get("CAMPAIGN_KILLS", "24"))
STEPS = ("evaluated", "claimed", "paid", "rendered", "sent", "settled")
MEMBERS = 3
REST_MAX = 40

_forks: Any = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.faults.mill"])


async def run(life: Life) -> int:
    """Live a life in a process of its own; give how it ended."""
    process = _forks.Process(target=live, args=(life,))
    process.start()
    await asyncio.to_thread(process.join)
    code: int = process.exitcode
    process.close()
    assert code in {0, -signal.SIGKILL}, f"it ended by {code}"
    return code


async def prepare(world: World, post: Mailbox) -> None:
    """Three campaigns listen to credits that are no rewards: one pays and tells, one writes."""
    mail, _ = await world.campaigns.create_channel(
        "mail", "EMAIL", {"from": "shop@example.com", "smtpUrl": post.url}, TERMINAL
    )
    outside = Who("CT Points Credited", filters=(PropertyFilter("source", "EQUALS", "API"),))
    hook = Plan(outside, channel_id=world.channel_id, message=HELLO)
    await world.publish(Plan(outside, reward=Reward(points=7_000)), "pays")
    await world.publish(hook, "pays and tells", reward=Reward(points=1_000))
    await world.publish(Plan(outside, channel_id=mail.id, message=Message("Hi", "News")), "writes")
    for number in range(MEMBERS):
        await world.client.upsert_member(f"m{number}", email=f"m{number}@example.com")


async def credit(world: World) -> None:
    for number in range(MEMBERS):
        await world.client.credit(f"m{number}", 100)


async def test_nothing_is_lost_paid_twice_or_written_twice(
    database_url: str, clock: VirtualClock
) -> None:
    chance = random.Random(7)
    async with planning(database_url, clock) as world, mailbox() as post:
        await prepare(world, post)
        died = 0
        for number in range(KILLS):
            await credit(world)
            step, passing = STEPS[number % len(STEPS)], chance.randint(1, 3)
            died += await run(Life(database_url, clock(), step, passing)) != 0
            clock.advance(microseconds=LEASE_US)
        for _ in range(REST_MAX):
            await run(Life(database_url, clock()))
            clock.advance(hours=12)
            if not await _open(database_url):
                break
        await assert_all_is_accounted_for(world, post, died)


async def _open(database_url: str) -> int:
    [[count]] = await rows(database_url, "SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL")
    return count


@dataclass(frozen=True)
class Found:
    """One delivery, by what it is to have done."""

    id: str
    campaign: str
    status: str
    has_reward: bool


async def assert_all_is_accounted_for(world: World, post: Mailbox, died: int) -> None:
    assert died > KILLS / 2, "few lives ended early: the test shows little"
    url = world.service.inside.settings.database_url
    statement = (
        "SELECT d.id, c.name, d.status, d.reward_id IS NOT NULL FROM deliveries d"
        " JOIN campaigns c ON c.id = d.campaign_id"
    )
    found = [Found(*row) for row in await rows(url, statement)]
    made = Counter(each.campaign for each in found)
    credits_ = KILLS * MEMBERS
    assert made == {"pays": credits_, "pays and tells": credits_, "writes": credits_}
    for number in range(MEMBERS):
        assert (await world.client.balance(f"m{number}")).active == KILLS * (100 + 7 + 1)
    assert all(each.has_reward for each in found if each.campaign != "writes")

    heard = Counter(each.headers["webhook-id"] for each in world.shop.received)
    told = {each.id for each in found if each.campaign == "pays and tells"}
    assert set(heard) == told, "each is heard of at least once"
    assert {each.status for each in found if each.campaign != "writes"} == {"SENT"}

    letters = Counter(letter["message-id"].strip("<>").split("@")[0] for letter in post.letters)
    assert not [each for each, count in letters.items() if count > 1], "at most once"
    written = {each.id: each.status for each in found if each.campaign == "writes"}
    assert set(written.values()) <= {"SENT", "UNKNOWN"}
    sent = {each for each, status in written.items() if status == "SENT"}
    assert sent <= set(letters), "what is told to be sent was"
    assert set(letters) <= set(written)
    health = await world.client.health()
    assert health.violations == []
