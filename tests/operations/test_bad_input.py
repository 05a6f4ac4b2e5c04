"""Bad input: a clear error that names the field, never a fault, and nothing changed."""

from collections.abc import Callable

import pytest

from tests.conftest import Unchanged
from tests.harness import documents
from tests.harness.client import Client, wallet_ref
from tests.harness.clock import VirtualClock
from tests.harness.refusals import assert_rejected, assert_request_error
from tests.harness.values import Json, wire

SUFFIX = "01jqtc38xmeegs4d2pf28aqkff"
ANN = {"owner": {"identity": "ann"}}

Stage = dict[str, str]
INPUTS: dict[str, Callable[[Stage], Json]] = {
    "creditPoints": lambda _: {"wallet": ANN, "points": 5},
    "debitPoints": lambda _: {"wallet": ANN, "points": 5},
    "holdPoints": lambda _: {"wallet": ANN, "points": 5},
    "captureHold": lambda ids: {"id": ids["hold"], "points": 5},
    "releaseHold": lambda ids: {"id": ids["hold"]},
    "reverseCredit": lambda ids: {"transactionId": ids["credit"], "points": 5},
    "refundDebit": lambda ids: {"transactionId": ids["debit"], "points": 5},
    "transferPoints": lambda _: {"from": ANN, "to": wallet_ref("bob"), "points": 5},
}
WITH_POINTS = [name for name in INPUTS if name != "releaseHold"]
WITH_DESCRIPTION = WITH_POINTS
WITH_ORDER = ["creditPoints", "debitPoints", "holdPoints", "captureHold"]
WITH_METADATA = ["creditPoints", "debitPoints", "holdPoints"]


@pytest.fixture
async def stage(client: Client) -> Stage:
    """Something for each operation to act on, so that only the input is at fault."""
    return {
        "credit": (await client.credit("ann", 100)).id,
        "debit": (await client.debit("ann", 10)).id,
        "hold": (await client.hold("ann", 10)).held.id,
    }


async def refuses(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str, naming: str, *bad: Json
) -> None:
    """Assert that each of these makes the input a refused one, and that nothing came of it."""
    async with unchanged():
        for each in bad:
            fields = INPUTS[mutation](stage) | {"idempotencyKey": "k"} | each
            await assert_rejected(client, mutation, fields, naming)
    assert await client.member("bob") is None


NO_POINTS = [0, -5, 5.5, 5.0001, 0.1 + 0.2, 10**12, 10**30, "5", True, [], None]
NO_KEYS = ["", "k" * 256, "a\x00b", "a\nb", "\x7f", None, 5]
NO_METADATA = [
    *([1], "note", 5, True, {"note": "n" * 4_096}, {"note": "é" * 2_048}, {"n" * 5_000: 1}),
]
MAY_LEAVE_POINTS_OUT = {"captureHold", "reverseCredit", "refundDebit"}


@pytest.mark.parametrize("mutation", WITH_POINTS)
async def test_points_that_are_none(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str
) -> None:
    values = NO_POINTS[:-1] if mutation in MAY_LEAVE_POINTS_OUT else NO_POINTS
    bad = [{"points": points} for points in values]
    await refuses(client, unchanged, stage, mutation, "points", *bad)


@pytest.mark.parametrize("mutation", INPUTS)
async def test_keys_that_are_none(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str
) -> None:
    bad = [{"idempotencyKey": key} for key in NO_KEYS]
    await refuses(client, unchanged, stage, mutation, "idempotencyKey", *bad)


