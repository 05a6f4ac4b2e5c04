"""auditLog: who did what, in the same unit of work, once for each effect."""

import pytest
from graphql import build_schema

from graph.schema import schema
from models.ids import new_id
from tests.conftest import Unchanged
from tests.harness import campaigns as api
from tests.harness.api_keys import create_key, revoke_key
from tests.harness.client import Client, RequestRefused
from tests.harness.clock import VirtualClock
from tests.harness.coupons import create_coupon, redeem
from tests.harness.servers import Service, running
from tests.harness.tables import rows, spoil
from tests.harness.values import AuditEntry

NODE = "query Node($id: ID!) { node(id: $id) { id ... on AuditEntry { action subjectId } } }"
API = build_schema(schema.as_str())


async def newest(client: Client, count: int = 1) -> list[AuditEntry]:
    """The newest entries, oldest of them first."""
    return (await client.audit(first=count)).nodes[::-1]


async def deeds(client: Client) -> list[tuple[str, str | None]]:
    """What was done by keys, and to what, in order; without the first key's making."""
    entries = (await client.audit(first=100)).nodes[::-1]
    return [(entry.action, entry.subject_id) for entry in entries if entry.actor == "KEY"]


# ── one entry for each effect ────────────────────────────────────────────────────────────────────


async def plan_all(service: Service) -> list[tuple[str, str]]:
    """Do all that can be done about campaigns; give it as the audit is to tell it."""
    client = service.client
    inbox = (await api.channel(client))["id"]
    made = (await api.create_campaign(client, inbox))["id"]
    await api.done(client, "updateCampaign", {"id": made, "campaign": api.plan(inbox)})
    tested = await api.send_test(client, made, "bob")
    moves = ("publishCampaign", "pauseCampaign", "resumeCampaign", "stopCampaign")
    for move in moves:
        await api.move(client, move, made)
    clone = (await api.move(client, "cloneCampaign", made, name="Another"))["id"]
    bonus = await api.run_campaign(client, reward={"percentOf": "points", "percent": 1})
    await client.credit("bob", 1, key="too few for a hundredth")
    await service.plan()
    [failed] = await api.deliveries(client, bonus["id"])
    await api.retry(client, failed["id"])
    return [
        ("createChannel", inbox),
        ("createCampaign", made),
        ("updateCampaign", made),
        ("sendTestMessage", tested.raw["delivery"]["id"]),
        *((move, made) for move in moves),
        ("cloneCampaign", clone),
        ("createCampaign", bonus["id"]),
        ("publishCampaign", bonus["id"]),
        ("creditPoints", (await client.credit("bob", 1, key="too few for a hundredth")).id),
        ("retryDelivery", failed["id"]),
    ]


async def test_every_effect_of_every_mutation_has_one_entry(
    service: Service, client: Client
) -> None:
    gold = (await client.create_program("Gold")).program
    assert gold
    await client.update_program(gold.id, points_name="stars")
    ann = (await client.upsert_member("ann")).member
    assert ann
    credit = (await client.credit("ann", 50)).posted
    batch = await client.credit_batch([client.credit_of("ann", 1), client.credit_of("bob", 2)])
    debit = (await client.debit("ann", 5)).posted
    first, second = await client.hold("ann", 5), await client.hold("ann", 5)
    captured = (await client.capture(first.held.id)).posted
    released = (await client.release(second.held.id)).posted
    refund = (await client.refund(debit.id)).posted
    reversal = (await client.reverse(credit.id, points=10)).posted
    sent = (await client.transfer("ann", "bob", 3)).sent
    assert sent
    coupon = await create_coupon(client, "SPRING", points=5)
    redeemed = (await redeem(client, "SPRING", "ann")).posted
    await client.freeze("ann")
    await client.erase_member("ann")
    key = (await create_key(client, "shop", "points:credit")).key
    await revoke_key(client, key.id)
    planned = await plan_all(service)

    done = await deeds(client)

    assert done == [
        ("createProgram", gold.id),
        ("updateProgram", gold.id),
        ("upsertMember", ann.id),
        ("creditPoints", credit.id),
        ("creditPoints", batch.results[0].id),
        ("creditPoints", batch.results[1].id),
        ("debitPoints", debit.id),
        ("holdPoints", first.id),
        ("holdPoints", second.id),
        ("captureHold", captured.id),
        ("releaseHold", released.id),
        ("refundDebit", refund.id),
        ("reverseCredit", reversal.id),
        ("transferPoints", sent.id),
        ("createCoupon", coupon.id),
        ("redeemCoupon", redeemed.id),
        ("freezeWallet", credit.wallet_id),
        ("eraseMember", ann.id),
        ("createApiKey", key.id),
        ("revokeApiKey", key.id),
        *planned,
    ]
    mutations = API.mutation_type
    assert mutations
    named = {action for action, _ in done}
    assert named == set(mutations.fields) - {"creditPointsBatch", "previewMessage"}


