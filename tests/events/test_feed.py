"""The feed: every matching event after the cursor, once, in order, and nobody woken in vain."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import Connection

from events import feed as feeds
from events.audit import SERVICE
from events.feed import RECENT_MAX
from events.log import ANY, CreditedFilter, read_credited
from ledger.commands import Credit, Owner
from ledger.registry import CreateProgram, EraseMember
from models.database import Unavailable
from tests.events.diary import Diary, Reader, open_diary
from tests.harness.clock import VirtualClock
from tests.harness.logs import logged
from tests.harness.patience import patience
from tests.harness.statements import counted_statements


def of(name: str) -> CreditedFilter:
    return CreditedFilter(identity=name)


def reads_of_the_log(statements: list[str]) -> int:
    return sum("FROM events" in statement for statement in statements)


# ── P8: every matching event after the cursor, once, in order ────────────────────────────────────


async def test_hears_what_comes_after_the_cursor_and_then_live(diary: Diary) -> None:
    await diary.credit("a", "b", "c")
    reader = await diary.follow(after=1)
    assert await reader.names(2) == ["b", "c"]

    await diary.credit("d", "e")

    assert await reader.names(4) == ["b", "c", "d", "e"]
    assert [event.position for event in reader.heard] == [2, 3, 4, 5]


async def test_without_a_cursor_hears_only_what_is_new(diary: Diary) -> None:
    await diary.credit("old")
    reader = await diary.reader(diary.feed, CreditedFilter(), None)
    number = 0
    while not reader.heard:
        number += 1
        await diary.credit(f"new-{number}")

    await diary.credit("last")
    while reader.heard[-1].identity != "last":
        await reader.hear(len(reader.heard) + 1)

    positions = [event.position for event in reader.heard]
    assert positions == list(range(positions[0], number + 3))
    assert positions[0] > 1


async def test_many_reconnects_leave_no_gap_and_repeat_nothing(diary: Diary) -> None:
    chance = random.Random(3)
    heard: list[int] = []
    for _ in range(100):
        reader = await diary.follow(after=heard[-1] if heard else 0)
        wanted = 0
        for _ in range(chance.randint(1, 3)):
            number = chance.randint(1, 4)
            await diary.credit(*(f"m{n}" for n in range(number)))
            wanted += number
        await reader.hear(chance.randint(1, wanted))
        await reader.close()
        heard += [event.position for event in reader.heard]

    reader = await diary.follow(after=heard[-1])
    await diary.credit("last")
    await reader.hear(1)
    while reader.heard[-1].identity != "last":
        await reader.hear(len(reader.heard) + 1)
    heard += [event.position for event in reader.heard]
    assert heard == list(range(1, await diary.feed.position() + 1))


@pytest.mark.parametrize("recent_max", [2, RECENT_MAX])
async def test_a_filter_hears_its_own_in_order_live_and_from_the_log(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, recent_max: int
) -> None:
    monkeypatch.setattr(feeds, "RECENT_MAX", recent_max)
    chance = random.Random(recent_max)
    created = CreateProgram(name="Other", points_name="points")
    await diary.ledger.create_program(created, SERVICE)
    await diary.credit("ann", "bob", "cyd")
    wallets = {event.identity: event.wallet_id for event in await whole_log(diary)}
    wants = [
        CreditedFilter(),
        of("ann"),
        CreditedFilter(wallet_id=wallets["bob"]),
        CreditedFilter(program_id=(await whole_log(diary))[0].program_id),
        CreditedFilter(min_points=3_000),
        CreditedFilter(identity="cyd", sources=["MANUAL"]),
    ]
    live = [await diary.follow(one) for one in wants]
    start = await diary.feed.position()
    for _ in range(20):
        await diary.do(
            *(
                Credit(
                    wallet=Owner(chance.choice(list(wallets)), chance.choice(("Points", "Other"))),
                    points=chance.randint(1, 5) * 1_000,
                    key="",
                    source=chance.choice(("API", "MANUAL")),
                )
                for _ in range(chance.randint(1, 9))
            )
        )
    log = await whole_log(diary)

    for one, reader in zip(wants, live, strict=True):
        wanted = [event for event in log if event.position > start and one.wants(event)]
        assert len(wanted) > 3
        assert await reader.hear(len(wanted)) == wanted
        late = await diary.follow(one, after=0)
        everything = [event for event in log if one.wants(event)]
        assert await late.hear(len(everything)) == everything


async def whole_log(diary: Diary) -> list[Any]:
    return await diary.database.read(read_credited, 0, 100_000)


# ── a lost bell costs latency only ───────────────────────────────────────────────────────────────


async def test_what_a_lost_bell_told_of_is_heard_with_the_next(diary: Diary) -> None:
    everybody, ann = await diary.follow(), await diary.follow(of("ann"))
    await diary.credit("ann")
    await everybody.hear(1)
    await ann.hear(1)

    diary.bell.lost = True
    await diary.credit("ann", "bob")
    diary.bell.lost = False
    await diary.credit("cyd")

    assert await everybody.names(4) == ["ann", "ann", "bob", "cyd"]
    assert await ann.names(2) == ["ann", "ann"]


async def test_a_feed_that_nobody_rings_looks_for_itself(diary: Diary) -> None:
    other = await diary.another_feed(poll_s=0.01)
    reader = await diary.reader(other, CreditedFilter(), await other.position())

    await diary.credit("ann")
    await reader.hear(1)
    await diary.credit("bob")

    assert await reader.names(2) == ["ann", "bob"]


async def test_instances_hear_each_other_in_one_order(shared_url: str, clock: VirtualClock) -> None:
    """Four instances of one PostgreSQL write at once; each one's feed has all of it, in order."""
    instances = 4
    async with AsyncExitStack() as opened:
        diaries = [
            await opened.enter_async_context(open_diary(shared_url, clock))
            for _ in range(instances)
        ]
        await diaries[0].credit(*(f"m{n}" for n in range(5)))
        readers: list[Reader] = []
        for diary in diaries:
            other = await diary.another_feed(poll_s=0.01)
            readers.append(await diary.reader(other, CreditedFilter(), 0))

        async def write(diary: Diary, number: int) -> None:
            for turn in range(20):
                diary.credits = number * 1_000 + turn * 10
                await diary.credit(*(f"m{n}" for n in range(turn % 4 + 1)))

        await asyncio.gather(*(write(diary, n + 1) for n, diary in enumerate(diaries)))

        written = 5 + instances * sum(turn % 4 + 1 for turn in range(20))
        for reader in readers:
            heard = await reader.hear(written)
            assert [event.position for event in heard] == list(range(1, written + 1))


