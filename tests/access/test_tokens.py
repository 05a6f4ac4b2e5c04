"""Members' tokens: what one must be to let its member in, over HTTP and by a real provider."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.settings import BadSetting, Settings, read
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.provider import AUDIENCE, ISSUER, Provider, SigningKey, provider
from tests.harness.servers import Service, running
from tests.harness.values import Json

MINE = "{ wallets { edges { node { member { identity } } } } }"


@dataclass(frozen=True)
class World:
    """Ann and Bob have wallets; a provider tells members' tokens."""

    service: Service
    identities: Provider
    clock: VirtualClock

    @property
    def now(self) -> int:
        return self.clock() // 1_000_000

    async def ask(self, token: str, document: str = MINE) -> tuple[int, Json]:
        async with Client.of(self.service.client.url, token) as client:
            return await client.ask(document, {})

    async def seen_by(self, token: str) -> list[str]:
        """Whose wallets a token shows; it must let someone in."""
        status, answer = await self.ask(token)
        assert status == 200, answer
        edges = answer["data"]["wallets"]["edges"]
        return [edge["node"]["member"]["identity"] for edge in edges]

    async def reason(self, token: str) -> str:
        """Why a token lets nobody in: it must not."""
        status, answer = await self.ask(token)
        assert status == 401, answer
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        return error["message"]


@pytest.fixture
async def world(sqlite_url: str, clock: VirtualClock) -> AsyncIterator[World]:
    async with (
        provider(clock) as identities,
        running(sqlite_url, clock, **identities.settings) as service,
    ):
        await service.client.credit("ann", 50)
        await service.client.credit("bob", 70)
        yield World(service, identities, clock)


def b64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def unsigned(header: Json, claims: Json, signature: str = "") -> str:
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}.{signature}"


# ── good tokens ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
async def test_a_good_token_lets_its_member_in_to_what_is_theirs(
    sqlite_url: str, clock: VirtualClock, algorithm: str
) -> None:
    async with provider(clock) as identities:
        identities.rotate(algorithm)
        async with running(sqlite_url, clock, **identities.settings) as service:
            await service.client.credit("ann", 50)
            await service.client.credit("bob", 70)
            world = World(service, identities, clock)

            assert await world.seen_by(identities.token("ann")) == ["ann"]
            assert await world.seen_by(identities.token("bob")) == ["bob"]
            assert await world.seen_by(identities.token("nobody-yet")) == []


@pytest.mark.parametrize(
    "more",
    [
        {"aud": [AUDIENCE, "https://shop.example.com"]},
        {"nbf": 0},
        {"jti": 7},
        {"exp": 4_000_000_000.5},
        {"scope": "admin points:credit"},
    ],
    ids=str,
)
async def test_what_else_a_token_says_changes_nothing(world: World, more: Json) -> None:
    token = world.identities.token("ann", **more)

    assert await world.seen_by(token) == ["ann"]
    _, answer = await world.ask(token, "{ programs { edges { cursor } } }")
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize("identity", ["x" * 255, "ann@example.com", "élise", "auth0|5f7c 8"])
async def test_a_subject_may_be_any_identity(world: World, identity: str) -> None:
    await world.service.client.credit(identity, 5)

    assert await world.seen_by(world.identities.token(identity)) == [identity]


async def test_a_token_is_good_up_to_its_expiry(world: World) -> None:
    token = world.identities.token("ann", exp=world.now + 60)
    world.clock.advance(seconds=59, microseconds=999_999)
    assert await world.seen_by(token) == ["ann"]

    world.clock.advance(microseconds=1)

    assert "expired (exp)" in await world.reason(token)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_the_providers_clock_may_be_thirty_seconds_ahead_and_no_more(
    world: World, claim: str
) -> None:
    token = world.identities.token("ann", **{claim: world.now + 31})
    assert f"({claim})" in await world.reason(token)

    world.clock.advance(seconds=1)

    assert await world.seen_by(token) == ["ann"]


# ── bad tokens ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("claim", ["exp", "iat", "iss", "aud", "sub"])
async def test_a_token_without_a_claim_lets_nobody_in(world: World, claim: str) -> None:
    token = world.identities.token("ann", **{claim: None})

    assert f"claim {claim}" in await world.reason(token)


