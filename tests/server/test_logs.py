"""Logs: a line for each operation, that names no person and holds no secret."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator

import pytest
import structlog

from graph import soon
from server.logs import CAUSES_MAX, FRAMES_MAX, FROM_ASYNCIO, Held, as_text, log_to
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.logs import Lines, logged
from tests.harness.patience import patience, poll
from tests.harness.servers import Service, running
from tests.harness.tables import spoil
from tests.harness.values import Json

ANN = "ann.archer@example.com"
PERSONAL = ("ann", "archer", "Anniversary", "+44 20", "order-77", "my-comment")
CREDIT = """
  mutation Give($input: CreditPointsInput!) {  # my-comment
    creditPoints(input: $input) { replayed errors { ... on UserError { message } } }
  }
"""
ANSWERED = "an operation was answered"


@pytest.fixture
async def service(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[Service]:
    async with running(sqlite_url, clock) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Client:
    return service.client


def gift(points: object = 50) -> Json:
    return {
        "wallet": {"owner": {"identity": ANN}},
        "points": points,
        "idempotencyKey": "order-77",
        "description": "Anniversary of Ann Archer",
    }


def assert_tells_nobody(lines: Lines) -> None:
    text = lines.text.lower()
    told = [secret for secret in (*PERSONAL, ADMIN, ADMIN[-20:]) if secret.lower() in text]
    assert not told, f"{told} in {lines.text}"


# ── one line for each operation ─────────────────────────────────────────────────────────────────


async def test_an_operation_is_one_line(client: Client) -> None:
    with logged("info") as lines:
        response = await client.http.post(
            client.url, json={"query": CREDIT, "variables": {"input": gift()}}
        )

    (line,) = lines.told
    assert line.pop("ms") > 0
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "info",
        "event": ANSWERED,
        "transport": "http",
        "kind": "mutation",
        "operation": "creditPoints",
        "name": "Give",
        "principal": "key_01kb00000000000000000000ad",
        "status": 200,
        "request_id": response.headers["x-request-id"],
    }


async def test_what_was_over_when_the_service_ends_is_told(
    sqlite_url: str, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soon, "MOMENT_S", 1_000)
    with logged() as lines:
        async with running(sqlite_url, clock) as service:
            await service.client.execute("{ eventCursor }")
        told = lines.out.getvalue()

    assert ANSWERED.encode() in told


async def test_what_is_refused_is_a_line_with_its_code(client: Client) -> None:
    with logged("info") as lines:
        await client.http.post(client.url, json={"query": "{ nothing }"})
        await client.http.post(client.url, content=b"{", headers={"content-type": "text/plain"})
        await client.http.post(client.url, json={"query": CREDIT}, headers={"authorization": ""})

    told = [(line.get("status"), line["operation"], line["codes"]) for line in lines.told]
    assert told == [
        (400, "other", "BAD_REQUEST"),
        (415, "other", "BAD_REQUEST"),
        (401, "other", "UNAUTHENTICATED"),
    ]


async def test_a_subscription_is_one_line_when_it_ends(client: Client) -> None:
    cursor = await client.event_cursor()
    with logged("info") as lines:
        async with client.subscribe(after=cursor) as stream:
            for number in range(3):
                await client.credit(ANN, 50, key=f"order-77{number}")
            await stream.take(3)
        await poll(lambda: has_ended(lines, "subscription"))

    (line,) = [line for line in lines.of(ANSWERED) if line["kind"] == "subscription"]
    assert (line["transport"], line["operation"], line["answers"]) == (
        "socket",
        "pointsCredited",
        3,
    )
    assert "codes" not in line
    assert_tells_nobody(lines)


async def has_ended(lines: Lines, kind: str) -> bool:
    return any(line["kind"] == kind for line in lines.of(ANSWERED))


# ── nobody is told of ───────────────────────────────────────────────────────────────────────────


async def test_no_line_holds_what_a_caller_sent(client: Client) -> None:
    with logged("debug") as lines:
        await client.execute(CREDIT, input=gift())
        await client.upsert_member(ANN, name="Ann Archer", email=ANN, phone="+44 20 7946 0000")
        await client.refused(CREDIT, input=gift(ANN))
        await client.refused(CREDIT, input=gift() | {"unknownArcher": ANN})
        await client.refused(f'{{ wallets(first: 10, after: "{ANN}") {{ edges {{ cursor }} }} }}')
        await client.refused(f'{{ archer: member(identity: "{ANN}") {{ annArcher }} }}')
        await client.http.get(client.url, params={"query": "{ order-77", "variables": ANN})
        await client.http.post(
            client.url, json={"query": CREDIT}, headers={"authorization": f"Bearer {ANN}"}
        )

    assert len(lines.told) == 8
    assert_tells_nobody(lines)


@pytest.mark.parametrize("way", ["query", "mutation"])
async def test_a_fault_has_the_requests_id_and_no_value(
    client: Client, sqlite_url: str, way: str
) -> None:
    await spoil(sqlite_url, "ALTER TABLE members RENAME TO gone")
    document = "query Ask($of: String!) { member(identity: $of) { name } }"
    with logged("debug") as lines:
        if way == "query":
            status, answer = await client.ask(document, {"of": ANN})
        else:
            status, answer = await client.ask(CREDIT, {"input": gift()})

    (error,) = answer["errors"]
    request_id = error["extensions"]["id"]
    assert status in {200, 500}
    assert error["extensions"]["code"] == "INTERNAL"
    assert request_id in error["message"]
    (fault,) = lines.of("something went wrong")
    assert fault["request_id"] == request_id
    assert "sqlite3.OperationalError (SQLITE_ERROR)" in fault["exception"]
    assert {line.get("request_id") for line in lines.told} == {request_id}
    assert_tells_nobody(lines)


async def test_an_id_that_the_caller_gave_goes_through_to_the_log(
    client: Client, sqlite_url: str
) -> None:
    await spoil(sqlite_url, "ALTER TABLE members RENAME TO gone")
    body = {"query": f'{{ member(identity: "{ANN}") {{ name }} }}'}
    with logged("debug") as lines:
        response = await client.http.post(
            client.url, json=body, headers={"x-request-id": "till-4.1764"}
        )

    assert response.headers["x-request-id"] == "till-4.1764"
    assert response.json()["errors"][0]["extensions"]["id"] == "till-4.1764"
    assert [line["request_id"] for line in lines.told] == ["till-4.1764"] * 2


# ── exceptions ──────────────────────────────────────────────────────────────────────────────────


class Unique(Exception):
    """As a driver tells that a row is there already: with the row."""

    sqlstate = "23505"
    constraint_name = "members_identity_key"
    detail = f"Key (identity)=({ANN}) already exists."


def fail(identity: str) -> None:
    try:
        insert(identity)
    except Unique as error:
        raise KeyError(identity) from error


def insert(identity: str) -> None:
    raise Unique(f"Key (identity)=({identity}) already exists.")


@pytest.mark.parametrize("whose", ["ours", "another's"])
def test_an_exception_is_told_by_its_type_and_places(whose: str) -> None:
    with logged() as lines:
        try:
            fail(ANN)
        except KeyError:
            if whose == "ours":
                structlog.get_logger().exception("it failed")
            else:
                logging.getLogger("a.library").exception("it failed")

    (line,) = lines.told
    assert [told.rpartition(" in ")[2] for told in line["exception"].splitlines()] == [
        "KeyError",
        "test_an_exception_is_told_by_its_type_and_places",
        "fail",
        f"from {Unique.__module__}.Unique (23505, members_identity_key)",
        "fail",
        "insert",
    ]
    assert f"  {__file__}:" in line["exception"]
    assert_tells_nobody(lines)


def test_a_deep_fault_is_told_by_its_nearest_places() -> None:
    def sink() -> None:
        sink()

    with logged() as lines:
        try:
            sink()
        except RecursionError as error:
            structlog.get_logger().error("it failed", exc_info=error)

    (line,) = lines.told
    first, *places = line["exception"].splitlines()
    assert first == "RecursionError"
    assert len(places) == FRAMES_MAX


def test_a_long_chain_of_faults_is_told_up_to_a_bound() -> None:
    error: Exception = ValueError("first")
    for _ in range(3 * CAUSES_MAX):
        later = ValueError("later")
        later.__cause__ = error
        error = later
    with logged() as lines:
        structlog.get_logger().error("it failed", exc_info=error)

    assert len(lines.told[0]["exception"].splitlines()) == CAUSES_MAX


# ── other libraries, and people ─────────────────────────────────────────────────────────────────


def test_another_librarys_line_is_its_first_sentence() -> None:
    with logged() as lines:
        logging.getLogger("uvicorn.error").warning("Invalid %s received.\nBody: %s", "HTTP", ANN)
        logging.getLogger("uvicorn.error").info("not asked for")

    (line,) = lines.told
    assert (line["level"], line["event"]) == ("warning", "Invalid HTTP received.")
    assert line["logger"] == "uvicorn.error"


async def test_a_task_that_nobody_awaits_is_told_of_without_its_arguments() -> None:
    with logged() as lines:
        asyncio.get_running_loop().call_soon(fail, ANN)
        await asyncio.sleep(0)

    (line,) = lines.told
    assert line["event"] == FROM_ASYNCIO
    assert line["exception"].startswith("KeyError")
    assert_tells_nobody(lines)


def test_only_what_is_asked_for_is_logged() -> None:
    with logged("warning") as lines:
        structlog.get_logger().info("small talk")
        structlog.get_logger().warning("a warning")

    assert [line["event"] for line in lines.told] == ["a warning"]


def test_people_read_text() -> None:
    with logged() as lines:
        log_to(lines.out, "info", as_text)
        structlog.get_logger().info("it began", port=8000)
        logging.getLogger("a.library").warning("it warns")

    ours, other = lines.text.splitlines()
    assert "[info     ] it began" in ours
    assert ours.endswith("port=8000")
    assert "[warning  ] it warns" in other
    assert other.endswith("[a.library]")


# ── when it is written ──────────────────────────────────────────────────────────────────────────


class Pipe(io.BytesIO):
    """Counts how often it is flushed, and tells when it is."""

    def __init__(self) -> None:
        super().__init__()
        self.flushes = 0
        self.flushed = asyncio.Event()

    def flush(self) -> None:
        self.flushes += 1
        self.flushed.set()


async def test_lines_that_follow_each_other_are_written_together() -> None:
    pipe = Pipe()
    held = Held(pipe)
    for _ in range(3):
        held.write(b"line\n")
        held.flush()
    assert pipe.flushes == 0

    async with patience():
        await pipe.flushed.wait()

    assert (pipe.getvalue(), pipe.flushes) == (b"line\n" * 3, 1)


def test_where_there_is_no_event_loop_a_line_is_written_at_once() -> None:
    pipe = Pipe()

    Held(pipe).flush()

    assert pipe.flushes == 1


def test_a_line_that_an_event_loop_left_behind_goes_out_with_the_next() -> None:
    pipe = Pipe()
    held = Held(pipe)

    async def flush(*, wait: bool) -> None:
        held.flush()
        if wait:
            async with patience():
                await pipe.flushed.wait()

    asyncio.run(flush(wait=False))
    asyncio.run(flush(wait=True))

    assert pipe.flushes == 1
