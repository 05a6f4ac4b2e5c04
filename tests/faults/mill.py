"""A life of the campaigns' workers, in a process of its own that may die at any step."""

import asyncio
import os
import signal
from dataclasses import dataclass
from ipaddress import ip_network

from ledger import Ledger
from models.database import open_database
from server.planning import Bells, plan_campaigns
from server.settings import Settings

LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Life:
    """All that is due at `now` is done, unless it dies as it passes a step for the n-th time."""

    database_url: str
    now: int
    dies_at: str | None = None
    passing: int = 1


def live(life: Life) -> None:
    """Live it."""
    asyncio.run(_live(life))


async def _live(life: Life) -> None:
    passed = 0

    def hear(step: str) -> None:
        nonlocal passed
        passed += step == life.dies_at
        if step == life.dies_at and passed == life.passing:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = Settings(database_url=life.database_url, webhook_allowed_networks=LOOPBACK)
    database = open_database(life.database_url)
    ledger = Ledger(database, lambda: life.now, lambda: None)
    await ledger.start()
    bells = Bells(passed=hear)
    campaigns = plan_campaigns(settings, database, lambda: life.now, ledger, bells, None)
    while await campaigns.evaluate():
        pass
    await campaigns.deliver()
    while await campaigns.evaluate():  # what its rewards have raised
        pass
    await campaigns.deliver()
    await campaigns.close()
    await ledger.close()
    await database.close()
