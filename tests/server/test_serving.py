"""Serving: stopping waits for nobody for ever, and what serves has the collector tuned for it."""

import asyncio
import gc

import pytest

from graph.limits import Limits
from server import serving
from server.connections import Config
from server.listening import listen, origin
from server.serving import Server
from tests.harness.patience import patience
from tests.server.raw import Torrent, raw

STOP_S = 0.05


async def test_stopping_waits_for_nobody_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "STOP_S_MAX", STOP_S)
    torrent = Torrent()
    server = Server(Config(torrent, Limits()))
    with listen("127.0.0.1", 0) as listener:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        async with raw(origin(listener)) as deaf:
            await deaf.upgrade()
            async with patience():
                await torrent.begun.wait()

            server.should_exit = True
            async with patience():
                await running

    assert torrent.ended.is_set()


async def test_once_it_serves_garbage_is_looked_for_seldom_and_not_in_what_was_there() -> None:
    """What requests make is mostly gone without the collector, which costs each of them time."""
    before, greeted = gc.get_threshold(), asyncio.Event()
    server = Server(Config(Torrent(), Limits()), greeted.set)
    try:
        with listen("127.0.0.1", 0) as listener:
            running = asyncio.create_task(server.serve(sockets=[listener]))
            async with patience():
                await greeted.wait()
            thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
            server.should_exit = True
            async with patience():
                await running
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()

    assert thresholds == (20_000, 20, 50)
    assert frozen > 0
