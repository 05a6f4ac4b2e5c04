"""Twins: two services with the same books and the same clock; one compiles operations, one doesn't.

They are asked the same, over HTTP, and must answer the same. What each makes up for itself (ids,
tokens, secrets) is told by the order in which it first appears.
"""

import json
import re
import shutil
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.compiled.giving import Give
from tests.compiled.writing import Asked
from tests.fuzz.books import MIA, Known, settle
from tests.harness.api_keys import create_key
from tests.harness.campaigns import channel, run_campaign
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.coupons import create_coupon
from tests.harness.keys import ADMIN
from tests.harness.provider import provider
from tests.harness.servers import Service, running
from tests.server.test_metrics import look

ID: Final = re.compile(r"\b[a-z]{3}_[0-9a-z]{26}\b")
CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{6,}")
"""What may be one: it is told by what it says."""
SECRET: Final = re.compile(r"tpk_[A-Za-z0-9_-]{40,}|whsec_[A-Za-z0-9+/=]{20,}")
"""What is made up by the service, and means nothing to anyone else."""
SECRET_COLUMNS: Final = {("api_keys", "hash"), ("channels", "secrets")}
HEADERS_APART: Final = {"date", "content-length"}
"""A moment; and a length, for a secret may be written longer or shorter."""
OFTEN: Final = 1_000_000
ROOMY: Final[dict[str, Any]] = {
    "rate_key": f"{OFTEN}/second",
    "rate_member": f"{OFTEN}/second",
    "rate_stranger": f"{OFTEN}/second",
}

INSTANTS: Final = ("2026-03-11T09:00:00+02:00", "2027-01-01T00:00:00.5Z", "2026-03-10T09:00:00Z")


def one_of(*some: Any) -> Give:
    return lambda chance: chance.choice(some)


SCALARS: Final[dict[str, Give]] = {
    "Points": one_of(1, 5, 2, 10, 60, 1_000_000),
    "DateTime": one_of(*INSTANTS),
    "Duration": one_of("P30D", "PT0S", "PT15M"),
    "TimeZone": one_of("UTC", "Europe/Berlin"),
    "JSON": one_of({}, {"a": [1, None]}, "x", [1.5], 7),
}


def names_of(known: Known) -> dict[str, Give]:
    """What fits arguments and inputs' fields: by their own name, or by their input's as well."""

    def ids(prefix: str) -> Give:
        return one_of(*(each for each in known.ids if each.startswith(prefix)))

    fitting = ("id", "ids", "transactionId", "walletId", "identity", "program", "after", "before")
    return {
        **{name: one_of(*known.fitting(name)) for name in fitting},
        "WalletRef.id": ids("wal"),
        "CaptureHoldInput.id": ids("hld"),
        "ReleaseHoldInput.id": ids("hld"),
        "UpdateProgramInput.id": ids("prg"),
        "CampaignIdInput.id": ids("cmp"),
        "campaignId": ids("cmp"),
        "channelId": ids("chn"),
        "name": one_of("Beans", "Leaves", "x"),
        "points": one_of(1, 2, 2.5, 3),
        "first": one_of(1, 2, 5, 100, 101, 0),
        "last": one_of(1, 3, -1),
        "idempotencyKey": lambda chance: f"key-{chance.randrange(1_000)}",
        "code": one_of("SPRING", "AUTUMN"),
        "couponCode": one_of("SPRING"),
        "description": one_of("for a walk", ""),
        "expiresAt": one_of("2027-01-01T00:00:00Z"),
        "activeAt": one_of("2026-04-01T00:00:00Z"),
        "saleAmount": one_of(12.5, 3),
        "event": one_of("CT Points Credited"),
        "scopes": one_of("wallets:read", "all"),
        "email": one_of("ann@example.com"),
        "attributes": one_of({"a": 1}),
        "metadata": one_of({"a": 1}),
    }


