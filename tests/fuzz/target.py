"""The service that is fuzzed: `tuppence serve` in a process of its own, and who is in its books."""

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx
from hypothesis import HealthCheck, settings

from tests.harness.client import Client
from tests.harness.keys import ADMIN
from tests.harness.processes import ServeProcess

MORE: Final = os.environ.get("FUZZ_EXAMPLES")
ANSWER_S_MAX: Final = 20
"""An answer that takes longer is none: something hangs."""

CODES: Final = frozenset(
    {
        "BAD_REQUEST",
        "BAD_CURSOR",
        "LIMIT_EXCEEDED",
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "RATE_LIMITED",
        "OVERLOADED",
    }
)
"""All that a caller may be told by chance: each names the caller's own mistake, or the crowd."""

SETTINGS: Final = {
    "TUPPENCE_RATE_KEY": "1000000/second",
    "TUPPENCE_RATE_MEMBER": "1000000/second",
    "TUPPENCE_RATE_STRANGER": "1000000/second",
}
"""What is asked here is asked as fast as it goes."""


PROGRAM: Final = "Beans"
MEMBERS: Final = ("ann", "bob", "eve")
KEYS: Final = ("key-1", "key-2")


def examples(count: int) -> settings:
    """The same examples each time; `FUZZ_EXAMPLES=2000` looks further, by new chance."""
    return settings(
        max_examples=int(MORE) if MORE else count,
        derandomize=not MORE,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@dataclass(frozen=True)
class Known:
    """The names and ids that stand for something in the books."""

    transactions: tuple[str, ...]
    holds: tuple[str, ...]
    others: tuple[str, ...]
    cursors: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        ids = (*self.transactions, *self.holds, *self.others)
        return (*MEMBERS, PROGRAM, *KEYS, *ids, *self.cursors)

    def fitting(self, name: str) -> tuple[str, ...]:
        """What stands for something where this is asked for by name."""
        fit = {
            "id": (*self.transactions, *self.holds, *self.others),
            "ids": (*self.transactions, *self.holds, *self.others),
            "transactionId": self.transactions,
            "walletId": self.others,
            "identity": MEMBERS,
            "program": (PROGRAM,),
            "name": (PROGRAM,),
            "after": self.cursors,
            "before": self.cursors,
        }
        return fit.get(name, ())


@dataclass(frozen=True)
class Target:
    """A running service, a connection to it, and the names that stand for something there."""

    process: ServeProcess
    http: httpx.Client
    known: Known

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def post(self, body: bytes, token: str | None = ADMIN, **headers: str) -> httpx.Response:
        """Send a body, by whoever has the token."""
        shown = {"content-type": "application/json"} | headers
        if token is not None:
            shown["authorization"] = f"Bearer {token}"
        return self.http.post(self.url, content=body, headers=shown)

    def ask(self, document: str, token: str | None = ADMIN, **variables: object) -> httpx.Response:
        body = {"query": document, "variables": variables}
        return self.post(json.dumps(body).encode(), token)

    def check_unharmed(self) -> None:
        """Assert that it still answers, that its ledger is sound, and that it logged no fault."""
        answer = check_answer(self.ask("{ ledgerHealth { violations } }"))
        assert answer == {"data": {"ledgerHealth": {"violations": []}}}
        log = self.process.log.read_text(encoding="utf-8", errors="replace")
        assert "Traceback" not in log, log[-5_000:]


def check_answer(response: httpx.Response) -> dict[str, Any]:
    """Assert that this is an answer as GraphQL clients read it, and no fault; return it."""
    assert response.status_code < 500, f"{response.status_code}: {response.text}"
    assert "json" in response.headers["content-type"], response.headers
    answer: dict[str, Any] = json.loads(response.text, parse_float=Decimal)
    assert answer.keys() <= {"data", "errors", "extensions"}, answer
    assert "data" in answer or answer["errors"], answer
    check_errors(answer.get("errors", []))
    assert response.status_code == httpx.codes.OK or "data" not in answer, answer
    return answer


def check_errors(errors: list[dict[str, Any]]) -> None:
    """Assert that each tells the caller's own mistake."""
    for error in errors:
        assert error["message"], errors
        assert error["extensions"]["code"] in CODES, error


async def settle(url: str) -> Known:
    """Write some of everything into the books; return the names and ids that were given."""
    async with Client.of(url, ADMIN) as client:
        await client.create_program(PROGRAM, "beans", max_balance=10_000)
        credits_ = [await client.credit(who, 50, program=PROGRAM) for who in MEMBERS]
        spent = await client.debit("ann", 10, program=PROGRAM)
        held = await client.hold("bob", 5, program=PROGRAM)
        await client.upsert_member("ann", name="Ann", email="ann@example.com")
        wallet = await client.wallet("ann", PROGRAM)
        pages = [await client.wallets(first=1), await client.transactions(first=2)]
        cursors = [await client.event_cursor(), *[page.end_cursor for page in pages]]
    rows = [answer.transaction for answer in (*credits_, spent, held)]
    assert held.hold is not None
    return Known(
        transactions=tuple(row.id for row in rows if row is not None),
        holds=(held.hold.id,),
        others=(wallet.id, wallet.member_id, wallet.program_id),
        cursors=tuple(cursor for cursor in cursors if cursor is not None),
    )
