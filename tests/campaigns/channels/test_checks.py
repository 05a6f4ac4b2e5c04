"""A channel's settings: refused where they can't work; secrets kept apart from the rest."""

from collections.abc import Mapping
from typing import Any

import pytest

from campaigns.channels.checks import Checked, Fault, Operated, check_settings, has_address
from campaigns.channels.parcels import Kind

OPERATED = Operated(
    has_mail_server=True, services={"desk": "json://desk", "sms": "json://gate/{phone}"}
)


def good(kind: Kind, settings: Mapping[str, Any]) -> Checked:
    checked = check_settings(kind, settings, OPERATED)
    assert isinstance(checked, Checked), checked
    return checked


def fault(kind: Kind, settings: object, operated: Operated = OPERATED) -> tuple[str, str]:
    checked = check_settings(kind, settings, operated)
    assert isinstance(checked, Fault), checked
    return ".".join(checked.path), checked.message


def test_a_webhook_has_a_url_and_is_given_a_secret() -> None:
    checked = good("WEBHOOK", {"url": "https://shop.example/hook"})

    assert checked.settings == {"url": "https://shop.example/hook"}
    assert set(checked.secrets) == {"signingSecret"}
    assert checked.secrets["signingSecret"].startswith("whsec_")
    assert checked.secrets != good("WEBHOOK", {"url": "https://shop.example/hook"}).secrets


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example",
        "https://shop.example:8443/a?b=c",
        "https://bücher.example/hook",
        "http://[2606:4700::1111]/",
        f"https://shop.example/{'a' * 2_027}",
    ],
)
def test_these_are_urls_of_webhooks(url: str) -> None:
    assert good("WEBHOOK", {"url": url}).settings["url"] == url


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        (None, "must be an address of 1 to 2048 characters, like https://shop.example/hook"),
        ("", "must be an address of 1 to 2048 characters, like https://shop.example/hook"),
        (5, "must be an address of 1 to 2048 characters, like https://shop.example/hook"),
        (
            f"https://shop.example/{'a' * 2_028}",
            "must be an address of 1 to 2048 characters, like https://shop.example/hook",
        ),
        ("shop.example", "must begin with https:// or http:// and a host"),
        ("ftp://shop.example", "must begin with https:// or http:// and a host"),
        ("file:///etc/passwd", "must begin with https:// or http:// and a host"),
        ("https://", "must begin with https:// or http:// and a host"),
        (
            "https://ann:secret@shop.example",
            "must not contain a user or a password: what is sent is signed",
        ),
        ("https://shop.example\r\nx: y", "must not contain spaces or control characters"),
        ("https://shop.example/a b", "must not contain spaces or control characters"),
        ("https://shop.example:0", "must have a port from 1 to 65535, if any"),
        ("https://shop.example:99999", "must have a port from 1 to 65535, if any"),
        ("https://shop.example:port", "must be an address like https://shop.example/hook"),
        ("https://[::1", "must be an address like https://shop.example/hook"),
        ("https://\ud800.example", "must not contain spaces or control characters"),
    ],
)
def test_these_are_none(url: object, wrong: str) -> None:
    assert fault("WEBHOOK", {"url": url}) == ("settings.url", f"url {wrong}.")


def test_an_email_channel_has_a_sender_and_the_operators_server() -> None:
    assert good("EMAIL", {"from": "Shop <hello@shop.example>"}) == Checked(
        {"from": "Shop <hello@shop.example>"}, {}
    )


def test_its_own_server_is_shown_without_user_and_password() -> None:
    url = "smtps://ann:s%40cret@mail.example"

    assert good("EMAIL", {"from": "hello@shop.example", "smtpUrl": url}) == Checked(
        {"from": "hello@shop.example", "smtpUrl": "smtps://mail.example:465"}, {"smtpUrl": url}
    )


@pytest.mark.parametrize(
    ("settings", "path", "message"),
    [
        (
            {},
            "settings.from",
            "from must be an address like hello@shop.example or Shop <hello@shop.example>.",
        ),
        (
            {"from": "hello@shop.example", "smtpUrl": "mail.example"},
            "settings.smtpUrl",
            "smtpUrl must be like smtp://USER:PASSWORD@HOST:PORT, or smtps://….",
        ),
        (
            {"from": "hello@shop.example", "smtpUrl": 25},
            "settings.smtpUrl",
            "smtpUrl must be like smtp://USER:PASSWORD@HOST:PORT, or smtps://….",
        ),
    ],
)
def test_an_email_channel_is_refused(settings: object, path: str, message: str) -> None:
    assert fault("EMAIL", settings) == (path, message)


