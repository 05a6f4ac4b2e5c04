"""Settings: read from the environment alone; a bad value is told in one sentence."""

from pathlib import Path

import pytest

from server.settings import BadSetting, Settings, listing, without_password


def test_what_is_not_set_has_its_default() -> None:
    settings = Settings.from_environment({})

    assert settings == Settings()
    assert settings == Settings(
        database_url="sqlite:///./data/tuppence.db",
        host="127.0.0.1",
        port=8000,
        sweeper=True,
        log_level="info",
    )


def test_an_empty_variable_is_not_set() -> None:
    assert Settings.from_environment({"TUPPENCE_PORT": ""}) == Settings()


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(
        {
            "TUPPENCE_DATABASE_URL": "postgresql://ann:secret@db:5433/loyalty",
            "TUPPENCE_HOST": "::1",
            "TUPPENCE_PORT": "0",
            "TUPPENCE_SWEEPER": "off",
            "TUPPENCE_LOG_LEVEL": "WARNING",
        }
    )

    assert settings == Settings(
        database_url="postgresql://ann:secret@db:5433/loyalty",
        host="::1",
        port=0,
        sweeper=False,
        log_level="warning",
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
    ],
)
def test_a_bad_value_is_told_by_name(variable: str, value: str, wanted: str) -> None:
    with pytest.raises(BadSetting) as refused:
        Settings.from_environment({variable: value})

    assert str(refused.value) == f"{variable} must be {wanted}."


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.com", "127.0.0.1:80"])  # noqa: S104
def test_nobody_elsewhere_may_call(host: str) -> None:
    with pytest.raises(BadSetting, match=r"^TUPPENCE_HOST must be this machine's own, .*\.$"):
        Settings.from_environment({"TUPPENCE_HOST": host})


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
    listed = listing(Settings(port=9000, sweeper=False))

    assert [(entry.variable, entry.value, entry.default) for entry in listed] == [
        ("TUPPENCE_DATABASE_URL", "sqlite:///./data/tuppence.db", "sqlite:///./data/tuppence.db"),
        ("TUPPENCE_HOST", "127.0.0.1", "127.0.0.1"),
        ("TUPPENCE_PORT", "9000", "8000"),
        ("TUPPENCE_SWEEPER", "off", "on"),
        ("TUPPENCE_LOG_LEVEL", "info", "info"),
    ]
    assert all(entry.meaning for entry in listed)


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
