"""Subscribers to CT Points Credited who may share what is executed, and how much of it was."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from graph import audiences
from tests.harness.patience import patience
from tests.harness.servers import Service
from tests.sockets.talk import Talk

WATCH = """subscription Watch($filter: PointsCreditedFilter, $after: String) {
  pointsCredited(filter: $filter, after: $after) { identity points } }"""
WALLET = """subscription Wallet($after: String) {
  pointsCredited(after: $after) { points wallet { balance { active } } } }"""
CREDITS_MAX = 200


class Shared(NamedTuple):
    """How many events were executed for all who ask the same, and how often their answers went."""

    executions: int
    answers: int


def shared(service: Service) -> Shared:
    """So many there were by now."""
    told = service.inside.telemetry
    counters = told.shared_executions, told.shared_answers
    return Shared(*(int(next(iter(each.collect())).samples[0].value) for each in counters))


async def shared_by(service: Service, *clients: Talk) -> Shared:
    """Credit Ann a point, have each hear of it, and tell how much of that was shared."""
    before = shared(service)
    await service.client.credit("ann", 1)
    for client in clients:
        heard = await client.hear()
        assert heard["type"] == "next", heard
    after = shared(service)
    return Shared(after.executions - before.executions, after.answers - before.answers)


async def settle(service: Service, *clients: Talk, executions: int = 1) -> None:
    """Credit until all of them have caught up, and share."""
    wanted = Shared(executions, len(clients))
    for _ in range(CREDITS_MAX):
        if await shared_by(service, *clients) == wanted:
            return
    raise AssertionError("they never came to share")


async def points(client: Talk, id: str = "1") -> Any:
    """How many points the next event tells of, which must come under this id."""
    heard = await client.hear()
    assert (heard["type"], heard["id"]) == ("next", id), heard
    assert "errors" not in heard["payload"], heard
    (event,) = heard["payload"]["data"].values()
    return event["points"]


class Gate:
    """Holds up what is executed of events, from when it is closed until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.reached = asyncio.Event()
        self.executed = 0
        self.real: Callable[..., Any] = audiences.answer_to
        monkeypatch.setattr(audiences, "answer_to", self.answer_to)

    async def answer_to(self, *args: Any) -> Any:
        self.executed += 1
        self.reached.set()
        await self.is_open.wait()
        return await self.real(*args)

    @asynccontextmanager
    async def closed(self, service: Service, given: int) -> AsyncIterator[None]:
        """Credit Ann so much; within the block that is being executed."""
        self.close()
        held = self.is_open
        await service.client.credit("ann", given)
        await self.is_reached()
        yield
        held.set()

    def close(self) -> None:
        self.is_open = asyncio.Event()
        self.reached.clear()

    def let_others_by(self) -> None:
        """Hold up only what has come to it already."""
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def is_reached(self) -> None:
        async with patience():
            await self.reached.wait()