async def test_an_entry_says_who_when_and_by_which_request(
    client: Client, database_url: str, clock: VirtualClock
) -> None:
    client.http.headers["x-request-id"] = "order-4711"

    credit = (await client.credit("ann", 5)).posted

    [entry] = await newest(client)
    [(admin_id,)] = await rows(database_url, "SELECT id FROM api_keys")
    assert entry == AuditEntry(
        entry.id, clock.after(), "KEY", admin_id, "creditPoints", credit.id, "order-4711"
    )
    assert entry.at == credit.created_at
    assert entry.id.startswith("aud_")


async def test_an_entry_names_the_key_that_acted(client: Client) -> None:
    key = await create_key(client, "shop", "points:credit", "wallets:read")
    async with Client.of(client.url, key.shown) as shop:
        shop.prefix = "shop-"
        mine, theirs = await client.credit("ann", 1), await shop.credit("ann", 1)
        again = (await client.audit({"keyId": key.key.id})).nodes

    assert [(entry.key_id, entry.subject_id) for entry in again] == [(key.key.id, theirs.id)]
    [before, after] = await newest(client, 2)
    assert (before.subject_id, after.subject_id) == (mine.id, theirs.id)
    assert before.key_id not in {None, key.key.id}


async def test_a_developer_at_the_machine_has_no_key(
    database_url: str, clock: VirtualClock
) -> None:
    async with running(database_url, clock, developer_token="at-hand") as service:
        async with Client.of(service.client.url, "at-hand") as developer:
            await developer.credit("ann", 5)

        [entry] = await newest(service.client)

    assert (entry.actor, entry.key_id, entry.action) == ("DEVELOPER", None, "creditPoints")


async def test_the_first_key_is_the_services_own_doing(client: Client, database_url: str) -> None:
    [(admin_id,)] = await rows(database_url, "SELECT id FROM api_keys")

    [entry] = await newest(client)

    assert (entry.actor, entry.key_id, entry.action) == ("SERVICE", None, "createApiKey")
    assert entry.subject_id == admin_id


# ── and nothing else has one ─────────────────────────────────────────────────────────────────────


async def test_a_refusal_writes_nothing(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 5)
    program = (await client.create_program("Gold")).program
    assert program

    async with unchanged():
        refused = [
            await client.debit("ann", 6),
            await client.credit("ann", -1),
            await client.hold("nobody", 1),
            await client.create_program("Gold"),
            await client.update_program(program.id, points_name=""),
            await client.upsert_member("ann", name=""),
            await client.erase_member("nobody"),
            await client.freeze("nobody"),
        ]

    assert None not in [answer.error for answer in refused]


async def test_a_replay_writes_nothing(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 5, key="key")
    await client.debit("ann", 9, key="too much")

    async with unchanged():
        assert (await client.credit("ann", 5, key="key")).replayed
        assert (await client.debit("ann", 9, key="too much")).replayed
        assert (await client.credit("ann", 6, key="key")).error == "IdempotencyConflict"


async def test_of_a_batch_only_what_stood_is_written_down(client: Client) -> None:
    credit = client.credit_of("ann", 1)
    answer = await client.credit_batch([credit, client.credit_of("ann", 0), credit])

    assert [result.error for result in answer.results] == [None, "InvalidInput", None]
    assert answer.results[2].replayed
    assert await deeds(client) == [("creditPoints", answer.results[0].id)]


async def test_what_the_clock_does_has_no_entry(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 5, active_at=clock.after(days=1), expires_at=clock.after(days=2))
    clock.advance(days=3)

    await service.sweep()

    assert [row.kind for row in await client.history("ann")] == ["CREDIT", "ACTIVATION", "EXPIRY"]
    assert [action for action, _ in await deeds(client)] == ["creditPoints"]


async def test_a_request_without_the_right_writes_nothing(client: Client) -> None:
    token = (await create_key(client, "reader", "wallets:read")).shown
    before = await newest(client)
    async with Client.of(client.url, token) as reader:
        await reader.refused(
            'mutation { creditPoints(input: {wallet: {owner: {identity: "a"}}, points: 1,'
            ' idempotencyKey: "k"}) { replayed } }'
        )

    assert await newest(client) == before


# ── in the same unit of work ─────────────────────────────────────────────────────────────────────

REFUSE = "CREATE TRIGGER refused BEFORE INSERT ON {} BEGIN SELECT RAISE(ABORT, 'no'); END"


async def test_what_cannot_be_written_down_is_not_done(
    sqlite_url: str, clock: VirtualClock
) -> None:
    async with running(sqlite_url, clock) as service:
        client = service.client
        await client.credit("ann", 5)
        before = await client.everything()
        await spoil(sqlite_url, REFUSE.format("audit_entries"))

        for attempt in (
            client.credit("ann", 1),
            client.create_program("Gold"),
            client.upsert_member("bob"),
            client.freeze("ann"),
        ):
            with pytest.raises(RequestRefused, match="INTERNAL"):
                await attempt

        assert await client.everything() == before


