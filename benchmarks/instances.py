"""How soon a subscriber of one instance hears of a credit of another, with NATS and without."""

import asyncio
import json
import random
import time
from contextlib import ExitStack
from typing import Final

from benchmarks import operations
from benchmarks.clusters import cluster
from benchmarks.figures import Row, Section, Verdict, median_of, spread
from benchmarks.rounds import Plan
from benchmarks.servers import MeasurementError, Server, running
from benchmarks.watch import Audience, Watch
from models.migrations import upgrade
from tests.harness.nats import nats_server

CREDITS: Final = 50
"""Of a round."""

LATENCY_MS_MAX: Final = 250
PAUSE_SECONDS_MAX: Final = 0.05
"""Between two credits there is a pause of chance, so that they meet a poll at any moment."""

EVENT_SECONDS_MAX: Final = 30
SEED: Final = 7
MEMBERS: Final = 20


async def hear_all(there: Server, here: Server, credits: int, serial: int) -> list[float]:
    """Credit there, one after another, and wait here for each; return how long each took.

    From when the credit is sent until its event has arrived, in milliseconds, sorted.
    """
    chance = random.Random(SEED)
    socket = await Audience(Watch(here.port, 1, own=False, events=credits)).subscribe(0)
    took: list[float] = []
    try:
        for number in range(credits):
            await asyncio.sleep(chance.uniform(0, PAUSE_SECONDS_MAX))
            body = operations.credit(number % MEMBERS)
            body = body.replace(operations.SERIAL, f"{serial + number:020}")
            begun = time.perf_counter()
            crediting = asyncio.create_task(asyncio.to_thread(there.ask, body))
            async with asyncio.timeout(EVENT_SECONDS_MAX):
                told = json.loads(await socket.recv())
            took.append((time.perf_counter() - begun) * 1000)
            answer = await crediting
            check_same(told, answer)
    finally:
        socket.transport.abort()
    return sorted(took)


def check_same(told: dict[str, dict[str, object]], answer: dict[str, object]) -> None:
    """See that what was heard of is what was credited."""
    heard = json.dumps(told.get("payload"))
    credited = json.dumps(answer["creditPoints"])
    made = json.loads(credited)["transaction"]["id"]
    if made not in heard:
        reason = f"Credited {made}, and heard {heard}."
        raise MeasurementError(reason)


def percentile(values: list[float], part: float) -> float:
    """Return the value below which a part of the sorted values are."""
    return values[min(len(values) - 1, int(len(values) * part))]


async def measure_both(plan: Plan, section: Section) -> None:
    """Take turns, with NATS and without: each has a database and two instances of its own."""
    first = operations.first_request()
    async with nats_server() as nats:
        with ExitStack() as stack:
            postgres = stack.enter_context(cluster())
            pairs: dict[str, list[Server]] = {}
            for name, settings in (("with NATS", {"TUPPENCE_NATS_URL": nats.url}), ("without", {})):
                database = name.replace(" ", "-")
                url = postgres.create(database)
                await asyncio.to_thread(upgrade, url)
                settings = settings | {"TUPPENCE_DATABASE_URL": url}  # noqa: PLW2901
                pairs[name] = [
                    stack.enter_context(
                        running("tuppence", plan.folder / f"{database}-{place}", first, **settings)
                    )
                    for place in "ab"
                ]
            rounds = await take_turns(plan, pairs)
    for name, each in rounds.items():
        everything = sorted(took for one in each for took in one)
        p50 = [percentile(one, 0.5) for one in each]
        cells = (
            f"{median_of(p50):,.1f}",
            spread(p50, 1),
            f"{percentile(everything, 0.99):,.1f}",
            f"{everything[-1]:,.1f}",
        )
        section.rows.append(Row(name, cells))
    heard = sorted(took for one in rounds["with NATS"] for took in one)
    section.verdicts.append(
        Verdict(
            "a credit at one instance, heard at another by NATS: p99",
            percentile(heard, 0.99),
            LATENCY_MS_MAX,
            "ms",
            at_least=False,
        )
    )


async def take_turns(plan: Plan, pairs: dict[str, list[Server]]) -> dict[str, list[list[float]]]:
    """Return what each pair's rounds came to."""
    rounds: dict[str, list[list[float]]] = {name: [] for name in pairs}
    serial = 0
    for here, there in pairs.values():
        await hear_all(there, here, MEMBERS, serial)  # for caches, and so that there are wallets
        serial += MEMBERS
    for number in range(plan.rounds):
        for name, (here, there) in pairs.items():
            rounds[name].append(await hear_all(there, here, CREDITS, serial))
            serial += CREDITS
            plan.progress(f"instances {number + 1}/{plan.rounds} {name}")
    return rounds


def measure_instances(plan: Plan) -> Section:
    """Measure how soon one instance's subscriber hears of another's credit."""
    section = Section(
        "instances",
        "from sending `creditPoints` to one instance until a subscriber of another has the event,"
        f" on one durable PostgreSQL, one credit at a time: {CREDITS} a round, with a pause of"
        " chance between. Without NATS an instance looks at the log every quarter of a second.",
        ("p50 ms", "range of p50", "p99 ms", "longest ms"),
    )
    asyncio.run(measure_both(plan, section))
    return section
