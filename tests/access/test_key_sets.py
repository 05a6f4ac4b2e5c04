"""What a provider publishes: which keys are taken of it, and what is no set of keys."""

from collections.abc import Callable

import pytest
from starlette.responses import JSONResponse, Response

from access.jwks import BYTES_MAX, KEYS_MAX
from access.tokens import Tokens
from tests.access.verifying import FRESH_S, REFETCH_S, RETRY_S, admitted, fetched
from tests.harness.clock import Ticks
from tests.harness.provider import Provider, SigningKey


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: Response("out to lunch", 500),
        lambda each: Response(each.publish().body, 404),
        lambda _: Response(""),
        lambda _: Response("<html>"),
        lambda _: JSONResponse([]),
        lambda _: JSONResponse({"keys": {}}),
        lambda _: JSONResponse({"keys": []}),
        lambda _: JSONResponse({"keys": [None, "key", 7, {}, {"kty": "RSA"}]}),
        lambda each: JSONResponse({"keys": [each.key.public | {"use": "enc"}]}),
        lambda each: JSONResponse({"keys": [each.key.public | {"alg": "HS256"}]}),
        lambda _: JSONResponse({"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}),
        lambda each: Response(each.publish().body + b" " * BYTES_MAX),
        lambda _: Response("[" * 100_000),
    ],
    ids=range(13),
)
async def test_what_is_no_set_of_keys_is_no_answer(
    tokens: Tokens, identities: Provider, ticks: Ticks, answer: Callable[[Provider], Response]
) -> None:
    identities.answer = lambda: answer(identities)
    assert await admitted(tokens, identities.token("ann")) == "ProviderDown"

    identities.come_back()
    ticks.now += RETRY_S

    assert await admitted(tokens, identities.token("ann")) == "ann"


async def test_a_set_that_is_spoiled_replaces_no_good_one(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    await admitted(tokens, identities.token("ann"))
    identities.answer = lambda: JSONResponse({"keys": []})
    ticks.now += FRESH_S
    await admitted(tokens, identities.token("bob"))
    await fetched(identities, 2)

    assert await admitted(tokens, identities.token("cid")) == "cid"


async def test_keys_of_kinds_that_are_not_known_stand_in_nobodys_way(
    tokens: Tokens, identities: Provider
) -> None:
    odd = [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "new"}, {"kid": identities.key.kid}, 7]
    known = [key.public for key in identities.keys]
    identities.answer = lambda: JSONResponse({"keys": [*odd, *known]})

    assert await admitted(tokens, identities.token("ann")) == "ann"


async def test_no_more_keys_are_kept_than_are_bounded(
    tokens: Tokens, identities: Provider, ticks: Ticks
) -> None:
    many = [SigningKey.new(f"other-{number}").public for number in range(KEYS_MAX)]
    identities.answer = lambda: JSONResponse({"keys": [*many, identities.key.public]})

    assert await admitted(tokens, identities.token("ann")) == "Unauthenticated"
    identities.answer = lambda: JSONResponse({"keys": [*many[1:], identities.key.public]})
    ticks.now += REFETCH_S
    assert await admitted(tokens, identities.token("ann")) == "ann"
