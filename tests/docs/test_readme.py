"""The README: every example in it does what it says, on a running service."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, async_playwright

from access.principal import SCOPES
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.demo import fast_demo
from tests.harness.keys import ADMIN
from tests.harness.patience import patience, poll
from tests.harness.servers import Service, running

README = Path(__file__).parents[2] / "README.md"
CHROMIUM = Path("/usr/bin/chromium")
ADDRESS = "127.0.0.1:8000"
ANN = 'wallet: {owner: {identity: "ann"}}, points: 5'
CREDIT = f'mutation {{ creditPoints(input: {{{ANN}, idempotencyKey: "1"}}) {{ replayed }} }}'
DEBIT = f'mutation {{ debitPoints(input: {{{ANN}, idempotencyKey: "2"}}) {{ replayed }} }}'


def example(language: str, containing: str) -> str:
    """The README's block of this language that contains a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return found


def here(text: str, service: Service) -> str:
    return text.replace(ADDRESS, service.url.removeprefix("http://"))


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock) as service:
        yield service


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A folder with the key where the service keeps it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "admin.key").write_text(f"{ADMIN}\n")
    return tmp_path


async def run(*command: str, within: Path, **variables: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=within,
        env={**os.environ, **variables},
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return told.decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
async def test_curl_credits_ann_once_however_often_it_is_sent(
    service: Service, installation: Path
) -> None:
    command = here(example("sh", "order-1001"), service)

    first = json.loads(await run("sh", "-c", command, within=installation))["data"]["creditPoints"]
    again = json.loads(await run("sh", "-c", command, within=installation))["data"]["creditPoints"]

    assert first == {"replayed": False, "errors": [], "wallet": {"balance": {"active": 120}}}
    assert again == {**first, "replayed": True}


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
async def test_a_first_campaign_reminds_ann_of_what_she_has_not_used(tmp_path: Path) -> None:
    commands = example("sh", "createCampaign")
    async with fast_demo(tmp_path, "--day-seconds", "1", "--members", "2") as (demo, client):
        address = client.url.removeprefix("http://").removesuffix("/graphql")

        told = await run("sh", "-c", commands.replace(ADDRESS, address), within=tmp_path)

        running, given = [json.loads(line)["data"] for line in told.splitlines()]
        assert running == {"publishCampaign": {"campaign": {"status": "RUNNING"}, "errors": []}}
        assert list(given) == ["upsertMember", "creditPoints"]
        assert await demo.shows("Come back", "Ann"), demo.text
        [card] = demo.cards("Come back", "Ann")
    promised = re.search("“(Ann, .*?)”", README.read_text())
    assert promised
    assert promised[1] in card


async def test_python_sees_a_credit_live(service: Service, installation: Path) -> None:
    script = installation / "watch.py"
    script.write_text(here(example("python", "websockets"), service))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(script), stdout=asyncio.subprocess.PIPE, cwd=installation
    )
    assert process.stdout is not None
    assert await poll(lambda: follows(service))

    await service.client.credit("ann", 120)
    async with patience():
        line = (await process.stdout.readline()).decode()
    process.terminate()
    await process.wait()

    assert "'identity': 'ann', 'points': 120" in line


async def test_the_terminal_makes_a_key_for_a_till(service: Service, installation: Path) -> None:
    command = example("sh", "keys create").replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    url = service.inside.settings.database_url

    token = await run("sh", "-c", command, within=installation, TUPPENCE_DATABASE_URL=url)

    async with Client.of(service.client.url, token.strip()) as till:
        for asked in (CREDIT, DEBIT):
            assert await till.execute(asked)
        [refused] = await till.refused("{ programs { edges { node { name } } } }")
        assert refused["extensions"] == {"code": "FORBIDDEN", "scopes": ["wallets:read"]}


async def follows(service: Service) -> bool:
    """Somebody follows the feed."""
    return service.inside.feed.followers > 0


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a Chromium at {CHROMIUM}")
async def test_javascript_sees_a_credit_live(service: Service) -> None:
    said: list[ConsoleMessage] = []
    async with async_playwright() as player:
        browser = await player.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = await browser.new_page()
        page.on("console", lambda message: said.append(message) if message.args else None)
        await page.goto(f"{service.url}/graphql")
        script = here(example("js", "WebSocket"), service).replace('"…"', f'"{ADMIN}"')
        await page.evaluate(f"() => {{ {script} }}")
        assert await poll(lambda: follows(service))

        await service.client.credit("ann", 120, description="Welcome")

        async def has_said() -> bool:
            return bool(said)

        assert await poll(has_said)
        told = await said[0].args[0].json_value()
        await browser.close()

    assert told.pop("cursor")
    assert told == {"identity": "ann", "points": 120, "pointsDescription": "Welcome"}


def test_every_scope_is_told_and_no_other() -> None:
    told = re.findall(r"^\| `([a-z:]+)` \|", README.read_text(), re.MULTILINE)

    assert sorted(told) == sorted(SCOPES)


def test_the_map_names_every_storey_that_there_is() -> None:
    storeys = {path.parent.name for path in README.parent.glob("*/__init__.py")}
    mapped = set(re.findall(r"^(\w+)/ +[A-Z]", README.read_text(), re.MULTILINE))

    assert storeys - mapped == set()
