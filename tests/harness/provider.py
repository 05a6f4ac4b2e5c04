"""An identity provider on a port of its own: it signs members' tokens, and publishes its keys.

async with provider(clock) as identities, running(url, clock, **identities.settings) as service:
    async with Client.of(service.client.url, identities.token("ann")) as ann: ...
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.harness.clock import VirtualClock
from tests.harness.patience import patience
from tests.harness.servers import InLoopServer
from tests.harness.values import Json

ISSUER: Final = "https://id.example.com/"
AUDIENCE: Final = "https://points.example.com"
TOKEN_S: Final = 600
"""How long a token is good for, unless a test says otherwise."""

ASKED_S_MAX: Final = 30  # a bound for a test that went wrong, never a measure


@cache
def _rsa() -> rsa.RSAPrivateKey:
    """Make it once: it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


NEW_KEYS: Final[dict[str, Callable[[], Any]]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": _rsa,
}


@dataclass(frozen=True)
class SigningKey:
    kid: str
    algorithm: str
    private: Any

    @classmethod
    def new(cls, kid: str, algorithm: str = "ES256") -> "SigningKey":
        return cls(kid, algorithm, NEW_KEYS[algorithm]())

    @property
    def public(self) -> Json:
        """The key as a provider publishes it."""
        scheme: Any = get_default_algorithms()[self.algorithm]
        published: Json = scheme.to_jwk(self.private.public_key(), as_dict=True)
        published.pop("key_ops", None)
        return published | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}

    def sign(self, claims: Json, **header: Any) -> str:
        """Make a token of any claims at all, also of those that no library would write."""
        named = {"kid": self.kid, **header}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.private, self.algorithm, named)


class Provider:
    """Signs with its newest key. What it publishes, and how, is up to the test."""

    def __init__(self, clock: Callable[[], int], url: str = "") -> None:
        self.clock = clock
        self.url = url
        self.numbers = itertools.count(1)
        self.keys = [SigningKey.new(self._new_kid())]
        self.fetches = 0
        self.fetching = asyncio.Condition()
        self.answer: Callable[[], Response] = self.publish
        self.unhurried = asyncio.Event()
        """Clear it, and whoever asks for the keys waits."""
        self.unhurried.set()

    @property
    def settings(self) -> dict[str, Any]:
        """What a service that trusts this provider is started with."""
        return {"jwt_jwks_url": self.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}

    @property
    def key(self) -> SigningKey:
        return self.keys[-1]

    def claims(self, identity: str, **more: Any) -> Json:
        """The claims of a good token, or of one that `more` makes worse; None leaves one out."""
        now = self.clock() // 1_000_000
        good = {"iss": ISSUER, "aud": AUDIENCE, "sub": identity, "iat": now, "exp": now + TOKEN_S}
        return {name: value for name, value in (good | more).items() if value is not None}

    def token(self, identity: str, **claims: Any) -> str:
        """A member's token, good for ten minutes."""
        return self.key.sign(self.claims(identity, **claims))

    def rotate(self, algorithm: str = "ES256", *, keep: bool = True) -> SigningKey:
        """Sign with a new key from now on; publish the old ones still, or no longer."""
        new = SigningKey.new(self._new_kid(), algorithm)
        self.keys = [*(self.keys if keep else []), new]
        return new

    def go_down(self) -> None:
        self.answer = lambda: Response("out to lunch", 503)

    def come_back(self) -> None:
        self.answer = self.publish

    def publish(self) -> Response:
        return JSONResponse({"keys": [key.public for key in self.keys]})

    async def respond(self, _: Request) -> Response:
        async with self.fetching:
            self.fetches += 1
            self.fetching.notify_all()
        await self.unhurried.wait()
        return self.answer()

    async def asked(self, times: int = 1) -> None:
        """Wait until the keys were asked for so often in all."""
        async with patience(ASKED_S_MAX), self.fetching:
            await self.fetching.wait_for(lambda: self.fetches >= times)

    def _new_kid(self) -> str:
        return f"key-{next(self.numbers)}"


@asynccontextmanager
async def provider(clock: VirtualClock) -> AsyncIterator[Provider]:
    """Run an identity provider until the block ends."""
    identities = Provider(clock)
    app = Starlette(routes=[Route("/keys", identities.respond)])
    server = InLoopServer(
        uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None)
    )
    identities.url = f"{await server.open()}/keys"
    try:
        yield identities
    finally:
        identities.unhurried.set()
        await server.close()