# ── one tail reads for all; who isn't concerned sleeps on ────────────────────────────────────────


async def test_nothing_is_read_while_nobody_follows(diary: Diary) -> None:
    reader = await diary.follow()
    await diary.credit("ann")
    await reader.hear(1)
    await reader.close()

    with counted_statements() as sent:
        await diary.credit("ann")
        await diary.credit("bob")

    assert reads_of_the_log(sent) == 0


async def test_the_log_is_read_once_for_all_followers(diary: Diary) -> None:
    readers = [await diary.follow() for _ in range(20)]
    await diary.credit("ann")
    for reader in readers:
        await reader.hear(1)

    with counted_statements() as sent:
        await diary.credit("bob", "cyd")
        for reader in readers:
            await reader.hear(3)

    assert reads_of_the_log(sent) <= 2


async def test_of_a_thousand_followers_only_those_concerned_wake(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"m{n}" for n in range(1_000)]
    await diary.credit(*names)
    readers = {name: await diary.follow(of(name)) for name in names}
    everybody = await diary.follow()
    await diary.credit("m1")
    await everybody.hear(1)
    await until(lambda: diary.feed.followers == 1_001)
    woken: list[str | None] = []
    wants = CreditedFilter.wants

    def note(self: CreditedFilter, event: Any) -> bool:
        woken.append(self.identity)
        return wants(self, event)

    monkeypatch.setattr(CreditedFilter, "wants", note)

    await diary.credit("m7", "m7", "m500")

    assert await everybody.names(4) == ["m1", "m7", "m7", "m500"]
    assert await readers["m7"].names(2) == ["m7", "m7"]
    assert await readers["m500"].names(1) == ["m500"]
    assert set(woken) == {None, "m7", "m500"}
    assert len(woken) <= 3 + 2 + 1
    assert sum(len(reader.heard) for reader in readers.values()) == 4


async def test_a_batch_for_a_thousand_wakes_each_for_its_own(diary: Diary) -> None:
    names = [f"m{n}" for n in range(1_000)]
    readers = {name: await diary.follow(of(name)) for name in names}
    await until(lambda: diary.feed.followers == 1_000)

    await diary.credit(*names)

    for name, reader in readers.items():
        assert await reader.names(1) == [name]