async def test_what_is_so_already_is_done_by_nobody(client: Client, unchanged: Unchanged) -> None:
    await client.credit("ann", 5)
    await client.upsert_member("ann", name="Ann", attributes={"tier": "gold"})
    await client.freeze("ann")
    program = await client.program("Points")
    assert program

    async with unchanged():
        await client.upsert_member("ann", name="Ann", attributes={"tier": "gold"})
        await client.upsert_member("ann")
        await client.freeze("ann")
        await client.update_program(program.id, points_name=program.points_name)
        await client.update_program(program.id)


async def test_what_is_not_done_is_not_written_down(sqlite_url: str, clock: VirtualClock) -> None:
    async with running(sqlite_url, clock) as service:
        client = service.client
        await client.credit("ann", 5)
        before = await client.everything()
        await spoil(sqlite_url, REFUSE.format("events"))

        with pytest.raises(RequestRefused, match="INTERNAL"):
            await client.credit("ann", 1)

        assert await client.everything() == before


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def told(client: Client, clock: VirtualClock) -> list[AuditEntry]:
    """Nine entries, newest first: the first key's, then two credits and two renamings an hour."""
    for hour in range(2):
        clock.advance(hours=1)
        await client.credit("ann", 1)
        await client.credit("bob", 1)
        await client.upsert_member("ann", name=f"Ann of hour {hour}")
        await client.upsert_member("bob", name=f"Bob of hour {hour}")
    return (await client.audit(first=100)).nodes


async def test_the_newest_comes_first(told: list[AuditEntry]) -> None:
    assert len(told) == 9
    assert told == sorted(told, key=lambda entry: (entry.at, entry.id), reverse=True)
    assert told[0].action == "upsertMember"
    assert told[-1].action == "createApiKey"


async def test_pages_lead_through_all_of_it_both_ways(
    client: Client, told: list[AuditEntry]
) -> None:
    forward, backward = [await client.audit(first=4)], [await client.audit(last=4)]
    for _ in range(2):
        forward.append(await client.audit(first=4, after=forward[-1].end_cursor))
        backward.insert(0, await client.audit(last=4, before=backward[0].start_cursor))

    assert [len(page.nodes) for page in forward] == [4, 4, 1]
    assert [page.has_next_page for page in forward] == [True, True, False]
    assert [entry for page in forward for entry in page.nodes] == told
    assert [len(page.nodes) for page in backward] == [1, 4, 4]
    assert [page.has_previous_page for page in backward] == [False, True, True]
    assert [entry for page in backward for entry in page.nodes] == told


async def test_a_filter_wants_all_that_is_set(
    client: Client, told: list[AuditEntry], clock: VirtualClock
) -> None:
    ann = (await client.wallet("ann")).member_id
    named = {"subjectId": ann, "action": "upsertMember"}

    assert (await client.audit(named)).nodes == [told[1], told[5]]
    assert (await client.audit(named | {"from": clock.after().isoformat()})).nodes == [told[1]]
    assert (await client.audit(named | {"to": clock.after().isoformat()})).nodes == [told[5]]
    assert (await client.audit(named | {"keyId": "key_none"})).nodes == []
    assert (await client.audit({"action": "creditPoints"}, first=2)).nodes == [told[2], told[3]]
    assert (await client.audit({"subjectId": told[0].subject_id or ""})).nodes == [told[0], told[4]]
    hour = {"from": clock.after(hours=-1).isoformat(), "to": clock.after().isoformat()}
    assert (await client.audit(hour)).nodes == told[4:8]


async def test_a_filter_narrows_the_pages_too(client: Client, told: list[AuditEntry]) -> None:
    given = [entry for entry in told if entry.action == "creditPoints"]
    page = await client.audit({"action": "creditPoints"}, first=3)

    rest = await client.audit({"action": "creditPoints"}, first=3, after=page.end_cursor)

    assert page.nodes + rest.nodes == given
    assert (page.has_next_page, rest.has_next_page) == (True, False)


async def test_a_cursor_of_another_list_is_refused(client: Client) -> None:
    cursor = (await client.programs()).cursors[0]

    [error] = await client.refused(
        "query Audit($after: String) { auditLog(after: $after) { edges { cursor } } }", after=cursor
    )

    assert error["extensions"]["code"] == "BAD_CURSOR"


async def test_an_entry_is_read_by_its_id_by_administrators_alone(client: Client) -> None:
    [entry] = await newest(client)
    token = (await create_key(client, "reader", "wallets:read", "points:credit")).shown
    async with Client.of(client.url, token) as reader:
        hidden = await reader.execute(NODE, id=entry.id)
    absent = await client.execute(NODE, id=new_id("aud"))

    shown = await client.execute(NODE, id=entry.id)

    assert shown["node"] == {
        "id": entry.id,
        "action": entry.action,
        "subjectId": entry.subject_id,
    }
    assert hidden == absent == {"node": None}
