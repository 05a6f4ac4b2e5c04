"""Mail: letters by SMTP; what may have been taken is never sent again unasked."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from campaigns.channels import mail
from campaigns.channels.letters import find_sender, is_mail_address, letter
from campaigns.channels.mail import Server, find_server
from campaigns.channels.parcels import Receipt
from tests.campaigns.channels.parcels import PARCEL, open_channels, parcel
from tests.harness.mailbox import DROP, Mailbox, mailbox
from tests.harness.patience import patience
from tests.harness.receiver import SILENT, receiver
from tests.harness.tls import make_certificate

FROM = "Beans <hello@beans.example>"


async def post(to: Mailbox, *, sender: str = FROM, **differing: Any) -> Receipt:
    async with open_channels() as channels:
        secrets = {"smtpUrl": to.url}
        return await channels.send("EMAIL", {"from": sender}, secrets, parcel(**differing))


async def test_a_letter_arrives_with_its_headers() -> None:
    async with mailbox() as box:
        receipt = await post(box)
        (handed,) = box.handed

    assert receipt == Receipt("SENT", status=250)
    assert (handed.sender, handed.recipients) == ("hello@beans.example", ("ann@example.com",))
    taken = handed.letter
    assert {name: str(taken[name]) for name in taken.keys()} == {  # noqa: SIM118 - a letter's own
        "From": "Beans <hello@beans.example>",
        "To": "ann@example.com",
        "Subject": "50 points wait",
        "Date": "Tue, 10 Mar 2026 09:00:00 +0000",
        "Message-ID": f"<{PARCEL.delivery_id}@beans.example>",
        "List-Unsubscribe": (
            f"<mailto:hello@beans.example?subject=unsubscribe%20{PARCEL.delivery_id}>"
        ),
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert taken.get_content().strip() == "Hello Ann"


def test_how_to_unsubscribe_stands_in_one_line_whatever_its_length() -> None:
    sender = find_sender(f"news+50%@{'a' * 60}.{'b' * 60}.example")
    assert sender

    assert (
        f"\r\nList-Unsubscribe: <mailto:news%2B50%25@{'a' * 60}.{'b' * 60}.example"
        f"?subject=unsubscribe%20{PARCEL.delivery_id}>\r\n"
    ).encode() in letter(PARCEL, sender).as_bytes()


async def test_html_stands_beside_the_text() -> None:
    async with mailbox() as box:
        await post(box, body="Grüezi Ann", html="<b>Grüezi Ann</b>")
        (taken,) = box.letters

    parts = [(part.get_content_type(), part.get_content().strip()) for part in taken.iter_parts()]
    assert taken.get_content_type() == "multipart/alternative"
    assert parts == [("text/plain", "Grüezi Ann"), ("text/html", "<b>Grüezi Ann</b>")]


async def test_a_second_attempt_has_the_same_message_id() -> None:
    async with mailbox() as box:
        await post(box)
        await post(box, attempt=2, at=PARCEL.at + 60_000_000)

    first, second = box.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert second["Date"] == "Tue, 10 Mar 2026 09:01:00 +0000"


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\u2028", "\x85", "\x00"])
async def test_no_subject_adds_a_header(break_: str) -> None:
    async with mailbox() as box:
        receipt = await post(box, subject=f"Hello{break_}Bcc: eve@example.com{break_ * 2}Body")
        (taken,) = box.letters

    assert receipt.verdict == "SENT"
    assert taken["Bcc"] is None
    assert taken["Subject"] == "Hello Bcc: eve@example.com Body"


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@example.com\r\nRCPT TO:<eve@example.com>",
        "ann@example.com\n",
        "ann@example.com, eve@example.com",
        "Ann <ann@example.com>",
        "ann eve@example.com",
        "ann@exa mple.com",
        "ann@-example.com",
        "ann..eve@example.com",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 63}",
        "änn@example.com",
    ],
)
async def test_what_is_no_address_gets_no_letter(address: str | None) -> None:
    async with mailbox() as box:
        receipt = await post(box, email=address)

    assert (receipt.verdict, box.handed, is_mail_address(address)) == ("REJECTED", [], False)


async def test_a_refusal_for_now_is_tried_again() -> None:
    async with mailbox() as box:
        box.say(451)
        receipt = await post(box)

    said = "the mail server answered 451 Come back later"
    assert receipt == Receipt("RETRY", "REJECTED", 451, said)
    assert box.handed == []


async def test_a_refusal_for_good_is_one() -> None:
    async with mailbox() as box:
        box.say(550)
        receipt = await post(box)

    said = "the mail server answered 550 No such mailbox"
    assert receipt == Receipt("REJECTED", "REJECTED", 550, said)


@pytest.mark.parametrize(("reply", "verdict"), [(451, "RETRY"), (550, "REJECTED")])
async def test_a_recipient_is_refused_alike(reply: int, verdict: str) -> None:
    async with mailbox() as box:
        box.rcpt_reply = reply
        receipt = await post(box)

    assert (receipt.verdict, receipt.status, box.handed) == (verdict, reply, [])


async def test_what_was_lost_before_the_letter_is_tried_again() -> None:
    async with mailbox() as box:
        box.rcpt_reply = DROP
        receipt = await post(box)

    assert (receipt.verdict, receipt.reason, box.handed) == ("RETRY", "UNREACHABLE", [])


async def test_what_was_lost_after_the_letter_is_unknown() -> None:
    async with mailbox() as box:
        box.say(DROP)
        receipt = await post(box)

    assert (receipt.verdict, receipt.reason) == ("UNKNOWN", "UNREACHABLE")
    assert len(box.handed) == 1


async def test_who_is_not_there_is_tried_again() -> None:
    async with mailbox() as box:
        pass
    receipt = await post(box)

    assert (receipt.verdict, receipt.reason) == ("RETRY", "UNREACHABLE")


async def test_who_keeps_silent_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "LETTER_S_MAX", 0.05)
    async with patience(), receiver() as shop, open_channels() as channels:
        shop.otherwise = SILENT
        secrets = {"smtpUrl": f"smtp://127.0.0.1:{shop.port}"}
        receipt = await channels.send("EMAIL", {"from": FROM}, secrets, PARCEL)

    assert (receipt.verdict, receipt.reason) == ("RETRY", "TIMED_OUT")


async def test_a_callers_server_is_none_of_this_machines() -> None:
    async with mailbox() as box, open_channels(allowed_networks=()) as channels:
        secrets = {"smtpUrl": box.url}
        receipt = await channels.send("EMAIL", {"from": FROM}, secrets, PARCEL)

    assert (receipt.verdict, box.handed) == ("REJECTED", [])
    assert "TUPPENCE_WEBHOOK_ALLOWED_NETWORKS" in str(receipt.error)


async def test_the_operators_server_may_be_of_this_machine() -> None:
    async with (
        mailbox() as box,
        open_channels(allowed_networks=(), smtp_url=box.url) as channels,
    ):
        receipt = await channels.send("EMAIL", {"from": FROM}, {}, PARCEL)

    assert (receipt.verdict, len(box.handed)) == ("SENT", 1)


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    certificate, key = make_certificate(folder, "mail")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=certificate)


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_letter_is_encrypted_where_it_can_be(way: str, tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with mailbox(**{way: server}) as box, open_channels(tls=client) as channels:
        box.users["ann"] = "p@ss"
        scheme = "smtps" if way == "tls" else "smtp"
        secrets = {"smtpUrl": f"{scheme}://ann:p%40ss@127.0.0.1:{box.port}"}
        receipt = await channels.send("EMAIL", {"from": FROM}, secrets, PARCEL)
        (handed,) = box.handed

    assert (receipt.verdict, handed.is_encrypted, handed.user) == ("SENT", True, "ann")


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_server_that_proves_nothing_gets_no_letter(way: str, tmp_path: Path) -> None:
    server, _ = contexts(tmp_path)
    async with mailbox(**{way: server}) as box:
        receipt = await post(box)

    assert (receipt.verdict, receipt.reason, box.handed) == ("RETRY", "UNREACHABLE", [])


async def test_a_wrong_password_is_a_refusal(tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with mailbox(starttls=server) as box, open_channels(tls=client) as channels:
        secrets = {"smtpUrl": f"smtp://ann:secret@127.0.0.1:{box.port}"}
        receipt = await channels.send("EMAIL", {"from": FROM}, secrets, PARCEL)

    assert (receipt.verdict, receipt.status, box.handed) == ("REJECTED", 535, [])
    assert "secret" not in str(receipt.error)


async def test_a_password_is_not_shown_in_the_clear() -> None:
    async with mailbox() as box, open_channels() as channels:
        secrets = {"smtpUrl": f"smtp://ann:secret@127.0.0.1:{box.port}"}
        receipt = await channels.send("EMAIL", {"from": FROM}, secrets, PARCEL)

    said = "the mail server offers no TLS: the password is not shown to it."
    assert receipt == Receipt("REJECTED", "REJECTED", error=said)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 587, is_tls=False)),
        ("smtps://mail.example", Server("mail.example", 465, is_tls=True)),
        ("smtp://a%40b:c%3A@[::1]:25", Server("::1", 25, is_tls=False, user="a@b", password="c:")),
        ("http://mail.example", None),
        ("smtp://", None),
        ("smtp://mail.example:port", None),
        ("smtp://mail.example/inbox", None),
        ("smtp://mail.example\r\nHELO", None),
        ("smtp://ma il.example", None),
        ("", None),
    ],
)
def test_a_server_is_read_from_its_url(url: str, server: Server | None) -> None:
    assert find_server(url) == server


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "beans",
        "Beans <hello@beans.example>\r\nBcc: eve@example.com",
        "hello@beans.example, eve@example.com",
        "Beans <hello@beans.example> eve",
        "hello@beans example",
    ],
)
def test_what_names_no_sender_is_none(text: object) -> None:
    assert find_sender(text) is None


def test_a_sender_may_have_a_name() -> None:
    assert str(find_sender("hello@beans.example")) == "hello@beans.example"
    assert str(find_sender("Käfer, & Co <hello@beans.example>")) == (
        '"Käfer, & Co" <hello@beans.example>'
    )
