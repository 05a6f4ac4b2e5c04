"""Metrics: numbers for Prometheus, of names that the service itself has, for those who may know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.patience import patience
from tests.harness.servers import Service, running

ANN = "ann.archer@example.com"
PROXY = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
BEARER = {"authorization": f"Bearer {ADMIN}"}


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Client:
    return service.client


class Numbers:
    """What one look at the metrics showed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def of(self, name: str, **labels: str) -> float:
        """The one number with this name and these labels, among others; 0 where there is none."""
        found = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, found
        return found[0] if found else 0


@asynccontextmanager
async def stranger() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


async def look(service: Service) -> Numbers:
    async with stranger() as http:
        answer = await http.get(f"{service.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Numbers(answer.text)


# ── what is counted ─────────────────────────────────────────────────────────────────────────────


async def test_operations_are_counted_by_root_field_and_outcome(
    service: Service, client: Client
) -> None:
    await client.credit(ANN, 50)
    await client.credit(ANN, 60)
    await client.balance(ANN)
    await client.refused("query { wallets(first: -1) { edges { cursor } } }")

    numbers = await look(service)

    def counted(kind: str, operation: str, outcome: str) -> float:
        return numbers.of(
            "tuppence_operations_total", kind=kind, operation=operation, outcome=outcome
        )

    assert counted("mutation", "creditPoints", "OK") == 2
    assert counted("query", "wallet", "OK") == 1
    assert counted("query", "wallets", "BAD_REQUEST") == 1


@pytest.mark.parametrize(
    ("document", "operation"),
    [
        ("query Zebra { eventCursor }", "eventCursor"),
        ("{ zebra: eventCursor }", "eventCursor"),
        ("{ one: eventCursor two: eventCursor }", "eventCursor"),
        ("{ eventCursor programs(first: 1) { edges { cursor } } }", "several"),
        ("{ ...zebra } fragment zebra on Query { eventCursor }", "several"),
        ("{ __typename }", "introspection"),
        ("{ zebra }", "other"),
        ("{", "other"),
        ("query A { eventCursor } query B { eventCursor }", "other"),
    ],
)
async def test_a_caller_can_make_up_no_label(
    service: Service, client: Client, document: str, operation: str
) -> None:
    await client.ask(document, {})

    numbers = await look(service)

    counted = {
        sample.labels["operation"]: sample.value
        for sample in numbers.samples
        if sample.name == "tuppence_operations_total"
    }
    assert counted == {operation: 1}
    assert "zebra" not in numbers.text.lower()


async def test_each_phase_of_an_operation_is_timed(service: Service, client: Client) -> None:
    await client.credit(ANN, 50)

    numbers = await look(service)

    name = "tuppence_operation_seconds"
    phases = ("admit", "read", "prepare", "execute", "encode")
    for phase in (*phases, "whole"):
        assert numbers.of(f"{name}_count", kind="mutation", phase=phase) == 1
    parts = sum(numbers.of(f"{name}_sum", kind="mutation", phase=phase) for phase in phases)
    whole = numbers.of(f"{name}_sum", kind="mutation", phase="whole")
    assert 0 < parts <= whole


async def test_commits_are_counted_with_what_they_hold(service: Service, client: Client) -> None:
    before = await look(service)

    await client.credit_batch([client.credit_of(ANN, 1), client.credit_of(ANN, 2)])
    await client.upsert_member(ANN, name="Ann")

    after = await look(service)
    assert after.of("tuppence_batch_commands_sum") == 2
    assert after.of("tuppence_batch_commands_count") == 1
    seconds = "tuppence_commit_seconds_count"
    assert after.of(seconds) - before.of(seconds) == 2
    assert after.of("tuppence_backlog_commands") == 0


async def test_subscribers_and_sockets_are_counted_while_they_are_there(
    service: Service, client: Client
) -> None:
    cursor = await client.event_cursor()
    async with client.subscribe(after=cursor) as stream:
        await client.credit(ANN, 50)
        await stream.next()
        during = await look(service)
    async with patience():
        while (after := await look(service)).of("tuppence_sockets"):
            pass

    assert during.of("tuppence_sockets") == during.of("tuppence_subscribers") == 1
    assert during.of("tuppence_feed_lag_events") == 0
    assert after.of("tuppence_subscribers") == 0
    assert after.of("tuppence_operations_total", kind="subscription", outcome="OK") == 1


async def test_what_is_turned_away_is_counted_by_reason(service: Service, client: Client) -> None:
    await client.http.post(client.url, json={"query": "x" * 2_000_000})
    await client.http.post(client.url, json={}, headers={"authorization": "Bearer nonsense"})
    await client.refused("{ " + " ".join(f"a{n}: eventCursor" for n in range(31)) + " }")

    numbers = await look(service)

    rejected = {
        (sample.labels["code"], sample.labels["limit"]): sample.value
        for sample in numbers.samples
        if sample.name == "tuppence_rejected_total"
    }
    assert rejected == {
        ("LIMIT_EXCEEDED", "body_bytes"): 1,
        ("LIMIT_EXCEEDED", "aliases"): 1,
        ("UNAUTHENTICATED", ""): 1,
    }


async def test_the_sweepers_age_is_told_where_one_sweeps(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, sweeper=True) as service:
        assert "tuppence_sweeper_age_seconds" in (await look(service)).text
    async with running(sqlite_url, clock) as service:
        assert "tuppence_sweeper_age_seconds" not in (await look(service)).text


async def test_it_says_what_runs(service: Service) -> None:
    assert (await look(service)).of("tuppence_build_info", version="0.1.0") == 1


async def test_two_services_of_one_process_count_apart(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock) as one, running(sqlite_url, clock) as other:
        await one.client.event_cursor()

        name = "tuppence_operations_total"
        assert (await look(one)).of(name, operation="eventCursor") == 1
        assert (await look(other)).of(name, operation="eventCursor") == 0


async def test_nobody_is_named(service: Service, client: Client) -> None:
    await client.credit(ANN, 50)
    await client.upsert_member(ANN, name="Ann Archer")
    wallet = await client.wallet(ANN)

    text = (await look(service)).text

    for name in ("ann", "archer", wallet.id, "first", "01kb00000000000000000000ad"):
        assert name not in text.lower()


# ── who may look ────────────────────────────────────────────────────────────────────────────────


async def test_a_process_of_this_machine_may_look(service: Service) -> None:
    await look(service)


@pytest.mark.parametrize("name", ["forwarded", "x-forwarded-for", "x-real-ip", "via"])
async def test_what_a_proxy_sends_on_needs_a_key(service: Service, name: str) -> None:
    async with stranger() as http:
        answer = await http.get(f"{service.url}/metrics", headers={name: "127.0.0.1"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="tuppence"'
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "tuppence_" not in answer.text


async def test_behind_a_proxy_only_an_administrator_may_look(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock, behind_proxy=True) as service, stranger() as http:
        address = f"{service.url}/metrics"
        created = await service.client.execute(
            'mutation { createApiKey(input: {name: "till", scopes: ["wallets:read"]}) { token } }'
        )
        till = created["createApiKey"]["token"]

        nobody = await http.get(address, headers=PROXY)
        direct = await http.get(address)
        other = await http.get(address, headers=PROXY | {"authorization": f"Bearer {till}"})
        admin = await http.get(address, headers=PROXY | BEARER)

    assert [answer.status_code for answer in (nobody, direct, other, admin)] == [401, 401, 403, 200]
    assert other.json()["errors"][0] == {
        "message": "metrics are for keys with admin",
        "extensions": {"code": "FORBIDDEN"},
    }
    assert "tuppence_operations_total" in admin.text


async def test_they_can_be_turned_off(sqlite_url: str, clock: VirtualClock) -> None:
    async with running(sqlite_url, clock, metrics=False) as service, stranger() as http:
        answer = await http.get(f"{service.url}/metrics", headers=BEARER)

    assert answer.status_code == 404


async def test_so_can_the_page(sqlite_url: str, clock: VirtualClock) -> None:
    async with running(sqlite_url, clock, graphiql=False) as service, stranger() as http:
        page = await http.get(f"{service.url}/graphql", headers={"accept": "text/html"})
        script = await http.get(f"{service.url}/graphql/page/page.js")

    assert page.status_code == 401
    assert script.status_code == 404


# ── health ──────────────────────────────────────────────────────────────────────────────────────


async def test_health_and_readiness_are_open_and_tell_nothing(service: Service) -> None:
    async with stranger() as http:
        health = await http.get(f"{service.url}/healthz")
        ready = await http.get(f"{service.url}/readyz")

    assert (health.status_code, health.json()) == (200, {"up": True})
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
