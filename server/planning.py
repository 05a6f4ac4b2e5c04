"""Planning: campaigns put together, and the two workers that run them beside the requests."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from campaigns.changes import Changes
from campaigns.channels.switchboard import Channels
from campaigns.courier import Means, Passed, unwatched
from campaigns.desk import Campaigns
from campaigns.liquid import Renderer
from campaigns.listeners import Versions
from campaigns.situations import LEASE_US
from ledger import Ledger
from models.database import Database
from server.clock import Clock, pace_of
from server.settings import Settings
from server.workers import run_worker, until_rung

DRAIN_S_MAX: Final = 2.0
"""How long parcels that are on their way may take to land when the service ends."""


@dataclass(frozen=True, slots=True)
class Bells:
    """What wakes the workers: events were committed, deliveries have changed.

    `passed` hears of each step of each delivery.
    """

    events: asyncio.Event = field(default_factory=asyncio.Event)
    deliveries: asyncio.Event = field(default_factory=asyncio.Event)
    passed: Passed = unwatched


def plan_campaigns(
    settings: Settings,
    database: Database,
    clock: Clock,
    ledger: Ledger,
    bells: Bells,
    poll_s: float | None,
) -> Campaigns:
    """The campaigns of a service. `poll_s`: how often to look for what other instances write."""
    changes = Changes(database, poll_s=poll_s)

    def changed() -> None:
        bells.deliveries.set()
        changes.ring()

    ways = Channels(
        allowed_networks=settings.webhook_allowed_networks,
        smtp_url=settings.smtp_url,
        services=dict(settings.apprise_services),
        clevertap_url=settings.clevertap_url,
    )
    means = Means(
        database=database,
        clock=clock,
        ledger=ledger,
        renderer=Renderer(),
        ways=ways,
        versions=Versions(),
        chance=random.random,
        changed=changed,
        passed=bells.passed,
        lease_us=LEASE_US * pace_of(clock),
    )
    return Campaigns(means, changes)


@asynccontextmanager
async def running(campaigns: Campaigns, bells: Bells) -> AsyncIterator[None]:
    """Evaluate and deliver until the block ends; what is on its way then may still land."""
    stopping = asyncio.Event()
    evaluating = run_worker(
        "evaluating events", campaigns.evaluate, stopping, until_rung(bells.events)
    )
    delivering = run_worker(
        "delivering", campaigns.courier.step, stopping, until_rung(bells.deliveries)
    )
    workers = [
        asyncio.create_task(evaluating, name="evaluator"),
        asyncio.create_task(delivering, name="courier"),
    ]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*workers)
        await campaigns.courier.drain(DRAIN_S_MAX)
