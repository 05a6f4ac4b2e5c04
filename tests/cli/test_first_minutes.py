"""tuppence serve, as a newcomer meets it: what the terminal says, and who is let in."""

import json
import os
import re
import selectors
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.harness.processes import TUPPENCE, environment, tuppence
from tests.harness.tls import make_certificate

SAID_S_MAX = 30
STOP_S_MAX = 30
KEY = r"tpk_[0-9a-z]{26}_[\w-]{43}"
CURSOR = {"query": "{ eventCursor }"}


@dataclass
class Served:
    """A `tuppence serve` that has greeted."""

    said: list[str]
    origin: str
    log: Path

    @property
    def page(self) -> str:
        return self.get("/graphql", accept="text/html").text

    @property
    def token(self) -> str | None:
        """The token that the page carries."""
        found = re.search(r'<meta name="tuppence-token" content="([^"]+)"', self.page)
        return found[1] if found else None

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(trust_env=False) as http:
            return http.get(f"{self.origin}{path}", headers=headers)

    def ask(self, token: str | None) -> int:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(trust_env=False) as http:
            return http.post(f"{self.origin}/graphql", json=CURSOR, headers=headers).status_code


@contextmanager
def served(
    cwd: Path, *arguments: str, last: str, terminal: bool = True, **settings: str
) -> Iterator[Served]:
    """Serve in a folder until the block ends; what it says, up to `last`, is read first."""
    reading, writing = os.openpty() if terminal else os.pipe()
    log = cwd / "serve.log"
    with log.open("wb") as err:
        process = subprocess.Popen(
            [TUPPENCE, "serve", "--port", "0", *arguments],
            cwd=cwd,
            env=environment(None, **settings),
            stdout=writing,
            stderr=err,
        )
    os.close(writing)
    try:
        said = read_until(reading, last).splitlines()
        (address,) = (
            found[0] for line in said if (found := re.findall(r"(http\S+)/graphql", line))
        )
        yield Served(said, address, log)
        process.terminate()
        assert process.wait(STOP_S_MAX) == 0
    finally:
        process.kill()
        process.wait()
        os.close(reading)


def read_until(file: int, last: str) -> str:
    """What is said, until it ends with this."""
    said, deadline = "", time.monotonic() + SAID_S_MAX
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        while not re.search(rf"{last}\r?\n$", said):
            assert selector.select(deadline - time.monotonic()), f"not said: {last!r} in {said!r}"
            said += os.read(file, 65_536).decode()
    return said


DEV = "programs show a key."


def test_make_serve_says_where_it_is_and_how_to_get_in(tmp_path: Path) -> None:
    with served(tmp_path, "--dev", last=DEV) as first:
        *_, address, key, page = first.said
        shown = re.fullmatch(rf"Admin key \(shown once, kept in data/admin.key\): ({KEY})", key)
        assert shown
        assert address == f"Tuppence is at {first.origin}/graphql. Stop it with Ctrl-C."
        assert page == (
            "GraphiQL in your browser is signed in as an administrator; programs show a key."
        )
        assert first.ask(shown[1]) == 200
        assert first.ask(None) == 401
    file = tmp_path / "data" / "admin.key"
    assert file.read_text().strip() == shown[1]
    assert file.stat().st_mode & 0o777 == 0o600

    with served(tmp_path, "--dev", last=DEV) as again:
        assert "The first admin key is in data/admin.key." in again.said
        assert shown[1] not in "\n".join(again.said)
        assert again.ask(shown[1]) == 200


def test_with_dev_the_page_is_let_in_for_as_long_as_the_process_lives(tmp_path: Path) -> None:
    with served(tmp_path, "--dev", last=DEV) as first:
        token = first.token
        assert first.ask(token) == 200
    with served(tmp_path, "--dev", last=DEV) as second:
        assert second.token not in {None, token}
        assert second.ask(token) == 401

    assert token
    for kept in (*tmp_path.glob("*.log"), *tmp_path.glob("data/*")):
        assert token.encode() not in kept.read_bytes()


def test_without_dev_the_page_is_nobody(tmp_path: Path) -> None:
    with served(tmp_path, last=KEY) as service:
        assert "<title>" in service.page
        assert service.token is None
        assert DEV not in "\n".join(service.said)


def test_a_key_that_was_there_is_taken_and_never_shown(tmp_path: Path) -> None:
    key, file = f"tpk_mine_{'k' * 32}", tmp_path / "data" / "admin.key"
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_text(f"{key}\n", encoding="utf-8")
    with served(tmp_path, last="data/admin.key.", terminal=False) as service:
        assert service.said[-1] == "The first admin key is in data/admin.key."
        assert key not in "\n".join(service.said)
        assert service.ask(key) == 200

    assert key not in service.log.read_text()


def test_on_stderr_there_is_nothing_but_the_log(tmp_path: Path) -> None:
    with served(tmp_path, "--dev", last=DEV) as service:
        service.ask(service.token)
        service.ask("nobody's")
        service.get("/readyz")

    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert [(line["event"], line.get("status")) for line in lines] == [
        ("an operation was answered", 200),
        ("an operation was answered", 401),
        ("the service is told to stop", None),
    ]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "0.0.0.0"], "Others reach 0.0.0.0, and keys would travel there "),  # noqa: S104
        (["--dev", "--host", "0.0.0.0"], "--dev makes everyone who opens the page an admin"),  # noqa: S104
        (["--dev", "--behind-proxy"], "--dev makes everyone who opens the page an admin"),
        (["--host", "example.com"], "--host must be an address like 127.0.0.1, "),
    ],
)
def test_it_does_not_listen_where_it_is_not_safe(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = tuppence("serve", "--port", "0", *arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_proxys_word_is_taken_where_it_is_said_to_be_there(tmp_path: Path) -> None:
    arguments = ("--host", "0.0.0.0", "--behind-proxy")  # noqa: S104
    with served(tmp_path, *arguments, last=KEY) as service:
        near = service.origin.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        service.origin = near

        assert service.get("/readyz").status_code == 200
        assert service.get("/metrics").status_code == 401


def test_with_a_certificate_it_speaks_tls_alone(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "ours")
    with served(
        tmp_path, last=KEY, TUPPENCE_TLS_CERTIFICATE=certificate, TUPPENCE_TLS_KEY=key
    ) as service:
        trust = ssl.create_default_context(cafile=certificate)
        with httpx.Client(trust_env=False, verify=trust) as http:
            answer = http.get(f"{service.origin}/readyz")
            with pytest.raises(httpx.TransportError):
                http.get(f"{service.origin.replace('https', 'http')}/readyz")

    assert service.origin.startswith("https://127.0.0.1:")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