@dataclass
class Twin:
    """One service, the file that it writes, and what it has made up so far."""

    service: Service
    file: Path
    made_up: dict[str, str] = field(default_factory=dict)

    def plainly(self, text: str) -> str:
        """With whatever is made up by the order in which it first appeared."""
        return ID.sub(lambda found: self.named(found[0]), text)

    def named(self, made_up: str) -> str:
        return self.made_up.setdefault(made_up, f"{made_up[:3]}#{len(self.made_up)}")

    def known(self, value: Any) -> Any:
        """An answer, told plainly."""
        if isinstance(value, dict):
            return {name: self.known(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.known(each) for each in value]
        return self._told(value) if isinstance(value, str) else value

    def _told(self, text: str) -> str:
        if SECRET.fullmatch(text):
            return "a secret"
        if CURSOR.fullmatch(text):
            with suppress(ValueError):
                return self.plainly(urlsafe_b64decode(text + "==").decode())
        return self.plainly(text)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, in the order in which the table keeps them."""
        connection = sqlite3.connect(self.file)
        try:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                " ORDER BY name"
            ).fetchall()
            return {table: self._rows(connection, table) for (table,) in tables}
        finally:
            connection.close()

    def _rows(self, connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        return [
            tuple(
                "a secret" if (table, name) in SECRET_COLUMNS else self._plain(value)
                for name, value in zip(names, row, strict=True)
            )
            for row in cursor
        ]

    def _plain(self, value: Any) -> Any:
        return self.plainly(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Answer:
    """All that is told of a request."""

    status: int
    headers: Mapping[str, str]
    data: str
    errors: tuple[str, ...]
    """Sorted: what waits for the database fails in the order in which the database answers."""
    more: str
    nulled: tuple[str, ...] = field(compare=False)
    """The places that are null for an error within them, and the errors that stand alone.

    Of several that fail within one such place, those are told that do so before it is null: which
    these are, the database decides where they wait for it.
    """

    def is_nearly(self, other: "Answer") -> bool:
        """Whether both tell the same, but for which error made a place null."""
        return self.nulled == other.nulled and replace(self, errors=()) == replace(other, errors=())


@dataclass
class Twins:
    """Both, and who may ask them."""

    compiled: Twin
    executed: Twin
    tokens: Mapping[str, str]
    known: Known
    clients: Mapping[str, tuple[Client, Client]]
    numbers: Any = field(default_factory=count)

    async def ask(self, caller: str, body: str) -> tuple[Answer, Answer]:
        """What both answer: first who compiles."""
        number = f"request-{next(self.numbers)}"
        first, second = self.clients[caller]
        return (
            await _answer(self.compiled, first, body, number),
            await _answer(self.executed, second, body, number),
        )

    async def compiled_share(self) -> dict[str, float]:
        """How many operations went which way, with the one who compiles."""
        numbers = await look(self.compiled.service)
        return {
            sample.labels["how"]: sample.value
            for sample in numbers.samples
            if sample.name == "tuppence_executions_total"
        }


async def _answer(twin: Twin, client: Client, body: str, number: str) -> Answer:
    headers = {"content-type": "application/json", "x-request-id": number}
    response = await client.http.post(client.url, content=body, headers=headers)
    told = json.loads(response.text)
    data = twin.known(told.pop("data", "none"))
    errors = [twin.known(error) for error in told.pop("errors", [])]
    return Answer(
        response.status_code,
        {name: text for name, text in response.headers.items() if name not in HEADERS_APART},
        json.dumps(data),
        tuple(sorted(map(json.dumps, errors))),
        json.dumps(told),
        tuple(sorted({nulled(data, error) for error in errors})),
    )


def nulled(data: Any, error: dict[str, Any]) -> str:
    """The place that an error has made null, or the error, if it is its own."""
    path = error.get("path") or []
    for depth, key in enumerate(path):
        if data is None:
            return f"null: {path[:depth]}"
        data = data[key] if isinstance(data, dict | list) else None
    return json.dumps(error)


def body_of(asked: Asked, variables: Mapping[str, Any] | None) -> str:
    return json.dumps(
        {"query": asked.document, "variables": variables, "operationName": asked.name}
    )


@asynccontextmanager
async def twins(file: Path, folder: Path) -> AsyncIterator[Twins]:
    """Settle the books in a file, and open two services on copies of it, until the block ends."""
    clock = VirtualClock()
    async with provider(clock) as identities:
        settings = {**ROOMY, **identities.settings}
        async with running(f"sqlite:///{file}", clock, **settings) as seeding:
            known, tokens = await _settle(seeding.client)
        tokens["a member"] = identities.token(MIA)
        one, other = [_copied(file, folder / name) for name in ("compiled.db", "executed.db")]
        async with (
            running(f"sqlite:///{one}", clock, **settings) as first,
            running(f"sqlite:///{other}", clock, compiled=False, **settings) as second,
            _clients(first, tokens) as firsts,
            _clients(second, tokens) as seconds,
        ):
            clients = {name: (firsts[name], seconds[name]) for name in tokens}
            yield Twins(Twin(first, one), Twin(second, other), tokens, known, clients)


async def _settle(client: Client) -> tuple[Known, dict[str, str]]:
    """Some of everything: what is known of it, and the tokens of who asks."""
    books = await settle(client.url)
    inbox = await channel(client)
    campaign = await run_campaign(client, inbox["id"], message={"body": "Hello"})
    await create_coupon(client, "SPRING", points=5, member_limit=100, program="Beans")
    known = books.members + books.mia
    known = Known(
        known.identities,
        known.transactions,
        known.holds,
        (*known.others, inbox["id"], campaign["id"]),
        known.cursors,
    )
    keys = {
        "a key that reads": ("wallets:read", "events:read"),
        "a key that credits": ("points:credit", "wallets:read"),
        "a key without rights": ("campaigns:write",),
    }
    tokens = {"an administrator": ADMIN}
    for name, scopes in keys.items():
        tokens[name] = (await create_key(client, name, *scopes)).shown
    return known, tokens


def _copied(file: Path, to: Path) -> Path:
    for part in file.parent.glob(f"{file.name}*"):
        shutil.copy(part, to.parent / part.name.replace(file.name, to.name))
    return to


@asynccontextmanager
async def _clients(service: Service, tokens: Mapping[str, str]) -> AsyncIterator[dict[str, Client]]:
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(Client.of(service.client.url, token))
            for name, token in tokens.items()
        }
