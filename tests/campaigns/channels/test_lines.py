"""Lines: so many at a time, so many kept, each for the place it leads to."""

import asyncio

import pytest

from campaigns.channels import lines
from tests.campaigns.channels.parcels import PARCEL, SIGNED, open_channels
from tests.harness.receiver import receiver


async def here(host: str, port: int) -> list[str]:
    """Every name leads to this machine."""
    del host, port
    return ["127.0.0.1"]


async def test_no_more_requests_are_under_way_than_there_are_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "LINES_MAX", 2)
    async with receiver() as shop, open_channels() as channels:
        settings = {"url": shop.url}

        receipts = await asyncio.gather(
            *(channels.send("WEBHOOK", settings, SIGNED, PARCEL) for _ in range(20))
        )

        assert {receipt.verdict for receipt in receipts} == {"SENT"}
        assert (len(shop.received), shop.connections) == (20, 2)


async def test_of_too_many_idle_lines_the_oldest_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "IDLE_LINES_MAX", 2)
    async with receiver() as shop, open_channels(resolver=here) as channels:

        async def connections_after(name: str) -> int:
            settings = {"url": f"http://{name}.example:{shop.port}"}
            receipt = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)
            assert receipt.verdict == "SENT"
            return shop.connections

        assert [await connections_after(name) for name in "abcbac"] == [1, 2, 3, 3, 4, 5]


async def test_no_line_of_one_name_serves_another() -> None:
    async with receiver() as shop, open_channels(resolver=here) as channels:
        for name in ("a", "b"):
            settings = {"url": f"http://{name}.example:{shop.port}"}
            await channels.send("WEBHOOK", settings, SIGNED, PARCEL)

        hosts = [request.headers["host"] for request in shop.received]
        assert hosts == [f"a.example:{shop.port}", f"b.example:{shop.port}"]
        assert shop.connections == 2
