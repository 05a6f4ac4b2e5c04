"""Signatures: the keys that they are verified by, each good for the algorithms of its own kind.

So that nobody chooses how a token is verified by what the token says: an RSA key verifies no HMAC,
and a curve's key only that curve's signatures.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_OF_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_OF_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
RSA_BITS_MIN: Final = 2_048


@dataclass(frozen=True)
class VerifyingKey:
    """A public key, and the algorithms whose signatures it verifies."""

    kid: str | None
    public: Any
    algorithms: frozenset[str]

    @classmethod
    def of(cls, public: Any, kid: str | None, wanted: Collection[str]) -> "VerifyingKey | None":
        """The key, for those of the wanted algorithms that it is made for; None if for none."""
        fitting = frozenset(wanted) & frozenset(_algorithms_of(public))
        return cls(kid, public, fitting) if fitting else None


class KeySet(Protocol):
    """Where the keys are that members' tokens may be signed with."""

    @property
    def version(self) -> int:
        """Another whenever the keys are others: what was verified before isn't now."""
        ...

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:
        """The key of this name, if it is made for this algorithm. Raises ProviderDown."""
        ...

    async def close(self) -> None: ...


class OneKey:
    """The public key of a PEM file. A token need not name it, and may name it as it likes."""

    version = 0

    def __init__(self, pem: bytes, algorithms: Collection[str]) -> None:
        """Raises ValueError for what is no public key, or none for these algorithms."""
        try:
            public = load_pem_public_key(pem)
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from error
        key = VerifyingKey.of(public, None, algorithms)
        if key is None:
            raise ValueError(f"it can't verify any of {' '.join(algorithms)}")
        self._key = key

    async def find(self, kid: str | None, algorithm: str) -> VerifyingKey | None:  # noqa: ARG002
        return self._key if algorithm in self._key.algorithms else None

    async def close(self) -> None: ...


def _algorithms_of(public: Any) -> Collection[str]:
    if isinstance(public, RSAPublicKey):
        return _OF_RSA if public.key_size >= RSA_BITS_MIN else ()
    if isinstance(public, EllipticCurvePublicKey):
        return [name for curve, name in _OF_CURVE.items() if curve == public.curve.name]
    return ("EdDSA",) if isinstance(public, Ed25519PublicKey | Ed448PublicKey) else ()
