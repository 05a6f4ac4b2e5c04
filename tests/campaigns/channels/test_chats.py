"""Chats, SMS and push: by the operator's own URLs, in threads that stall nobody."""

import asyncio
import logging
import sys

import pytest

from campaigns.channels import chats
from campaigns.channels.checks import Fault, Operated, check_settings
from campaigns.channels.parcels import Receipt
from tests.campaigns.channels.parcels import PARCEL, open_channels, parcel
from tests.harness.receiver import SILENT, Answer, receiver

DESK = {"service": "desk"}


async def test_a_message_arrives_by_the_service_that_is_named() -> None:
    async with receiver() as gate:
        services = {"desk": f"json://127.0.0.1:{gate.port}/desk"}
        async with open_channels(services=services) as channels:
            receipt = await channels.send("APPRISE", DESK, {}, PARCEL)
        (request,) = gate.received

    assert receipt == Receipt("SENT")
    assert request.path.rstrip("/") == "/desk"
    assert (request.json["title"], request.json["message"]) == ("50 points wait", "Hello Ann")


async def test_a_members_number_takes_its_place_in_the_url() -> None:
    async with receiver() as gate:
        services = {"desk": f"json://127.0.0.1:{gate.port}/sms/{{phone}}/{{email}}"}
        async with open_channels(services=services) as channels:
            receipt = await channels.send("APPRISE", DESK, {}, PARCEL)
        (request,) = gate.received

    assert receipt.verdict == "SENT"
    assert request.path.replace("%2B", "+").replace("%40", "@").rstrip("/") == (
        "/sms/+41446681800/ann@example.com"
    )


@pytest.mark.parametrize("phone", [None, "", "12", "+41/../admin", "+41?x=1", "call me"])
async def test_no_number_no_message(phone: str | None) -> None:
    async with receiver() as gate:
        services = {"desk": f"json://127.0.0.1:{gate.port}/sms/{{phone}}"}
        async with open_channels(services=services) as channels:
            receipt = await channels.send("APPRISE", DESK, {}, parcel(phone=phone))

        assert (receipt.verdict, gate.received) == ("REJECTED", [])


async def test_what_the_service_did_not_take_is_tried_again() -> None:
    async with receiver() as gate:
        gate.say(Answer(500))
        services = {"desk": f"json://127.0.0.1:{gate.port}"}
        async with open_channels(services=services) as channels:
            receipt = await channels.send("APPRISE", DESK, {}, PARCEL)

    said = "the service did not take the message."
    assert receipt == Receipt("RETRY", "UNREACHABLE", error=said)


async def test_a_service_that_keeps_silent_stalls_nobody() -> None:
    async with receiver() as gate:
        gate.otherwise = SILENT
        services = {"desk": f"json://127.0.0.1:{gate.port}"}
        async with open_channels(services=services) as channels:
            sending = asyncio.create_task(channels.send("APPRISE", DESK, {}, PARCEL))
            await gate.arrived()  # told by this very loop

            assert not sending.done()
            sending.cancel()
            await asyncio.wait([sending])


async def test_what_a_service_leaves_open_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chats, "SEND_S_MAX", 0.5)
    async with receiver() as gate:
        gate.otherwise = SILENT
        services = {"desk": f"json://127.0.0.1:{gate.port}"}
        async with open_channels(services=services) as channels:
            receipt = await channels.send("APPRISE", DESK, {}, PARCEL)

    assert (receipt.verdict, receipt.reason) == ("UNKNOWN", "TIMED_OUT")


async def test_a_service_that_was_taken_away_is_told() -> None:
    async with open_channels(services={}) as channels:
        receipt = await channels.send("APPRISE", DESK, {}, PARCEL)

    assert receipt == Receipt(
        "REJECTED", "REJECTED", error="there is no service 'desk' in the settings."
    )


async def test_a_url_of_nothing_that_apprise_knows_is_not_sent_to() -> None:
    async with open_channels(services={"desk": "nonsense://127.0.0.1"}) as channels:
        receipt = await channels.send("APPRISE", DESK, {}, PARCEL)

    said = "the service's URL is none that apprise knows."
    assert receipt == Receipt("REJECTED", "REJECTED", error=said)


async def test_no_url_is_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with receiver() as gate:
        gate.say(Answer(500))
        services = {"desk": f"json://ann:secret@127.0.0.1:{gate.port}/secret"}
        async with open_channels(services=services) as channels:
            await channels.send("APPRISE", DESK, {}, PARCEL)
        assert len(gate.received) == 1
    said = capfd.readouterr()

    assert "secret" not in said.out + said.err
    assert [line.name for line in caplog.records if line.name in chats.TALKERS] == []
    assert "secret" not in caplog.text


async def test_without_the_extra_no_such_channel_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    checked = check_settings("APPRISE", DESK, Operated(services={"desk": "json://desk"}))
    async with open_channels(services={"desk": "json://desk"}) as channels:
        receipt = await channels.send("APPRISE", DESK, {}, PARCEL)

    assert checked == Fault(
        ("settings", "service"),
        "service can't be used: apprise isn't installed; it is the extra `apprise`.",
    )
    assert receipt.error == "apprise is not installed: pip install 'tuppence[apprise]'."
