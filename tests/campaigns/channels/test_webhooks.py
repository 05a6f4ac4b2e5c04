"""Webhooks: signed JSON to a caller's URL, within bounds; the answer says what came of it."""

import asyncio
import ssl
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from campaigns.channels import exchanges
from campaigns.channels.parcels import ERROR_MAX, Payment, Receipt
from campaigns.channels.webhooks import new_secret
from tests.campaigns.channels.parcels import (
    AT,
    PARCEL,
    SECRET,
    SIGNED,
    open_channels,
    parcel,
)
from tests.harness.patience import patience, poll
from tests.harness.receiver import DROPPED, SILENT, Answer, receiver
from tests.harness.tls import make_certificate


async def attempt(*answers: Answer, **differing: Any) -> tuple[Receipt, list[Any]]:
    """Send a parcel to a receiver that answers so; say what came of it, and what it received."""
    async with patience(), receiver(secret=SECRET) as shop, open_channels() as channels:
        shop.say(*answers)
        settings = {"url": f"{shop.url}/hook?shop=1"}
        receipt = await channels.send("WEBHOOK", settings, SIGNED, parcel(**differing))
        return receipt, shop.received


async def test_a_message_arrives_signed_under_its_deliverys_id() -> None:
    receipt, (request,) = await attempt(
        reward=Payment(2_500, "txn_01kb00000000000000000000ad"), is_test=True, html="<b>Hello</b>"
    )

    assert receipt == Receipt("SENT", status=200)
    assert (request.method, request.path) == ("POST", "/hook?shop=1")
    assert request.headers["webhook-id"] == PARCEL.delivery_id
    assert request.headers["webhook-timestamp"] == "1773133200"
    assert request.headers["content-type"] == "application/json"
    assert request.payload(SECRET) == {
        "type": "campaign.message",
        "timestamp": "2026-03-10T09:00:00Z",
        "data": {
            "deliveryId": PARCEL.delivery_id,
            "campaign": {"id": PARCEL.campaign_id, "name": "Come back"},
            "member": {
                "identity": "ann",
                "name": "Ann",
                "email": "ann@example.com",
                "phone": "+41 44 668 18 00",
            },
            "event": {
                "id": PARCEL.event_id,
                "name": "CT Points Credited",
                "properties": dict(PARCEL.properties),
            },
            "subject": "50 points wait",
            "body": "Hello Ann",
            "html": "<b>Hello</b>",
            "reward": {"points": 2.5, "transactionId": "txn_01kb00000000000000000000ad"},
            "test": True,
        },
    }


async def test_a_receiver_verifies_it_with_the_specifications_own_library() -> None:
    secret = new_secret()
    async with receiver() as shop, open_channels() as channels:
        now = parcel(at=time.time_ns() // 1_000)
        await channels.send("WEBHOOK", {"url": shop.url}, {"signingSecret": secret}, now)
        (request,) = shop.received

    headers = dict(request.headers)
    assert Webhook(secret).verify(request.body, headers)["data"]["body"] == "Hello Ann"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body + b" ", headers)


def test_no_two_secrets_are_alike_and_each_has_256_bits() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {(secret[:6], len(secret)) for secret in secrets} == {("whsec_", 6 + 44)}


async def test_no_text_of_a_message_alters_its_shape() -> None:
    text = 'a", "test": true, "x": "\r\nwebhook-id: forged\r\n\r\n'
    _, (request,) = await attempt(body=text, identity=text, campaign_name=text)

    data = request.payload(SECRET)["data"]
    assert (data["body"], data["member"]["identity"], data["campaign"]["name"]) == (text,) * 3
    assert data["test"] is False
    assert request.headers["webhook-id"] == PARCEL.delivery_id


@pytest.mark.parametrize("body", ["half a \ud83d", "\udc00"])
async def test_what_json_cannot_say_is_not_sent(body: str) -> None:
    receipt, requests = await attempt(body=body)

    said = "the message contains what JSON can't: half a character, or too large a number."
    assert (receipt, requests) == (Receipt("REJECTED", "REJECTED", error=said), [])


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_means_it_arrived(status: int) -> None:
    receipt, _ = await attempt(Answer(status))

    assert receipt == Receipt("SENT", status=status)


@pytest.mark.parametrize("status", [400, 401, 404, 408, 422, 425, 429, 500, 502, 503, 599])
async def test_any_other_answer_is_tried_again(status: int) -> None:
    receipt, _ = await attempt(Answer(status))

    assert receipt == Receipt("RETRY", "REJECTED", status, f"it answered {status}.")


async def test_410_is_the_end_of_the_channel() -> None:
    receipt, _ = await attempt(Answer(410))

    assert receipt == Receipt(
        "REJECTED", "REJECTED", 410, "it answered 410: it wants no more.", disables=True
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_rejected_and_not_followed(status: int) -> None:
    async with receiver() as other:
        receipt, requests = await attempt(Answer(status, {"location": other.url}))

        assert (other.connections, len(requests)) == (0, 1)
    assert receipt == Receipt(
        "REJECTED", "REJECTED", status, f"it answered {status}: redirects are not followed."
    )


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 5_000, 86_400),
        ("Tue, 10 Mar 2026 09:02:00 GMT", 120),
        ("Tue, 10 Mar 2026 08:00:00 GMT", 0),
        ("Tue, 10 Mar 2099 08:00:00 GMT", 86_400),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Tue, 99 Mar 2026 09:02:00 GMT", None),
        ("", None),
    ],
)
async def test_a_receiver_says_when_to_come_again_within_a_day(
    said: str, seconds: int | None
) -> None:
    receipt, _ = await attempt(Answer(503, {"retry-after": said}))

    assert receipt.verdict == "RETRY"
    assert receipt.retry_after_us == (None if seconds is None else seconds * 1_000_000)