async def until(condition: Callable[[], bool]) -> None:
    async with patience():
        while not condition():  # noqa: ASYNC110 - the feed's own state, which tells nobody
            await asyncio.sleep(0)


# ── what a follower leaves behind, and what memory forgets ───────────────────────────────────────


async def test_a_cancelled_follower_leaves_nothing_behind(diary: Diary) -> None:
    readers = [await diary.follow(of(name)) for name in ("ann", "bob", "bob")]
    await diary.credit("ann", "bob")
    for reader in readers:
        await reader.hear(1)
    assert diary.feed.followers == 3

    for reader in readers:
        await reader.close()

    assert diary.feed.followers == 0
    assert all(reader.task.cancelled() for reader in readers)


async def test_one_who_leaves_while_reading_the_log_leaves_nothing_behind(diary: Diary) -> None:
    await diary.credit("ann")
    reader = Reader(diary.feed, CreditedFilter(), 0)
    await until(lambda: diary.feed.followers == 1)

    await reader.close()

    assert diary.feed.followers == 0


async def test_closing_the_feed_ends_its_followers(diary: Diary) -> None:
    reader = await diary.follow()
    await diary.credit("ann")
    await reader.hear(1)

    await diary.feed.close()

    async with patience():
        await reader.task
    assert diary.feed.followers == 0


async def test_one_who_follows_a_closed_feed_hears_what_there_is_and_ends(diary: Diary) -> None:
    await diary.credit("ann", "bob")
    await diary.feed.close()

    async with patience():
        heard = [event.identity async for event in diary.feed.follow(after=0)]

    assert heard == ["ann", "bob"]


@pytest.mark.parametrize("recent_max", [1, RECENT_MAX])
async def test_an_erased_member_is_heard_of_without_a_name(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, recent_max: int
) -> None:
    monkeypatch.setattr(feeds, "RECENT_MAX", recent_max)
    slow, live = diary.feed.follow(after=0), await diary.follow()
    await diary.credit("bob", "ann", "ann", "bob")
    await live.hear(4)
    assert (await anext(slow)).identity == "bob"
    member_id = await diary.ledger.erase_member(EraseMember(identity="ann"), SERVICE)
    diary.feed.forget()

    rest = [(await anext(slow)).identity for _ in range(3)]

    assert rest == [f"erased:{member_id}", f"erased:{member_id}", "bob"]
    await diary.credit("cyd")
    assert (await anext(slow)).identity == "cyd"
    assert await live.names(5) == ["bob", "ann", "ann", "bob", "cyd"]
    await slow.aclose()


@pytest.mark.parametrize("recent_max", [1, RECENT_MAX])
async def test_an_instance_that_only_looks_at_the_log_forgets_who_was_erased_elsewhere(
    diary: Diary, monkeypatch: pytest.MonkeyPatch, recent_max: int
) -> None:
    monkeypatch.setattr(feeds, "RECENT_MAX", recent_max)
    other = await diary.another_feed()
    live = await diary.reader(other, ANY, 0)
    slow = other.follow(after=0)
    await diary.credit("bob", "ann")
    other.ring()
    await live.hear(2)
    assert (await anext(slow)).identity == "bob"
    member_id = await diary.ledger.erase_member(EraseMember(identity="ann"), SERVICE)

    await diary.credit("cyd")
    other.ring()
    await live.hear(3)

    assert [(await anext(slow)).identity for _ in range(2)] == [f"erased:{member_id}", "cyd"]
    await slow.aclose()


# ── the database falls silent ────────────────────────────────────────────────────────────────────


async def test_the_tail_outlives_a_database_that_fails(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RETRY_S", 0)
    reader = await diary.follow()
    await diary.credit("ann")
    await reader.hear(1)
    failures = 3

    def fail(_: Connection, after: int) -> Any:
        nonlocal failures
        failures -= 1
        if failures == 0:
            monkeypatch.undo()
        raise Unavailable(f"gone, after {after}")

    monkeypatch.setattr(feeds, "_read_tail", fail)
    with logged() as lines:
        await diary.credit("bob")
        assert await reader.names(2) == ["ann", "bob"]

    assert len(lines.of("the feed could not read the log; it will try again")) == 3
