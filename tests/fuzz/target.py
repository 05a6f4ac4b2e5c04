"""The service that is fuzzed: `tuppence serve` in a process of its own."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx
from hypothesis import HealthCheck, Phase, settings

from tests.fuzz.books import Books, Known
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

FAULTS: Final = ("Traceback", '"level":"error"', '"level":"critical"')
"""What stands in the log where something failed that is the service's own."""

SETTINGS: Final = {
    "TUPPENCE_RATE_KEY": "1000000/second",
    "TUPPENCE_RATE_MEMBER": "1000000/second",
    "TUPPENCE_RATE_STRANGER": "1000000/second",
}
"""What is asked here is asked as fast as it goes."""


ADMINISTRATOR: Final = "an administrator"
READER: Final = "a key that only reads"
MEMBER: Final = "a member"
NOBODY: Final = "nobody"
CALLERS: Final = (ADMINISTRATOR, READER, MEMBER, NOBODY)


def examples(count: int) -> settings:
    """The same examples each time; `FUZZ_EXAMPLES=2000` looks further, by new chance.

    Only then a failing case is made smaller, which may take minutes.
    """
    return settings(
        max_examples=int(MORE) if MORE else count,
        derandomize=not MORE,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if MORE else [Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@dataclass(frozen=True)
class Target:
    """A running service, a connection to it, and the names that stand for something there."""

    process: ServeProcess
    http: httpx.Client
    books: Books
    tokens: Mapping[str, str | None]
    """By who asks."""

    @property
    def known(self) -> Known:
        """What random deeds may meet."""
        return self.books.members

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

    def check_unharmed(self, since: int) -> None:
        """Assert that it still answers, that its ledger is sound, and that it logged no fault.

        The log is read from the byte `since` on.
        """
        answer = check_answer(self.ask("{ ledgerHealth { violations } }"))
        assert answer == {"data": {"ledgerHealth": {"violations": []}}}
        log = self.process.log.read_bytes()[since:].decode(errors="replace")
        faults = [line for line in log.splitlines() if any(sign in line for sign in FAULTS)]
        assert not faults, faults[-3:]


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
