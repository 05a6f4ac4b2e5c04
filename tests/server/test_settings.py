"""Settings: read from the environment alone; a bad value is told in one sentence."""

from dataclasses import astuple, fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from graph.limits import Limits
from server.settings import BadSetting, Settings, listing, without_password

ALGORITHMS = "some of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"
JWKS = "an https:// address, or an http:// one of this machine"
ORIGINS = "origins like https://shop.example.com"
NETWORKS = "networks like 10.1.0.0/16 fd00::/8"
SMTP = "smtp://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT"
SERVICES = "NAME=URL, separated by spaces, each name once"
HOSTS = "names like points.example.com"


def test_what_is_not_set_has_its_default() -> None:
    settings = Settings.from_environment({})

    assert settings == Settings()
    assert settings == Settings(
        database_url="sqlite:///./data/tuppence.db",
        host="127.0.0.1",
        port=8000,
        behind_proxy=False,
        jwt_algorithms=("RS256", "ES256", "EdDSA"),
        introspection=True,
        compiled=True,
        graphiql=True,
        metrics=True,
        sweeper=True,
        log_level="info",
        rate_key="600000/minute",
        rate_member="1200/minute",
        rate_stranger="6000/minute",
    )


def test_the_limits_are_by_default_those_of_the_edge() -> None:
    assert Settings().limits == Limits()


def test_every_limit_can_be_set() -> None:
    names = [each.name for each in fields(Limits)]
    settings = Settings.from_environment(
        {f"TUPPENCE_LIMIT_{name.upper()}": str(number) for number, name in enumerate(names, 7)}
    )

    assert astuple(settings.limits) == tuple(range(7, 7 + len(names)))


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.from_environment({"TUPPENCE_PORT": ""}) == Settings()


