"""NATS: word of the log's end travels from the instance that wrote to those that read."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig

from events import nats as words
from events.audit import SERVICE
from events.feed import Feed
from events.log import ANY
from events.nats import Address, Nats
from ledger.registry import EraseMember
from tests.events.diary import Diary, Reader
from tests.harness.logs import logged
from tests.harness.nats import Nats as Server
from tests.harness.nats import nats_cluster, nats_server
from tests.harness.patience import poll


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with nats_server() as server:
        yield server


async def connected(*instances: Nats) -> None:
    async def are() -> bool:
        return all(each.connected for each in instances)

    assert await poll(are)


async def away(*instances: Nats) -> None:
    async def are() -> bool:
        return not any(each.connected for each in instances)

    assert await poll(are)


@asynccontextmanager
async def told_by(diary: Diary, *servers: Server) -> AsyncIterator[Nats]:
    """What tells of the diary's commits."""
    address = Address(tuple(each.url for each in servers))
    nats = Nats(address, diary.database, diary.feed.ring)
    await nats.start()
    diary.bell.also = nats.ring
    try:
        yield nats
    finally:
        diary.bell.also = None
        await nats.close()


@asynccontextmanager
async def another(diary: Diary, *servers: Server) -> AsyncIterator[tuple[Nats, Reader, Feed]]:
    """Another instance that doesn't look at the log by itself, and one who follows there."""
    feed = await diary.another_feed()
    address = Address(tuple(each.url for each in servers))
    nats = Nats(address, diary.database, feed.ring)
    await nats.start()
    try:
        yield nats, await diary.reader(feed, ANY, 0), feed
    finally:
        await nats.close()


@asynccontextmanager
async def stream_of(server: Server) -> AsyncIterator[JetStreamContext]:
    """What any client of NATS sees."""
    client = await nats.connect(server.url, allow_reconnect=False)
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def messages(server: Server) -> list[Any]:
    """All the words that the stream holds."""
    async with stream_of(server) as stream:
        state = (await stream.stream_info("tuppence")).state
        kept = range(state.first_seq, state.last_seq + 1)
        return [await stream.get_msg("tuppence", number) for number in kept if state.messages]


async def test_an_event_is_heard_of_where_nobody_looks_at_the_log(
    diary: Diary, server: Server
) -> None:
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)

        await diary.credit("ann")
        assert await reader.names(1) == ["ann"]
        await diary.credit("bob", "cyd")
        assert await reader.names(3) == ["ann", "bob", "cyd"]


async def test_a_word_is_two_numbers_and_no_name(diary: Diary, server: Server) -> None:
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)
        await diary.credit("ann")
        await reader.hear(1)

        [word] = await messages(server)

    assert word.subject == "tuppence.log"
    assert json.loads(word.data) == {"position": 1, "erasures": 0}
    assert word.headers == {"Nats-Expected-Stream": "tuppence", "Nats-Msg-Id": "1.0"}


async def test_two_that_see_the_same_end_tell_it_once(
    diary: Diary, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "SWEEP_S", 0.01)
    await diary.credit("ann")
    async with told_by(diary, server) as here, told_by(diary, server) as there:
        await connected(here, there)

        async def is_told() -> bool:
            return bool(await messages(server))

        assert await poll(is_told)
        assert len(await messages(server)) == 1


async def test_what_an_instance_did_not_live_to_tell_is_told_by_the_next_that_looks(
    diary: Diary, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "SWEEP_S", 0.01)
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)
        diary.bell.lost = True

        await diary.credit("ann")

        assert await reader.names(1) == ["ann"]


async def test_an_erasure_is_heard_of_at_once(diary: Diary, server: Server) -> None:
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, feed):
        await connected(here, there)
        await diary.credit("ann")
        await reader.hear(1)
        slow = feed.follow(after=0)

        member_id = await diary.ledger.erase_member(EraseMember(identity="ann"), SERVICE)

        async def is_forgotten() -> bool:
            follower = feed.follow(after=0)
            event = await anext(follower)
            await follower.aclose()
            return event.identity == f"erased:{member_id}"

        assert await poll(is_forgotten)
        assert (await anext(slow)).identity == f"erased:{member_id}"
        await slow.aclose()


# ── NATS is away ─────────────────────────────────────────────────────────────────────────────────


async def test_nobody_waits_for_a_server_that_is_not_there_and_it_is_found_once_it_is(
    diary: Diary, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "RETRY_S", 0.01)
    server.kill()
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        with logged() as lines:
            await diary.credit("ann")
            await server.start()
            await connected(here, there)

        assert await reader.names(1) == ["ann"]
        assert lines.of("nats is connected")


