"""Campaigns: how fast events become deliveries, deliveries messages, and what the ledger feels."""

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select

from benchmarks import operations
from benchmarks.figures import Row, Section, Verdict, median_of, spread
from benchmarks.guard import ratios
from benchmarks.marketing import CREDITED, NOW, Market, between, market, new_file, now
from benchmarks.receiver import receiving
from benchmarks.rounds import (
    CREDIT_WALLETS,
    SERIALS_A_LOAD,
    Contender,
    Plan,
    credit_load,
    fill_wallets,
    race,
)
from benchmarks.servers import MeasurementError, running
from campaigns.channels.retries import is_repeatable
from campaigns.channels.switchboard import Channels
from campaigns.channels.webhooks import SECRET, new_secret
from campaigns.claims import is_due, take
from campaigns.courier import CLAIMED_MAX
from campaigns.plans import Message, When, Who
from campaigns.plans import Plan as CampaignPlan
from campaigns.records import Channel
from campaigns.situations import Situations
from models.migrations import upgrade
from models.tables import deliveries
from server.planning import Bells, plan_campaigns
from server.settings import Settings
from tests.harness.postgres import Postgres

EVENTS: Final = 100_000
WAITING: Final = 1_000_000
DELIVERIES: Final = 10_000
PART: Final = 10
"""How many times smaller the smaller ledger is, in members and in events."""

EVENTS_OF_A_MEMBER: Final = 10
RUNNING: Final = 20
ELSEWHERE: Final = 200
STOPPED: Final = 1_000
CLAIMS: Final = 50
DAY: Final = 86_400_000_000
LOOPBACK: Final = (ip_network("127.0.0.0/8"),)

EVALUATE_SECONDS_MAX: Final = 30
DELIVER_SECONDS_MAX: Final = 60
CLAIM_MS_MAX: Final = 10
FLAT_MAX: Final = 1.15
CREDITS_RATIO_MIN: Final = 0.97


def reminder(channel: Channel, number: int = 0, event: str = CREDITED) -> CampaignPlan:
    """A campaign that reminds, a day later, of a twentieth of the credits."""
    wide = 1_000 // RUNNING
    who = Who(event, filters=between(number * wide + 1, number * wide + wide))
    message = Message("You have {{ Event.points }} points")
    return CampaignPlan(who, channel.id, message, when=When(delay=DAY))


# ── the evaluator ─────────────────────────────────────────────────────────────────────────────────


async def time_evaluation(shop: Market, since: int) -> tuple[float, float]:
    """Read the log from a position on; return the seconds an event, of this process and all in all.

    Each event makes one delivery at most.
    """
    await shop.rewind(since)
    begun, used = time.perf_counter(), time.process_time()
    read = await shop.evaluate()
    spent = time.process_time() - used, time.perf_counter() - begun
    return spent[0] / read, spent[1] / read