GIVEN = {
    "TUPPENCE_DATABASE_URL": "postgresql://ann:secret@db:5433/loyalty",
    "TUPPENCE_HOST": "::1",
    "TUPPENCE_PORT": "0",
    "TUPPENCE_SWEEPER": "off",
    "TUPPENCE_LOG_LEVEL": "WARNING",
    "TUPPENCE_LOG_FORMAT": "JSON",
    "TUPPENCE_BEHIND_PROXY": "yes",
    "TUPPENCE_TLS_CERTIFICATE": "tls.crt",
    "TUPPENCE_TLS_KEY": "tls.key",
    "TUPPENCE_HOSTS": "points.example.com *.shop.example",
    "TUPPENCE_ORIGINS": "https://shop.example http://localhost:3000",
    "TUPPENCE_ADMIN_KEY_FILE": "/run/key",
    "TUPPENCE_JWT_JWKS_URL": "https://id.example/keys",
    "TUPPENCE_JWT_PUBLIC_KEY": "public.pem",
    "TUPPENCE_JWT_ISSUER": "https://id.example",
    "TUPPENCE_JWT_AUDIENCE": "tuppence",
    "TUPPENCE_JWT_ALGORITHMS": "PS256 ES384",
    "TUPPENCE_INTROSPECTION": "off",
    "TUPPENCE_COMPILED": "0",
    "TUPPENCE_GRAPHIQL": "off",
    "TUPPENCE_METRICS": "off",
    "TUPPENCE_RATE_KEY": "5/second",
    "TUPPENCE_RATE_MEMBER": "6/hour",
    "TUPPENCE_RATE_STRANGER": "7/Day",
    "TUPPENCE_WEBHOOK_ALLOWED_NETWORKS": "10.1.0.0/16 ::1",
    "TUPPENCE_SMTP_URL": "smtp://ann:secret@mail:25",
    "TUPPENCE_APPRISE_SERVICES": "desk=slack://a/b/c sms=twilio://s:t@+41/{phone}",
}


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(GIVEN)

    assert settings == Settings(
        database_url="postgresql://ann:secret@db:5433/loyalty",
        host="::1",
        port=0,
        sweeper=False,
        log_level="warning",
        log_format="json",
        behind_proxy=True,
        tls_certificate="tls.crt",
        tls_key="tls.key",
        hosts=("points.example.com", "*.shop.example"),
        origins=("https://shop.example", "http://localhost:3000"),
        admin_key_file="/run/key",
        jwt_jwks_url="https://id.example/keys",
        jwt_public_key="public.pem",
        jwt_issuer="https://id.example",
        jwt_audience="tuppence",
        jwt_algorithms=("PS256", "ES384"),
        introspection=False,
        compiled=False,
        graphiql=False,
        metrics=False,
        rate_key="5/second",
        rate_member="6/hour",
        rate_stranger="7/day",
        webhook_allowed_networks=(ip_network("10.1.0.0/16"), ip_network("::1/128")),
        smtp_url="smtp://ann:secret@mail:25",
        apprise_services=(("desk", "slack://a/b/c"), ("sms", "twilio://s:t@+41/{phone}")),
    )


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("sqlite:///relative.db", "sqlite:///relative.db"),
        ("sqlite:////absolute/file.db", "sqlite:////absolute/file.db"),
        ("postgresql://localhost/tuppence", "postgresql://localhost/tuppence"),
        ("postgres://localhost/tuppence", "postgresql://localhost/tuppence"),
    ],
)
def test_these_are_addresses(address: str, kept: str) -> None:
    settings = Settings.from_environment({"TUPPENCE_DATABASE_URL": address})

    assert settings.database_url == kept


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("sqlite:///data/a.db", Path("data/a.db")),
        ("sqlite:////srv/a.db", Path("/srv/a.db")),
        ("postgresql://localhost/tuppence", None),
    ],
)
def test_an_embedded_database_is_a_file(address: str, file: Path | None) -> None:
    assert Settings(database_url=address).database_file == file


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("TUPPENCE_PORT", "http", "a whole number from 0 to 65535, not 'http'"),
        ("TUPPENCE_PORT", "65536", "a whole number from 0 to 65535, not '65536'"),
        ("TUPPENCE_PORT", "-1", "a whole number from 0 to 65535, not '-1'"),
        ("TUPPENCE_SWEEPER", "maybe", "on or off, not 'maybe'"),
        ("TUPPENCE_LOG_LEVEL", "loud", "one of debug, info, warning, error, not 'loud'"),
        ("TUPPENCE_LOG_FORMAT", "xml", "one of json, text, not 'xml'"),
        (
            "TUPPENCE_HOST",
            "example.com",
            "an address like 127.0.0.1, ::1 or 0.0.0.0, not 'example.com'",
        ),
        (
            "TUPPENCE_HOST",
            "127.0.0.1:80",
            "an address like 127.0.0.1, ::1 or 0.0.0.0, not '127.0.0.1:80'",
        ),
        ("TUPPENCE_LIMIT_DEPTH", "0", "a whole number from 1 on, not '0'"),
        ("TUPPENCE_LIMIT_DEPTH", "١٢", "a whole number from 1 on, not '١٢'"),
        ("TUPPENCE_LIMIT_INIT_SECONDS", "0.0", "a number of seconds above 0, not '0.0'"),
        ("TUPPENCE_LIMIT_INIT_SECONDS", "nan", "a number of seconds above 0, not 'nan'"),
        ("TUPPENCE_RATE_KEY", "10", "like 600/minute (second, minute, hour, day), not '10'"),
        ("TUPPENCE_RATE_KEY", "0/day", "like 600/minute (second, minute, hour, day), not '0/day'"),
        ("TUPPENCE_JWT_ALGORITHMS", "RS256 HS256", f"{ALGORITHMS}, not 'RS256 HS256'"),
        ("TUPPENCE_JWT_ALGORITHMS", "none", f"{ALGORITHMS}, not 'none'"),
        ("TUPPENCE_JWT_ALGORITHMS", " ", f"{ALGORITHMS}, not ' '"),
        ("TUPPENCE_JWT_JWKS_URL", "http://id.example.com/keys", JWKS),
        ("TUPPENCE_JWT_JWKS_URL", "id.example.com", JWKS),
        ("TUPPENCE_JWT_JWKS_URL", "https://", JWKS),
        ("TUPPENCE_ORIGINS", "shop.example.com", f"{ORIGINS}, not 'shop.example.com'"),
        ("TUPPENCE_ORIGINS", "https://a.example.com/", f"{ORIGINS}, not 'https://a.example.com/'"),
        ("TUPPENCE_ORIGINS", "https://A.example.com", f"{ORIGINS}, not 'https://A.example.com'"),
        ("TUPPENCE_ORIGINS", "https://a.example.com *", f"{ORIGINS}, not '*'"),
        ("TUPPENCE_HOSTS", "a.example.com:80", f"{HOSTS}, not 'a.example.com:80'"),
        ("TUPPENCE_HOSTS", "*", f"{HOSTS}, not '*'"),
        ("TUPPENCE_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.1/8", f"{NETWORKS}, not '10.0.0.1/8'"),
        ("TUPPENCE_WEBHOOK_ALLOWED_NETWORKS", "localhost", f"{NETWORKS}, not 'localhost'"),
        ("TUPPENCE_SMTP_URL", "mail.example.com", SMTP),
        ("TUPPENCE_SMTP_URL", "http://ann:secret@mail", SMTP),
        ("TUPPENCE_SMTP_URL", "smtp://ann:secret@mail/?x=1", SMTP),
        ("TUPPENCE_SMTP_URL", "smtp://ann:secret@mail:port", SMTP),
        ("TUPPENCE_APPRISE_SERVICES", "slack://secret", SERVICES),
        ("TUPPENCE_APPRISE_SERVICES", "a=slack://secret a=slack://other", SERVICES),
        ("TUPPENCE_APPRISE_SERVICES", "a=slack://secret b", SERVICES),
    ],
)
def test_a_bad_value_is_told_by_name(variable: str, value: str, wanted: str) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({variable: value})

    assert str(refused.value) == f"{variable} must be {wanted}."


