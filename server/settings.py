"""Settings: what may differ between one installation and another, and the only reader of it.

Each is a variable of the environment, `TUPPENCE_` before the field's name in capitals.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from graph.limits import Limits
from server import parsing

PREFIX: Final = "TUPPENCE_"
LIMIT: Final = "limit_"


class CannotRun(Exception):
    """What was asked can't be done with this installation. The message is one sentence."""


class BadSetting(CannotRun):
    """A setting's value can't be what it is to be. The message names the setting."""


def _setting(
    default: str,
    parse: Callable[[str], Any],
    meaning: str,
    told: Callable[[Any], str] | None = None,
) -> Any:
    """Declare a setting. `told` is how its value is shown, where it isn't shown as it is."""
    about = {"default": default, "parse": parse, "meaning": meaning, "told": told or _told}
    return field(default=parse(default), metadata=about)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " ".join(str(each) for each in value)
    return without_password(str(value))


def _addresses(each: tuple[str, ...]) -> str:
    return " ".join(map(without_password, each))


def _names(pairs: tuple[tuple[str, str], ...]) -> str:
    return " ".join(f"{name}=***" for name, _ in pairs)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set. What isn't set has its default."""

    database_url: str = _setting(
        "sqlite:///./data/tuppence.db",
        parsing.address,
        "Where the ledger is kept: `sqlite:///FILE` (`sqlite:////FILE` from the root)"
        " or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.",
    )
    nats_url: tuple[str, ...] = _setting(
        "",
        parsing.nats_servers,
        "The NATS servers, with JetStream, by which several instances tell each other of new events"
        " at once: `nats://USER:PASSWORD@HOST:PORT` of each, `tls://` where they have TLS.",
        _addresses,
    )
    nats_stream: str = _setting(
        "tuppence",
        parsing.nats_stream,
        "The stream's name there: one for each database that shares the servers.",
    )
    nats_monitor_url: tuple[str, ...] = _setting(
        "",
        parsing.web_addresses,
        "Where each of those servers tells of itself, like `http://nats-1:8222`:"
        " `tuppence check` asks there whether it is set safely.",
    )
    host: str = _setting(
        "127.0.0.1",
        parsing.host,
        "The address to listen on. One that others reach wants TLS, or a proxy that has it.",
    )
    port: int = _setting("8000", parsing.port, "The port to listen on; 0 takes any that is free.")
    behind_proxy: bool = _setting(
        "off",
        parsing.yes_or_no,
        "Whether all requests come through a reverse proxy of yours, which has TLS, and says by"
        " `X-Forwarded-For` and `-Proto` where each came from.",
    )
    tls_certificate: str = _setting(
        "", str, "The PEM file of the certificate, and of those between it and its root."
    )
    tls_key: str = _setting("", str, "The PEM file of the certificate's private key.")
    hosts: tuple[str, ...] = _setting(
        "",
        parsing.hosts,
        "The names by which the service is called besides this machine's own and `host`, like"
        " `points.example.com`. It answers to no other.",
    )
    origins: tuple[str, ...] = _setting(
        "",
        parsing.origins,
        "Whose pages may call it from a browser besides its own, like `https://shop.example.com`.",
    )
    admin_key_file: str = _setting(
        "",
        str,
        "Where the first admin key is kept, or taken from: `admin.key` beside an embedded"
        " database, `./data/admin.key` else.",
    )
    jwt_jwks_url: str = _setting(
        "", parsing.jwks_url, "Where your identity provider publishes its keys (JWKS)."
    )
    jwt_public_key: str = _setting(
        "",
        str,
        "In place of that: the one public key that members' tokens need, as PEM or as its file.",
    )
    jwt_issuer: str = _setting("", str, "The `iss` that a member's token must have.")
    jwt_audience: str = _setting("", str, "The `aud` that a member's token must have.")
    jwt_algorithms: tuple[str, ...] = _setting(
        "RS256 ES256 EdDSA", parsing.algorithms, "How a member's token may be signed."
    )
    introspection: bool = _setting(
        "on", parsing.yes_or_no, "Whether the schema may be asked for by whoever has been let in."
    )
    compiled: bool = _setting(
        "on", parsing.yes_or_no, "Whether operations that are asked again are compiled."
    )
    graphiql: bool = _setting("on", parsing.yes_or_no, "Whether GraphiQL is served to browsers.")
    metrics: bool = _setting(
        "on", parsing.yes_or_no, "Whether `/metrics` is there, for Prometheus."
    )
    log_level: str = _setting(
        "info", parsing.log_level, "The least that is logged: `debug`, `info`, `warning`, `error`."
    )
    log_format: str = _setting(
        "",
        parsing.log_format,
        "How a line is logged: as `json`, or as `text` for people. Unset: text to a terminal,"
        " JSON to all else.",
    )
    sweeper: bool = _setting(
        "on",
        parsing.yes_or_no,
        "Whether this process writes down what falls due (activations, expiries, releases)"
        " and so raises their events. Balances are right without it.",
    )
    campaigns: bool = _setting(
        "on",
        parsing.yes_or_no,
        "Whether this process makes deliveries of campaigns' events and sends what is due.",
    )
    drain_seconds: float = _setting(
        "0",
        parsing.pause,
        "How long it goes on serving once it is told to stop, while `/readyz` says 503: longer than"
        " a load balancer takes to notice.",
    )
    webhook_allowed_networks: tuple[parsing.Network, ...] = _setting(
        "",
        parsing.networks,
        "Networks that webhooks and mail servers of callers' may be in besides public ones, like"
        " `10.1.0.0/16 fd00::/8`. What listens there hears whatever a caller has sent.",
    )
    smtp_url: str = _setting(
        "",
        parsing.smtp_url,
        "The mail server for channels that name none of their own:"
        " `smtp://USER:PASSWORD@HOST:PORT`, or `smtps://` where it has TLS from the start.",
    )
    apprise_services: tuple[tuple[str, str], ...] = _setting(
        "",
        parsing.services,
        "Chats, SMS and push that channels may name, each as `NAME=URL` with a URL of apprise's."
        " `{phone}` or `{email}` in a URL is the member's.",
        told=_names,
    )
    clevertap_url: str = _setting(
        "https://{region}.api.clevertap.com",
        parsing.clevertap_url,
        "Where CleverTap's API is, should it be reached through a gateway of yours. `{region}` is"
        " the channel's region.",
    )
    rate_key: str = _setting(
        "600000/minute", parsing.rate, "How many operations each key may send."
    )
    rate_member: str = _setting(
        "1200/minute", parsing.rate, "How many operations each member may send."
    )
    rate_stranger: str = _setting(
        "6000/minute", parsing.rate, "How often each address may show what lets nobody in."
    )
    limit_body_bytes: int = _setting(
        "1048576", parsing.whole, "The most bytes of a request's body."
    )
    limit_message_bytes: int = _setting(
        "65536", parsing.whole, "The most bytes of a socket's message."
    )
    limit_tokens: int = _setting("2000", parsing.whole, "The most tokens of a document.")
    limit_depth: int = _setting(
        "12",
        parsing.whole,
        "The deepest that fields stand within each other; those of introspection don't count.",
    )
    limit_aliases: int = _setting("30", parsing.whole, "The most aliases in a document.")
    limit_root_mutations: int = _setting(
        "10", parsing.whole, "The most mutations in one operation."
    )
    limit_fields: int = _setting(
        "500", parsing.whole, "The most fields of an operation, with each fragment's at each use."
    )
    limit_directives: int = _setting("50", parsing.whole, "The most directives in a document.")
    limit_definitions: int = _setting(
        "100", parsing.whole, "The most operations and fragments of a document."
    )
    limit_page_product: int = _setting(
        "10000", parsing.whole, "The most rows that pages within pages may come to."
    )
    limit_work: int = _setting(
        "2000000",
        parsing.whole,
        "The most that an answer may take to make: 1 for a value that is only printed, 50 for one"
        " that is looked up, as often as the lists around it repeat it.",
    )
    limit_items: int = _setting(
        "2000", parsing.whole, "The most items of a list among the variables."
    )
    limit_answer_bytes: int = _setting(
        "16777216", parsing.whole, "The most bytes of the lists of a long answer."
    )
    limit_execution_seconds: float = _setting(
        "10", parsing.seconds, "How long one operation, or one event of a subscription, may take."
    )
    limit_subscriptions: int = _setting(
        "20", parsing.whole, "The most operations that run on one socket."
    )
    limit_sockets: int = _setting("50", parsing.whole, "The most sockets of one key or member.")
    limit_sockets_total: int = _setting("10000", parsing.whole, "The most sockets in all.")
    limit_init_seconds: float = _setting(
        "5", parsing.seconds, "How long a socket may keep silent about who it is."
    )
    limit_unread_seconds: float = _setting(
        "30", parsing.seconds, "How long a socket may leave unread what it was sent."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """What the environment says. Raises BadSetting; a variable that is empty is not set."""
        said = os.environ if environment is None else environment
        stated = {
            entry.name: read(entry.name, said[variable], called=variable)
            for entry in fields(cls)
            if said.get(variable := variable_of(entry.name))
        }
        return cls(**stated)

    def but(self, **options: str | None) -> "Settings":
        """The same, but for the command line's options that were given. Raises BadSetting."""
        given = {
            name: read(name, text, called=f"--{name}")
            for name, text in options.items()
            if text is not None
        }
        return replace(self, **given)

    @property
    def database_file(self) -> Path | None:
        """The file of an embedded database; None where a server keeps it."""
        file = parsing.file_of(self.database_url)
        return None if file is None else Path(file)

    @property
    def admin_key(self) -> Path:
        """The file of the first admin key."""
        if self.admin_key_file:
            return Path(self.admin_key_file)
        return (self.database_file.parent if self.database_file else Path("data")) / "admin.key"

    @property
    def limits(self) -> Limits:
        """How much a request, a socket and a principal may ask for."""
        names = [each.name for each in fields(Limits)]
        return Limits(**{name: getattr(self, LIMIT + name) for name in names})


def variable_of(name: str) -> str:
    """The variable that sets a field."""
    return PREFIX + name.upper()


def read(name: str, text: str, *, called: str) -> Any:
    """The value of a field, from text. Raises BadSetting, in which the setting is `called` so."""
    parse: Callable[[str], Any] = _entries()[name]["parse"]
    try:
        return parse(text)
    except ValueError as error:
        raise BadSetting(f"{called} {error}.") from None


def _entries() -> dict[str, Mapping[str, Any]]:
    return {entry.name: entry.metadata for entry in fields(Settings)}


@dataclass(frozen=True, slots=True)
class Listed:
    """One setting, as it is told to people."""

    variable: str
    value: str
    default: str
    meaning: str


def listing(settings: Settings) -> list[Listed]:
    """Every setting with its value, passwords hidden."""
    return [
        Listed(
            variable_of(name),
            about["told"](getattr(settings, name)),
            about["default"],
            about["meaning"],
        )
        for name, about in _entries().items()
    ]


def without_password(address: str) -> str:
    """The address as it may be shown: whatever stands where a password would is hidden."""
    hidden = re.sub(r"^(\w+://[^:/@]*):.*@", r"\1:***@", address, flags=re.DOTALL)
    return re.sub(r"([?&]\w*pass\w*=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)