async def test_who_hangs_up_is_tried_again() -> None:
    receipt, requests = await attempt(DROPPED)

    assert (receipt.verdict, receipt.reason, receipt.status) == ("RETRY", "UNREACHABLE", None)
    assert receipt.error == "no answer came: Server disconnected without sending a response."
    assert len(requests) == 1


async def test_who_is_not_there_is_tried_again() -> None:
    async with receiver() as shop:
        url = shop.url
    async with open_channels() as channels:
        receipt = await channels.send("WEBHOOK", {"url": url}, SIGNED, PARCEL)

    assert (receipt.verdict, receipt.reason) == ("RETRY", "UNREACHABLE")


async def test_a_name_that_is_nowhere_is_tried_again() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(host, port)

    async with open_channels(resolver=resolve) as channels:
        settings = {"url": "https://nowhere.example"}
        receipt = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)

    said = "it was not sent: there is no address to the name nowhere.example."
    assert receipt == Receipt("RETRY", "UNREACHABLE", error=said)


async def test_who_keeps_silent_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "EXCHANGE_S_MAX", 0.05)
    receipt, _ = await attempt(SILENT)

    assert receipt == Receipt(
        "RETRY", "TIMED_OUT", error="there was no whole answer within 0.05 s."
    )


async def test_what_trickles_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "EXCHANGE_S_MAX", 0.05)
    receipt, _ = await attempt(Answer(200, {"content-length": "100"}, b"one byte, and no more"))

    assert (receipt.verdict, receipt.reason) == ("RETRY", "TIMED_OUT")


async def test_the_bounds_are_those_that_were_promised() -> None:
    assert exchanges.CONNECT_S_MAX == 5
    assert exchanges.EXCHANGE_S_MAX == 15
    assert exchanges.ANSWER_BYTES_MAX == 16_384


async def test_of_an_endless_answer_16_kb_are_read_and_it_counts() -> None:
    async with receiver() as shop, open_channels() as channels:
        shop.say(Answer(200, body=b"x" * 50_000_000))
        receipt = await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)
        again = await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)

        async def is_hung_up() -> bool:
            return shop.hung_up == 1

        assert (receipt.status, again.status) == (200, 200)
        # What was left unread is not what the next answer begins with.
        assert shop.connections == 2
        assert await poll(is_hung_up)


async def test_one_line_serves_one_after_the_other() -> None:
    async with receiver() as shop, open_channels() as channels:
        for _ in range(5):
            await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)

        assert (len(shop.received), shop.connections) == (5, 1)


async def test_a_line_that_was_hung_up_meanwhile_is_not_used_again() -> None:
    async with open_channels() as channels, receiver() as shop:
        await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)
        shop.say(Answer(200, {"connection": "close"}))
        await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)
        last = await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)

        assert (last.verdict, shop.connections) == ("SENT", 2)


async def test_many_at_once_each_get_their_own_answer() -> None:
    async with receiver(secret=SECRET) as shop, open_channels() as channels:
        parcels = [replace(PARCEL, delivery_id=f"dlv_{number}") for number in range(200)]
        settings = {"url": shop.url}

        receipts = await asyncio.gather(
            *(channels.send("WEBHOOK", settings, SIGNED, each) for each in parcels)
        )

        assert {receipt.verdict for receipt in receipts} == {"SENT"}
        arrived = sorted(said["data"]["deliveryId"] for said in shop.payloads)
        assert arrived == sorted(each.delivery_id for each in parcels)


async def test_no_cookie_of_one_answer_is_told_to_the_next() -> None:
    async with receiver() as shop, open_channels() as channels:
        shop.say(Answer(200, {"set-cookie": "who=ann"}))
        for _ in range(2):
            await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)

        assert "cookie" not in shop.received[1].headers


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        receipt, _ = await attempt()

        assert (receipt.verdict, proxy.connections) == ("SENT", 0)


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's TLS, by a certificate of 127.0.0.1, and a client's that trusts it."""
    certificate, key = make_certificate(folder, "shop")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=certificate)


async def test_tls_is_verified_against_the_name_not_the_address(tmp_path: Path) -> None:
    server, client = contexts(tmp_path)

    async def resolve(host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]

    async with (
        receiver(tls=server) as shop,
        open_channels(tls=client, resolver=resolve) as channels,
    ):
        good = await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)
        settings = {"url": f"https://other.example:{shop.port}"}
        bad = await channels.send("WEBHOOK", settings, SIGNED, PARCEL)

        assert (good.verdict, bad.verdict, bad.reason) == ("SENT", "RETRY", "UNREACHABLE")
        assert "Hostname mismatch" in str(bad.error)
        assert len(shop.received) == 1


async def test_a_certificate_of_nobodys_is_not_trusted(tmp_path: Path) -> None:
    server, _ = contexts(tmp_path)
    async with receiver(tls=server) as shop, open_channels() as channels:
        receipt = await channels.send("WEBHOOK", {"url": shop.url}, SIGNED, PARCEL)

        assert (receipt.verdict, receipt.reason) == ("RETRY", "UNREACHABLE")
        assert (len(shop.received), len(receipt.error or "") <= ERROR_MAX) == (0, True)


async def test_the_timestamp_is_the_attempts_own() -> None:
    _, (request,) = await attempt(at=AT + 5_900_000, attempt=2)

    assert request.headers["webhook-timestamp"] == "1773133205"
    assert request.payload(SECRET)["timestamp"] == "2026-03-10T09:00:05.900000Z"