@pytest.mark.parametrize(
    "address",
    [
        "tuppence.db",
        "mysql://ann:secret@db/loyalty",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "postgresql://",
        "postgresql://ann:secret@db",
        "postgresql://ann:secret@db:port/loyalty",
        "postgresql://ann:secret@[::1/loyalty",
    ],
)
def test_a_bad_address_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({"TUPPENCE_DATABASE_URL": address})

    assert str(refused.value).startswith("TUPPENCE_DATABASE_URL must be sqlite:///FILE or ")
    assert "secret" not in str(refused.value)


def test_an_option_of_the_command_line_comes_before_the_environment() -> None:
    settings = Settings.from_environment({"TUPPENCE_PORT": "9000", "TUPPENCE_HOST": "::1"})

    assert settings.but(host=None, port="9001") == Settings(host="::1", port=9001)


def test_a_bad_option_is_told_by_its_own_name() -> None:
    with pytest.raises(BadSetting, match=r"^--port must be a whole number"):
        Settings().but(port="http")


def test_every_setting_is_listed_with_its_value_and_default() -> None:
    settings = Settings(port=9000, sweeper=False, hosts=("a.example", "b.example"))
    listed = {entry.variable: entry for entry in listing(settings)}

    assert list(listed) == [f"TUPPENCE_{each.name.upper()}" for each in fields(Settings)]
    assert all(entry.meaning.endswith(".") for entry in listed.values())
    assert {
        (entry.variable, entry.value, entry.default)
        for entry in listed.values()
        if entry.value != entry.default
    } == {
        ("TUPPENCE_PORT", "9000", "8000"),
        ("TUPPENCE_SWEEPER", "off", "on"),
        ("TUPPENCE_HOSTS", "a.example b.example", ""),
    }


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://ann:secret@db/loyalty", "postgresql://ann:***@db/loyalty"),
        ("postgresql://ann:s@cr/et@db/loyalty", "postgresql://ann:***@db/loyalty"),
        ("postgresql://:secret@db/loyalty", "postgresql://:***@db/loyalty"),
        (
            "postgresql://ann@db/a?ssl=on&password=secret",
            "postgresql://ann@db/a?ssl=on&password=***",
        ),
        ("postgresql://ann@db:5432/loyalty", "postgresql://ann@db:5432/loyalty"),
        ("postgresql://db:5432/loyalty", "postgresql://db:5432/loyalty"),
        ("sqlite:////srv/a@b.db", "sqlite:////srv/a@b.db"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_the_listing_shows_no_password() -> None:
    (address, *_) = listing(Settings(database_url="postgresql://ann:secret@db/loyalty"))

    assert address.value == "postgresql://ann:***@db/loyalty"


def test_the_listing_shows_no_password_of_those_who_are_written_to() -> None:
    settings = Settings(
        webhook_allowed_networks=(ip_network("10.1.0.0/16"), ip_network("::1/128")),
        smtp_url="smtp://ann:secret@mail:25",
        apprise_services=(("desk", "slack://secret"), ("sms", "twilio://s:secret@+41/{phone}")),
    )
    listed = {entry.variable: entry.value for entry in listing(settings)}

    assert listed["TUPPENCE_WEBHOOK_ALLOWED_NETWORKS"] == "10.1.0.0/16 ::1/128"
    assert listed["TUPPENCE_SMTP_URL"] == "smtp://ann:***@mail:25"
    assert listed["TUPPENCE_APPRISE_SERVICES"] == "desk=*** sms=***"