@pytest.mark.parametrize(
    ("more", "naming"),
    [
        ({"iss": "https://evil.example.com/"}, "(iss)"),
        ({"iss": ISSUER.rstrip("/")}, "(iss)"),
        ({"iss": [ISSUER]}, "(iss)"),
        ({"aud": "https://shop.example.com"}, "(aud)"),
        ({"aud": ["https://shop.example.com"]}, "(aud)"),
        ({"aud": []}, "aud"),
        ({"aud": {AUDIENCE: 1}}, "(aud)"),
        ({"exp": 1_600_000_000}, "(exp)"),
        ({"exp": "4000000000"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"exp": -1}, "exp"),
        ({"iat": 4_000_000_000}, "(iat)"),
        ({"iat": "now"}, "iat"),
        ({"nbf": 4_000_000_000}, "(nbf)"),
        ({"nbf": []}, "nbf"),
        ({"sub": ""}, "(sub)"),
        ({"sub": "x" * 256}, "(sub)"),
        ({"sub": "erased:mem_01"}, "(sub)"),
        ({"sub": "an\x00n"}, "(sub)"),
        ({"sub": "\ud800"}, "(sub)"),
        ({"sub": 7}, "(sub)"),
        ({"sub": ["ann"]}, "(sub)"),
    ],
    ids=str,
)
async def test_a_claim_that_cannot_be_lets_nobody_in(world: World, more: Json, naming: str) -> None:
    token = world.identities.token("ann", **more)

    assert naming in await world.reason(token)


Forgery = Callable[[Provider], str]
FORGERIES: dict[str, Forgery] = {
    "none": lambda each: unsigned({"alg": "none", "kid": each.key.kid}, each.claims("ann")),
    "None": lambda each: unsigned({"alg": "None", "kid": each.key.kid}, each.claims("ann")),
    "no algorithm": lambda each: unsigned({"kid": each.key.kid}, each.claims("ann"), "AAAA"),
    "an algorithm that is none": lambda each: unsigned(
        {"alg": ["ES256"], "kid": each.key.kid}, each.claims("ann"), "AAAA"
    ),
    "HMAC by the public key": lambda each: hmac_by_public_key(each),  # noqa: PLW0108 - it is defined below
    "an algorithm that isn't taken": lambda each: jwt.encode(
        each.claims("ann"), rsa_key(), "PS256", {"kid": each.key.kid}
    ),
    "the name of another's key": lambda each: SigningKey.new(each.key.kid).sign(each.claims("ann")),
    "another algorithm than the key's": lambda each: SigningKey.new(each.key.kid, "EdDSA").sign(
        each.claims("ann")
    ),
    "a changed claim": lambda each: changed(each.token("ann")),
    "no signature": lambda each: each.token("ann").rpartition(".")[0] + ".",
    "a cut signature": lambda each: each.token("ann")[:-2],
    "an unknown key": lambda each: SigningKey.new("elsewhere").sign(each.claims("ann")),
    "a name that is none": lambda each: each.key.sign(each.claims("ann"), kid=""),
    "a critical extension": lambda each: each.key.sign(
        each.claims("ann"), crit=["tuppence"], tuppence=1
    ),
    "a key of its own": lambda each: own_key(each),  # noqa: PLW0108 - it is defined below
    "a payload that is no object": lambda each: jwt.PyJWS().encode(
        b"[]", each.key.private, each.key.algorithm, {"kid": each.key.kid}
    ),
    "a payload that is no JSON": lambda each: jwt.PyJWS().encode(
        b"{", each.key.private, each.key.algorithm, {"kid": each.key.kid}
    ),
    "two parts": lambda _: "e30.e30",
    "empty parts": lambda _: "..",
    "deep JSON": lambda each: f"{b64(b'[' * 3_000)}.{each.token('ann').partition('.')[2]}",
}


def rsa_key() -> Any:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def hmac_by_public_key(identities: Provider) -> str:
    """Sign as if the public key were a secret that both sides share: the classic confusion."""
    import hmac  # noqa: PLC0415 - only an attacker's tool

    public = identities.key.private.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = unsigned({"alg": "HS256", "kid": identities.key.kid}, identities.claims("ann"))
    body = body.rpartition(".")[0]
    return f"{body}.{b64(hmac.digest(secret, body.encode(), 'sha256'))}"


def changed(token: str) -> str:
    header, claims, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{header}.{b64(json.dumps(said | {'sub': 'bob'}).encode())}.{signature}"


def own_key(identities: Provider) -> str:
    """Sign with a key that the token brings along."""
    mine = SigningKey.new(identities.key.kid)
    return mine.sign(identities.claims("ann"), jwk=mine.public, jku="https://evil.example.com/")


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_token_lets_nobody_in(world: World, forgery: Forgery) -> None:
    assert await world.seen_by(world.identities.token("ann")) == ["ann"]

    assert "lets nobody in" in await world.reason(forgery(world.identities))


async def test_a_huge_token_is_not_even_read(world: World) -> None:
    token = world.identities.token("ann", more="x" * 8_000)

    assert "can be read" in await world.reason(token)
    assert world.identities.fetches == 0


async def test_a_token_need_not_name_its_key_where_there_is_one(world: World) -> None:
    claims, key = world.identities.claims("ann"), world.identities.key

    assert await world.seen_by(jwt.encode(claims, key.private, key.algorithm)) == ["ann"]