async def test_a_key_left_out(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        await assert_rejected(
            client, "creditPoints", {"wallet": ANN, "points": 5}, "idempotencyKey"
        )


@pytest.mark.parametrize("mutation", WITH_DESCRIPTION)
async def test_descriptions_too_long_or_unprintable(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str
) -> None:
    bad = [{"description": text} for text in ("d" * 501, "a\x00b", "a\x1bb")]
    await refuses(client, unchanged, stage, mutation, "description", *bad)


@pytest.mark.parametrize("mutation", WITH_METADATA)
async def test_metadata_that_is_no_object_or_too_large(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str
) -> None:
    bad = [{"metadata": metadata} for metadata in NO_METADATA]
    await refuses(client, unchanged, stage, mutation, "metadata", *bad)


async def test_metadata_with_a_nul_is_kept_or_refused_but_never_a_fault(client: Client) -> None:
    fields = client.credit_of("ann", 5, key="k", metadata={"note": "a\x00b"})

    _, answer = await client.ask(documents.mutation("creditPoints"), {"input": fields})

    payload = answer["data"]["creditPoints"]
    if payload["errors"]:
        assert payload["errors"][0]["__typename"] == "InvalidInput"
        assert payload["errors"][0]["path"][:2] == ["input", "metadata"]
    else:
        assert payload["transaction"]["metadata"] == {"note": "a\x00b"}


@pytest.mark.parametrize("mutation", WITH_ORDER)
async def test_orders_out_of_bounds(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str
) -> None:
    for field in ("id", "saleChannel", "locationId"):
        bad = [{"order": {field: text}} for text in ("", "o" * 256, "a\x00b")]
        await refuses(client, unchanged, stage, mutation, field, *bad)


async def test_coupon_codes_out_of_bounds(
    client: Client, unchanged: Unchanged, stage: Stage
) -> None:
    bad = [{"couponCode": code} for code in ("", "c" * 65, "a\x00b")]
    await refuses(client, unchanged, stage, "creditPoints", "couponCode", *bad)


async def test_identities_out_of_bounds(client: Client, unchanged: Unchanged, stage: Stage) -> None:
    refs = [{"owner": {"identity": text}} for text in ("", "i" * 256, "a\x00b", "a\nb")]
    await refuses(
        client, unchanged, stage, "creditPoints", "identity", *({"wallet": ref} for ref in refs)
    )
    await refuses(
        client, unchanged, stage, "transferPoints", "identity", *({"to": ref} for ref in refs)
    )


async def test_a_wallet_is_named_in_exactly_one_way(
    client: Client, unchanged: Unchanged, stage: Stage
) -> None:
    both: Json = {"id": f"wal_{SUFFIX}", "owner": {"identity": "ann"}}
    refs: list[Json] = [{}, {"id": None}, {"owner": None}, both]
    bad = [{"wallet": ref} for ref in refs]
    await refuses(client, unchanged, stage, "creditPoints", "WalletRef", *bad)


@pytest.mark.parametrize("mutation", ["creditPoints", "debitPoints", "holdPoints"])
async def test_wallet_ids_that_are_none(
    client: Client, unchanged: Unchanged, stage: Stage, mutation: str
) -> None:
    async with unchanged():
        for wallet_id in ("", "ann", "wal_", "wal_x", f"txn_{SUFFIX}", "a\x00b"):
            fields = INPUTS[mutation](stage) | {"idempotencyKey": "k", "wallet": {"id": wallet_id}}
            status, answer = await client.ask(documents.mutation(mutation), {"input": fields})
            if answer.get("errors"):
                assert_request_error(status, answer, "id")
                continue
            [error] = answer["data"][mutation]["errors"]
            assert error["__typename"] in {"WalletNotFound", "InvalidInput"}
            assert error["path"][:2] == ["input", "wallet"]


@pytest.mark.parametrize(
    ("mutation", "field", "absent"),
    [
        ("captureHold", "id", "HoldNotFound"),
        ("releaseHold", "id", "HoldNotFound"),
        ("reverseCredit", "transactionId", "TransactionNotFound"),
        ("refundDebit", "transactionId", "TransactionNotFound"),
        ("updateProgram", "id", "ProgramNotFound"),
    ],
)
async def test_ids_that_are_none(
    client: Client, unchanged: Unchanged, mutation: str, field: str, absent: str
) -> None:
    more = {"pointsName": "p"} if mutation == "updateProgram" else {"idempotencyKey": "k"}
    async with unchanged():
        for value in ("", "ann", "txn_", f"mem_{SUFFIX}", "a\x00b", "💥" * 100):
            fields = {field: value} | more
            status, answer = await client.ask(documents.mutation(mutation), {"input": fields})
            if answer.get("errors"):
                assert_request_error(status, answer, field)
                continue
            [error] = answer["data"][mutation]["errors"]
            assert error["__typename"] in {absent, "InvalidInput"}
            assert error["path"] == ["input", field]


async def test_an_expiry_before_the_activation_or_in_the_past(
    client: Client, clock: VirtualClock, unchanged: Unchanged, stage: Stage
) -> None:
    past, soon, late = (wire(clock.after(days=days)) for days in (-1, 1, 2))
    bad: list[Json] = [{"expiresAt": past}, {"activeAt": late, "expiresAt": soon}]
    await refuses(client, unchanged, stage, "creditPoints", "expiresAt", *bad)


async def test_what_the_schema_does_not_know(
    client: Client, unchanged: Unchanged, stage: Stage
) -> None:
    bad: Json = {"source": "FRIEND", "colour": "red", "order": [1]}
    for field, value in bad.items():
        await refuses(client, unchanged, stage, "creditPoints", field, {field: value})


# ── lists ────────────────────────────────────────────────────────────────────────────────────────

LISTS: dict[str, tuple[str, Json]] = {
    "wallets": (documents.WALLETS, {}),
    "transactions": (documents.TRANSACTIONS, {}),
    "wallet.transactions": (documents.STATEMENT, {"ref": ANN}),
    "program.wallets": (documents.PROGRAM_WALLETS, {"name": "Points"}),
}
FORWARD_LISTS: dict[str, tuple[str, Json]] = {
    "programs": (documents.PROGRAMS, {}),
    "wallet.holds": (documents.HOLDS, {"ref": ANN}),
    "member.wallets": (documents.MEMBER_WALLETS, {"identity": "ann"}),
    "pointsCreditedEvents": (documents.EVENTS, {}),
    "creditedNotRedeemed": (documents.AUDIENCE, {"since": "2026-01-01T00:00:00Z"}),
}
ALL_LISTS = LISTS | FORWARD_LISTS


async def refuses_page(client: Client, named: str, paging: Json, naming: str, *codes: str) -> None:
    document, variables = ALL_LISTS[named]
    status, answer = await client.ask(document, variables | paging)
    assert_request_error(status, answer, naming)
    assert {error["extensions"]["code"] for error in answer["errors"]} <= set(codes), answer


@pytest.mark.parametrize("named", ALL_LISTS)
async def test_pages_of_an_impossible_size(client: Client, stage: Stage, named: str) -> None:
    assert stage
    sizes = ("BAD_REQUEST", "LIMIT_EXCEEDED")
    for first in (0, -1, 101, 2**31 - 1, 2**31, 2.5, "ten"):
        await refuses_page(client, named, {"first": first}, "first", *sizes)
    for last in (0, -1, 101) if named in LISTS else ():
        await refuses_page(client, named, {"last": last}, "last", *sizes)


@pytest.mark.parametrize("named", LISTS)
async def test_both_ends_at_once(client: Client, stage: Stage, named: str) -> None:
    assert stage
    await refuses_page(client, named, {"first": 5, "last": 5}, "last", "BAD_REQUEST")


@pytest.mark.parametrize("named", ALL_LISTS)
async def test_cursors_that_are_none(client: Client, stage: Stage, named: str) -> None:
    assert stage
    for cursor in ("nonsense", "", "MTIz", "💥", "A" * 5_000, "a\x00b"):
        await refuses_page(client, named, {"after": cursor}, "after", "BAD_CURSOR")
        if named in LISTS:
            paging = {"last": 5, "before": cursor}
            await refuses_page(client, named, paging, "before", "BAD_CURSOR")


@pytest.mark.parametrize("named", ALL_LISTS)
async def test_cursors_of_another_list(client: Client, stage: Stage, named: str) -> None:
    assert stage
    cursors = {
        "wallets": (await client.wallets()).end_cursor,
        "transactions": (await client.transactions()).end_cursor,
        "wallet.transactions": (await client.statement("ann")).end_cursor,
        "wallet.holds": (await client.holds("ann")).end_cursor,
        "pointsCreditedEvents": (await client.events()).end_cursor,
    }
    alike = {
        # These walk the same list, so a cursor of one may well be good in another.
        "program.wallets": {"wallets"},
        "member.wallets": {"wallets"},
    }
    for other, cursor in cursors.items():
        if other != named and other not in alike.get(named, set()):
            assert cursor is not None
            await refuses_page(client, named, {"after": cursor}, "after", "BAD_CURSOR")


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


MALFORMED = [
    "",
    "{",
    "null",
    "[]",
    "5",
    '"query"',
    "{}",
    '{"query": null}',
    '{"query": 5}',
    '{"query": ""}',
    '{"query": "{"}',
    '{"query": "{ nothing }"}',
    '{"query": "{ eventCursor }", "variables": []}',
    '{"query": "{ eventCursor }", "variables": "x"}',
    '{"query": "query A { eventCursor } query B { eventCursor }"}',
    '{"query": "query A { eventCursor }", "operationName": "B"}',
    '{"query": "query Q($id: ID!) { node(id: $id) { id } }"}',
    '{"query": "subscription { pointsCredited { id } }"}',
    "[" * 50_000,
    '{"query": "{ eventCursor }", "variables": ' + '{"a":' * 20_000 + "1" + "}" * 20_001,
]


async def test_malformed_requests(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        for body in MALFORMED:
            response = await client.http.post(
                client.url, content=body, headers={"content-type": "application/json"}
            )
            assert 400 <= response.status_code < 500, (body[:99], response.text)
            assert response.json()["errors"][0]["message"], body[:99]


async def test_a_body_that_is_no_text(client: Client) -> None:
    response = await client.http.post(
        client.url, content=b"\xff\xfe{}", headers={"content-type": "application/json"}
    )

    assert response.status_code == 400


async def test_a_body_too_large(client: Client) -> None:
    body = '{"query": "{ eventCursor }", "variables": {"a": "' + "a" * 1_500_000 + '"}}'

    response = await client.http.post(
        client.url, content=body, headers={"content-type": "application/json"}
    )

    assert response.status_code == 413


async def test_a_form_can_not_write(client: Client, unchanged: Unchanged) -> None:
    mutation = 'mutation { upsertMember(input: {identity: "ann"}) { member { id } } }'

    async with unchanged():
        for content_type in ("text/plain", "application/x-www-form-urlencoded"):
            response = await client.http.post(
                client.url,
                content='{"query": "' + mutation.replace('"', '\\"') + '"}',
                headers={"content-type": content_type},
            )
            assert 400 <= response.status_code < 500
        response = await client.http.get(client.url, params={"query": mutation})
        assert 400 <= response.status_code < 500

    assert await client.member("ann") is None