async def evaluate_in_turn(
    plan: Plan, section: Section, shops: dict[str, tuple[Market, int]]
) -> list[list[float]]:
    """Do so in rounds, the ledgers in turn; add a line for each to the table.

    Return this process's time an event, in microseconds: of each ledger, its rounds.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in shops}
    for number in range(plan.rounds):
        for name, (shop, since) in shops.items():
            plan.progress(f"campaigns: {name}, {number + 1}/{plan.rounds}")
            times[name].append(await time_evaluation(shop, since))
    found: list[list[float]] = []
    for name, rounds in times.items():
        cpu, wall = ([each * 1e6 for each in column] for column in zip(*rounds, strict=True))
        cells = (f"{median_of(cpu):,.0f} µs", spread(cpu), f"{median_of(wall):,.0f} µs")
        section.rows.append(Row(name, cells))
        found.append(cpu)
    return found


async def evaluate_all(plan: Plan, section: Section, events: int) -> None:
    """Evaluate a small and a large ledger, by few and by many campaigns."""
    small, newest, told = events // PART, events - events // PART, f"an event of {events:,}"
    urls = [
        new_file(plan.folder / "campaigns", name) for name in ("small", "few", "large", "crowded")
    ]
    async with market(urls[2]) as shop:
        await fill(plan, shop, events)
    for url in (urls[1], urls[3]):
        shutil.copy(urls[2].removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
    async with AsyncExitStack() as opened:
        shops = [await opened.enter_async_context(market(url)) for url in urls]
        await fill(plan, shops[0], small)
        for shop, count in zip(shops[:3], (RUNNING, 1, RUNNING), strict=True):
            await listen(shop, count)
        channel = await listen(shops[3], RUNNING)
        await listen(shops[3], ELSEWHERE, channel, event="Points Refunded")
        named = {
            f"an event of {small:,}, {RUNNING} campaigns": (shops[0], 0),
            f"{told}, 1 campaign": (shops[1], newest),
            f"{told}, {RUNNING} campaigns": (shops[2], newest),
            f"{told}, {RUNNING}, and {ELSEWHERE} on another event": (shops[3], newest),
        }
        usual, _, large, crowded = await evaluate_in_turn(plan, section, named)
        plan.progress(f"campaigns: all {events:,} events, {RUNNING} campaigns")
        whole, _ = await time_evaluation(shops[2], 0)
    seconds = whole * events
    section.verdicts += [
        Verdict(
            f"{events:,} events, {RUNNING} campaigns: processor's time",
            seconds,
            EVALUATE_SECONDS_MAX,
            "s",
            at_least=False,
        ),
        Verdict(
            f"an event, {PART} × the members and history",
            median_of(ratios(large, usual)),
            FLAT_MAX,
            "×",
            at_least=False,
        ),
        Verdict(
            f"an event, beside {ELSEWHERE} campaigns on another",
            median_of(ratios(crowded, large)),
            FLAT_MAX,
            "×",
            at_least=False,
        ),
    ]


async def fill(plan: Plan, shop: Market, events: int) -> None:
    """Give a ledger its members and events."""
    await shop.credit(
        events,
        events // EVENTS_OF_A_MEMBER,
        lambda done: plan.progress(f"campaigns: {done:,} of {events:,} credits are made"),
    )


async def listen(
    shop: Market,
    count: int,
    channel: Channel | None = None,
    first: int = 0,
    event: str = CREDITED,
) -> Channel:
    """Publish campaigns that listen from the first event on; return the channel that they use."""
    channel = channel or await shop.open_channel("INBOX", {}, {})
    await shop.publish([reminder(channel, number, event) for number in range(first, count)])
    await shop.listen_from_the_start()
    return channel


# ── the courier ───────────────────────────────────────────────────────────────────────────────────


async def deliver_all(plan: Plan, section: Section, count: int) -> None:
    """Send so many webhooks to a shop in another process."""
    with receiving() as told:
        async with market(new_file(plan.folder / "campaigns", "webhooks")) as shop:
            settings = {"url": f"http://127.0.0.1:{told.port}/"}
            channel = await shop.open_channel("WEBHOOK", settings, {SECRET: new_secret()})
            message = Message("Hello {{ Profile.Name | default: 'there' }}: {{ Event.points }}")
            await shop.publish([CampaignPlan(Who(CREDITED), channel.id, message)])
            await fill(plan, shop, count)
            await shop.evaluate()
            plan.progress(f"campaigns: {count:,} webhooks are sent")
            begun = time.perf_counter()
            await deliver(shop)
            seconds = time.perf_counter() - begun
            sent = await shop.database.read(count_sent)
    if (sent, told.answered) != (count, count):
        reason = f"Of {count} webhooks {sent} were sent, and {told.answered} received."
        raise MeasurementError(reason)
    cells = (f"{seconds / count * 1e6:,.0f} µs", "", f"{count / seconds:,.0f} a second")
    section.rows.append(Row(f"a webhook of {count:,}", cells))
    section.verdicts.append(
        Verdict(f"{count:,} webhooks", seconds, DELIVER_SECONDS_MAX, "s", at_least=False)
    )


async def deliver(shop: Market) -> None:
    """Carry all that is due, as the service does."""
    settings = replace(Settings.from_environment({}), webhook_allowed_networks=LOOPBACK)
    campaigns = plan_campaigns(settings, shop.database, now, shop.ledger, Bells(), None)
    try:
        await campaigns.deliver()
    finally:
        await campaigns.close()


def count_sent(connection: Connection) -> int:
    """Return how many deliveries were sent."""
    sent = select(func.count()).where(deliveries.c.status == "SENT")
    return connection.execute(sent).scalar_one()


# ── claims ────────────────────────────────────────────────────────────────────────────────────────


async def claim_among(plan: Plan, section: Section, url: str, where: str, count: int) -> None:
    """Claim batch after batch while so many wait, beside campaigns that have been stopped."""
    async with market(url) as shop:
        await shop.credit(1_000, 1_000)
        channel = await shop.open_channel("INBOX", {}, {})
        plans = [replace(reminder(channel), when=When())] * (RUNNING + STOPPED)
        published = await shop.publish(plans)
        await shop.stop(published[RUNNING:])
        await shop.wait_in_bulk(
            published[:RUNNING],
            count,
            lambda done: plan.progress(f"campaigns: {done:,} of {count:,} wait in {where}"),
        )
        ms = [await time_claim(shop) for _ in range(CLAIMS)]
    cells = (f"{median_of(ms):.1f} ms", spread(ms, 1), "")
    name = f"a claim of {CLAIMED_MAX} among {count:,}, {where}"
    section.rows.append(Row(name, cells))
    section.verdicts.append(Verdict(name, median_of(ms), CLAIM_MS_MAX, "ms", at_least=False))


async def time_claim(shop: Market) -> float:
    """Claim a batch as the courier does, commit included; return the milliseconds."""
    async with ways() as situations:
        begun = time.perf_counter()
        found = await shop.database.read(is_due, NOW)
        looked, claimed = await shop.database.write(
            take, NOW, CLAIMED_MAX, shop.versions, situations
        )
        took = (time.perf_counter() - begun) * 1e3
    if not found or (looked, len(claimed)) != (CLAIMED_MAX, CLAIMED_MAX):
        reason = f"{len(claimed)} of {looked} deliveries were claimed, not {CLAIMED_MAX}."
        raise MeasurementError(reason)
    return took


@asynccontextmanager
async def ways() -> AsyncGenerator[Situations]:
    """What a claim asks of the ways to members."""
    channels = Channels()
    try:
        yield Situations(channels, is_repeatable)
    finally:
        await channels.close()


# ── the ledger beside them ────────────────────────────────────────────────────────────────────────


async def prepare(folder: Path) -> None:
    """Publish the campaigns of a service that is yet to start. Of each credit one hears."""
    async with market(new_file(folder, "tuppence")) as shop:
        await listen(shop, RUNNING)


def race_credits(plan: Plan, section: Section) -> None:
    """Race credits with campaigns off, with none running, and with many that evaluate each."""
    folder, first = plan.folder / "campaigns", operations.first_request()
    asyncio.run(prepare(folder / "evaluating"))
    kinds = (
        ("credits, campaigns off", "off", {"TUPPENCE_CAMPAIGNS": "off"}),
        ("credits, none running", "on", {}),
        (f"credits, {RUNNING} evaluate", "evaluating", {}),
    )
    with ExitStack() as stack:
        contenders: list[Contender] = []
        for name, place, settings in kinds:
            server = stack.enter_context(running("tuppence", folder / place, first, **settings))
            contenders.append(Contender(replace(server, name=name)))
        for contender in contenders:
            contender.filled = fill_wallets(contender.server, CREDIT_WALLETS, 1)
        race(
            plan,
            "campaigns",
            lambda server, number: credit_load(server, number * SERIALS_A_LOAD, plan.seconds),
            contenders,
        )
    rates = [[each.per_second for each in contender.rounds] for contender in contenders]
    for contender, rate in zip(contenders, rates, strict=True):
        cells = (f"{median_of(rate):,.0f} a second", spread(rate), "")
        section.rows.append(Row(contender.server.name, cells))
    off, none, many = rates
    kept = median_of(ratios(none, off))
    section.verdicts.append(
        Verdict("credits: campaigns on ÷ off", kept, CREDITS_RATIO_MIN, "×", at_least=True)
    )
    section.rows.append(
        Row(f"credits, {RUNNING} evaluate ÷ off", (f"{median_of(ratios(many, off)):.2f} ×", "", ""))
    )


def measure_campaigns(plan: Plan, part: int = 1) -> Section:
    """Measure it all; sizes are divided by `part`."""
    section = Section(
        "campaigns",
        f"{RUNNING} campaigns with three filters each, of which each event passes one's, and so"
        " makes one delivery; times an event are this process's on SQLite (in the last column by"
        f" the clock). Claims: half of what waits is one campaign's, {STOPPED:,} others were"
        " stopped; with the look whether anything is due, and the commit. Webhooks: rendered,"
        " signed, sent to a shop in another process, settled.",
        ("median", "range", "by the clock"),
    )
    files = plan.folder / "campaigns"
    asyncio.run(evaluate_all(plan, section, EVENTS // part))
    asyncio.run(deliver_all(plan, section, DELIVERIES // part))
    waiting = WAITING // part
    asyncio.run(claim_among(plan, section, new_file(files, "waiting"), "SQLite", waiting))
    cluster = Postgres.start()
    with closing(Stopped(cluster)):
        claimed, heard = cluster.create("claims"), cluster.create("events")
        for url in (claimed, heard):
            upgrade(url)
        asyncio.run(claim_among(plan, section, claimed, "PostgreSQL", waiting))
        asyncio.run(evaluate_on_postgres(plan, section, heard, EVENTS // part // PART))
    race_credits(plan, section)
    return section


class Stopped:
    """Stops a cluster as it is closed."""

    def __init__(self, cluster: Postgres) -> None:
        self.close = cluster.stop


async def evaluate_on_postgres(plan: Plan, section: Section, url: str, events: int) -> None:
    """Evaluate a small ledger on PostgreSQL, whose own work is another process's."""
    async with market(url) as shop:
        await fill(plan, shop, events)
        await listen(shop, RUNNING)
        name = f"an event of {events:,}, 20 campaigns, PostgreSQL"
        await evaluate_in_turn(plan, section, {name: (shop, 0)})
