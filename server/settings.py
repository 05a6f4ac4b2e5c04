"""Settings: what may differ between one installation and another, and the only reader of it.

Each is a variable of the environment, `TUPPENCE_` before the field's name in capitals.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

PREFIX: Final = "TUPPENCE_"
PORT_MAX: Final = 65_535
LOG_LEVELS: Final = ("debug", "info", "warning", "error")

_YES: Final = frozenset({"on", "true", "yes", "1"})
_NO: Final = frozenset({"off", "false", "no", "0"})
_SQLITE: Final = "sqlite:///"
_POSTGRES: Final = frozenset({"postgresql", "postgres"})


class CannotRun(Exception):
    """What was asked can't be done with this installation. The message is one sentence."""


class BadSetting(CannotRun):
    """A setting's value can't be what it is to be. The message names the setting."""


def _address(text: str) -> str:
    # The message tells nothing of the value: there may be a password in it.
    wanted = "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
    scheme, _, rest = text.partition("://")
    if scheme in _POSTGRES and rest and _is_url(text):
        return f"postgresql://{rest}"
    file = _file_of(text)
    if file is not None and file.strip("./") and file != ":memory:":
        return text
    raise ValueError(wanted)


def _file_of(address: str) -> str | None:
    if not address.startswith(_SQLITE):
        return None
    return address.removeprefix(_SQLITE).partition("?")[0]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.path.strip("/")) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _host(text: str) -> str:
    if text == "localhost":
        return text
    try:
        if ipaddress.ip_address(text).is_loopback:
            return text
    except ValueError:
        pass
    raise ValueError(
        f"must be this machine's own, like 127.0.0.1 or ::1, not {text!r}:"
        " every caller is an administrator for now, so nobody elsewhere may call"
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= PORT_MAX:
        return int(text)
    raise ValueError(f"must be a whole number from 0 to {PORT_MAX}, not {text!r}")


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"must be on or off, not {text!r}")


def _log_level(text: str) -> str:
    if text.lower() in LOG_LEVELS:
        return text.lower()
    raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, not {text!r}")


def _setting(default: str, parse: Callable[[str], Any], meaning: str) -> Any:
    return field(
        default=parse(default), metadata={"default": default, "parse": parse, "meaning": meaning}
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set. What isn't set has its default."""

    database_url: str = _setting(
        "sqlite:///./data/tuppence.db",
        _address,
        "Where the ledger is kept: `sqlite:///FILE` (`sqlite:////FILE` from the root)"
        " or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.",
    )
    host: str = _setting(
        "127.0.0.1", _host, "The address to listen on: this machine's own, for now."
    )
    port: int = _setting("8000", _port, "The port to listen on; 0 takes any that is free.")
    admin_key_file: str = _setting(
        "",
        str,
        "Where the first admin key is kept, or taken from: `admin.key` beside an embedded"
        " database, `./data/admin.key` else.",
    )
    sweeper: bool = _setting(
        "on",
        _yes_or_no,
        "Whether this process writes down what falls due (activations, expiries, releases)"
        " and so raises their events. Balances are right without it.",
    )
    log_level: str = _setting(
        "info", _log_level, "The least that is logged: `debug`, `info`, `warning` or `error`."
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
        file = _file_of(self.database_url)
        return None if file is None else Path(file)

    @property
    def admin_key(self) -> Path:
        """The file of the first admin key."""
        if self.admin_key_file:
            return Path(self.admin_key_file)
        return (self.database_file.parent if self.database_file else Path("data")) / "admin.key"


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
            variable_of(name), _told(getattr(settings, name)), about["default"], about["meaning"]
        )
        for name, about in _entries().items()
    ]


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return without_password(str(value))


def without_password(address: str) -> str:
    """The address as it may be shown: whatever stands where a password would is hidden."""
    hidden = re.sub(r"^(\w+://[^:/@]*):.*@", r"\1:***@", address, flags=re.DOTALL)
    return re.sub(r"([?&]\w*pass\w*=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)
