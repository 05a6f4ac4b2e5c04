"""Checks: what a channel's settings may be, and what of them is a secret.

WEBHOOK    url                            and a signing secret, which is made here
EMAIL      from, smtpUrl?                 smtpUrl is a secret; shown without its password
APPRISE    service                        the name of one of the operator's URLs
CLEVERTAP  accountId, passcode, region    passcode is a secret
INBOX      nothing
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import httpx

from campaigns.channels.chats import SERVICE, is_installed, lacks_address
from campaigns.channels.clevertap import PASSCODE, REGION
from campaigns.channels.letters import find_sender, is_mail_address
from campaigns.channels.mail import SMTP_URL, find_server
from campaigns.channels.parcels import Kind
from campaigns.channels.webhooks import SECRET, new_secret

URL_MAX: Final = 2_048
ACCOUNT_MAX: Final = 64
PASSCODE_MAX: Final = 256
PORT_MAX: Final = 65_535
SETTINGS: Final = "settings"

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_KEYS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "WEBHOOK": ("url",),
    "EMAIL": ("from", SMTP_URL),
    "APPRISE": (SERVICE,),
    "CLEVERTAP": ("accountId", PASSCODE, "region"),
    "INBOX": (),
}


@dataclass(frozen=True, slots=True)
class Operated:
    """What the operator has set, as far as channels may use it."""

    has_mail_server: bool = False
    services: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a setting, and where: a path within the input."""

    path: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Settings that a channel can be used with: what may be read back, and what never is."""

    settings: Mapping[str, Any]
    secrets: Mapping[str, str]


def check_settings(kind: Kind, settings: object, operated: Operated) -> Checked | Fault:
    """What a channel of this kind is to keep, or what is wrong with what was given."""
    if not isinstance(settings, Mapping):
        return Fault((SETTINGS,), f"settings must be an object: {kind} has {_known(kind)}.")
    stranger = next((str(key) for key in settings if key not in _KEYS[kind]), None)
    if stranger is not None:
        return _fault(stranger, f"is no setting of {kind}: it has {_known(kind)}")
    return _CHECKS[kind](settings, operated)


def has_address(
    kind: Kind,
    settings: Mapping[str, Any],
    operated: Operated,
    *,
    email: str | None,
    phone: str | None,
) -> bool:
    """Whether a member can be reached by a channel."""
    if kind == "EMAIL":
        return is_mail_address(email)
    if kind == "APPRISE":
        url = (operated.services or {}).get(settings.get(SERVICE, ""), "")
        return not lacks_address(url, email, phone)
    return True


def fault_in_url(url: object) -> str | None:
    """What is wrong with a webhook's URL. Where it leads is seen when it is connected to."""
    if not isinstance(url, str) or not 1 <= len(url) <= URL_MAX:
        return f"must be an address of 1 to {URL_MAX} characters, like https://shop.example/hook"
    if not url.isprintable() or " " in url:
        return "must not contain spaces or control characters"
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return "must be an address like https://shop.example/hook"
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        return "must begin with https:// or http:// and a host"
    if parsed.userinfo:
        return "must not contain a user or a password: what is sent is signed"
    if parsed.port is not None and not 1 <= parsed.port <= PORT_MAX:
        return f"must have a port from 1 to {PORT_MAX}, if any"
    return None


def _check_webhook(settings: Mapping[str, Any], operated: Operated) -> Checked | Fault:
    del operated
    wrong = fault_in_url(settings.get("url"))
    if wrong:
        return _fault("url", wrong)
    return Checked({"url": settings["url"]}, {SECRET: new_secret()})


def _check_email(settings: Mapping[str, Any], operated: Operated) -> Checked | Fault:
    if find_sender(settings.get("from")) is None:
        return _fault(
            "from", "must be an address like hello@shop.example or Shop <hello@shop.example>"
        )
    public: dict[str, Any] = {"from": settings["from"]}
    url = settings.get(SMTP_URL)
    if url is None:
        if operated.has_mail_server:
            return Checked(public, {})
        return _fault(SMTP_URL, "must be given: the operator has set no mail server")
    server = find_server(url) if isinstance(url, str) and len(url) <= URL_MAX else None
    if server is None:
        return _fault(SMTP_URL, "must be like smtp://USER:PASSWORD@HOST:PORT, or smtps://…")
    scheme = "smtps" if server.is_tls else "smtp"
    host = f"[{server.host}]" if ":" in server.host else server.host
    return Checked(public | {SMTP_URL: f"{scheme}://{host}:{server.port}"}, {SMTP_URL: url})


def _check_apprise(settings: Mapping[str, Any], operated: Operated) -> Checked | Fault:
    if not is_installed():
        return _fault(SERVICE, "can't be used: apprise isn't installed; it is the extra `apprise`")
    name = settings.get(SERVICE)
    if not isinstance(name, str) or name not in (operated.services or {}):
        # The names aren't told: whose channels there are is the operator's to say.
        return _fault(SERVICE, "must be the name of a service that the operator has set")
    return Checked({SERVICE: name}, {})


def _check_clevertap(settings: Mapping[str, Any], operated: Operated) -> Checked | Fault:
    del operated
    account, passcode, region = (settings.get(key) for key in _KEYS["CLEVERTAP"])
    if not _is_token(account, ACCOUNT_MAX):
        return _fault("accountId", "must be the account's id, like ABC-123-456Z")
    if not _is_token(passcode, PASSCODE_MAX):
        return _fault(PASSCODE, "must be the account's passcode")
    if not isinstance(region, str) or not REGION.fullmatch(region):
        return _fault(
            "region", "must be the account's region, like eu1, in1, us1, sg1, aps3 or mec1"
        )
    return Checked({"accountId": account, "region": region}, {PASSCODE: passcode})


def _check_inbox(settings: Mapping[str, Any], operated: Operated) -> Checked | Fault:
    del settings, operated
    return Checked({}, {})


_CHECKS: Final[Mapping[Kind, Callable[[Mapping[str, Any], Operated], Checked | Fault]]] = {
    "WEBHOOK": _check_webhook,
    "EMAIL": _check_email,
    "APPRISE": _check_apprise,
    "CLEVERTAP": _check_clevertap,
    "INBOX": _check_inbox,
}


def _is_token(text: object, longest: int) -> TypeGuard[str]:
    return isinstance(text, str) and len(text) <= longest and bool(_TOKEN.fullmatch(text))


def _known(kind: Kind) -> str:
    return ", ".join(_KEYS[kind]) or "none"


def _fault(key: str, wrong: str) -> Fault:
    return Fault((SETTINGS, key), f"{key} {wrong}.")
