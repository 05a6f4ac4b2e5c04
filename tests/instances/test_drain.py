"""Told to stop, an instance sends its callers to the others, and nothing is lost on the way."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from server.draining import STOPPING
from tests.harness.client import Client, RequestRefused
from tests.harness.keys import ADMIN
from tests.harness.patience import patience, poll
from tests.harness.processes import ServeProcess, serving
from tests.harness.tables import rows
from tests.harness.values import PointsCredited

WORKERS = 6
FOLLOWERS = 4
ENOUGH = 40  # acknowledged credits before the next thing happens
DRAIN_S = "3"
FOR_EVER_S = "600"
SERVICE_RESTART = 1012
IN_ORDER = (
    "SELECT events.id, transactions.id FROM events"
    " JOIN transactions ON transactions.id = events.transaction_id ORDER BY position"
)


@dataclass
class Balancer:
    """Sends each credit to the first instance that is ready, as far as it knows."""

    instances: list[tuple[ServeProcess, Client]]
    ready: list[bool] = field(default_factory=list[bool])
    acknowledged: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])
    is_over: bool = False

    async def look(self) -> None:
        """Ask each instance again and again whether it is ready."""
        while not self.is_over:
            self.ready = [await answers(process) == 200 for process, _ in self.instances]
            await asyncio.sleep(0)

    async def work(self, name: int) -> None:
        number = 0
        while not self.is_over:
            number += 1
            _, client = self.instances[self.ready.index(True)] if any(self.ready) else (None, None)
            if client is None:
                return
            try:
                answer = await client.credit(f"m{name}", 1, key=f"{name}-{number}")
            except (httpx.TransportError, RequestRefused) as error:
                self.failed.append(repr(error))
                return
            assert answer.error is None, "what is answered is answered whole"
            self.acknowledged.append(answer.id)

    async def has_done(self, more: int) -> None:
        goal = len(self.acknowledged) + more

        async def is_so() -> bool:
            return len(self.acknowledged) >= goal or bool(self.failed)

        assert await poll(is_so, 60)


async def answers(process: ServeProcess, path: str = "/readyz") -> int:
    """Return the status of an answer; 0 where nobody listens."""
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{process.origin}{path}")).status_code
    except httpx.TransportError:
        return 0


async def follow(client: Client, cursor: str, seen: list[PointsCredited]) -> int:
    """Follow all events until the service closes the socket; return how it did."""
    async with client.subscribe(after=seen[-1].cursor if seen else cursor) as stream:
        try:
            while True:
                seen.append(await stream.next())
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0


async def ended(process: ServeProcess) -> int:
    assert process.process
    popen = process.process

    async def is_so() -> bool:
        return popen.poll() is not None

    assert await poll(is_so, 60), "it goes on"
    return popen.returncode


@pytest.fixture
async def two(database_url: str, tmp_path: Path) -> AsyncIterator[list[ServeProcess]]:
    """Two processes: one that drains for a while, and one that would for ever."""

    async def start(stack: AsyncExitStack, name: str, seconds: str) -> ServeProcess:
        (tmp_path / name).mkdir()
        more = {"TUPPENCE_DRAIN_SECONDS": seconds, "TUPPENCE_CAMPAIGNS": "off"}
        return await stack.enter_async_context(serving(database_url, tmp_path / name, **more))

    async with AsyncExitStack() as first, AsyncExitStack() as second:
        starting = (start(first, "first", DRAIN_S), start(second, "second", FOR_EVER_S))
        yield list(await asyncio.gather(*starting))


async def test_two_instances_are_stopped_one_after_the_other_and_nobody_loses_anything(
    two: list[ServeProcess], database_url: str
) -> None:
    first, second = two
    async with Client.of(first.url, ADMIN) as one, Client.of(second.url, ADMIN) as other:
        one.prefix, other.prefix = "one-", "other-"
        await one.create_program("main")
        balancer = Balancer([(first, one), (second, other)], [True, True])
        start = await one.event_cursor()
        logs: list[list[PointsCredited]] = [[] for _ in range(FOLLOWERS)]
        followers = [asyncio.create_task(follow(one, start, seen)) for seen in logs]
        looking = asyncio.create_task(balancer.look())
        working = [asyncio.create_task(balancer.work(name)) for name in range(WORKERS)]
        await balancer.has_done(ENOUGH)

        # The first drains: it answers whom it has, and the balancer goes elsewhere in time.
        assert first.process
        assert second.process
        first.process.send_signal(signal.SIGTERM)
        status, reasons, connection = await until_told_to_go(first)
        assert (status, reasons, connection) == (503, [STOPPING], "close")
        assert (await one.credit("late", 1)).error is None
        async with patience(60):
            codes = await asyncio.gather(*followers)
        assert codes == [SERVICE_RESTART] * FOLLOWERS
        assert await ended(first) == 0
        assert balancer.failed == []

        # Followers go on at the second with their cursors. It is told twice, and ends at once.
        followers = [asyncio.create_task(follow(other, start, seen)) for seen in logs]
        await balancer.has_done(ENOUGH)
        last = await other.credit("marker", 1)

        async def all_have_seen_it() -> bool:
            return all(any(each.transaction_id == last.id for each in seen) for seen in logs)

        assert await poll(all_have_seen_it)
        second.process.send_signal(signal.SIGTERM)
        assert (await until_told_to_go(second))[0] == 503
        assert (await other.credit("later", 1)).error is None
        second.process.send_signal(signal.SIGTERM)
        assert await ended(second) == 0
        balancer.is_over = True
        async with patience(60):
            await asyncio.gather(looking, *working)
            assert await asyncio.gather(*followers) == [SERVICE_RESTART] * FOLLOWERS

    written = await rows(database_url, IN_ORDER)
    assert set(balancer.acknowledged) <= {transaction_id for _, transaction_id in written}
    places = [event_id for event_id, _ in written]
    for seen in logs:
        ids = [event.id for event in seen]
        assert ids == places[: len(ids)], "each once, in order, over both"
        assert last.id in {event.transaction_id for event in seen}


async def until_told_to_go(process: ServeProcess) -> tuple[int, list[str], str | None]:
    """Return what readiness says once it isn't, and what becomes of the connection."""
    found: list[tuple[int, list[str], str | None]] = []

    async def is_told() -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{process.origin}/readyz")
        if answer.status_code == 503:
            told = answer.json()
            found.append((503, told["reasons"], answer.headers.get("connection")))
        return bool(found)

    assert await poll(is_told)
    return found[0]
