"""The parcel that the specification of channels sends, and ways out that lead to this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Final

from campaigns.channels.parcels import Parcel
from campaigns.channels.switchboard import Channels

AT: Final = 1_773_133_200_000_000  # 2026-03-10T09:00:00Z
LOOPBACK: Final = (ip_network("127.0.0.0/8"),)
SECRET: Final = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SIGNED: Final = {"signingSecret": SECRET}

PARCEL: Final = Parcel(
    delivery_id="dlv_01kb00000000000000000000ad",
    attempt=1,
    at=AT,
    campaign_id="cmp_01kb00000000000000000000ad",
    campaign_name="Come back",
    identity="ann",
    name="Ann",
    email="ann@example.com",
    phone="+41 44 668 18 00",
    event_id="evt_01kb00000000000000000000ad",
    event="CT Points Credited",
    properties={"CT Source": "API", "points": 12.5, "eventTimestamp": "2026-03-10T08:00:00Z"},
    subject="50 points wait",
    body="Hello Ann",
)


def parcel(**differing: Any) -> Parcel:
    return replace(PARCEL, **differing)


@asynccontextmanager
async def open_channels(**options: Any) -> AsyncIterator[Channels]:
    """Ways out to this machine, and to wherever `options` let them lead."""
    options.setdefault("allowed_networks", LOOPBACK)
    channels = Channels(**options)
    try:
        yield channels
    finally:
        await channels.close()
