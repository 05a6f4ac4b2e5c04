"""Parsing: a setting's value, read from text.

Each raises ValueError with what the value must be; the sentence's subject, the setting's name, is
put before it by the caller.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORT_MAX: Final = 65_535
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("json", "text")
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""How a token may be signed: by a key whose public half is no secret, and by nothing else."""

_YES: Final = frozenset({"on", "true", "yes", "1"})
_NO: Final = frozenset({"off", "false", "no", "0"})
_SQLITE: Final = "sqlite:///"
_POSTGRES: Final = frozenset({"postgresql", "postgres"})
_RATE: Final = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")
_SERVICE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})=([a-z][a-z0-9+.-]*://\S+)")
_STREAM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HOST_NAME: Final = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


def address(text: str) -> str:
    """A database's address. The message tells nothing of the value: a password may be in it."""
    wanted = "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
    scheme, _, rest = text.partition("://")
    if scheme in _POSTGRES and rest and _is_url(text):
        return f"postgresql://{rest}"
    file = file_of(text)
    if file is not None and file.strip("./") and file != ":memory:":
        return text
    raise ValueError(wanted)


def file_of(address: str) -> str | None:
    """The file of an embedded database's address."""
    if not address.startswith(_SQLITE):
        return None
    return address.removeprefix(_SQLITE).partition("?")[0]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.path.strip("/")) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def host(text: str) -> str:
    """An address to listen on."""
    if text == "localhost" or _is_address(text):
        return text
    raise ValueError(f"must be an address like 127.0.0.1, ::1 or 0.0.0.0, not {text!r}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= PORT_MAX:
        return int(text)
    raise ValueError(f"must be a whole number from 0 to {PORT_MAX}, not {text!r}")


def yes_or_no(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"must be on or off, not {text!r}")


def log_level(text: str) -> str:
    if text.lower() in LOG_LEVELS:
        return text.lower()
    raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, not {text!r}")


def log_format(text: str) -> str:
    """How lines are logged; nothing: as it suits whoever reads stderr."""
    if not text or text.lower() in LOG_FORMATS:
        return text.lower()
    raise ValueError(f"must be one of {', '.join(LOG_FORMATS)}, not {text!r}")


def whole(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    raise ValueError(f"must be a whole number from 1 on, not {text!r}")


def seconds(text: str) -> float:
    if re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text, re.ASCII) and float(text) > 0:
        return float(text) if "." in text else int(text)
    raise ValueError(f"must be a number of seconds above 0, not {text!r}")


def pause(text: str) -> float:
    """A number of seconds, or none."""
    if text == "0":
        return 0
    try:
        return seconds(text)
    except ValueError:
        raise ValueError(f"must be a number of seconds, 0 or more, not {text!r}") from None


def rate(text: str) -> str:
    """So many a second, minute, hour or day, as `limits` reads it."""
    if _RATE.fullmatch(text.lower()):
        return text.lower()
    raise ValueError(f"must be like 600/minute (second, minute, hour, day), not {text!r}")


def origins(text: str) -> tuple[str, ...]:
    """Origins as a browser names them: scheme, host, and port where it isn't the scheme's own."""
    for each in text.split():
        if not _is_origin(each):
            raise ValueError(f"must be origins like https://shop.example.com, not {each!r}")
    return tuple(text.split())


def _is_origin(text: str) -> bool:
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"}:
        return False
    return text == f"{parts.scheme}://{parts.netloc}" and _is_host_and_port(parts)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_host_and_port(parts: SplitResult) -> bool:
    # A browser writes names in lower case: what isn't so would match nothing.
    return bool(parts.hostname) and parts.netloc == parts.netloc.lower() and "@" not in parts.netloc


def hosts(text: str) -> tuple[str, ...]:
    """Names by which the service is called, without a port; `*.example.com` is all within one."""
    for each in text.split():
        if not _HOST_NAME.fullmatch(each):
            raise ValueError(f"must be names like points.example.com, not {each!r}")
    return tuple(text.split())


def jwks_url(text: str) -> str:
    """Where keys that let people in are fetched: by TLS, but for a provider on this machine."""
    parts = _split(text)
    if not text or (parts and parts.hostname and _is_private(parts)):
        return text
    raise ValueError("must be an https:// address, or an http:// one of this machine")


def _is_private(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def algorithms(text: str) -> tuple[str, ...]:
    """Signatures that are let in. A secret that both sides share is none of them, nor is none."""
    if text.split() and set(text.split()) <= set(ALGORITHMS):
        return tuple(text.split())
    raise ValueError(f"must be some of {' '.join(ALGORITHMS)}, not {text!r}")


def networks(text: str) -> tuple[Network, ...]:
    """Networks as CIDRs. One address alone is a network, too."""
    try:
        return tuple(ipaddress.ip_network(each) for each in text.split())
    except ValueError:
        raise ValueError(f"must be networks like 10.1.0.0/16 fd00::/8, not {text!r}") from None


def nats_servers(text: str) -> tuple[str, ...]:
    """Servers' addresses. The message tells nothing of the value: a password may be in it."""
    servers = tuple(text.replace(",", " ").split())
    for each in servers:
        parts = _split(each)
        bare = parts is not None and not (parts.path.strip("/") or parts.query or parts.fragment)
        if not (bare and parts and parts.scheme in {"nats", "tls"} and parts.hostname):
            raise ValueError("must be servers like nats://nats-1:4222 nats://nats-2:4222")
    return servers


def nats_stream(text: str) -> str:
    """A name that is one word of a subject, too."""
    if _STREAM.fullmatch(text):
        return text
    raise ValueError(f"must be 1 to 64 letters, digits, _ and -, not {text!r}")


def web_addresses(text: str) -> tuple[str, ...]:
    """Addresses of HTTP or HTTPS."""
    addresses = tuple(text.replace(",", " ").split())
    for each in addresses:
        parts = _split(each)
        if not (parts and parts.scheme in {"http", "https"} and parts.hostname):
            raise ValueError(f"must be addresses like http://nats-1:8222, not {each!r}")
    return tuple(each.rstrip("/") for each in addresses)


def smtp_url(text: str) -> str:
    """A mail server's address. The message tells nothing of the value: a password may be in it."""
    parts = _split(text)
    is_bare = parts is not None and not (parts.path.strip("/") or parts.query or parts.fragment)
    if not text or (is_bare and parts and parts.scheme in {"smtp", "smtps"} and parts.hostname):
        return text
    raise ValueError("must be smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT")


def clevertap_url(text: str) -> str:
    """An address of HTTP or HTTPS; `{region}` may stand in its host."""
    parts = urlsplit(text.replace("{region}", "eu1"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must be an address like https://{region}.api.clevertap.com")
    return text.rstrip("/")


def services(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a name and a URL. The message tells nothing of the values: they have passwords."""
    matches = [_SERVICE.fullmatch(each) for each in text.split()]
    pairs = tuple((match[1], match[2]) for match in matches if match)
    if len(pairs) < len(matches) or len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("must be NAME=URL, separated by spaces, each name once")
    return pairs