def test_without_any_mail_server_one_must_be_given() -> None:
    assert fault("EMAIL", {"from": "hello@shop.example"}, Operated()) == (
        "settings.smtpUrl",
        "smtpUrl must be given: the operator has set no mail server.",
    )


def test_apprise_goes_by_the_name_of_an_operators_service() -> None:
    assert good("APPRISE", {"service": "desk"}) == Checked({"service": "desk"}, {})


@pytest.mark.parametrize("service", [None, "", "DESK", "json://127.0.0.1", 5, ["desk"]])
def test_and_never_by_a_url(service: object) -> None:
    assert fault("APPRISE", {"service": service}) == (
        "settings.service",
        "service must be the name of a service that the operator has set.",
    )


def test_clevertap_keeps_its_passcode_to_itself() -> None:
    settings = {"accountId": "ABC-123-456Z", "passcode": "AAA-BBB-CCCC", "region": "eu1"}

    assert good("CLEVERTAP", settings) == Checked(
        {"accountId": "ABC-123-456Z", "region": "eu1"}, {"passcode": "AAA-BBB-CCCC"}
    )


@pytest.mark.parametrize(
    ("differing", "message"),
    [
        ({"accountId": ""}, "accountId must be the account's id, like ABC-123-456Z."),
        ({"accountId": "A\r\nX: y"}, "accountId must be the account's id, like ABC-123-456Z."),
        ({"accountId": "A" * 65}, "accountId must be the account's id, like ABC-123-456Z."),
        ({"passcode": None}, "passcode must be the account's passcode."),
        (
            {"region": "eu1.evil.example/"},
            "region must be the account's region, like eu1, in1, us1, sg1, aps3 or mec1.",
        ),
        (
            {"region": "eu1\n"},
            "region must be the account's region, like eu1, in1, us1, sg1, aps3 or mec1.",
        ),
    ],
)
def test_a_clevertap_channel_is_refused(differing: dict[str, Any], message: str) -> None:
    settings = {"accountId": "ABC-123-456Z", "passcode": "AAA-BBB-CCCC", "region": "eu1"}

    assert fault("CLEVERTAP", settings | differing)[1] == message


def test_an_inbox_has_no_settings() -> None:
    assert good("INBOX", {}) == Checked({}, {})
    assert fault("INBOX", {"url": "x"}) == (
        "settings.url",
        "url is no setting of INBOX: it has none.",
    )


@pytest.mark.parametrize("settings", [None, [], "url", 5])
def test_settings_are_an_object(settings: object) -> None:
    assert fault("WEBHOOK", settings) == (
        "settings",
        "settings must be an object: WEBHOOK has url.",
    )


def test_what_is_no_setting_is_named() -> None:
    assert fault("EMAIL", {"From": "hello@shop.example"}) == (
        "settings.From",
        "From is no setting of EMAIL: it has from, smtpUrl.",
    )


@pytest.mark.parametrize(
    ("kind", "settings", "email", "phone", "has"),
    [
        ("WEBHOOK", {}, None, None, True),
        ("CLEVERTAP", {}, None, None, True),
        ("INBOX", {}, None, None, True),
        ("EMAIL", {}, "ann@example.com", None, True),
        ("EMAIL", {}, "ann", None, False),
        ("EMAIL", {}, None, "+41 44 668 18 00", False),
        ("APPRISE", {"service": "desk"}, None, None, True),
        ("APPRISE", {"service": "sms"}, None, "+41 44 668 18 00", True),
        ("APPRISE", {"service": "sms"}, "ann@example.com", None, False),
        ("APPRISE", {"service": "sms"}, None, "+41/../admin", False),
    ],
)
def test_a_member_is_reached_where_they_have_an_address(
    kind: Kind, settings: Mapping[str, Any], email: str | None, phone: str | None, *, has: bool
) -> None:
    assert has_address(kind, settings, OPERATED, email=email, phone=phone) is has
