"""Listening: others reach the service only where what they send can't be read on the way."""

from pathlib import Path

import pytest

from server.listening import listen, origin, refuse_exposure
from server.settings import CannotRun, Settings
from tests.harness.tls import make_certificate

ELSEWHERE = ["0.0.0.0", "192.168.1.7", "::", "2001:db8::1"]  # noqa: S104
HERE = ["127.0.0.1", "127.8.8.8", "::1", "localhost"]


def refusal(settings: Settings, *, dev: bool = False) -> str:
    with pytest.raises(CannotRun) as refused:
        refuse_exposure(settings, dev=dev)
    return str(refused.value)


@pytest.mark.parametrize("host", HERE)
def test_this_machine_needs_nothing(host: str) -> None:
    refuse_exposure(Settings(host=host), dev=False)
    refuse_exposure(Settings(host=host), dev=True)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_others_are_not_served_without_tls_or_a_proxy_that_has_it(host: str) -> None:
    assert refusal(Settings(host=host)) == (
        f"Others reach {host}, and keys would travel there for all to read: give TLS files"
        " (TUPPENCE_TLS_CERTIFICATE, TUPPENCE_TLS_KEY), or say --behind-proxy where a proxy has"
        " them."
    )


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_proxy_is_taken_at_its_word(host: str) -> None:
    refuse_exposure(Settings(host=host, behind_proxy=True), dev=False)


def test_dev_is_for_this_machine_alone(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "one")
    elsewhere = Settings(host="192.168.1.7")
    proxied = Settings(behind_proxy=True)
    encrypted = Settings(tls_certificate=certificate, tls_key=key)

    for settings in (elsewhere, proxied, encrypted):
        assert refusal(settings, dev=True) == (
            "--dev makes everyone who opens the page an administrator, so it goes with this"
            " machine's own address only, without TLS files or a proxy."
        )


# ── TLS files ───────────────────────────────────────────────────────────────────────────────────


def test_with_its_own_tls_it_may_be_reached(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "one")

    refuse_exposure(
        Settings(host="0.0.0.0", tls_certificate=certificate, tls_key=key),  # noqa: S104
        dev=False,
    )


@pytest.mark.parametrize(
    "half", [Settings(tls_certificate="file.pem"), Settings(tls_key="file.pem")]
)
def test_half_of_tls_is_none(half: Settings) -> None:
    assert refusal(half) == (
        "TUPPENCE_TLS_CERTIFICATE and TUPPENCE_TLS_KEY belong together: set both."
    )


def test_a_tls_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path, "one")
    missing = tmp_path / "missing.key"

    assert refusal(Settings(tls_certificate=certificate, tls_key=str(missing))) == (
        f"The TLS file {missing} can't be read: no such file or directory."
    )


def test_another_certificates_key_is_refused(tmp_path: Path) -> None:
    certificate, _ = make_certificate(tmp_path, "one")
    _, key = make_certificate(tmp_path, "another")

    assert refusal(Settings(tls_certificate=certificate, tls_key=key)) == (
        f"{certificate} and {key} are no certificate with its key, in PEM and without a password"
        " (KEY_VALUES_MISMATCH)."
    )


def test_a_key_under_a_password_is_refused_and_the_terminal_is_not_asked(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "one", b"secret")

    assert refusal(Settings(tls_certificate=certificate, tls_key=key)).startswith(
        f"{certificate} and {key} are no certificate with its key, in PEM and without a password"
    )


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    _, key = make_certificate(tmp_path, "one")
    garbage = tmp_path / "garbage.crt"
    garbage.write_text("garbage")

    assert refusal(Settings(tls_certificate=str(garbage), tls_key=key)).startswith(
        f"{garbage} and {key} are no certificate with its key"
    )


# ── the socket ──────────────────────────────────────────────────────────────────────────────────


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotRun) as refused:
            listen("127.0.0.1", port)

    assert str(refused.value) == f"127.0.0.1:{port} can't be listened on: address already in use."


def test_the_address_is_told_as_a_browser_takes_it() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        assert origin(listener) == f"http://127.0.0.1:{port}"
        assert origin(listener, "https") == f"https://127.0.0.1:{port}"