async def test_a_token_must_name_its_key_where_there_are_several(world: World) -> None:
    claims, key = world.identities.claims("ann"), world.identities.rotate()
    assert await world.seen_by(world.identities.token("ann")) == ["ann"]

    assert "(kid, alg)" in await world.reason(jwt.encode(claims, key.private, key.algorithm))


async def test_no_answer_repeats_a_token(world: World) -> None:
    token = world.identities.token("ann", iss="https://evil.example.com/")
    _, answer = await world.ask(token)

    for part in (*token.split("."), "ann", "evil"):
        assert part not in json.dumps(answer)


# ── one public key ──────────────────────────────────────────────────────────────────────────────


def pem(key: SigningKey) -> bytes:
    public = key.private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def static(file: Path, **more: Any) -> dict[str, Any]:
    return {"jwt_public_key": str(file), "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE} | more


def static_pem(key: SigningKey, file: Path, *, is_in_file: bool) -> dict[str, Any]:
    file.write_bytes(pem(key))
    return static(file) if is_in_file else static(file, jwt_public_key=pem(key).decode())


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize("is_in_file", [True, False])
async def test_members_may_be_let_in_by_one_public_key_or_the_file_of_it(
    sqlite_url: str, clock: VirtualClock, tmp_path: Path, algorithm: str, *, is_in_file: bool
) -> None:
    key = SigningKey.new("ours", algorithm)
    settings = static_pem(key, tmp_path / "provider.pem", is_in_file=is_in_file)
    async with running(sqlite_url, clock, **settings) as service:
        identities = Provider(clock)
        world = World(service, identities, clock)
        await service.client.credit("ann", 50)

        assert await world.seen_by(key.sign(identities.claims("ann"))) == ["ann"]
        nameless = jwt.encode(identities.claims("ann"), key.private, algorithm)
        assert await world.seen_by(nameless) == ["ann"]
        assert "signature" in await world.reason(changed(key.sign(identities.claims("ann"))))


P224 = ec.generate_private_key(ec.SECP224R1())
WEAK = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)  # noqa: S505 - to be refused


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"a secret that both sides share",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        pem(SigningKey("weak", "RS256", WEAK)),
        pem(SigningKey("odd", "ES256", P224)),
    ],
    ids=["nothing", "a secret", "spoiled", "RSA of 1024 bits", "another curve"],
)
def test_a_file_that_holds_no_key_that_can_be_used_is_told_of_at_the_start(
    sqlite_url: str, clock: VirtualClock, tmp_path: Path, held: bytes
) -> None:
    file = tmp_path / "provider.pem"
    file.write_bytes(held)

    with pytest.raises(BadSetting, match="TUPPENCE_JWT_PUBLIC_KEY") as refused:
        create(sqlite_url, clock, **static(file))

    assert str(file) in str(refused.value)


# ── settings ────────────────────────────────────────────────────────────────────────────────────


def create(database_url: str, clock: VirtualClock, **settings: Any) -> None:
    from server.app import create_app  # noqa: PLC0415 - only what it refuses matters here

    create_app(Settings(database_url=database_url, **settings), clock)


@pytest.mark.parametrize(
    ("settings", "naming"),
    [
        ({"jwt_issuer": ""}, "TUPPENCE_JWT_ISSUER"),
        ({"jwt_audience": ""}, "TUPPENCE_JWT_AUDIENCE"),
        ({"jwt_public_key": "provider.pem"}, "TUPPENCE_JWT_PUBLIC_KEY"),
        ({"jwt_jwks_url": "", "jwt_public_key": "/nowhere.pem"}, "/nowhere.pem"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_told_of_at_the_start(
    sqlite_url: str, clock: VirtualClock, settings: dict[str, Any], naming: str
) -> None:
    good = {"jwt_jwks_url": "https://id.example.com/keys", "jwt_issuer": "i", "jwt_audience": "a"}

    with pytest.raises(BadSetting, match=naming):
        create(sqlite_url, clock, **(good | settings))


@pytest.mark.parametrize("text", ["HS256", "RS256 HS256", "none", "", "ES256 foo"])
def test_only_signatures_by_public_keys_can_be_configured(text: str) -> None:
    with pytest.raises(BadSetting, match="jwt_algorithms"):
        read("jwt_algorithms", text, called="jwt_algorithms")


@pytest.mark.parametrize("text", ["http://id.example.com/keys", "ftp://id.example.com", "keys"])
def test_keys_are_fetched_by_tls_alone(text: str) -> None:
    with pytest.raises(BadSetting, match="jwt_jwks_url"):
        read("jwt_jwks_url", text, called="jwt_jwks_url")
