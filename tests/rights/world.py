"""A small world and everyone who may come: Ann's and Bob's wallets, and each kind of caller."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.harness.campaigns import channel, deliveries, inbox, run_campaign
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.coupons import create_coupon
from tests.harness.keys import ADMIN
from tests.harness.provider import provider
from tests.harness.servers import Service, running

CREATE_KEY = """mutation Create($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { apiKey { id } token errors { ... on UserError { message } } } }"""
REVOKE_KEY = """mutation Revoke($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) { errors { ... on UserError { message } } } }"""

SCOPED = ("wallets:read", "points:credit", "points:debit", "campaigns:write", "events:read")
STRANGERS = ("nobody", "unknown key", "expired key", "revoked key", "expired member")
MEMBERS = ("ann", "bob", "dan")
EVERYONE = (*STRANGERS, *MEMBERS, *SCOPED, "admin")


@dataclass(frozen=True)
class World:
    """Ann and Bob have wallets, and Ann gave Bob points; Dan is a member who has none."""

    service: Service
    tokens: dict[str, str]
    ids: dict[str, str]
    kept: dict[str, str]
    """What those have to do with who keep campaigns: a campaign, its channel, a delivery to Ann."""

    @property
    def anns(self) -> set[str]:
        """Every text that must not reach anyone but Ann, and whoever may read all."""
        return {*self.ids.values(), self.kept["delivery"], "Ann Example"}

    @asynccontextmanager
    async def caller(self, name: str) -> AsyncIterator[Client]:
        """A client that shows what this caller has; `nobody` has nothing to show."""
        async with Client.of(self.service.client.url, self.tokens[name]) as client:
            if name == "nobody":
                del client.http.headers["authorization"]
            yield client


async def make_key(client: Client, name: str, *scopes: str, **more: object) -> tuple[str, str]:
    """A new key's id and token."""
    fields = {"name": name, "scopes": list(scopes), **more}
    made = (await client.execute(CREATE_KEY, input=fields))["createApiKey"]
    assert not made["errors"], made
    return made["apiKey"]["id"], made["token"]


async def revoke_key(client: Client, key_id: str) -> None:
    made = await client.execute(REVOKE_KEY, input={"id": key_id})
    assert not made["revokeApiKey"]["errors"], made


@asynccontextmanager
async def world(database_url: str, clock: VirtualClock) -> AsyncIterator[World]:
    """Open the world until the block ends."""
    async with (
        provider(clock) as identities,
        running(database_url, clock, rate_member="100000/minute", **identities.settings) as service,
    ):
        admin = service.client
        kept, ids = await _campaign(admin), await _fill(admin)
        await service.plan()
        [delivery] = await deliveries(admin, identity="ann")
        [message] = (await inbox(admin, "ann")).nodes
        ids["message"], kept["delivery"] = message["id"], delivery["id"]
        late = {"exp": clock() // 1_000_000 + 60}
        tokens = {"admin": ADMIN, "nobody": "", "unknown key": f"{ADMIN}x"}
        tokens |= {name: identities.token(name) for name in MEMBERS}
        tokens |= {scope: (await make_key(admin, scope, scope))[1] for scope in SCOPED}
        tokens["expired member"] = identities.token("ann", **late)
        _, tokens["expired key"] = await make_key(
            admin, "expired", "admin", expiresAt=clock.after(minutes=1)
        )
        revoked, tokens["revoked key"] = await make_key(admin, "revoked", "admin")
        await revoke_key(admin, revoked)
        clock.advance(minutes=5)
        yield World(service, tokens, ids, kept)


async def _campaign(client: Client) -> dict[str, str]:
    """A campaign that writes into the inbox of whoever gets points."""
    way = await channel(client)
    running = await run_campaign(
        client, way["id"], message={"body": "For {{ Profile.Name | default: 'you' }}"}
    )
    return {"campaign": running["id"], "channel": way["id"]}


async def _fill(client: Client) -> dict[str, str]:
    """Ann's world; the ids of all that is hers alone."""
    await client.upsert_member("ann", name="Ann Example", email="ann@example.com")
    credit = await client.credit("ann", 500, description="Ann Example's first")
    debit = await client.debit("ann", 50)
    hold = await client.hold("ann", 20)
    await client.credit("bob", 70)
    sent = await client.transfer("ann", "bob", 30)
    await create_coupon(client, "SPRING", points=5, member_limit=100)
    wallet = await client.wallet("ann")
    [event] = [each for each in (await client.events()).nodes if each.identity == "ann"]
    assert sent.sent
    return {
        "member": wallet.member_id,
        "wallet": wallet.id,
        "credit": credit.id,
        "debit": debit.id,
        "hold": hold.held.id,
        "transfer": sent.sent.id,
        "event": event.id,
    }
