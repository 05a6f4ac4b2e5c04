"""docs/operating.md says what can be set, every command, and what there is to see."""

import json
import re
import shlex
from collections import defaultdict
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from server.cli import app
from server.settings import Listed, Settings, listing
from tests.harness.clock import VirtualClock
from tests.harness.logs import logged
from tests.harness.nats import nats_server
from tests.harness.patience import poll
from tests.harness.processes import tuppence
from tests.harness.servers import Service, running
from tests.harness.tables import spoil

OPERATING = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text("utf-8")


def section(title: str) -> str:
    """What stands under a heading, up to the next."""
    return re.split(r"^## ", OPERATING.partition(f"\n## {title}\n")[2], flags=re.MULTILINE)[0]


def table(title: str) -> list[list[str]]:
    """A section's table, below its head: what each row has in code, cell by cell."""
    rows = re.findall(r"^\|(.*)\|$", section(title), flags=re.MULTILINE)[2:]
    return [[" ".join(re.findall(r"`([^`]+)`", cell)) for cell in row.split("|")] for row in rows]


def row(entry: Listed) -> str:
    default = f"`{entry.default}`" if entry.default else ""
    return f"| `{entry.variable}` | {default} | {entry.meaning} |"


def test_every_setting_is_documented_as_the_code_has_it() -> None:
    documented = re.findall(r"^\| `TUPPENCE_.*$", OPERATING, flags=re.MULTILINE)

    assert documented == [row(entry) for entry in listing(Settings())], (
        "docs/operating.md: make its table these lines"
    )


def test_every_command_that_keeps_an_installation_is_documented() -> None:
    commands = {
        command.callback.__name__ for command in app.registered_commands if command.callback
    }
    groups = {
        f"{group.typer_instance.info.name} {name.rstrip('_')}"
        for group in app.registered_groups
        if group.typer_instance
        for command in group.typer_instance.registered_commands
        if command.callback and (name := command.callback.__name__)
    }
    missing = {
        name
        for name in (commands | groups) - {"schema"}
        if not re.search(rf"(`|^)tuppence {name}", OPERATING, flags=re.MULTILINE)
    }

    assert not missing, f"docs/operating.md: say what each is for: {missing}"


def test_its_keys_are_created_and_listed_as_it_says(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tuppence.db'}"
    tuppence("migrate", database_url=url)
    create, list_ = re.findall(r"^tuppence (keys create.*|keys list)$", OPERATING, re.MULTILINE)

    created = tuppence(*shlex.split(create), database_url=url)
    listed = tuppence(*shlex.split(list_), database_url=url)

    assert created.stdout.startswith("tpk_"), created.stderr
    assert "the till in Lyon" in listed.stdout, listed.stderr


async def test_what_a_line_of_the_log_has_is_documented(
    sqlite_url: str, clock: VirtualClock
) -> None:
    documented = {name for cells in table("Logs") for name in " ".join(cells).split()}
    (example,) = re.findall(r"^```json\n(.*)\n```$", section("Logs"), flags=re.MULTILINE)

    async with running(sqlite_url, clock) as service:
        client = service.client
        cursor = await client.event_cursor()
        with logged("info") as lines:
            await client.credit("ann", 50)
            async with client.subscribe(after=cursor) as stream:
                await stream.next()
            await spoil(sqlite_url, "ALTER TABLE members RENAME TO gone")
            await client.ask('{ member(identity: "ann") { name } }', {})

    answered = lines.of("an operation was answered")
    seen = {name for line in lines.told for name in line}
    assert seen <= documented
    assert set(json.loads(example)) == set(answered[0])


async def is_told(service: Service) -> bool:
    """Other instances were told of an event."""
    told = await service.inside.metrics.render(service.inside.feed)
    return b"tuppence_nats_words_total{" in told


async def test_every_metric_is_documented_with_its_labels(
    sqlite_url: str, clock: VirtualClock
) -> None:
    documented = {cells[0]: set(cells[1].split()) for cells in table("Metrics")}

    async with (
        nats_server() as nats,
        running(sqlite_url, clock, sweeper=True, nats_url=(nats.url,)) as service,
    ):
        await service.client.credit("ann", 50)
        assert await poll(lambda: is_told(service))
        await service.client.ask("{", {})
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(f"{service.url}/graphql", json={})  # turned away
            text = (await http.get(f"{service.url}/metrics")).text

    labels: defaultdict[str, set[str]] = defaultdict(set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = re.sub(r"_(bucket|count|sum)$", "", sample.name)
            labels[name] |= set(sample.labels) - {"le"}
    assert documented == {n: found for n, found in labels.items() if n.startswith("tuppence_")}
