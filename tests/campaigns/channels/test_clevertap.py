"""CleverTap: our events uploaded as custom events; each record's own fate is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from campaigns.channels import exchanges
from campaigns.channels.clevertap import BASE_URL, BATCH_MAX
from campaigns.channels.parcels import Parcel, Receipt
from campaigns.channels.switchboard import Channels
from tests.campaigns.channels.parcels import AT, PARCEL, open_channels, parcel
from tests.harness.patience import patience
from tests.harness.receiver import DROPPED, SILENT, Answer, Receiver, receiver

SETTINGS = {"accountId": "ABC-123-456Z", "region": "eu1"}
SECRETS = {"passcode": "AAA-BBB-CCCC"}


def told(status: str = "success", *unprocessed: dict[str, Any]) -> Answer:
    said = {"status": status, "processed": 1, "unprocessed": unprocessed}
    return Answer(200, body=orjson.dumps(said))


def left_out(code: int, error: str, delivery_id: str) -> dict[str, Any]:
    record = {"identity": "ann", "evtData": {"deliveryId": delivery_id}}
    return {"status": "fail", "code": code, "error": error, "record": record}


@asynccontextmanager
async def clevertap() -> AsyncIterator[tuple[Receiver, Channels]]:
    """A stand-in for CleverTap's servers, and ways out that take it for them."""
    asked: set[str] = set()

    async def resolve(host: str, port: int) -> list[str]:
        del port
        asked.add(host)
        return ["127.0.0.1"]

    async with receiver() as tap:
        tap.otherwise = told()
        url = f"http://{{region}}.api.clevertap.test:{tap.port}"
        async with open_channels(clevertap_url=url, resolver=resolve) as channels:
            yield tap, channels
    assert asked <= {"eu1.api.clevertap.test"}


async def upload(answer: Answer, *parcels: Parcel) -> list[Receipt]:
    async with patience(), clevertap() as (tap, channels):
        tap.say(answer)
        return await channels.send_to_clevertap(SETTINGS, SECRETS, parcels or (PARCEL,))


async def test_an_event_is_uploaded_as_a_custom_event() -> None:
    async with clevertap() as (tap, channels):
        receipt = await channels.send("CLEVERTAP", SETTINGS, SECRETS, PARCEL)
        (request,) = tap.received

    assert receipt == Receipt("SENT", status=200)
    assert (request.method, request.path) == ("POST", "/1/upload")
    assert request.headers["x-clevertap-account-id"] == "ABC-123-456Z"
    assert request.headers["x-clevertap-passcode"] == "AAA-BBB-CCCC"
    assert request.json == {
        "d": [
            {
                "identity": "ann",
                "ts": AT // 1_000_000 - 3_600,
                "type": "event",
                "evtName": "Points Credited",
                "evtData": {
                    "eventSource": "API",
                    "points": 12.5,
                    "eventTimestamp": f"$D_{AT // 1_000_000 - 3_600}",
                    "deliveryId": PARCEL.delivery_id,
                    "campaignName": "Come back",
                },
            }
        ]
    }


def test_it_goes_to_the_accounts_own_region() -> None:
    assert BASE_URL.format(region="eu1") == "https://eu1.api.clevertap.com"


async def test_no_value_is_longer_than_it_takes_and_no_letter_is_cut() -> None:
    async with clevertap() as (tap, channels):
        properties = {"pointsDescription": "x" + "ü" * 300, "points": 5, "couponCode": None}
        await channels.send("CLEVERTAP", SETTINGS, SECRETS, parcel(properties=properties))
        (request,) = tap.received

    (event,) = request.json["d"]
    assert event["evtData"]["pointsDescription"] == "x" + "ü" * 255
    assert event["evtData"]["couponCode"] is None
    assert event["ts"] == AT // 1_000_000


async def test_many_go_by_few_requests_in_order() -> None:
    parcels = [parcel(delivery_id=f"dlv_{number}") for number in range(BATCH_MAX + 5)]
    async with clevertap() as (tap, channels):
        tap.say(told("partial", left_out(523, "Missing identity", "dlv_3")))
        receipts = await channels.send_to_clevertap(SETTINGS, SECRETS, parcels)

        assert [len(request.json["d"]) for request in tap.received] == [1_000, 5]
    assert len(receipts) == BATCH_MAX + 5
    assert [number for number, each in enumerate(receipts) if each.verdict != "SENT"] == [3]
    said = "CleverTap did not take it: 523 Missing identity"
    assert receipts[3] == Receipt("REJECTED", "REJECTED", 523, said)


async def test_nothing_to_upload_is_no_request() -> None:
    async with clevertap() as (tap, channels):
        assert await channels.send_to_clevertap(SETTINGS, SECRETS, []) == []
        assert tap.connections == 0


async def test_a_record_that_met_a_fault_of_theirs_is_tried_again() -> None:
    (receipt,) = await upload(told("fail", left_out(555, "Server error", PARCEL.delivery_id)))

    said = "CleverTap did not take it: 555 Server error"
    assert receipt == Receipt("RETRY", "REJECTED", 555, said)


@pytest.mark.parametrize(
    "answer",
    [
        told("partial", {"code": 523, "error": "Missing identity"}),
        told("partial", left_out(523, "Missing identity", "dlv_another")),
        told("fail"),
        Answer(200, body=b"<html>all is well</html>"),
        Answer(200, body=b"[]"),
        Answer(200, body=b'{"status": "success", "unprocessed": 5}'),
        Answer(200, body=b'{"status": "success", "unprocessed": [null]}'),
        Answer(200),
    ],
)
async def test_what_an_answer_leaves_open_is_unknown(answer: Answer) -> None:
    (receipt,) = await upload(answer)

    assert receipt.verdict == "UNKNOWN"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_was_not_taken_for_now_is_tried_again(status: int) -> None:
    (receipt,) = await upload(Answer(status))

    assert receipt == Receipt("RETRY", "REJECTED", status, f"CleverTap answered {status}.")


@pytest.mark.parametrize("status", [301, 400, 404])
async def test_what_was_not_taken_for_good_is_rejected(status: int) -> None:
    (receipt,) = await upload(Answer(status))

    assert receipt == Receipt("REJECTED", "REJECTED", status, f"CleverTap answered {status}.")


async def test_a_wrong_passcode_is_told() -> None:
    (receipt,) = await upload(Answer(401))

    said = "CleverTap answered 401: are account, passcode and region right?"
    assert receipt == Receipt("REJECTED", "REJECTED", 401, said)


async def test_what_may_have_arrived_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    (dropped,) = await upload(DROPPED)
    monkeypatch.setattr(exchanges, "EXCHANGE_S_MAX", 0.05)
    (late,) = await upload(SILENT)

    assert (dropped.verdict, dropped.reason) == ("UNKNOWN", "UNREACHABLE")
    assert (late.verdict, late.reason) == ("UNKNOWN", "TIMED_OUT")


async def test_what_never_left_is_tried_again() -> None:
    async with receiver() as tap:
        url = tap.url
    async with open_channels(clevertap_url=url) as channels:
        receipt = await channels.send("CLEVERTAP", SETTINGS, SECRETS, PARCEL)

    assert (receipt.verdict, receipt.reason) == ("RETRY", "UNREACHABLE")
