"""Tokens: members are let in by a JWT of the company's identity provider.

The library verifies the signature, the issuer and the audience; the instants are held against our
own clock here.
"""

from collections.abc import Callable, Collection
from hashlib import sha256
from typing import Any, Final

import jwt
from jwt.exceptions import InvalidSubjectError

from access.principal import Principal, Unauthenticated
from access.signatures import KeySet
from models.columns import NEVER
from models.texts import fault_in_identity

LEEWAY_US: Final = 30_000_000
"""How far ahead of ours the provider's clock may be. An expiry needs none: it is for us to see."""

SECONDS_MAX: Final = NEVER // 1_000_000

VERIFIED_MAX: Final = 10_000
"""How many tokens that were verified are remembered, so that each costs that once."""

_REASONS: Final[dict[type[Exception], str]] = {
    jwt.InvalidSignatureError: "its signature is not good",
    jwt.InvalidAlgorithmError: "it is signed in a way that isn't taken here (alg)",
    jwt.InvalidIssuerError: "it was not issued by the one who is trusted here (iss)",
    jwt.InvalidAudienceError: "it is meant for others (aud)",
    InvalidSubjectError: "its subject must be a text (sub)",
}


class Tokens:
    """Verifies members' tokens."""

    def __init__(
        self,
        keys: KeySet,
        issuer: str,
        audience: str,
        algorithms: Collection[str],
        clock: Callable[[], int],
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._algorithms = algorithms
        self._clock = clock
        self._verified: dict[bytes, Principal] = {}
        self._verified_by = keys.version
        self._jwt = jwt.PyJWT(
            {
                "require": ["exp", "iat", "iss", "aud", "sub"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_jti": False,
            }
        )

    async def admit(self, token: str) -> Principal:
        """The member whose token it is. Raises Unauthenticated or ProviderDown."""
        hashed = sha256(token.encode()).digest()
        known = self._remembered(hashed)
        if known is None:
            known = _member(await self._claims(token), self._clock())
            self._remember(hashed, known)
        return known

    async def close(self) -> None:
        await self._keys.close()

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._algorithms:
                raise jwt.InvalidAlgorithmError
            key = await self._keys.find(header.get("kid"), header["alg"])
            if key is None:
                raise _refused("it isn't signed with a key that its provider publishes (kid, alg)")
            return self._jwt.decode(
                token,
                key.public,
                algorithms=sorted(key.algorithms),
                issuer=self._issuer,
                audience=self._audience,
            )
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"it lacks the claim {error.claim}") from None
        except jwt.PyJWTError as error:
            raise _refused(_REASONS.get(type(error), "it can't be read")) from None

    def _remembered(self, hashed: bytes) -> Principal | None:
        if self._verified_by != self._keys.version:
            self._verified.clear()
            self._verified_by = self._keys.version
        known = self._verified.get(hashed)
        return known if known and self._clock() < known.expires_at else None

    def _remember(self, hashed: bytes, member: Principal) -> None:
        self._verified.pop(hashed, None)
        if len(self._verified) >= VERIFIED_MAX:
            del self._verified[next(iter(self._verified))]
        self._verified[hashed] = member


def _member(claims: dict[str, Any], now: int) -> Principal:
    expires_at = _instant(claims, "exp")
    if expires_at <= now:
        raise _refused("it has expired (exp)")
    if _instant(claims, "iat") > now + LEEWAY_US:
        raise _refused("it was issued in the future (iat)")
    if "nbf" in claims and _instant(claims, "nbf") > now + LEEWAY_US:
        raise _refused("it isn't good yet (nbf)")
    identity = claims["sub"]
    fault = fault_in_identity(identity)
    if fault:
        raise _refused(f"its subject (sub) {fault}")
    named = f"member:{sha256(identity.encode()).hexdigest()[:16]}"
    return Principal("MEMBER", named, identity=identity, expires_at=expires_at)


def _instant(claims: dict[str, Any], name: str) -> int:
    """A claim in seconds since 1970, in µs."""
    seconds = claims[name]
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds <= SECONDS_MAX:  # so that NaN is refused, too
        raise _refused(f"its claim {name} must be a number of seconds since 1970")
    return int(seconds * 1_000_000)


def _refused(reason: str) -> Unauthenticated:
    return Unauthenticated(f"this token lets nobody in: {reason}")