@pytest.mark.parametrize("loses", [False, True], ids=["keeps its store", "loses its store"])
async def test_after_a_server_that_was_killed_nothing_is_missing_and_nothing_comes_twice(
    diary: Diary, server: Server, monkeypatch: pytest.MonkeyPatch, *, loses: bool
) -> None:
    monkeypatch.setattr(words, "RETRY_S", 0.01)
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)
        await diary.credit("ann")
        await reader.hear(1)

        server.kill()
        await away(here, there)
        await diary.credit("bob")
        if loses:
            server.forget()
        await server.start()
        await diary.credit("cyd")

        assert await reader.names(3) == ["ann", "bob", "cyd"]
        assert len(reader.heard) == 3


async def test_a_server_that_stands_still_is_left_and_found_again(
    diary: Diary, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "RETRY_S", 0.01)
    monkeypatch.setattr(words, "ANSWER_S_MAX", 1.0)
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)
        server.signal(signal.SIGSTOP)
        await diary.credit("ann")

        async def is_left() -> bool:
            return not here.connected

        assert await poll(is_left)
        server.signal(signal.SIGCONT)

        assert await reader.names(1) == ["ann"]


# ── what isn't ours ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("word", [b"", b"null", b"[]", b'{"position": 7}', b"\xff", b'{"a":1}'])
async def test_what_is_no_word_is_passed_over(diary: Diary, server: Server, word: bytes) -> None:
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)
        with logged() as lines:
            async with stream_of(server) as stream:
                await stream.publish("tuppence.log", word)
            await diary.credit("ann")
            await reader.hear(1)

        assert len(lines.of("nats carried what is no word of a log")) == 2


async def test_word_of_a_later_end_than_there_is_costs_a_look_and_no_event(
    diary: Diary, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "SWEEP_S", 0.01)
    async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
        await connected(here, there)
        async with stream_of(server) as stream:
            await stream.publish("tuppence.log", b'{"position": 1000, "erasures": 5}')

        await diary.credit("ann")

        assert await reader.names(1) == ["ann"]
        assert reader.heard[0].position == 1


async def test_what_was_written_while_a_later_end_was_taken_for_true_is_heard_of(
    diary: Diary, server: Server
) -> None:
    ways: list[str] = []
    feed = await diary.another_feed()
    there = Nats(Address((server.url,)), diary.database, feed.ring, ways.append)
    await there.start()
    reader = await diary.reader(feed, ANY, 0)
    await connected(there)
    async with stream_of(server) as stream:
        await stream.publish("tuppence.log", b'{"position": 1000, "erasures": 5}')

    async def has_heard() -> bool:
        return ways == ["heard"]

    assert await poll(has_heard)
    await feed.position()  # it has looked by now, and found nothing
    await diary.credit("ann")
    there.ring()

    assert await reader.names(1) == ["ann"]
    await there.close()


# ── the stream ───────────────────────────────────────────────────────────────────────────────────


async def test_the_stream_is_kept_on_disk_within_bounds(diary: Diary, server: Server) -> None:
    async with told_by(diary, server) as here:
        await connected(here)
        async with stream_of(server) as stream:
            kept = (await stream.stream_info("tuppence")).config

    assert (kept.storage, kept.subjects) == (StorageType.FILE, ["tuppence.log"])
    assert (kept.max_msgs, kept.max_msg_size, kept.duplicate_window) == (100, 1_024, 120)
    assert kept.num_replicas == 1


async def test_a_cluster_keeps_it_three_times(diary: Diary) -> None:
    async with nats_cluster() as servers, told_by(diary, *servers) as here:
        await connected(here)
        async with stream_of(servers[0]) as stream:
            kept = (await stream.stream_info("tuppence")).config

    assert kept.num_replicas == 3


async def test_a_stream_that_its_keeper_made_otherwise_is_left_as_it_is(
    diary: Diary, server: Server
) -> None:
    made = StreamConfig(name="tuppence", subjects=["tuppence.>"], storage=StorageType.MEMORY)
    async with stream_of(server) as stream:
        await stream.add_stream(made)
        async with told_by(diary, server) as here, another(diary, server) as (there, reader, _):
            await connected(here, there)
            await diary.credit("ann")
            assert await reader.names(1) == ["ann"]
        kept = (await stream.stream_info("tuppence")).config

    assert (kept.storage, kept.subjects) == (StorageType.MEMORY, ["tuppence.>"])


async def test_an_instance_has_one_consumer_however_many_follow(
    diary: Diary, server: Server
) -> None:
    async with told_by(diary, server) as here, another(diary, server) as (there, _, feed):
        await connected(here, there)
        readers = [await diary.reader(feed, ANY, 0) for _ in range(50)]
        await diary.credit("ann")
        await asyncio.gather(*(reader.hear(1) for reader in readers))
        async with stream_of(server) as stream:
            consumers = await stream.consumers_info("tuppence")

    assert len(consumers) == 2
