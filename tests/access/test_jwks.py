"""The provider's keys: fetched seldom, by one request at a time, and good while it is down."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import RedirectResponse, StreamingResponse

from access import jwks
from access.jwks import BYTES_MAX
from access.principal import ProviderDown
from access.tokens import Tokens
from tests.access.verifying import (
    FRESH_S,
    REFETCH_S,
    RETRY_S,
    STALE_S_MAX,
    admitted,
    fetched,
    jwks_tasks,
    verifier,
)
from tests.harness.client import Client
from tests.harness.clock import Ticks, VirtualClock
from tests.harness.keys import ADMIN
from tests.harness.provider import Provider, SigningKey
from tests.harness.servers import running

# ── how seldom ──────────────────────────────────────────────────────────────────────────────────


async def test_nothing_is_fetched_before_a_member_comes(
    sqlite_url: str, clock: VirtualClock, identities: Provider
) -> None:
    identities.go_down()
    async with running(sqlite_url, clock, **identities.settings) as service:
        await service.client.credit("ann", 50)

    assert identities.fetches == 0


async def test_many_members_who_come_at_once_share_the_first_fetch(
    tokens: Tokens, identities: Provider
) -> None:
    identities.unhurried.clear()
    waiting = [
        asyncio.create_task(admitted(tokens, identities.token(f"member-{number}")))
        for number in range(100)
    ]
    await identities.asked()
    identities.unhurried.set()

    assert await asyncio.gather(*waiting) == [f"member-{number}" for number in range(100)]
    assert identities.fetches == 1


async def test_keys_are_fetched_anew_in_the_background_after_ten_minutes(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    assert await admitted(tokens, identities.token("ann")) == "ann"
    ticks.now += FRESH_S - 0.001
    assert await admitted(tokens, identities.token("bob")) == "bob"
    assert identities.fetches == 1

    ticks.now += 0.001
    identities.unhurried.clear()
    assert await admitted(tokens, identities.token("cid")) == "cid"  # nobody waits
    assert await admitted(tokens, identities.token("dan")) == "dan"
    identities.unhurried.set()
    await fetched(identities, 2)

    assert await admitted(tokens, identities.token("eve")) == "eve"
    assert identities.fetches == 2


async def test_an_unknown_key_is_asked_for_at_most_once_in_thirty_seconds(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    await admitted(tokens, identities.token("ann"))
    ticks.now += REFETCH_S
    strange = SigningKey.new("elsewhere")
    for number in range(50):
        forged = strange.sign(identities.claims(f"member-{number}"))
        assert await admitted(tokens, forged) == "Unauthenticated"

    assert identities.fetches == 2
    ticks.now += REFETCH_S - 0.001
    assert await admitted(tokens, strange.sign(identities.claims("ann"))) == "Unauthenticated"
    assert identities.fetches == 2
    ticks.now += 0.001
    assert await admitted(tokens, strange.sign(identities.claims("ann"))) == "Unauthenticated"
    assert identities.fetches == 3


async def test_a_token_is_verified_once(
    tokens: Tokens, identities: Provider, clock: VirtualClock
) -> None:
    token = identities.token("ann")
    assert await admitted(tokens, token) == "ann"
    assert await tokens.admit(token) is await tokens.admit(token)

    clock.advance(minutes=10)

    assert await admitted(tokens, token) == "Unauthenticated"


# ── keys that are turned over ───────────────────────────────────────────────────────────────────


async def test_a_new_key_is_taken_as_soon_as_a_token_names_it(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    await admitted(tokens, identities.token("ann"))
    old = identities.key
    ticks.now += REFETCH_S

    identities.rotate("EdDSA")

    assert await admitted(tokens, identities.token("ann")) == "ann"
    assert await admitted(tokens, old.sign(identities.claims("bob"))) == "bob"
    assert identities.fetches == 2


async def test_a_token_of_a_key_that_is_gone_lets_nobody_in_though_it_was_verified(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    stolen = identities.token("ann")
    assert await admitted(tokens, stolen) == "ann"
    ticks.now += REFETCH_S

    identities.rotate(keep=False)

    assert await admitted(tokens, identities.token("bob")) == "bob"
    assert await admitted(tokens, stolen) == "Unauthenticated"


# ── a provider that is down ─────────────────────────────────────────────────────────────────────


async def test_keys_stay_good_for_a_day_while_the_provider_is_down(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    await admitted(tokens, identities.token("ann"))
    identities.go_down()

    ticks.now += STALE_S_MAX - 0.001
    assert await admitted(tokens, identities.token("bob")) == "bob"
    await fetched(identities, 2)
    ticks.now += REFETCH_S

    assert await admitted(tokens, identities.token("cid")) == "ProviderDown"


async def test_while_it_is_down_it_is_not_asked_with_every_token(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    identities.go_down()
    for number in range(20):
        assert await admitted(tokens, identities.token(f"member-{number}")) == "ProviderDown"
    assert identities.fetches == 1

    with pytest.raises(ProviderDown) as refused:
        await tokens.admit(identities.token("ann"))
    assert refused.value.retry_after_s == RETRY_S
    ticks.now += RETRY_S
    identities.come_back()

    assert await admitted(tokens, identities.token("ann")) == "ann"
    assert identities.fetches == 2


async def test_of_an_unknown_key_it_is_not_said_that_it_is_bad_while_nobody_can_tell(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    await admitted(tokens, identities.token("ann"))
    ticks.now += REFETCH_S
    identities.rotate()
    identities.go_down()

    assert await admitted(tokens, identities.token("ann")) == "ProviderDown"
    identities.come_back()
    ticks.now += REFETCH_S
    assert await admitted(tokens, identities.token("ann")) == "ann"


async def test_keys_of_the_company_work_while_the_provider_is_down(
    sqlite_url: str, clock: VirtualClock, identities: Provider
) -> None:
    identities.go_down()
    async with running(sqlite_url, clock, **identities.settings) as service:
        await service.client.credit("ann", 50)
        async with Client.of(service.client.url, identities.token("ann")) as ann:
            answer = await ann.http.post(
                ann.url, json={"query": "{ wallets { edges { cursor } } }"}
            )
        assert (await service.client.credit("ann", 50)).error is None

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert ADMIN not in answer.text


async def test_a_provider_that_cannot_be_reached_is_down(
    clock: VirtualClock, ticks: Ticks, unused_tcp_port: int
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/keys"
    async with verifier(url, clock, ticks) as tokens:
        assert await admitted(tokens, Provider(clock).token("ann")) == "ProviderDown"


async def test_a_provider_that_keeps_silent_is_down(
    tokens: Tokens, identities: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_S_MAX", 0.05)
    identities.unhurried.clear()

    assert await admitted(tokens, identities.token("ann")) == "ProviderDown"


async def test_a_provider_that_answers_drop_by_drop_is_down(
    clock: VirtualClock, identities: Provider, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" "
            await asyncio.sleep(0.02)
        yield bytes(identities.publish().body)

    identities.answer = lambda: StreamingResponse(drops())
    async with verifier(identities.url, clock, ticks) as tokens:
        monkeypatch.setattr(jwks, "FETCH_S_MAX", 0.2)  # the client has its five seconds a drop

        assert await admitted(tokens, identities.token("ann")) == "ProviderDown"


async def test_a_provider_is_not_followed_elsewhere(tokens: Tokens, identities: Provider) -> None:
    elsewhere = RedirectResponse(f"{identities.url}?elsewhere")
    identities.answer = lambda: elsewhere if identities.fetches == 1 else identities.publish()

    assert await admitted(tokens, identities.token("ann")) == "ProviderDown"
    assert identities.fetches == 1


async def test_an_answer_of_unsaid_length_is_read_no_further_than_it_may_be(
    tokens: Tokens, identities: Provider
) -> None:
    async def too_long() -> AsyncIterator[bytes]:
        yield bytes(identities.publish().body)
        for _ in range(BYTES_MAX // 1_024):
            yield b" " * 1_024

    identities.answer = lambda: StreamingResponse(too_long())

    assert await admitted(tokens, identities.token("ann")) == "ProviderDown"


async def test_a_member_who_hangs_up_stops_nobodys_fetch(
    tokens: Tokens, identities: Provider
) -> None:
    identities.unhurried.clear()
    hasty = asyncio.create_task(admitted(tokens, identities.token("ann")))
    patient = asyncio.create_task(admitted(tokens, identities.token("bob")))
    await identities.asked()
    hasty.cancel()
    identities.unhurried.set()

    assert await patient == "bob"
    assert identities.fetches == 1


async def test_a_service_may_end_while_the_keys_are_fetched(
    sqlite_url: str, clock: VirtualClock, identities: Provider
) -> None:
    identities.unhurried.clear()
    async with running(sqlite_url, clock, **identities.settings) as service:
        body = json.dumps({"query": "{ __typename }"})
        headers = {
            "authorization": f"Bearer {identities.token('ann')}",
            "content-type": "application/json",
        }
        async with httpx.AsyncClient(trust_env=False) as http:
            asking = asyncio.create_task(
                http.post(service.client.url, content=body, headers=headers)
            )
            await identities.asked()
            asking.cancel()
            await asyncio.wait([asking])

    assert jwks_tasks() == []
