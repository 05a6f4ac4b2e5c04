"""Serving: stopping waits for nobody for ever."""

import asyncio

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
