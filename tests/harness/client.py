"""A GraphQL client whose calls read like sentences, over real HTTP with keep-alive."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from tests.harness import documents, values
from tests.harness.stream import Stream
from tests.harness.values import (
    Answer,
    AuditEntry,
    Balance,
    Health,
    Hold,
    Json,
    Member,
    Page,
    Points,
    PointsCredited,
    Program,
    Summary,
    Transaction,
    Wallet,
    wire,
)

REQUEST_S_MAX = 30  # a bound for a test that went wrong, never a measure
PAGES_MAX = 200


class RequestRefused(AssertionError):
    """The service answered with top-level errors where the test expected none."""

    def __init__(self, status: int, errors: list[Json]) -> None:
        super().__init__(f"HTTP {status}: {errors}")
        self.status = status
        self.errors = errors


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def inputs(more: Json) -> Json:
    return {camel(name): wire(value) for name, value in more.items()}


def wallet_ref(who: str, program: str | None = None) -> Json:
    """Refer to a wallet by its id, or by its owner's identity in a program."""
    if who.startswith("wal_"):
        return {"id": who}
    owner = {"identity": who} if program is None else {"identity": who, "program": program}
    return {"owner": owner}


class Client:
    """One caller of the service. `Client.for_service(url)` owns its connections."""

    def __init__(self, http: httpx.AsyncClient, url: str, token: str) -> None:
        self.http = http
        self.token = token
        self.url = url
        self.ws_url = url.replace("http", "ws", 1)
        self.numbers = itertools.count(1)
        self.prefix = ""

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, token: str, connections_max: int = 100) -> AsyncIterator["Client"]:
        limits = httpx.Limits(
            max_connections=connections_max, max_keepalive_connections=connections_max
        )
        async with httpx.AsyncClient(
            limits=limits,
            timeout=REQUEST_S_MAX,
            trust_env=False,
            headers={"authorization": f"Bearer {token}"},
        ) as http:
            yield cls(http, url, token)

    # ── the wire ─────────────────────────────────────────────────────────────────────────────

    async def post(self, body: str) -> tuple[int, Json]:
        """Send a body as it is; return the status and the answer, decimals kept exact."""
        response = await self.http.post(
            self.url, content=body, headers={"content-type": "application/json"}
        )
        return response.status_code, json.loads(response.text, parse_float=Decimal)

    async def ask(self, document: str, variables: Json) -> tuple[int, Json]:
        return await self.post(json.dumps({"query": document, "variables": variables}))

    async def execute(self, document: str, **variables: object) -> Json:
        """Return the data; any top-level error fails the test."""
        status, answer = await self.ask(document, {k: wire(v) for k, v in variables.items()})
        if answer.get("errors") or status != httpx.codes.OK:
            raise RequestRefused(status, answer.get("errors", []))
        return answer["data"]

    async def refused(self, document: str, **variables: object) -> list[Json]:
        """Return the top-level errors of a request that must be refused, and not by a fault."""
        status, answer = await self.ask(document, {k: wire(v) for k, v in variables.items()})
        assert answer.get("errors"), f"nothing refused: {answer}"
        assert status in {200, 400}, f"HTTP {status}: {answer}"
        codes = [error["extensions"]["code"] for error in answer["errors"]]
        assert "INTERNAL" not in codes, answer
        return answer["errors"]

    async def mutate(self, name: str, fields: Json) -> Answer:
        data = await self.execute(documents.mutation(name), input=fields)
        return values.answer(data[name])

    def key(self, key: str | None) -> str:
        """Return the key, or a new one where the test does not care."""
        return f"{self.prefix}key-{next(self.numbers)}" if key is None else key

    # ── programs and members ─────────────────────────────────────────────────────────────────

    async def create_program(
        self, name: str, points_name: str = "points", **more: object
    ) -> Answer:
        fields = inputs({"name": name, "points_name": points_name} | more)
        return await self.mutate("createProgram", fields)

    async def update_program(self, program_id: str, **more: object) -> Answer:
        return await self.mutate("updateProgram", {"id": program_id} | inputs(more))

    async def upsert_member(self, identity: str, **more: object) -> Answer:
        return await self.mutate("upsertMember", {"identity": identity} | inputs(more))

    async def erase_member(self, identity: str) -> Answer:
        return await self.mutate("eraseMember", {"identity": identity})

    # ── points ───────────────────────────────────────────────────────────────────────────────

    async def credit(
        self,
        to: str,
        points: Points,
        key: str | None = None,
        program: str | None = None,
        **more: object,
    ) -> Answer:
        return await self.mutate("creditPoints", self.credit_of(to, points, key, program, **more))

    def credit_of(
        self,
        to: str,
        points: Points,
        key: str | None = None,
        program: str | None = None,
        **more: object,
    ) -> Json:
        """Build the input of one credit, for a batch."""
        return {
            "wallet": wallet_ref(to, program),
            "points": wire(points),
            "idempotencyKey": self.key(key),
        } | inputs(more)

    async def credit_batch(self, credits_: list[Json]) -> Answer:
        return await self.mutate("creditPointsBatch", {"credits": credits_})

    async def debit(
        self,
        from_: str,
        points: Points,
        key: str | None = None,
        program: str | None = None,
        **more: object,
    ) -> Answer:
        fields = self.credit_of(from_, points, key, program, **more)
        return await self.mutate("debitPoints", fields)

    async def hold(
        self,
        from_: str,
        points: Points,
        key: str | None = None,
        program: str | None = None,
        **more: object,
    ) -> Answer:
        fields = self.credit_of(from_, points, key, program, **more)
        return await self.mutate("holdPoints", fields)

    async def capture(self, hold_id: str, key: str | None = None, **more: object) -> Answer:
        fields = {"id": hold_id, "idempotencyKey": self.key(key)} | inputs(more)
        return await self.mutate("captureHold", fields)

    async def release(self, hold_id: str, key: str | None = None) -> Answer:
        return await self.mutate("releaseHold", {"id": hold_id, "idempotencyKey": self.key(key)})

    async def reverse(self, transaction_id: str, key: str | None = None, **more: object) -> Answer:
        fields = {"transactionId": transaction_id, "idempotencyKey": self.key(key)} | inputs(more)
        return await self.mutate("reverseCredit", fields)

    async def refund(self, transaction_id: str, key: str | None = None, **more: object) -> Answer:
        fields = {"transactionId": transaction_id, "idempotencyKey": self.key(key)} | inputs(more)
        return await self.mutate("refundDebit", fields)

    async def transfer(
        self,
        from_: str,
        to: str,
        points: Points,
        key: str | None = None,
        program: str | None = None,
        to_program: str | None = None,
        **more: object,
    ) -> Answer:
        fields = {
            "from": wallet_ref(from_, program),
            "to": wallet_ref(to, to_program or program),
            "points": wire(points),
            "idempotencyKey": self.key(key),
        } | inputs(more)
        return await self.mutate("transferPoints", fields)

    async def freeze(self, who: str, program: str | None = None, *, frozen: bool = True) -> Answer:
        fields = {"wallet": wallet_ref(who, program), "frozen": frozen}
        return await self.mutate("freezeWallet", fields)

    async def thaw(self, who: str, program: str | None = None) -> Answer:
        return await self.freeze(who, program, frozen=False)

    # ── one thing ────────────────────────────────────────────────────────────────────────────

    async def balance(
        self, who: str, program: str | None = None, at: datetime | None = None
    ) -> Balance:
        ref = wallet_ref(who, program)
        data = await self.execute(documents.BALANCE_AT, ref=ref, at=at)
        assert data["wallet"] is not None, f"no wallet: {who}"
        return values.balance(data["wallet"]["balance"])

    async def balances(self, wallet_id: str, at: list[datetime]) -> list[Balance]:
        """Return a wallet's balances at up to thirty moments, in one request."""
        asked = " ".join(
            f'at{number}: balance(at: "{wire(each)}") {{ {documents.BALANCE} }}'
            for number, each in enumerate(at)
        )
        document = f"query At($id: ID!) {{ wallet(ref: {{id: $id}}) {{ id {asked} }} }}"
        shown = (await self.execute(document, id=wallet_id))["wallet"]
        return [values.balance(shown[f"at{number}"]) for number in range(len(at))]

    async def find_wallet(self, who: str, program: str | None = None) -> Wallet | None:
        data = await self.execute(documents.WALLET_BY_REF, ref=wallet_ref(who, program))
        return values.maybe(values.wallet, data["wallet"])

    async def wallet(self, who: str, program: str | None = None) -> Wallet:
        wallet = await self.find_wallet(who, program)
        assert wallet is not None, f"no wallet: {who}"
        return wallet

    async def transaction(self, transaction_id: str) -> Transaction | None:
        data = await self.execute(documents.TRANSACTION_BY_ID, id=transaction_id)
        return values.maybe(values.transaction, data["transaction"])

    async def program(self, name: str) -> Program | None:
        data = await self.execute(documents.PROGRAM_BY_NAME, name=name)
        return values.maybe(values.program, data["program"])

    async def member(self, identity: str) -> Member | None:
        data = await self.execute(documents.MEMBER_BY_IDENTITY, identity=identity)
        return values.maybe(values.member, data["member"])

    async def summary(
        self, program: str, from_: datetime | None = None, to: datetime | None = None
    ) -> Summary:
        variables: Json = {"name": program, "from": from_, "to": to}
        data = await self.execute(documents.PROGRAM_SUMMARY, **variables)
        return values.summary(data["program"]["summary"])

    async def health(self) -> Health:
        data = await self.execute(documents.HEALTH)
        return Health(**data["ledgerHealth"])

    async def event_cursor(self) -> str:
        return (await self.execute(documents.CURSOR))["eventCursor"]

    async def everything(self) -> Json:
        """Return all that a refusal must leave as it was."""
        return await self.execute(documents.EVERYTHING)

    # ── many ─────────────────────────────────────────────────────────────────────────────────

    async def wallets(self, filter: Json | None = None, **paging: Any) -> Page[Wallet]:
        data = await self.execute(documents.WALLETS, filter=filter, **paging)
        return values.page(data["wallets"], values.wallet)

    async def transactions(self, filter: Json | None = None, **paging: Any) -> Page[Transaction]:
        data = await self.execute(documents.TRANSACTIONS, filter=filter, **paging)
        return values.page(data["transactions"], values.transaction)

    async def statement(
        self, who: str, program: str | None = None, filter: Json | None = None, **paging: Any
    ) -> Page[Transaction]:
        """Return a page of one wallet's transactions, newest first."""
        ref = wallet_ref(who, program)
        data = await self.execute(documents.STATEMENT, ref=ref, filter=filter, **paging)
        return values.page(data["wallet"]["transactions"], values.transaction)

    async def history(self, who: str, program: str | None = None) -> list[Transaction]:
        """Return all of a wallet's transactions, oldest first."""
        newest_first: list[Transaction] = []
        cursor = None
        for _ in range(PAGES_MAX):
            page = await self.statement(who, program, first=100, after=cursor)
            newest_first += page.nodes
            cursor = page.end_cursor
            if not page.has_next_page:
                return newest_first[::-1]
        raise AssertionError(f"more than {PAGES_MAX} pages")

    async def holds(
        self, who: str, program: str | None = None, status: str | None = None, **paging: Any
    ) -> Page[Hold]:
        ref = wallet_ref(who, program)
        data = await self.execute(documents.HOLDS, ref=ref, status=status, **paging)
        return values.page(data["wallet"]["holds"], values.hold)

    async def expiring(
        self, who: str, program: str | None = None, within: object = None
    ) -> list[tuple[datetime, Points]]:
        """Return what expires when, points of one instant summed, in the order given."""
        ref = wallet_ref(who, program)
        data = await self.execute(documents.EXPIRING, ref=ref, within=within)
        sums: dict[datetime, Points] = {}
        for each in map(values.plain, data["wallet"]["expiring"]):
            sums[each["expires_at"]] = sums.get(each["expires_at"], 0) + each["points"]
        return list(sums.items())

    async def programs(self, **paging: Any) -> Page[Program]:
        data = await self.execute(documents.PROGRAMS, **paging)
        return values.page(data["programs"], values.program)

    async def program_wallets(self, name: str, **paging: Any) -> Page[Wallet]:
        data = await self.execute(documents.PROGRAM_WALLETS, name=name, **paging)
        return values.page(data["program"]["wallets"], values.wallet)

    async def member_wallets(self, identity: str, **paging: Any) -> Page[Wallet]:
        data = await self.execute(documents.MEMBER_WALLETS, identity=identity, **paging)
        return values.page(data["member"]["wallets"], values.wallet)

    async def events(self, filter: Json | None = None, **paging: Any) -> Page[PointsCredited]:
        """Return a page of the log of points credited, oldest first."""
        data = await self.execute(documents.EVENTS, filter=filter, **paging)
        return values.page(data["pointsCreditedEvents"], values.event)

    async def audit(self, filter: Json | None = None, **paging: Any) -> Page[AuditEntry]:
        """Return a page of who did what, newest first."""
        data = await self.execute(documents.AUDIT, filter=filter, **paging)
        return values.page(data["auditLog"], values.audit_entry)

    async def credited_not_redeemed(self, **arguments: Any) -> Page[Wallet]:
        data = await self.execute(documents.AUDIENCE, **arguments)
        return values.page(data["creditedNotRedeemed"], values.wallet)

    def subscribe(
        self,
        filter: Json | None = None,
        after: str | None = None,
        *,
        frames_max: int | None = None,
    ) -> Stream:
        """Follow the points credited; `async with` opens a socket of its own."""
        variables = {"filter": filter, "after": after}
        return Stream(
            self.ws_url,
            documents.SUBSCRIPTION,
            variables,
            token=self.token,
            frames_max=frames_max,
        )
