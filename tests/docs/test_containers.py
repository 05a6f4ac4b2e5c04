"""Dockerfile, compose.yaml and deploy/: they say what the code says, and their programs take it."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.gate import PROBES
from server.settings import Settings, listing
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.nats import PROGRAM as NATS_SERVER
from tests.harness.postgres import free_port
from tests.harness.servers import running
from tests.harness.tls import make_certificate

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INSTANCES = ("instance-1", "instance-2")
HAPROXY = ROOT / "deploy" / "haproxy.cfg"
NATS = ROOT / "deploy" / "nats.conf"

FILLED = {
    "POSTGRES_PASSWORD": "c0ffee",
    "TUPPENCE_ADMIN_KEY": ADMIN,
    "TUPPENCE_HOSTS": "points.example.com",
    "CERTIFICATE_FILE": "certificate.pem",
}
"""deploy/example.env, filled in."""


def filled(text: str) -> str:
    """What Compose makes of a text with variables; each of ours must be there."""
    return re.sub(r"\$\{(\w+):\?[^}]+\}", lambda found: FILLED[found[1]], text)


def environment(service: str) -> dict[str, str]:
    told: dict[str, str] = SERVICES[service]["environment"]
    return {name: filled(value) for name, value in told.items()}


def in_image() -> dict[str, str]:
    """The image's own environment."""
    block = re.findall(r"^ENV (?:.*\\\n)*.*$", DOCKERFILE, flags=re.MULTILINE)[-1]
    return dict(re.findall(r"([A-Z_]+)=(\S+)", block))


def texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for each in node:
            yield from texts(each)
    elif isinstance(node, dict):
        yield from texts(list(node.values()))


# ── the image ────────────────────────────────────────────────────────────────────────────────────


def test_the_image_copies_what_there_is_and_no_more_is_sent_to_its_builder() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    names = {name.rstrip("/") for line in copied for name in line.split()}
    names = {name for name in names if not any(name.startswith(f"{each}/") for each in names)}
    ignored = (ROOT / ".dockerignore").read_text("utf-8")

    assert all((ROOT / name).exists() for name in names)
    assert names == {line[1:].rstrip("/") for line in ignored.splitlines() if line[:1] == "!"}


def test_the_image_has_every_storey() -> None:
    wheel = re.findall(
        r"^packages = (\[.*\])$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )

    assert all(f"COPY {name}/ {name}/" in DOCKERFILE for name in json.loads(wheel[0]))


def test_the_image_takes_nothing_but_what_is_locked_and_runs_as_nobody_in_particular() -> None:
    installs = re.findall(r"pip install .*", DOCKERFILE)
    users = re.findall(r"^USER (.+)$", DOCKERFILE, flags=re.MULTILINE)

    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert users == ["tuppence"]
    assert DOCKERFILE.index("USER tuppence") > DOCKERFILE.rindex("FROM ")


def test_the_image_listens_where_it_says() -> None:
    settings = Settings.from_environment(in_image())
    (exposed,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, flags=re.MULTILINE)

    assert (settings.host, settings.port) == ("0.0.0.0", int(exposed))  # noqa: S104 - in a container
    assert 'CMD ["tuppence", "serve"]' in DOCKERFILE


async def test_the_image_knows_whether_it_is_up(sqlite_url: str, clock: VirtualClock) -> None:
    assert 'CMD ["python", "/opt/tuppence/health.py"]' in DOCKERFILE
    async with running(sqlite_url, clock) as service:
        port = service.url.rpartition(":")[2]
        up = await asyncio.to_thread(ask_health, TUPPENCE_PORT=port)
    down = await asyncio.to_thread(ask_health, TUPPENCE_PORT=port)

    assert (up, down) == (0, 1)


def ask_health(**settings: str) -> int:
    program = [sys.executable, ROOT / "deploy" / "health.py"]
    return subprocess.run(program, check=False, env=os.environ | settings).returncode


# ── compose.yaml ─────────────────────────────────────────────────────────────────────────────────


def test_what_must_be_told_is_in_the_example_and_nothing_of_it_is_given_away() -> None:
    wanted = {name for text in texts(COMPOSE) for name in re.findall(r"\$\{(\w+)", text)}
    wanted |= {each["environment"] for each in COMPOSE["secrets"].values() if "environment" in each}
    example = (ROOT / "deploy" / "example.env").read_text("utf-8")
    lines = re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE)

    assert lines == [(name, "") for name in FILLED]
    assert wanted == set(FILLED)
    assert not re.search(r"\$\{\w+(?!\w|:\?)", (ROOT / "compose.yaml").read_text("utf-8"))


