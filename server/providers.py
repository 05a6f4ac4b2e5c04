"""Providers: whose tokens let members in, by the settings."""

import time
from pathlib import Path

from access.jwks import Jwks
from access.signatures import KeySet, OneKey
from access.tokens import Tokens
from server.clock import Clock
from server.settings import BadSetting, Settings, variable_of


def open_provider(settings: Settings, clock: Clock) -> Tokens | None:
    """What verifies members' tokens; None where no member is let in. Raises BadSetting."""
    stated = [name for name in ("jwt_jwks_url", "jwt_public_key") if getattr(settings, name)]
    if not stated:
        return None
    if len(stated) > 1:
        raise BadSetting(f"Set only one of {' and '.join(map(variable_of, stated))}.")
    for name in ("jwt_issuer", "jwt_audience"):
        if not getattr(settings, name):
            raise BadSetting(f"{variable_of(name)} must be set with {variable_of(stated[0])}.")
    return Tokens(
        _keys(settings),
        settings.jwt_issuer,
        settings.jwt_audience,
        settings.jwt_algorithms,
        clock,
    )


def _keys(settings: Settings) -> KeySet:
    if settings.jwt_jwks_url:
        return Jwks(settings.jwt_jwks_url, settings.jwt_algorithms, time.monotonic)
    called = variable_of("jwt_public_key")
    try:
        return OneKey(Path(settings.jwt_public_key).read_bytes(), settings.jwt_algorithms)
    except OSError as error:
        raise BadSetting(
            f"{called}: {settings.jwt_public_key} can't be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise BadSetting(
            f"{called}: {settings.jwt_public_key} is no public key in PEM that verifies any of"
            f" {' '.join(settings.jwt_algorithms)}."
        ) from error
