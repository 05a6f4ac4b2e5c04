"""Two instances on one PostgreSQL: they share the work, and nothing is sent or paid twice."""

import asyncio
from collections import Counter

from campaigns.plans import Limits, Reward
from tests.campaigns.world import LOOPBACK, planning, who
from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres
from tests.harness.servers import Service, running

MEMBERS = 40
API_ONLY = who("CT Points Credited", ("source", "EQUALS", "API"))


async def both(*services: Service) -> None:
    """Let all work at once, until none finds anything to do."""
    while sum(await asyncio.gather(*(service.plan() for service in services))):
        pass


async def test_each_message_is_sent_once_and_each_reward_paid_once(
    postgres: Postgres, clock: VirtualClock
) -> None:
    url = postgres.create("two_instances", template="pristine")
    async with (
        planning(url, clock) as world,
        running(url, clock, webhook_allowed_networks=LOOPBACK) as other,
    ):
        await world.publish(who=API_ONLY, reward=Reward(points=1_000))
        capped = await world.publish(who=API_ONLY, name="capped", limits=Limits(max_deliveries=7))
        for number in range(MEMBERS):
            await world.client.credit(f"m{number}", 5)
        await both(world.service, other)

        told = Counter(each.headers["webhook-id"] for each in world.shop.received)
        assert set(told.values()) == {1}
        assert len(told) == MEMBERS + 7
        for number in range(MEMBERS):
            assert (await world.client.balance(f"m{number}")).active == 6
        ends = Counter(await world.ends(capped))
        assert ends == {("SENT", None): 7, ("SKIPPED", "CAP_REACHED"): MEMBERS - 7}
    postgres.drop("two_instances")