@pytest.mark.parametrize("service", [*INSTANCES, "migrate"])
def test_each_setting_is_one_and_has_a_value_that_can_be(service: str) -> None:
    told = environment(service)
    known = {entry.variable for entry in listing(Settings())}

    assert set(told) <= known
    settings = Settings.from_environment(in_image() | told)
    assert settings.behind_proxy is True
    assert settings.hosts == ("points.example.com",)
    assert SERVICES[service]["secrets"][0]["source"] == "admin_key"
    assert str(settings.admin_key) == "/run/secrets/admin_key"


def test_instances_share_the_database_and_the_servers_that_there_are() -> None:
    settings = Settings.from_environment(environment("instance-1"))
    nats = [name for name in SERVICES if name.startswith("nats-")]

    assert environment("instance-1") == environment("instance-2")
    database = SERVICES["postgres"]["environment"]
    assert settings.database_url == (
        f"postgresql://{database['POSTGRES_USER']}:{filled(database['POSTGRES_PASSWORD'])}"
        f"@postgres:5432/{database['POSTGRES_DB']}"
    )
    assert settings.nats_url == tuple(f"nats://{name}:4222" for name in nats)
    assert settings.nats_monitor_url == tuple(f"http://{name}:8222" for name in nats)
    assert [SERVICES[name]["environment"]["NATS_NAME"] for name in nats] == nats


def test_what_keeps_something_has_a_place_for_it_and_only_the_load_balancer_is_reached() -> None:
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["load-balancer"]
    volumes = {name: each["volumes"] for name, each in SERVICES.items() if "volumes" in each}
    assert volumes == {
        "postgres": ["postgres:/var/lib/postgresql"],
        **{f"nats-{number}": [f"nats-{number}:/data"] for number in (1, 2, 3)},
    }
    assert {entry for each in volumes.values() for entry in each} == {
        f"{name}:{path.split(':')[1]}" for name, [path] in volumes.items()
    }
    assert set(COMPOSE["volumes"]) == set(volumes)
    inner = {"postgres", "nats-1", "nats-2", "nats-3"}
    assert all(SERVICES[name]["networks"] == ["inside"] for name in inner)
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_instances_start_once_the_tables_are_there() -> None:
    for name in INSTANCES:
        waits = SERVICES[name]["depends_on"]
        assert waits == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["command"] == ["tuppence", "migrate"]
    assert SERVICES["migrate"]["restart"] == "no"


# ── what stands beside them ──────────────────────────────────────────────────────────────────────


def test_the_load_balancer_asks_for_readiness_where_the_instances_listen() -> None:
    text = HAPROXY.read_text("utf-8")
    told = SERVICES["load-balancer"]["environment"]
    port = in_image()["TUPPENCE_PORT"]

    assert re.findall(r"http-check send meth GET uri (\S+)", text) == ["/readyz"]
    assert "/readyz" in PROBES
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(told)
    assert [told["INSTANCE_1"], told["INSTANCE_2"]] == [f"{name}:{port}" for name in INSTANCES]


def test_the_load_balancer_takes_its_configuration(tmp_path: Path) -> None:
    program = shutil.which("haproxy")
    if program is None:
        pytest.skip("there is no haproxy on this machine")
    pem = tmp_path / "certificate.pem"
    found = make_certificate(tmp_path, "points")
    pem.write_text("".join(Path(part).read_text("utf-8") for part in found))
    where = {"LISTEN": f"127.0.0.1:{free_port()}", "CERTIFICATE": str(pem)}
    where |= {"INSTANCE_1": "127.0.0.1:8000", "INSTANCE_2": "127.0.0.1:8001"}

    done = subprocess.run(
        [program, "-c", "-f", HAPROXY],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | where,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr


def test_nats_takes_its_configuration_and_syncs_what_it_acknowledges() -> None:
    text = NATS.read_text("utf-8")
    names = [name for name in SERVICES if name.startswith("nats-")]

    done = subprocess.run(
        [NATS_SERVER, "-t", "-c", NATS],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"NATS_NAME": "nats-1"},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\s*sync_interval: always\b", text, flags=re.MULTILINE)
    assert re.findall(r"nats://([\w-]+):6222", text) == names
    mounted = SERVICES["nats-1"]["configs"][0]
    assert COMPOSE["configs"][mounted["source"]] == {"file": "deploy/nats.conf"}
    assert SERVICES["nats-1"]["command"] == ["--config", mounted["target"]]
    assert (ROOT / COMPOSE["configs"]["haproxy"]["file"]) == HAPROXY
